"""Posed photographs of an object: every format people have, one frame, and the masks' hull."""

from passband.recon.data._hull import Hull as Hull
from passband.recon.data._hull import visual_hull as visual_hull
from passband.recon.data._load import load_photographs as load_photographs
from passband.recon.data._load import load_train_test as load_train_test
from passband.recon.data._photographs import Photographs as Photographs
from passband.recon.data._photographs import evenly_spread as evenly_spread
from passband.recon.data._photographs import held_out as held_out

__all__ = [
    "Hull",
    "Photographs",
    "evenly_spread",
    "held_out",
    "load_photographs",
    "load_train_test",
    "visual_hull",
]
