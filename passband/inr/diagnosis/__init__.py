"""Diagnosis of a fitted field: why it learned what it learned, and what it is slow at."""

from passband.inr.diagnosis._activations import ActivationPatterns as ActivationPatterns
from passband.inr.diagnosis._activations import activation_patterns as activation_patterns
from passband.inr.diagnosis._activations import count_patterns as count_patterns
from passband.inr.diagnosis._activations import hamming_distances as hamming_distances
from passband.inr.diagnosis._diagnose import diagnose as diagnose
from passband.inr.diagnosis._gradients import gradient_cosines as gradient_cosines
from passband.inr.diagnosis._gradients import parameter_parts as parameter_parts
from passband.inr.diagnosis._kernel import KernelSpectrum as KernelSpectrum
from passband.inr.diagnosis._kernel import effective_rank as effective_rank
from passband.inr.diagnosis._kernel import kernel_spectrum as kernel_spectrum
from passband.inr.diagnosis._kernel import tangent_kernel as tangent_kernel
from passband.inr.diagnosis._measure import Diagnosis as Diagnosis
from passband.inr.diagnosis._measure import measure as measure
from passband.inr.diagnosis._samples import GridSamples as GridSamples
from passband.inr.diagnosis._samples import SignalPairs as SignalPairs
from passband.inr.diagnosis._samples import SignalPoints as SignalPoints
from passband.inr.diagnosis._samples import SignalSamples as SignalSamples

__all__ = [
    "ActivationPatterns",
    "Diagnosis",
    "GridSamples",
    "KernelSpectrum",
    "SignalPairs",
    "SignalPoints",
    "SignalSamples",
    "activation_patterns",
    "count_patterns",
    "diagnose",
    "effective_rank",
    "gradient_cosines",
    "hamming_distances",
    "kernel_spectrum",
    "measure",
    "parameter_parts",
    "tangent_kernel",
]
