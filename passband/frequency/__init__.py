"""The frequency-analysis core: differentiable functions on tensors, without state or files.

Signals are ``(*batch, time)`` or ``(*batch, channels, *grid)``, float32 or float64, on any device;
complex spectra are ``(*batch, freq, frames)``. Lengths and hops are in samples. Frequencies are in
Hz where a sampling rate is given, and else in cycles per side of the grid.
"""

from passband.frequency._bands import band_energy as band_energy
from passband.frequency._bands import band_error as band_error
from passband.frequency._bands import octave_edges as octave_edges
from passband.frequency._dct import dct as dct
from passband.frequency._dct import idct as idct
from passband.frequency._distance import wasserstein_distance as wasserstein_distance
from passband.frequency._framing import frame as frame
from passband.frequency._framing import overlap_add as overlap_add
from passband.frequency._magnitude import magnitude as magnitude
from passband.frequency._resample import resample as resample
from passband.frequency._resample import resample_filter as resample_filter
from passband.frequency._spectrum import Reduction as Reduction
from passband.frequency._spectrum import magnitude_spectrum as magnitude_spectrum
from passband.frequency._spectrum import reduced_spectrum as reduced_spectrum
from passband.frequency._spectrum import welch_spectrum as welch_spectrum
from passband.frequency._stft import istft as istft
from passband.frequency._stft import stft as stft
from passband.frequency._windows import nola_satisfied as nola_satisfied
from passband.frequency._windows import window as window

__all__ = [
    "Reduction",
    "band_energy",
    "band_error",
    "dct",
    "frame",
    "idct",
    "istft",
    "magnitude",
    "magnitude_spectrum",
    "nola_satisfied",
    "octave_edges",
    "overlap_add",
    "reduced_spectrum",
    "resample",
    "resample_filter",
    "stft",
    "wasserstein_distance",
    "welch_spectrum",
    "window",
]
