"""What a frequency is of a picture, a sound or a spectrogram: what is removed and kept at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from passband.errors import InputError
from passband.frequency import hz_to_mel, mel_to_hz


@dataclass(frozen=True, eq=False)
class Frequencies:
    """A transform with an inverse, whose coefficients are removed and kept in groups.

    Made by `picture_frequencies`, `sound_bands` or `spectrogram_bins`; whatever else maps a batch
    ``(batch, ...)`` to coefficients ``(batch, channels, *shape)`` and back will do too.

    Attributes:
        groups: number of the group of every coefficient, ``shape``; from 0 on, none left out.
        transform: of a batch; complex coefficients, or real levels.
        inverse: of the coefficients.
        names: of the groups, in words.
    """

    groups: Tensor
    transform: Callable[[Tensor], Tensor]
    inverse: Callable[[Tensor], Tensor]
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """Of the groups."""
        return len(self.names)

    def magnitudes(self, coefficients: Tensor) -> Tensor:
        """Amplitudes of complex coefficients; levels are what they are."""
        return coefficients.abs() if coefficients.is_complex() else coefficients

    def stand_in(self, coefficients: Tensor, magnitudes: Float[Tensor, "*shape"] | None) -> Tensor:
        """What takes the place of ``coefficients`` that are removed: ``magnitudes`` with the
        phases of the coefficients, or 0 without them."""
        if magnitudes is None:
            return torch.zeros_like(coefficients)
        if coefficients.is_complex():
            return coefficients.sgn() * magnitudes.to(coefficients.real)
        return magnitudes.to(coefficients).expand_as(coefficients)

    def kept(self, masks: Bool[Tensor, "masks groups"]) -> Bool[Tensor, "masks *shape"]:
        """Masks of the groups as masks of the coefficients."""
        return masks[:, self.groups.to(masks.device)]

    def spread(self, values: Tensor) -> Tensor:
        """One value of each group, ``(count,)``, at all its coefficients, ``shape``."""
        return values[self.groups.to(values.device)]


def picture_frequencies(height: int, width: int, *, patch_size: int = 1) -> Frequencies:
    """Frequencies of pictures ``(batch, channels, height, width)``, each with its conjugate.

    With ``patch_size`` P above 1 one group holds neighbours of about P x P: the rows u (from
    -height/2 on) whose sign(u) floor((\\|u\\| + P // 2) / P) agree, and the columns v (from 0 to
    width/2) whose floor(v / P) agree.

    Args:
        height: of the pictures, in pixels; at least 2.
        width: of the pictures, in pixels; at least 2.
        patch_size: P, at least 1.

    Returns:
        Groups of ``(height, width // 2 + 1)`` coefficients, in `torch.fft.rfft2`'s order.

    Raises:
        InputError: a size out of range.

    Example:
        >>> picture_frequencies(4, 4).count  # 16 numbers, 4 of which are their own partners
        10
    """
    _require_at_least("height", height, 2)
    _require_at_least("width", width, 2)
    _require_at_least("patch_size", patch_size, 1)
    u = torch.fft.fftfreq(height, 1 / height, dtype=torch.float64).round().long()[:, None]
    v = torch.arange(width // 2 + 1)[None, :]
    row = u.sign() * ((u.abs() + patch_size // 2) // patch_size)
    column = (v // patch_size).expand(height, -1)
    # Both of a pair are among the coefficients where the column is its own mirror image.
    own = (v == 0) | (2 * v == width)
    row = torch.where(own, row.abs(), row.expand(-1, width // 2 + 1))
    keys, groups = torch.unique(
        torch.stack((row, column), -1).flatten(0, 1), dim=0, return_inverse=True
    )
    names = tuple(f"({r * patch_size}, {c * patch_size})" for r, c in keys.tolist())
    size = (height, width)

    def transform(pictures: Tensor) -> Tensor:
        if pictures.ndim != 4 or pictures.shape[-2:] != size:
            raise InputError(
                f"`inputs` (of shape {tuple(pictures.shape)}) must be of shape (batch, channels, "
                f"{height}, {width}). Crop or resize the pictures, or state their size."
            )
        coefficients: Tensor = torch.fft.rfft2(pictures)
        return coefficients

    def inverse(coefficients: Tensor) -> Tensor:
        pictures: Tensor = torch.fft.irfft2(coefficients, s=size)
        return pictures

    return Frequencies(groups.reshape(height, -1), transform, inverse, names)


def sound_bands(samples: int, sample_rate: int, edges: Sequence[float]) -> Frequencies:
    """Bands of the spectrum of whole sounds ``(batch, time)``: removing one is a band-stop filter.

    Band b holds the frequencies f with edges[b - 1] <= f < edges[b] of the discrete Fourier
    transform of all samples; the first begins at 0 and the last ends at half the rate.

    Args:
        samples: of a sound.
        sample_rate: in Hz.
        edges: between the bands, in Hz, ascending, above 0 and below half the rate; `mel_edges`
            makes some. Every band must hold a frequency of the transform.

    Returns:
        Groups of ``samples // 2 + 1`` coefficients, ``len(edges) + 1`` bands.

    Raises:
        InputError: edges out of order or range, or a band without a frequency.

    Example:
        >>> sound_bands(8000, 8000, [1000, 2000]).names
        ('0-1000 Hz', '1000-2000 Hz', '2000-4000 Hz')
    """
    _require_at_least("samples", samples, 2)
    limits = [0.0, *edges, sample_rate / 2]
    if not edges or any(low >= high for low, high in pairwise(limits)):
        raise InputError(
            f"`edges` (={list(edges)}) must be ascending, above 0 and below {sample_rate / 2:g} "
            "Hz, half the rate. Sort them, and leave out the ends."
        )
    hertz = torch.fft.rfftfreq(samples, 1 / sample_rate, dtype=torch.float64)
    groups = torch.bucketize(hertz, torch.tensor(list(edges), dtype=torch.float64), right=True)
    sizes = torch.bincount(groups, minlength=len(edges) + 1)
    if (sizes == 0).any():
        empty = int((sizes == 0).nonzero()[0])
        raise InputError(
            f"`edges` must leave a frequency in every band; {limits[empty]:g}-"
            f"{limits[empty + 1]:g} Hz has none with {samples} samples, "
            f"{sample_rate / samples:g} Hz apart. Make the bands wider, or the sounds longer."
        )
    names = tuple(f"{low:.0f}-{high:.0f} Hz" for low, high in pairwise(limits))

    def transform(sounds: Tensor) -> Tensor:
        if sounds.ndim != 2 or sounds.shape[-1] != samples:
            raise InputError(
                f"`inputs` (of shape {tuple(sounds.shape)}) must be of shape (batch, {samples}). "
                "Cut or pad the sounds to one length."
            )
        coefficients: Tensor = torch.fft.rfft(sounds)[:, None]
        return coefficients

    def inverse(coefficients: Tensor) -> Tensor:
        sounds: Tensor = torch.fft.irfft(coefficients[:, 0], n=samples)
        return sounds

    return Frequencies(groups, transform, inverse, names)


def spectrogram_bins(bins: int, *, size: int = 1) -> Frequencies:
    """Bands of ``size`` neighbouring bins of levels ``(batch, bins, frames)``, as they are.

    Levels of 0 are loud or quiet as the unit has it: give the removed bins what stands in for
    them (``spectra`` of `find_shortcuts`).

    Args:
        bins: of the spectrogram, at least 2.
        size: of a band, in bins, from 1 to ``bins`` / 2.

    Returns:
        Groups of ``bins`` coefficients; the frames are their channels.

    Raises:
        InputError: a size out of range.

    Example:
        >>> spectrogram_bins(5, size=2).groups
        tensor([0, 0, 1, 1, 2])
    """
    _require_at_least("bins", bins, 2)
    if not 1 <= size <= bins // 2:
        raise InputError(
            f"`size` (={size}) must be from 1 to {bins // 2}, half the bins. Make bands narrower."
        )
    groups: Int[Tensor, " bins"] = torch.arange(bins) // size
    names = tuple(
        f"bins {low}-{min(low + size, bins) - 1}" if size > 1 else f"bin {low}"
        for low in range(0, bins, size)
    )

    def transform(levels: Tensor) -> Tensor:
        if levels.ndim != 3 or levels.shape[1] != bins:
            raise InputError(
                f"`inputs` (of shape {tuple(levels.shape)}) must be of shape (batch, {bins}, "
                "frames). Pass spectrograms with that many bins."
            )
        return levels.mT

    return Frequencies(groups, transform, lambda coefficients: coefficients.mT, names)


def mel_edges(sample_rate: int, bands: int) -> list[float]:
    """The ``bands`` - 1 edges between bands that are equally wide in mel, for `sound_bands`.

    Args:
        sample_rate: in Hz.
        bands: number of bands, at least 2.

    Returns:
        Frequencies in Hz, ascending, without 0 and half the rate.

    Raises:
        InputError: fewer than 2 bands.

    Example:
        >>> [round(edge) for edge in mel_edges(8000, 4)]
        [427, 1114, 2220]
    """
    _require_at_least("bands", bands, 2)
    top = hz_to_mel(torch.tensor(sample_rate / 2, dtype=torch.float64), mel_scale="htk")
    mels = torch.linspace(0, 1, bands + 1, dtype=torch.float64)[1:-1] * top
    edges: list[float] = mel_to_hz(mels, mel_scale="htk").tolist()
    return edges


def _require_at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"`{name}` (={value}) must be at least {least}. Raise it.")
