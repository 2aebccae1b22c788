"""Losses of adversarial training; those between two sounds are in `passband.signal.losses`."""

from passband.vocoder.losses._adversarial import discriminator_hinge as discriminator_hinge
from passband.vocoder.losses._adversarial import feature_matching as feature_matching
from passband.vocoder.losses._adversarial import generator_hinge as generator_hinge

__all__ = ["discriminator_hinge", "feature_matching", "generator_hinge"]
