"""The frequency-analysis core: differentiable functions on tensors, without state or files.

Signals are ``(*batch, time)`` or ``(*batch, channels, *grid)``, float32 or float64, on any device;
complex spectra are ``(*batch, freq, frames)``. Lengths and hops are in samples. Frequencies are in
Hz where a sampling rate is given, and else in cycles per side of the grid.
"""

from passband.frequency._adaptive_dct import adaptive_dct_distance as adaptive_dct_distance
from passband.frequency._analytic import analytic_signal as analytic_signal
from passband.frequency._analytic import envelope as envelope
from passband.frequency._analytic import instantaneous_frequency as instantaneous_frequency
from passband.frequency._bands import band_energy as band_energy
from passband.frequency._bands import band_error as band_error
from passband.frequency._bands import octave_edges as octave_edges
from passband.frequency._block_spectrum import filter_ranges as filter_ranges
from passband.frequency._cepstral import create_dct as create_dct
from passband.frequency._cepstrum import ComplexCepstrum as ComplexCepstrum
from passband.frequency._cepstrum import complex_cepstrum as complex_cepstrum
from passband.frequency._cepstrum import inverse_complex_cepstrum as inverse_complex_cepstrum
from passband.frequency._cepstrum import power_cepstrum as power_cepstrum
from passband.frequency._cepstrum import real_cepstrum as real_cepstrum
from passband.frequency._chroma import chroma_fbanks as chroma_fbanks
from passband.frequency._cochleagram import cochleagram as cochleagram
from passband.frequency._cochleagram import envelope_filter as envelope_filter
from passband.frequency._constant_q import cqt_frequencies as cqt_frequencies
from passband.frequency._constant_q_inverse import ConstantQResponse as ConstantQResponse
from passband.frequency._constant_q_inverse import constant_q_inverse as constant_q_inverse
from passband.frequency._constant_q_inverse import constant_q_response as constant_q_response
from passband.frequency._constant_q_kernels import ConstantQKernels as ConstantQKernels
from passband.frequency._constant_q_kernels import FilterGroup as FilterGroup
from passband.frequency._constant_q_kernels import constant_q_kernels as constant_q_kernels
from passband.frequency._constant_q_transform import constant_q as constant_q
from passband.frequency._constant_q_transform import constant_q_adjoint as constant_q_adjoint
from passband.frequency._cwt import covered_bands as covered_bands
from passband.frequency._cwt import cwt as cwt
from passband.frequency._cwt import icwt as icwt
from passband.frequency._dct import dct as dct
from passband.frequency._dct import idct as idct
from passband.frequency._decibels import amplitude_to_db as amplitude_to_db
from passband.frequency._decibels import db_to_amplitude as db_to_amplitude
from passband.frequency._distance import wasserstein_distance as wasserstein_distance
from passband.frequency._erb import erb_filters as erb_filters
from passband.frequency._erb import erb_frequencies as erb_frequencies
from passband.frequency._erb import erb_to_hz as erb_to_hz
from passband.frequency._erb import hz_to_erb as hz_to_erb
from passband.frequency._filterbank import linear_fbanks as linear_fbanks
from passband.frequency._filterbank import melscale_fbanks as melscale_fbanks
from passband.frequency._framing import frame as frame
from passband.frequency._framing import overlap_add as overlap_add
from passband.frequency._gabor import GaborPlan as GaborPlan
from passband.frequency._gabor import gabor_inverse as gabor_inverse
from passband.frequency._gabor import gabor_plan as gabor_plan
from passband.frequency._gabor import gabor_transform as gabor_transform
from passband.frequency._gammatone import gammatone_fbanks as gammatone_fbanks
from passband.frequency._gammatone import gammatone_filterbank as gammatone_filterbank
from passband.frequency._gammatone import gammatone_frequencies as gammatone_frequencies
from passband.frequency._griffin_lim import griffinlim as griffinlim
from passband.frequency._hpss import hpss as hpss
from passband.frequency._hpss import hpss_masks as hpss_masks
from passband.frequency._hpss import softmask as softmask
from passband.frequency._inverse_mel import inverse_mel_scale as inverse_mel_scale
from passband.frequency._log_frequency import bin_frequencies as bin_frequencies
from passband.frequency._magnitude import magnitude as magnitude
from passband.frequency._masking import mask_along_axis as mask_along_axis
from passband.frequency._masking import mask_along_axis_iid as mask_along_axis_iid
from passband.frequency._median import running_median as running_median
from passband.frequency._mel import hz_to_mel as hz_to_mel
from passband.frequency._mel import mel_to_hz as mel_to_hz
from passband.frequency._mel_spectrogram import filtered_spectrogram as filtered_spectrogram
from passband.frequency._mel_spectrogram import mel_spectrogram as mel_spectrogram
from passband.frequency._multitaper import TaperWeighting as TaperWeighting
from passband.frequency._multitaper import (
    adaptive_multitaper_spectrum as adaptive_multitaper_spectrum,
)
from passband.frequency._multitaper import dpss as dpss
from passband.frequency._multitaper import multitaper_spectrogram as multitaper_spectrogram
from passband.frequency._multitaper import multitaper_spectrum as multitaper_spectrum
from passband.frequency._multitaper import taper_weights as taper_weights
from passband.frequency._nonuniform_dft import nonuniform_stft as nonuniform_stft
from passband.frequency._nonuniform_plan import NonuniformPlan as NonuniformPlan
from passband.frequency._nonuniform_plan import nonuniform_plan as nonuniform_plan
from passband.frequency._pcen import exponential_smoothing as exponential_smoothing
from passband.frequency._pcen import pcen as pcen
from passband.frequency._pcen import smoothing_coefficient as smoothing_coefficient
from passband.frequency._phase import PhaseDistances as PhaseDistances
from passband.frequency._phase import anti_wrapped as anti_wrapped
from passband.frequency._phase import phase as phase
from passband.frequency._phase import phase_distances as phase_distances
from passband.frequency._reassigned import Reassigned as Reassigned
from passband.frequency._reassigned import accumulate_on_grid as accumulate_on_grid
from passband.frequency._reassigned import reassigned_spectrogram as reassigned_spectrogram
from passband.frequency._reassigned import reassignment_windows as reassignment_windows
from passband.frequency._resample import resample as resample
from passband.frequency._resample import resample_filter as resample_filter
from passband.frequency._ridges import Ridges as Ridges
from passband.frequency._ridges import extract_ridges as extract_ridges
from passband.frequency._si_sdr import si_sdr as si_sdr
from passband.frequency._sinc_resample import sinc_resample as sinc_resample
from passband.frequency._sinc_resample import sinc_resample_filter as sinc_resample_filter
from passband.frequency._spectral_distance import log_magnitude_distance as log_magnitude_distance
from passband.frequency._spectral_distance import spectral_convergence as spectral_convergence
from passband.frequency._spectrogram import inverse_spectrogram as inverse_spectrogram
from passband.frequency._spectrogram import spectrogram as spectrogram
from passband.frequency._spectrum import Reduction as Reduction
from passband.frequency._spectrum import magnitude_spectrum as magnitude_spectrum
from passband.frequency._spectrum import reduced_spectrum as reduced_spectrum
from passband.frequency._spectrum import welch_spectrum as welch_spectrum
from passband.frequency._stft import istft as istft
from passband.frequency._stft import stft as stft
from passband.frequency._superlets import superlets as superlets
from passband.frequency._synchrosqueeze import (
    inverse_synchrosqueezed_cwt as inverse_synchrosqueezed_cwt,
)
from passband.frequency._synchrosqueeze import (
    inverse_synchrosqueezed_stft as inverse_synchrosqueezed_stft,
)
from passband.frequency._synchrosqueeze import synchrosqueezed_cwt as synchrosqueezed_cwt
from passband.frequency._synchrosqueeze import synchrosqueezed_stft as synchrosqueezed_stft
from passband.frequency._wavelets import GeneralisedMorse as GeneralisedMorse
from passband.frequency._wavelets import MexicanHat as MexicanHat
from passband.frequency._wavelets import Morlet as Morlet
from passband.frequency._wavelets import Paul as Paul
from passband.frequency._wavelets import Wavelet as Wavelet
from passband.frequency._wavelets import named_wavelet as named_wavelet
from passband.frequency._wigner_ville import pseudo_wigner_ville as pseudo_wigner_ville
from passband.frequency._wigner_ville import (
    smoothed_pseudo_wigner_ville as smoothed_pseudo_wigner_ville,
)
from passband.frequency._wigner_ville import wigner_ville as wigner_ville
from passband.frequency._windows import nola_satisfied as nola_satisfied
from passband.frequency._windows import window as window

