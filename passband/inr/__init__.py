"""Implicit neural representations: encodings, networks, fields, spectrum matching, fitting."""

from passband.inr._default import default_scene as default_scene
from passband.inr._field import Field as Field
from passband.inr._field import build_field as build_field
from passband.inr._fit import fit as fit
from passband.inr._knob import ResolvedField as ResolvedField
from passband.inr._knob import resolve_field as resolve_field
from passband.inr._problem import load_problem as load_problem
from passband.inr._problem import load_target as load_target
from passband.inr._quality import psnr as psnr
from passband.inr._quality import relative_band_error as relative_band_error
from passband.inr._quality import snr as snr
from passband.inr._quality import ssim as ssim
from passband.inr._run import FittedField as FittedField
from passband.inr._run import load_field as load_field
from passband.inr._run import save_field as save_field
from passband.inr._scene import AudioScene as AudioScene
from passband.inr._scene import FieldSettings as FieldSettings
from passband.inr._scene import ImageScene as ImageScene
from passband.inr._scene import MatchingSettings as MatchingSettings
from passband.inr._scene import Scene as Scene
from passband.inr._scene import ShapeScene as ShapeScene
from passband.inr._scene import TrainingSettings as TrainingSettings
from passband.inr._scene import matched_knobs as matched_knobs
from passband.inr._scene import with_knob as with_knob
from passband.inr._scene_file import dump_scene as dump_scene
from passband.inr._scene_file import load_scene as load_scene
from passband.inr._scene_file import parse_scene as parse_scene
from passband.inr.settings import FinerNetwork as FinerNetwork
from passband.inr.settings import FourierEncoding as FourierEncoding
from passband.inr.settings import GaussNetwork as GaussNetwork
from passband.inr.settings import HashGridEncoding as HashGridEncoding
from passband.inr.settings import IdentityEncoding as IdentityEncoding
from passband.inr.settings import PositionalEncoding as PositionalEncoding
from passband.inr.settings import ReluNetwork as ReluNetwork
from passband.inr.settings import SirenNetwork as SirenNetwork
from passband.inr.settings import WireNetwork as WireNetwork
from passband.inr.targets import SignalInfo as SignalInfo

__all__ = [
    "AudioScene",
    "Field",
    "FieldSettings",
    "FinerNetwork",
    "FittedField",
    "FourierEncoding",
    "GaussNetwork",
    "HashGridEncoding",
    "IdentityEncoding",
    "ImageScene",
    "MatchingSettings",
    "PositionalEncoding",
    "ReluNetwork",
    "ResolvedField",
    "Scene",
    "ShapeScene",
    "SignalInfo",
    "SirenNetwork",
    "TrainingSettings",
    "WireNetwork",
    "build_field",
    "default_scene",
    "dump_scene",
    "fit",
    "load_field",
    "load_problem",
    "load_scene",
    "load_target",
    "matched_knobs",
    "parse_scene",
    "psnr",
    "relative_band_error",
    "resolve_field",
    "save_field",
    "snr",
    "ssim",
    "with_knob",
]
