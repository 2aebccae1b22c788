"""Transforms as models of other runtimes: in real numbers, and as ONNX files."""

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from passband.errors import MissingDependencyError
from passband.signal._constant_q import VQT
from passband.signal._inverse_spectrogram import InverseSpectrogram
from passband.signal._mel import MelSpectrogram
from passband.signal._real_constant_q import RealConstantQ
from passband.signal._real_spectrogram import (
    RealInverseSpectrogram,
    RealMelSpectrogram,
    RealSpectrogram,
)
from passband.signal._real_stft import RealTransform
from passband.signal._spectrogram import Spectrogram


def real_valued(transform: nn.Module, *, dtype: torch.dtype = torch.float32) -> RealTransform:
    """The same transform without a complex number, for runtimes that have none.

    A complex result becomes a pair (real, imaginary); a complex argument two arguments. Settings,
    trained filters and windows are those of ``transform`` now; the result holds copies.

    Args:
        transform: a `Spectrogram`, `InverseSpectrogram`, `MelSpectrogram`, `LogMelSpectrogram`,
            `CQT` or `VQT`; a `RealSTFT` or `RealISTFT` is returned as it is.
        dtype: of the constants, and so of what may be put in.

    Returns:
        Module on the CPU that ``torch.export`` takes with any batch and any number of frames or
        samples (from as many on as its padding needs).

    Raises:
        ValueError: for any other module.

    Example:
        >>> from passband.signal import CQT
        >>> real, imag = real_valued(CQT(22050, n_bins=24))(torch.ones(2, 4000))
        >>> real.shape
        torch.Size([2, 24, 8])

    Agrees with ``transform`` to 1e-5 of the largest value in float32.
    """
    if isinstance(transform, RealTransform):
        return transform
    if isinstance(transform, VQT):
        return RealConstantQ(transform.kernels, dtype=dtype)
    if isinstance(transform, InverseSpectrogram):
        return RealInverseSpectrogram(transform, dtype)
    if isinstance(transform, Spectrogram):
        return RealSpectrogram(transform, dtype)
    if isinstance(transform, MelSpectrogram):
        return RealMelSpectrogram(transform, dtype)
    raise ValueError(
        f"`transform` (={type(transform).__name__}) must be a Spectrogram, InverseSpectrogram, "
        "MelSpectrogram, LogMelSpectrogram, CQT or VQT. Choose one of these."
    )


def export_onnx(
    transform: nn.Module, path: str | Path, *, dtype: torch.dtype = torch.float32
) -> None:
    """Write ``transform`` as an ONNX model that runs without complex numbers.

    The model takes ``waveform`` ``(batch, time)`` and gives ``real`` and ``imag``, or ``values``
    where the transform is real, each ``(batch, freq, frames)``. An inverse takes ``real``, ``imag``
    and the ``length`` of the signal, an int64 scalar honoured exactly, and gives ``waveform``.
    Batch, time, frames and length may differ from call to call.

    Args:
        transform: what `real_valued` takes.
        path: file to write.
        dtype: of the model's inputs and outputs, float32 or float64.

    Raises:
        MissingDependencyError: without onnx and onnxscript.
        ValueError: for a module that `real_valued` does not take.

    Example:
        >>> from passband.signal import MelSpectrogram, export_onnx
        >>> export_onnx(MelSpectrogram(22050, n_fft=1024), "mel.onnx")  # doctest: +SKIP

    Agrees, run by onnxruntime, with ``transform`` to 1e-5 of the largest value in float32.
    """
    missing = [name for name in ("onnx", "onnxscript") if not importlib.util.find_spec(name)]
    if missing:
        raise MissingDependencyError(
            f"`export_onnx` needs {' and '.join(missing)}. Run: pip install onnx onnxscript"
        )
    module = real_valued(transform, dtype=dtype).eval()
    inputs = module.example()
    names = ["waveform"] if len(inputs) == 1 else ["real", "imag", "length"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's, about itself
        program = torch.export.export(module, inputs, dynamic_shapes=_free_sizes(inputs))
        model = torch.onnx.export(
            program,
            dynamo=True,
            input_names=names,
            output_names=list(module.outputs),
            verbose=False,
        )
    assert model is not None
    model.save(str(path))


def _free_sizes(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Batch and time, or batch, frames and length, as sizes that may change."""
    free = torch.export.Dim.DYNAMIC
    if len(inputs) == 1:
        return ({0: free, 1: free},)
    # The two parts have one size: told so, no check of it is left to the model.
    batch, frames = torch.export.Dim("batch", min=1), torch.export.Dim("frames", min=1)
    return {0: batch, 2: frames}, {0: batch, 2: frames}, free
