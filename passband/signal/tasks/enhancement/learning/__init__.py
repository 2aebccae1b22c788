"""How speech enhancers are trained: recipes, mixtures, the objective, and what came of it."""

from passband.signal.tasks.enhancement.learning._held_out import HeldOut as HeldOut
from passband.signal.tasks.enhancement.learning._held_out import Scores as Scores
from passband.signal.tasks.enhancement.learning._held_out import make_held_out as make_held_out
from passband.signal.tasks.enhancement.learning._held_out import score as score
from passband.signal.tasks.enhancement.learning._held_out import si_snr as si_snr
from passband.signal.tasks.enhancement.learning._mixing import Mixtures as Mixtures
from passband.signal.tasks.enhancement.learning._mixing import Pair as Pair
from passband.signal.tasks.enhancement.learning._mixing import mixed as mixed
from passband.signal.tasks.enhancement.learning._mixing import reverberated as reverberated
from passband.signal.tasks.enhancement.learning._objective import (
    EnhancementLoss as EnhancementLoss,
)
from passband.signal.tasks.enhancement.learning._objective import ratio_mask as ratio_mask
from passband.signal.tasks.enhancement.learning._recipe import EnhancerRecipe as EnhancerRecipe
from passband.signal.tasks.enhancement.learning._recipe import LossSettings as LossSettings
from passband.signal.tasks.enhancement.learning._recipe import MixtureSettings as MixtureSettings
from passband.signal.tasks.enhancement.learning._sources import find_sounds as find_sounds
from passband.signal.tasks.enhancement.learning._sources import split_by_name as split_by_name
from passband.signal.tasks.enhancement.learning._train import train_enhancer as train_enhancer
from passband.signal.tasks.enhancement.learning._wiener import wiener_filter as wiener_filter

__all__ = [
    "EnhancementLoss",
    "EnhancerRecipe",
    "HeldOut",
    "LossSettings",
    "MixtureSettings",
    "Mixtures",
    "Pair",
    "Scores",
    "find_sounds",
    "make_held_out",
    "mixed",
    "ratio_mask",
    "reverberated",
    "score",
    "si_snr",
    "split_by_name",
    "train_enhancer",
    "wiener_filter",
]
