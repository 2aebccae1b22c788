"""Which omega, sigma, octave or resolution? Measured from the signal, before training."""

from passband.inr.matching._candidates import default_candidates as default_candidates
from passband.inr.matching._candidates import integer_knob as integer_knob
from passband.inr.matching._candidates import measured_builder as measured_builder
from passband.inr.matching._fresh import match_fresh as match_fresh
from passband.inr.matching._result import MatchRow as MatchRow
from passband.inr.matching._result import SpectrumMatch as SpectrumMatch
from passband.inr.matching._spectrum_match import match_spectrum as match_spectrum
from passband.inr.matching._winner import WinnerScales as WinnerScales
from passband.inr.matching._winner import add_winner_noise as add_winner_noise
from passband.inr.matching._winner import spectral_centroid as spectral_centroid
from passband.inr.matching._winner import winner_scales as winner_scales

__all__ = [
    "MatchRow",
    "SpectrumMatch",
    "WinnerScales",
    "add_winner_noise",
    "default_candidates",
    "integer_knob",
    "match_fresh",
    "match_spectrum",
    "measured_builder",
    "spectral_centroid",
    "winner_scales",
]
