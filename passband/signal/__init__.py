"""Transforms as modules: constants as buffers, one call of `passband.frequency`, and a stream.

Every transform takes ``(*batch, time)`` and gives ``(*batch, freq, frames)``, on any device, in
float32 or float64, differentiable; torchaudio's argument names where torchaudio has the transform,
librosa's definitions where librosa has it.
"""

from passband.signal._analytic import HilbertEnvelope as HilbertEnvelope
from passband.signal._augment import FrequencyMasking as FrequencyMasking
from passband.signal._augment import SpecAugment as SpecAugment
from passband.signal._augment import TimeMasking as TimeMasking
from passband.signal._cepstral import LFCC as LFCC
from passband.signal._cepstral import MFCC as MFCC
from passband.signal._cepstrum import Cepstrum as Cepstrum
from passband.signal._chroma import Chroma as Chroma
from passband.signal._cochleagram import Cochleagram as Cochleagram
from passband.signal._constant_q import CQT as CQT
from passband.signal._constant_q import VQT as VQT
from passband.signal._cwt import CWT as CWT
from passband.signal._cwt import InverseCWT as InverseCWT
from passband.signal._decibels import AmplitudeToDB as AmplitudeToDB
from passband.signal._display import spectrogram_figure as spectrogram_figure
from passband.signal._export import export_onnx as export_onnx
from passband.signal._export import real_valued as real_valued
from passband.signal._gabor import GaborCQT as GaborCQT
from passband.signal._gabor import InverseGaborCQT as InverseGaborCQT
from passband.signal._gammatone import Gammatonegram as Gammatonegram
from passband.signal._griffin_lim import GriffinLim as GriffinLim
from passband.signal._hpss import HarmonicPercussive as HarmonicPercussive
from passband.signal._inverse_constant_q import InverseCQT as InverseCQT
from passband.signal._inverse_constant_q import InverseVQT as InverseVQT
from passband.signal._inverse_spectrogram import InverseSpectrogram as InverseSpectrogram
from passband.signal._inverse_stream import InverseStream as InverseStream
from passband.signal._log_frequency import LogFrequencySpectrogram as LogFrequencySpectrogram
from passband.signal._log_mel import LogMelSpectrogram as LogMelSpectrogram
from passband.signal._mel import InverseMelScale as InverseMelScale
from passband.signal._mel import MelScale as MelScale
from passband.signal._mel import MelSpectrogram as MelSpectrogram
from passband.signal._multitaper import AdaptiveMultitaper as AdaptiveMultitaper
from passband.signal._multitaper import Multitaper as Multitaper
from passband.signal._multitaper import MultitaperSpectrogram as MultitaperSpectrogram
from passband.signal._pcen import PCEN as PCEN
from passband.signal._pcen import PCENStream as PCENStream
from passband.signal._real_stft import RealISTFT as RealISTFT
from passband.signal._real_stft import RealSTFT as RealSTFT
from passband.signal._reassigned import ReassignedSpectrogram as ReassignedSpectrogram
from passband.signal._resample import Resample as Resample
from passband.signal._spectrogram import Spectrogram as Spectrogram
from passband.signal._stream import FrameStream as FrameStream
from passband.signal._stream import FrameTransform as FrameTransform
from passband.signal._stream import Support as Support
from passband.signal._superlets import Superlets as Superlets
from passband.signal._synchrosqueezed import InverseSynchrosqueezedCWT as InverseSynchrosqueezedCWT
from passband.signal._synchrosqueezed import (
    InverseSynchrosqueezedSTFT as InverseSynchrosqueezedSTFT,
)
from passband.signal._synchrosqueezed import SynchrosqueezedCWT as SynchrosqueezedCWT
from passband.signal._synchrosqueezed import SynchrosqueezedSTFT as SynchrosqueezedSTFT
from passband.signal._transform import Transform as Transform
from passband.signal._wigner_ville import PseudoWignerVille as PseudoWignerVille
from passband.signal._wigner_ville import SmoothedPseudoWignerVille as SmoothedPseudoWignerVille
from passband.signal._wigner_ville import WignerVille as WignerVille
from passband.signal.losses import AdaptiveDCTLoss as AdaptiveDCTLoss
from passband.signal.losses import AntiWrappingPhaseLoss as AntiWrappingPhaseLoss
from passband.signal.losses import ComplexSTFTLoss as ComplexSTFTLoss
from passband.signal.losses import LogMelLoss as LogMelLoss
from passband.signal.losses import MultiResolutionSTFTLoss as MultiResolutionSTFTLoss
from passband.signal.losses import MultiScaleMelLoss as MultiScaleMelLoss
from passband.signal.losses import SignalLoss as SignalLoss
from passband.signal.losses import SISDRLoss as SISDRLoss

__all__ = [
    "CQT",
    "CWT",
    "LFCC",
    "MFCC",
    "PCEN",
    "VQT",
    "AdaptiveDCTLoss",
    "AdaptiveMultitaper",
    "AmplitudeToDB",
    "AntiWrappingPhaseLoss",
    "Cepstrum",
    "Chroma",
    "Cochleagram",
    "ComplexSTFTLoss",
    "FrameStream",
    "FrameTransform",
    "FrequencyMasking",
    "GaborCQT",
    "Gammatonegram",
    "GriffinLim",
    "HarmonicPercussive",
    "HilbertEnvelope",
    "InverseCQT",
    "InverseCWT",
    "InverseGaborCQT",
    "InverseMelScale",
    "InverseSpectrogram",
    "InverseStream",
    "InverseSynchrosqueezedCWT",
    "InverseSynchrosqueezedSTFT",
    "InverseVQT",
    "LogFrequencySpectrogram",
    "LogMelLoss",
    "LogMelSpectrogram",
    "MelScale",
    "MelSpectrogram",
    "MultiResolutionSTFTLoss",
    "MultiScaleMelLoss",
    "Multitaper",
    "MultitaperSpectrogram",
    "PCENStream",
    "PseudoWignerVille",
    "RealISTFT",
    "RealSTFT",
    "ReassignedSpectrogram",
    "Resample",
    "SISDRLoss",
    "SignalLoss",
    "SmoothedPseudoWignerVille",
    "SpecAugment",
    "Spectrogram",
    "Superlets",
    "Support",
    "SynchrosqueezedCWT",
    "SynchrosqueezedSTFT",
    "TimeMasking",
    "Transform",
    "WignerVille",
    "export_onnx",
    "real_valued",
    "spectrogram_figure",
]