__all__ = [
    "ComplexCepstrum",
    "ConstantQKernels",
    "ConstantQResponse",
    "FilterGroup",
    "GaborPlan",
    "GeneralisedMorse",
    "MexicanHat",
    "Morlet",
    "NonuniformPlan",
    "Paul",
    "PhaseDistances",
    "Reassigned",
    "Reduction",
    "Ridges",
    "TaperWeighting",
    "Wavelet",
    "accumulate_on_grid",
    "adaptive_dct_distance",
    "adaptive_multitaper_spectrum",
    "amplitude_to_db",
    "analytic_signal",
    "anti_wrapped",
    "band_energy",
    "band_error",
    "bin_frequencies",
    "chroma_fbanks",
    "cochleagram",
    "complex_cepstrum",
    "constant_q",
    "constant_q_adjoint",
    "constant_q_inverse",
    "constant_q_kernels",
    "constant_q_response",
    "covered_bands",
    "cqt_frequencies",
    "create_dct",
    "cwt",
    "db_to_amplitude",
    "dct",
    "dpss",
    "envelope",
    "envelope_filter",
    "erb_filters",
    "erb_frequencies",
    "erb_to_hz",
    "exponential_smoothing",
    "extract_ridges",
    "filter_ranges",
    "filtered_spectrogram",
    "frame",
    "gabor_inverse",
    "gabor_plan",
    "gabor_transform",
    "gammatone_fbanks",
    "gammatone_filterbank",
    "gammatone_frequencies",
    "griffinlim",
    "hpss",
    "hpss_masks",
    "hz_to_erb",
    "hz_to_mel",
    "icwt",
    "idct",
    "instantaneous_frequency",
    "inverse_complex_cepstrum",
    "inverse_mel_scale",
    "inverse_spectrogram",
    "inverse_synchrosqueezed_cwt",
    "inverse_synchrosqueezed_stft",
    "istft",
    "linear_fbanks",
    "log_magnitude_distance",
    "magnitude",
    "magnitude_spectrum",
    "mask_along_axis",
    "mask_along_axis_iid",
    "mel_spectrogram",
    "mel_to_hz",
    "melscale_fbanks",
    "multitaper_spectrogram",
    "multitaper_spectrum",
    "named_wavelet",
    "nola_satisfied",
    "nonuniform_plan",
    "nonuniform_stft",
    "octave_edges",
    "overlap_add",
    "pcen",
    "phase",
    "phase_distances",
    "power_cepstrum",
    "pseudo_wigner_ville",
    "real_cepstrum",
    "reassigned_spectrogram",
    "reassignment_windows",
    "reduced_spectrum",
    "resample",
    "resample_filter",
    "running_median",
    "si_sdr",
    "sinc_resample",
    "sinc_resample_filter",
    "smoothed_pseudo_wigner_ville",
    "smoothing_coefficient",
    "softmask",
    "spectral_convergence",
    "spectrogram",
    "stft",
    "superlets",
    "synchrosqueezed_cwt",
    "synchrosqueezed_stft",
    "taper_weights",
    "wasserstein_distance",
    "welch_spectrum",
    "wigner_ville",
    "window",
]
