"""Families of fields by name: which knob to match, which number makes them larger."""

from passband.inr.families._catalogue import FAMILIES as FAMILIES
from passband.inr.families._catalogue import named_family as named_family
from passband.inr.families._family import Family as Family
from passband.inr.families._sizing import parameter_count as parameter_count
from passband.inr.families._sizing import sized as sized

__all__ = ["FAMILIES", "Family", "named_family", "parameter_count", "sized"]
