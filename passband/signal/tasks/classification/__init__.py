"""Environmental sounds told apart: labelled clips, small CNNs, cross-validation, classification."""

from passband.signal.tasks.classification._augmentation import mix_up as mix_up
from passband.signal.tasks.classification._classifier import Classifier as Classifier
from passband.signal.tasks.classification._classifier import load_classifier as load_classifier
from passband.signal.tasks.classification._classifier import save_classifier as save_classifier
from passband.signal.tasks.classification._clips import LabelledClips as LabelledClips
from passband.signal.tasks.classification._clips import read_clips as read_clips
from passband.signal.tasks.classification._cross_validation import cross_validate as cross_validate
from passband.signal.tasks.classification._cross_validation import (
    train_classifier as train_classifier,
)
from passband.signal.tasks.classification._folds import draw_folds as draw_folds
from passband.signal.tasks.classification._frontend import Frontend as Frontend
from passband.signal.tasks.classification._frontend import read_sound as read_sound
from passband.signal.tasks.classification._networks import SquareCNN as SquareCNN
from passband.signal.tasks.classification._networks import SquareSettings as SquareSettings
from passband.signal.tasks.classification._networks import TimeCNN as TimeCNN
from passband.signal.tasks.classification._networks import TimeSettings as TimeSettings
from passband.signal.tasks.classification._recipe import (
    AugmentationSettings as AugmentationSettings,
)
from passband.signal.tasks.classification._recipe import ClassifierRecipe as ClassifierRecipe
from passband.signal.tasks.classification._recipe import DataSettings as DataSettings

__all__ = [
    "AugmentationSettings",
    "Classifier",
    "ClassifierRecipe",
    "DataSettings",
    "Frontend",
    "LabelledClips",
    "SquareCNN",
    "SquareSettings",
    "TimeCNN",
    "TimeSettings",
    "cross_validate",
    "draw_folds",
    "load_classifier",
    "mix_up",
    "read_clips",
    "read_sound",
    "save_classifier",
    "train_classifier",
]
