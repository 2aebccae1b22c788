"""Encodings: what a network sees of a coordinate in [-1, 1]."""

from passband.inr.encodings._fourier import RandomFourier as RandomFourier
from passband.inr.encodings._hashgrid import HashGrid as HashGrid
from passband.inr.encodings._identity import Identity as Identity
from passband.inr.encodings._positional import Positional as Positional

__all__ = ["HashGrid", "Identity", "Positional", "RandomFourier"]
