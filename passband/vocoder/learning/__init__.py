"""How vocoders are trained: recipes, clips, the adversarial objective, and what came of it."""

from passband.signal.tasks import Recordings as Recordings
from passband.signal.tasks import find_audio as find_audio
from passband.signal.tasks import hold_out as hold_out
from passband.vocoder.learning._adversary import Adversary as Adversary
from passband.vocoder.learning._clips import Clips as Clips
from passband.vocoder.learning._clips import crop as crop
from passband.vocoder.learning._evaluation import HeldOut as HeldOut
from passband.vocoder.learning._evaluation import Scores as Scores
from passband.vocoder.learning._evaluation import load_held_out as load_held_out
from passband.vocoder.learning._evaluation import score as score
from passband.vocoder.learning._pitch import Pitch as Pitch
from passband.vocoder.learning._pitch import track_pitch as track_pitch
from passband.vocoder.learning._quality import intelligibility as intelligibility
from passband.vocoder.learning._quality import pesq_wideband as pesq_wideband
from passband.vocoder.learning._quality import voicing_errors as voicing_errors
from passband.vocoder.learning._recipe import Recipe as Recipe
from passband.vocoder.learning._recipe_file import dump_recipe as dump_recipe
from passband.vocoder.learning._recipe_file import load_recipe as load_recipe
from passband.vocoder.learning._results import copy_synthesis as copy_synthesis
from passband.vocoder.learning._train import train_vocoder as train_vocoder

__all__ = [
    "Adversary",
    "Clips",
    "HeldOut",
    "Pitch",
    "Recipe",
    "Recordings",
    "Scores",
    "copy_synthesis",
    "crop",
    "dump_recipe",
    "find_audio",
    "hold_out",
    "intelligibility",
    "load_held_out",
    "load_recipe",
    "pesq_wideband",
    "score",
    "track_pitch",
    "train_vocoder",
    "voicing_errors",
]
