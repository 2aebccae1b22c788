"""A vocoder as an ONNX model, the inverse transform of its head inside."""

import copy
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from passband.atomic import atomic_path
from passband.errors import InputError, MissingDependencyError
from passband.vocoder._real_head import RealHead
from passband.vocoder._vocos import Vocos

OPSETS = range(18, 24)
"""Versions of ONNX's operators that a model can be written in."""


class _Exported(nn.Module):
    """Features to sound in real numbers, without pieces, packing or checks of values."""

    def __init__(self, vocoder: Vocos) -> None:
        super().__init__()
        self.input, self.backbone = vocoder.input, vocoder.backbone
        self.head = RealHead(vocoder.head)

    def forward(
        self,
        features: Float[Tensor, "batch bands frames"],
        bandwidth_id: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch time"]:
        seen = features if self.input is None else self.input(features)
        audio: Tensor = self.head(self.backbone(seen, bandwidth_id))
        return audio


def export_onnx(vocoder: Vocos, path: str | os.PathLike[str], *, opset: int = 18) -> None:
    """Write ``vocoder`` as an ONNX model from features to sound, the inverse STFT inside.

    The model takes ``features`` ``(batch, bands, frames)`` and gives ``waveform`` ``(batch,
    time)``, both float32, as the vocoder gives it without ``length``; batch and frames may differ
    from call to call. A vocoder of several bandwidths also takes ``bandwidth_id``, int64
    ``(batch)``. Sample rate and hop stand in the file's metadata. The inverse transform of the head
    is a matrix: 4 MB for an ``n_fft`` of 1024.

    Args:
        vocoder: any; its weights as they are now, wherever they are.
        path: file to write; it appears whole or not at all.
        opset: version of ONNX's operators, 18 to 23.

    Raises:
        MissingDependencyError: without onnx and onnxscript.
        InputError: for another opset.
        OutputError: the file cannot be written.

    Example:
        >>> from passband.vocoder import export_onnx
        >>> export_onnx(Vocos(), "vocos.onnx")  # doctest: +SKIP

    Agrees, run by onnxruntime, with ``vocoder`` to 1e-5 of the largest value in float32.
    """
    missing = [name for name in ("onnx", "onnxscript") if not find_spec(name)]
    if missing:
        raise MissingDependencyError(
            f"`export_onnx` needs {' and '.join(missing)}. Run: pip install onnx onnxscript"
        )
    if opset not in OPSETS:
        raise InputError(
            f"`opset` (={opset}) must be {OPSETS[0]} to {OPSETS[-1]}. Leave it out for 18."
        )
    with atomic_path(Path(path)) as temporary:  # refused before the work, if it is
        model = _model(vocoder, opset)
        model.model.metadata_props.update(_metadata(vocoder))
        model.save(str(temporary))


def _model(vocoder: Vocos, opset: int) -> Any:
    module = _Exported(copy.deepcopy(vocoder).cpu().float().eval()).requires_grad_(False)
    batch = torch.export.Dim("batch", min=1)
    frames = torch.export.Dim("frames", min=1 if vocoder.head.padding == "same" else 2)
    # To trace with: sizes that are to vary must be neither 0 nor 1.
    inputs: dict[str, Tensor] = {"features": torch.zeros(2, vocoder.channels, 9)}
    free = {"features": {0: batch, 2: frames}}
    if vocoder.backbone.conditions is not None:
        inputs["bandwidth_id"], free["bandwidth_id"] = torch.zeros(2, dtype=torch.long), {0: batch}
    with _quiet():
        program = torch.export.export(module, tuple(inputs.values()), dynamic_shapes=free)
        return torch.onnx.export(
            program,
            dynamo=True,
            input_names=list(inputs),
            output_names=["waveform"],
            opset_version=opset,
            verbose=False,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without torch's words about itself, and about packages that are not needed here."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        log.setLevel(before)


def _metadata(vocoder: Vocos) -> dict[str, str]:
    return {
        "sample_rate": str(vocoder.sample_rate),
        "hop_length": str(vocoder.hop_length),
        "features": str(vocoder.feature_extractor.expected),
    }
