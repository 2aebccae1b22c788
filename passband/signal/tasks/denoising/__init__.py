"""Seismograms split into signal and noise by masks over their short-time spectra."""

from passband.signal.tasks.denoising._baselines import band_pass as band_pass
from passband.signal.tasks.denoising._baselines import wiener as wiener
from passband.signal.tasks.denoising._denoiser import Denoiser as Denoiser
from passband.signal.tasks.denoising._denoiser import Separation as Separation
from passband.signal.tasks.denoising._denoiser import load_denoiser as load_denoiser
from passband.signal.tasks.denoising._evaluation import Scores as Scores
from passband.signal.tasks.denoising._evaluation import by_network as by_network
from passband.signal.tasks.denoising._evaluation import held_out_mixtures as held_out_mixtures
from passband.signal.tasks.denoising._evaluation import score as score
from passband.signal.tasks.denoising._figures import mixture_figure as mixture_figure
from passband.signal.tasks.denoising._figures import record_figure as record_figure
from passband.signal.tasks.denoising._files import find_records as find_records
from passband.signal.tasks.denoising._files import format_of as format_of
from passband.signal.tasks.denoising._files import read_seismic as read_seismic
from passband.signal.tasks.denoising._measures import correlation as correlation
from passband.signal.tasks.denoising._measures import peak_error as peak_error
from passband.signal.tasks.denoising._measures import snr_db as snr_db
from passband.signal.tasks.denoising._mixing import MixingSettings as MixingSettings
from passband.signal.tasks.denoising._mixing import Mixture as Mixture
from passband.signal.tasks.denoising._mixing import Mixtures as Mixtures
from passband.signal.tasks.denoising._mixing import Trace as Trace
from passband.signal.tasks.denoising._objective import mask_loss as mask_loss
from passband.signal.tasks.denoising._objective import waveform_loss as waveform_loss
from passband.signal.tasks.denoising._recipe import DenoiserData as DenoiserData
from passband.signal.tasks.denoising._recipe import DenoiserRecipe as DenoiserRecipe
from passband.signal.tasks.denoising._recipe import LossSettings as LossSettings
from passband.signal.tasks.denoising._record import Record as Record
from passband.signal.tasks.denoising._record import SeismicFile as SeismicFile
from passband.signal.tasks.denoising._separate import FileParts as FileParts
from passband.signal.tasks.denoising._separate import draw_record as draw_record
from passband.signal.tasks.denoising._separate import separate_file as separate_file
from passband.signal.tasks.denoising._splitter import Parts as Parts
from passband.signal.tasks.denoising._splitter import Splitter as Splitter
from passband.signal.tasks.denoising._splitter import SplitterSettings as SplitterSettings
from passband.signal.tasks.denoising._traces import Material as Material
from passband.signal.tasks.denoising._traces import collect as collect
from passband.signal.tasks.denoising._train import train_denoiser as train_denoiser
from passband.signal.tasks.denoising._unet import MaskUNet as MaskUNet
from passband.signal.tasks.denoising._unet import UNetSettings as UNetSettings

__all__ = [
    "Denoiser",
    "DenoiserData",
    "DenoiserRecipe",
    "FileParts",
    "LossSettings",
    "MaskUNet",
    "Material",
    "MixingSettings",
    "Mixture",
    "Mixtures",
    "Parts",
    "Record",
    "Scores",
    "SeismicFile",
    "Separation",
    "Splitter",
    "SplitterSettings",
    "Trace",
    "UNetSettings",
    "band_pass",
    "by_network",
    "collect",
    "correlation",
    "draw_record",
    "find_records",
    "format_of",
    "held_out_mixtures",
    "load_denoiser",
    "mask_loss",
    "mixture_figure",
    "peak_error",
    "read_seismic",
    "record_figure",
    "score",
    "separate_file",
    "snr_db",
    "train_denoiser",
    "waveform_loss",
    "wiener",
]
