"""Features of EnCodec's codes: the sum of the codebooks' vectors."""

from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding

from passband.errors import InputError, MissingDependencyError

_BINS = 1024
_CHANNELS = 128
_FRAMES_PER_SECOND = 75
_BITS = 10

BANDWIDTHS = (1.5, 3.0, 6.0, 12.0, 24.0)
"""Of the codec, in kbit/s."""


@runtime_checkable
class Codec(Protocol):
    """What is used of an ``encodec.EncodecModel``."""

    encoder: Any
    quantizer: Any
    frame_rate: int


class EncodecFeatures(nn.Module):
    """Features ``sum_q table[codes[q] + 1024 q]`` of EnCodec's codes at 24 kHz, 75 frames a second.

    The table belongs to the vocoder; the codec itself is needed for `forward` only, is read from
    the ``encodec`` package when first used, and is no part of the ``state_dict``.

    Args:
        bandwidths: in kbit/s, by ``bandwidth_id``; 1.5 has 2 codebooks, 3 has 4, 6 has 8, 12 has 16
            and 24 has 32.
        train_codebooks: whether the table learns.

    Attributes:
        codec: the codec, or None as long as it was not needed; set it to use one of your own.

    Example:
        >>> features = EncodecFeatures()
        >>> features.from_codes(torch.zeros(8, 75, dtype=torch.long)).shape
        torch.Size([128, 75])

    Agrees with the ``vocos`` package exactly.
    Reference: Défossez, Copet, Synnaeve & Adi, High fidelity neural audio compression, TMLR, 2023,
    section 3.2; Siuzdak, Vocos, ICLR, 2024, section 4.2.
    """

    sample_rate = 24000
    hop_length = sample_rate // _FRAMES_PER_SECOND
    channels = _CHANNELS
    expected = f"{_CHANNELS} channels, sums of EnCodec's code vectors"

    def __init__(
        self,
        bandwidths: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0),
        train_codebooks: bool = False,
    ) -> None:
        super().__init__()
        self.bandwidths = bandwidths
        self.codebooks = codebooks(max(bandwidths))
        table = torch.randn(self.codebooks * _BINS, _CHANNELS) * _CHANNELS**-0.5
        self.codebook_weights = nn.Parameter(table, requires_grad=train_codebooks)
        self.codec: Codec | None = None

    def from_codes(
        self, codes: Int[Tensor, "codebooks *batch frames"]
    ) -> Float[Tensor, "*batch {self.channels} frames"]:
        """Features of codes from 0 to 1023, codebooks first, as EnCodec's quantizer gives them.

        Raises:
            InputError: for more codebooks than the table has, or codes out of range.
        """
        count = codes.shape[0]
        if not 1 <= count <= self.codebooks:
            raise InputError(
                f"`codes` (shape {tuple(codes.shape)}) must be (codebooks, *batch, frames) with 1 "
                f"to {self.codebooks} codebooks. Move the codebooks to the front."
            )
        if codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < _BINS:
            raise InputError(
                f"`codes` ({int(codes.min())} to {int(codes.max())}) must be 0 to {_BINS - 1}."
            )
        first = torch.arange(count, device=codes.device) * _BINS
        rows = codes + first.reshape(-1, *[1] * (codes.ndim - 1))
        return embedding(rows, self.codebook_weights).sum(0).mT

    def forward(
        self, audio: Float[Tensor, "*batch time"], bandwidth_id: int | Tensor | None = None
    ) -> Float[Tensor, "*batch {self.channels} frames"]:
        """Features of ``audio``, in [-1, 1], at the bandwidth of that number.

        Raises:
            InputError: for empty audio, or a bandwidth that is not one number in range.
            MissingDependencyError: if there is no codec and no ``encodec`` package.
        """
        if audio.shape[-1] == 0:
            raise InputError("`audio` (0 samples) must not be empty. Pass a sound.")
        bandwidth = self._bandwidth(bandwidth_id)
        self.codec = self.codec or _pretrained()
        codec: Any = self.codec
        for part in (codec.encoder, codec.quantizer):
            part.eval().to(audio.device)
        with torch.no_grad():
            latent = codec.encoder(audio.reshape(-1, 1, audio.shape[-1]))
            codes = codec.quantizer.encode(latent, codec.frame_rate, bandwidth)
        features = self.from_codes(codes)
        return features.reshape(*audio.shape[:-1], *features.shape[-2:])

    def check(self, features: Tensor, least: float, largest: float) -> None:
        """Sums of vectors may have any values."""

    def _bandwidth(self, bandwidth_id: int | Tensor | None) -> float:
        count = len(self.bandwidths)
        index = None if bandwidth_id is None else torch.as_tensor(bandwidth_id).reshape(-1)
        if index is None or index.unique().numel() != 1 or not 0 <= int(index[0]) < count:
            raise InputError(
                f"`bandwidth_id` (={bandwidth_id}) must be one number from 0 to {count - 1}: "
                f"{', '.join(f'{b:g}' for b in self.bandwidths)} kbit/s."
            )
        return self.bandwidths[int(index[0])]


def codebooks(bandwidth: float) -> int:
    """Codebooks of EnCodec at 24 kHz for a bandwidth in kbit/s: 75 codes of 10 bits a second each.

    Example:
        >>> [codebooks(bandwidth) for bandwidth in (1.5, 3, 6, 12, 24)]
        [2, 4, 8, 16, 32]
    """
    return max(1, int(bandwidth * 1000 / (_FRAMES_PER_SECOND * _BITS)))


def _pretrained() -> Codec:
    try:
        package: Any = import_module("encodec")  # optional
    except ImportError as error:
        raise MissingDependencyError(
            "features of EnCodec's codes need the encodec package, which is not installed. "
            "Run: pip install encodec"
        ) from error
    codec: Codec = package.EncodecModel.encodec_model_24khz(pretrained=True)
    return codec
