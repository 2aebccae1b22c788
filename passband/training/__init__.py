"""One loop for everything that learns: device, precision, checkpoints, resume, events, progress."""

from passband.training._checkpoint import Checkpoint as Checkpoint
from passband.training._checkpoint import load_checkpoint as load_checkpoint
from passband.training._checkpoint import save_checkpoint as save_checkpoint
from passband.training._denormals import flushed_denormals as flushed_denormals
from passband.training._device import Precision as Precision
from passband.training._device import autocast as autocast
from passband.training._device import choose_device as choose_device
from passband.training._events import EventLog as EventLog
from passband.training._events import read_events as read_events
from passband.training._figure import figure_png as figure_png
from passband.training._figure import new_figure as new_figure
from passband.training._interrupt import InterruptGuard as InterruptGuard
from passband.training._learner import Learner as Learner
from passband.training._learner import Objective as Objective
from passband.training._learner import StepOutput as StepOutput
from passband.training._loop import CHECKPOINT as CHECKPOINT
from passband.training._loop import LoopResult as LoopResult
from passband.training._loop import LoopSettings as LoopSettings
from passband.training._loop import train as train
from passband.training._loop import train_in_turns as train_in_turns
from passband.training._memory import keep_freed_memory as keep_freed_memory
from passband.training._optimizer import Adam as Adam
from passband.training._page import html_figure as html_figure
from passband.training._page import html_page as html_page
from passband.training._page import html_player as html_player
from passband.training._page import html_row as html_row
from passband.training._progress import ProgressReporter as ProgressReporter
from passband.training._progress import format_duration as format_duration
from passband.training._replicas import Replicas as Replicas
from passband.training._replicas import join_replicas as join_replicas
from passband.training._run_folder import check_folder as check_folder
from passband.training._run_folder import claim_folder as claim_folder
from passband.training._sampling import ShuffledSampler as ShuffledSampler
from passband.training._schedule import constant as constant
from passband.training._schedule import cosine as cosine
from passband.training._schedule import exponential as exponential
from passband.training._seed import derive_seed as derive_seed
from passband.training._seed import make_generator as make_generator
from passband.training._settings_file import override_settings as override_settings
from passband.training._settings_file import read_settings as read_settings
from passband.training._settings_file import settings_problem as settings_problem
from passband.training._tensorfile import load_tensors as load_tensors
from passband.training._tensorfile import save_tensors as save_tensors

__all__ = [
    "CHECKPOINT",
    "Adam",
    "Checkpoint",
    "EventLog",
    "InterruptGuard",
    "Learner",
    "LoopResult",
    "LoopSettings",
    "Objective",
    "Precision",
    "ProgressReporter",
    "Replicas",
    "ShuffledSampler",
    "StepOutput",
    "autocast",
    "check_folder",
    "choose_device",
    "claim_folder",
    "constant",
    "cosine",
    "derive_seed",
    "exponential",
    "figure_png",
    "flushed_denormals",
    "format_duration",
    "html_figure",
    "html_page",
    "html_player",
    "html_row",
    "join_replicas",
    "keep_freed_memory",
    "load_checkpoint",
    "load_tensors",
    "make_generator",
    "new_figure",
    "override_settings",
    "read_events",
    "read_settings",
    "save_checkpoint",
    "save_tensors",
    "settings_problem",
    "train",
    "train_in_turns",
]
