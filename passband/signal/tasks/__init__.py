"""Tasks learned on spectrograms: what they share; each task is a room below.

``classification``, ``transcription``, ``denoising``, ``enhancement``, ``similarity``, ``shortcuts``
and ``comparison`` are imported by name, so that a command pays for its own task alone.
"""

from passband.signal.tasks._feature_cache import FeatureCache as FeatureCache
from passband.signal.tasks._files import find_audio as find_audio
from passband.signal.tasks._files import hold_out as hold_out
from passband.signal.tasks._learning import TrainingSettings as TrainingSettings
from passband.signal.tasks._learning import built_with_seed as built_with_seed
from passband.signal.tasks._learning import digest_of as digest_of
from passband.signal.tasks._learning import learn as learn
from passband.signal.tasks._model_folder import RECIPE_FILE as RECIPE_FILE
from passband.signal.tasks._model_folder import SavedModel as SavedModel
from passband.signal.tasks._model_folder import load_model as load_model
from passband.signal.tasks._model_folder import save_model as save_model
from passband.signal.tasks._recordings import Recordings as Recordings
from passband.signal.tasks._recordings import unchanged as unchanged
from passband.signal.tasks._recordings import unit_peak as unit_peak
from passband.signal.tasks._representation import Representation as Representation
from passband.signal.tasks._representation import RepresentationSettings as RepresentationSettings

__all__ = [
    "RECIPE_FILE",
    "FeatureCache",
    "Recordings",
    "Representation",
    "RepresentationSettings",
    "SavedModel",
    "TrainingSettings",
    "built_with_seed",
    "digest_of",
    "find_audio",
    "hold_out",
    "learn",
    "load_model",
    "save_model",
    "unchanged",
    "unit_peak",
]
