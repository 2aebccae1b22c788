"""Features to sound: the vocoder as one module."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from passband.errors import InputError
from passband.vocoder._adaptive_norm import check_condition
from passband.vocoder._checks import check_features, counted
from passband.vocoder._chunks import added_frames
from passband.vocoder._compiled import CompiledPass, coefficients
from passband.vocoder._cuda_graph import VocosGraph
from passband.vocoder._encodec_features import EncodecFeatures
from passband.vocoder._hub import push_folder
from passband.vocoder._packed import Packing, Precision
from passband.vocoder._pretrained import load_weights, read_pretrained, write_pretrained
from passband.vocoder._settings import VocosSettings
from passband.vocoder._stream import VocosStream


class Vocos(nn.Module):
    """Vocoder in the frequency domain, ``audio = head(backbone(features))``: no upsampling.

    Without gradients, sounds of any length run in bounded memory: pieces of the features are
    synthesised with the ``context`` frames around them that they depend on, which gives the same
    numbers.

    Args:
        settings: what the parts are; the published mel model by default, untrained.

    Attributes:
        settings: as given.
        sample_rate: in Hz.
        hop_length: samples that a frame of features stands for.
        context: frames on either side of it that a frame of sound depends on.

    Example:
        >>> from passband.vocoder import ConvNeXtSettings
        >>> small = ConvNeXtSettings(dim=16, intermediate_dim=48, num_layers=2)
        >>> vocos = Vocos(VocosSettings(backbone=small)).eval()
        >>> features = vocos.features(torch.randn(2, 2560))
        >>> features.shape, vocos(features).shape, vocos(features, length=2600).shape
        (torch.Size([2, 100, 11]), torch.Size([2, 2560]), torch.Size([2, 2600]))

    Agrees with the ``vocos`` package, given its weights, to 1e-5 of the largest value in float32.
    Reference: Siuzdak, Vocos: closing the gap between time-domain and Fourier-based neural
    vocoders for high-quality audio synthesis, ICLR, 2024.
    """

    def __init__(self, settings: VocosSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or VocosSettings.mel_24khz()
        parts: tuple[Any, ...] = self.settings.build()
        self.feature_extractor, self.input, self.backbone, self.head = parts
        self.channels: int = self.feature_extractor.channels
        self.sample_rate: int = self.feature_extractor.sample_rate
        self.hop_length: int = self.feature_extractor.hop_length
        self.context: int = self.backbone.context
        self._packing = Packing()
        self._compiled: CompiledPass | None = None

    def train(self, mode: bool = True) -> "Vocos":
        """Switch between training and use; weights are read afresh by the next synthesis.

        Fused optimisers change weights without raising their version.
        """
        self._packing = Packing()
        super().train(mode)
        return self

    @classmethod
    def from_pretrained(
        cls, source: str | os.PathLike[str], *, revision: str | None = None
    ) -> "Vocos":
        """Vocoder from a folder, or from a repository of the Hugging Face hub, in ``eval`` mode.

        Reads the layout of `save_pretrained`, and the published one: ``config.yaml`` with class
        paths, and ``pytorch_model.bin`` or ``model.safetensors``. No code is run.

        Args:
            source: folder, also that of a training run, or repository such as
                ``charactr/vocos-mel-24khz``.
            revision: branch, tag or commit of the repository.

        Raises:
            InputError: nothing there, settings of something else, tensors missing, left over or of
                another shape, or pickled code in the file.
            MissingDependencyError: a repository without ``huggingface_hub``, or YAML without
                ``PyYAML``.
        """
        settings, weights = read_pretrained(source, revision)
        vocos = cls(settings)
        load_weights(vocos, weights, str(source))
        return vocos.eval()

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write ``config.json`` and ``model.safetensors``, each whole or not at all.

        The weights carry the settings too, so that a save that is interrupted between the two
        files leaves a folder that still reads.

        Raises:
            OutputError: the folder cannot be written.
        """
        write_pretrained(Path(folder), self.settings, self.state_dict())

    def push_to_hub(self, repo: str, *, private: bool = False) -> str:
        """Upload what `save_pretrained` writes to a repository of the hub, made if need be.

        Returns:
            Address of the commit.

        Raises:
            MissingDependencyError: without ``huggingface_hub``.
        """
        return push_folder(self.save_pretrained, repo, private=private)

    def features(
        self,
        audio: Float[Tensor, "*batch time"],
        *,
        sample_rate: int | None = None,
        bandwidth_id: int | Tensor | None = None,
    ) -> Float[Tensor, "*batch {self.channels} frames"]:
        """Features of ``audio``.

        Args:
            audio: sound in [-1, 1] at the vocoder's sample rate.
            sample_rate: of ``audio``, in Hz, to be checked against the vocoder's.
            bandwidth_id: for features of codes.

        Raises:
            InputError: for empty audio, NaN, or another sample rate.
        """
        if sample_rate is not None and sample_rate != self.sample_rate:
            raise InputError(
                f"`sample_rate` (={sample_rate} Hz) must be the vocoder's {self.sample_rate} Hz. "
                "Resample the sound with passband.frequency.resample."
            )
        if audio.numel() == 0:
            raise InputError(f"`audio` (shape {tuple(audio.shape)}) must not be empty.")
        if not bool(audio.isfinite().all()):
            raise InputError("`audio` must be finite; it holds NaN or infinite samples. Clean it.")
        features: Tensor = self.feature_extractor(audio, bandwidth_id)
        return features

    def codes_to_features(
        self, codes: Int[Tensor, "codebooks *batch frames"]
    ) -> Float[Tensor, "*batch {self.channels} frames"]:
        """Features of EnCodec's codes, codebooks first.

        Raises:
            InputError: for a vocoder of mel features, too many codebooks, or codes out of range.
        """
        if not isinstance(self.feature_extractor, EncodecFeatures):
            raise InputError(
                "`codes` need a vocoder of EnCodec features; this one has mel features."
            )
        return self.feature_extractor.from_codes(codes)

    def forward(
        self,
        features: Float[Tensor, "..."],
        bandwidth_id: int | Tensor | None = None,
        *,
        length: int | None = None,
        lengths: Sequence[int] | Tensor | None = None,
        precision: Precision = "float32",
    ) -> Float[Tensor, "*batch time"]:
        """Sound of ``features``.

        Args:
            features: ``(*batch, bands, frames)``, as `features` gives them.
            bandwidth_id: for a vocoder of codes: its bandwidth, one for all items or one for each.
            length: samples to return, honoured exactly: cut; or, up to one hop beyond the samples
                that the frames stand for, taken from the last frames' edges, and then zeros.
            lengths: frames of each item of the batch. What lies beyond them reaches nothing: each
                item sounds as it would alone, and is silent after its end.
            precision: ``bfloat16`` multiplies matrices in that type and does all else in float32.

        Returns:
            Sound ``(*batch, time)``, of ``(frames - 1) hop_length`` samples if the head's padding
            is ``center``, else of ``frames hop_length``.

        Raises:
            InputError: for features of another shape or kind, or arguments out of range.
        """
        self._check(features, length)
        rows = features.reshape(-1, *features.shape[-2:])
        check_condition(bandwidth_id, self.backbone.conditions, len(rows))
        counts = None if lengths is None else counted(lengths, rows)
        if counts is not None and rows.device.type == "cpu" and not torch.is_grad_enabled():
            audio = self._each(rows, bandwidth_id, length, counts, precision)
        else:
            audio = self._together(rows, bandwidth_id, length, counts, precision)
        return audio.reshape(*features.shape[:-2], audio.shape[-1])

    def _together(
        self,
        rows: Tensor,
        bandwidth_id: int | Tensor | None,
        length: int | None,
        counts: Tensor | None,
        precision: Precision,
    ) -> Tensor:
        """Sound of all items at once, those shorter than the longest behind a mask."""
        mask = None
        if counts is not None:
            mask = (torch.arange(rows.shape[-1], device=rows.device) < counts[:, None])[..., None]
        added = added_frames(self, rows, bandwidth_id, mask, precision)
        audio: Tensor = self.head.joined(added, rows.shape[-1], mask, length)
        if counts is not None:
            time = torch.arange(audio.shape[-1], device=audio.device)
            audio = audio.masked_fill(time >= self.head.samples(counts)[:, None], 0.0)
        return audio

    def _each(
        self,
        rows: Tensor,
        bandwidth_id: int | Tensor | None,
        length: int | None,
        counts: Tensor,
        precision: Precision,
    ) -> Tensor:
        """Sound of one item after the other, so that no time is spent on what lies behind them."""
        natural = int(self.head.samples(rows.shape[-1])) if length is None else length
        audio = rows.new_zeros(len(rows), natural)
        conditions = torch.as_tensor(0 if bandwidth_id is None else bandwidth_id).reshape(-1)
        for item, count in enumerate(counts.tolist()):
            condition = None if bandwidth_id is None else conditions[item % len(conditions)]
            row = rows[item : item + 1, :, :count]
            ending = min(natural, int(self.head.samples(count)))
            if ending > 0:
                sound = self._together(row, condition, ending, None, precision)
                audio[item, :ending] = sound[0]
        return audio

    def frames(
        self,
        rows: Float[Tensor, "batch bands frames"],
        bandwidth_id: int | Tensor | None = None,
        mask: Tensor | None = None,
        precision: Precision = "float32",
    ) -> Float[Tensor, "batch frames samples"]:
        """Frames of sound before they are overlapped: one for each frame of features."""
        seen = rows if self.input is None else self.input(rows)
        packed = self._packing.find(self.backbone, self.head, seen, precision)
        if packed is not None and mask is None and self._compiled is None:
            return packed.frames(seen, bandwidth_id)
        with torch.autocast(rows.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            make = self._compiled or coefficients
            parts = make(self.backbone, self.head, seen, bandwidth_id, mask)
        frames: Tensor = self.head.transformed(parts)
        return frames if mask is None else frames * mask

    def stream(
        self, bandwidth_id: int | Tensor | None = None, *, precision: Precision = "float32"
    ) -> VocosStream:
        """Begin a sound whose features arrive in chunks, ``latency`` samples behind them."""
        return VocosStream(self, bandwidth_id, precision)

    def compile(self, *args: Any, **options: Any) -> None:
        """Run backbone and head through ``torch.compile`` from now on, with its arguments.

        What follows them, the inverse transform, stays as it is. Streams are not compiled; copies
        and pickles compile anew.
        """
        self._compiled = CompiledPass(*args, **options)

    def cuda_graph(
        self,
        frames: int,
        *,
        batch: int = 1,
        bandwidth_id: int | Tensor | None = None,
        precision: Precision = "float32",
    ) -> VocosGraph:
        """Synthesis of one shape of features as a CUDA graph: one launch for all kernels.

        Raises:
            InputError: off a CUDA device, or for sizes or a bandwidth out of range.
        """
        return VocosGraph(self, frames, batch, bandwidth_id, precision)

    def _check(self, features: Tensor, length: int | None, least: int | None = None) -> None:
        least = least or (1 if self.head.padding == "same" else 2)
        check_features(self.feature_extractor, features, least, values=not self.training)
        if length is not None and length < 1:
            raise InputError(f"`length` (={length}) must be at least 1 sample.")
