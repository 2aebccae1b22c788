"""Which frequencies a surface needs, from the pictures it is to be learned from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from passband.errors import InputError
from passband.frequency import magnitude_spectrum
from passband.recon.cameras import Cameras

_BINS = 512
_RESIDUE = 1e-9  # energy of the rounding of means


@dataclass(frozen=True)
class MatchedFrequency:
    """What pictures hold, and what resolves it.

    Attributes:
        cycles_per_pixel: below it lies the wanted share of the pictures' energy.
        footprint: width of a pixel at the object, scene units.
        cycles_per_unit: the same frequency on the object.
        octaves: of a positional encoding whose highest, ``2^(octaves - 2)`` cycles per unit, is at
            least that.
        finest_resolution: vertices per axis over [-1, 1] with two cells to a cycle.
    """

    cycles_per_pixel: float
    footprint: float
    cycles_per_unit: float
    octaves: int
    finest_resolution: int


def match_photographs(
    images: Sequence[UInt8[Tensor, "_ _ 3"]],
    cameras: Cameras,
    masks: Sequence[Bool[Tensor, "_ _"]] | None = None,
    *,
    share: float = 0.99,
) -> MatchedFrequency:
    """Octaves and finest resolution for ``f = image_frequency / pixel_footprint`` cycles per unit.

    Args:
        images: the pictures to learn from.
        cameras: one per picture, the object in the unit sphere.
        masks: True on the object.
        share: of the pictures' energy that is to be resolved, above 0 and below 1.

    Returns:
        The frequency and what resolves it, at least 16 vertices.

    Raises:
        InputError: no pictures, not as many cameras or masks, pictures without variation, or a
            share out of range.

    Example:
        >>> x = torch.arange(64) / 4  # a wave of 16 pixels, seen 2 units away with focal length 64
        >>> wave = (127 + 100 * (2 * torch.pi * x / 4).cos()).to(torch.uint8)
        >>> camera = Cameras(
        ...     torch.tensor([[[64.0, 0, 32], [0, 64, 32], [0, 0, 1]]]),
        ...     torch.eye(4)[None] + 2 * torch.eye(4)[2][:, None] * torch.eye(4)[3],
        ...     torch.tensor([[64, 64]]),
        ... )
        >>> found = match_photographs([wave.expand(64, 64)[..., None].repeat(1, 1, 3)], camera)
        >>> found.footprint, round(found.cycles_per_pixel * 16, 1), found.octaves
        (0.03125, 1.3, 4)

    Ours: FreSh (Kania et al., ICLR 2025) compares spectra of untrained fields with the signal's,
    which for a surface is not known; its pictures are.
    """
    if not len(images) == len(cameras) or len(images) == 0:
        raise InputError(
            f"`images` ({len(images)}) and `cameras` ({len(cameras)}) must be equally many, and at "
            "least one. Pass one camera per picture."
        )
    frequency, footprint = image_frequency(images, masks, share=share), pixel_footprint(cameras)
    cycles = frequency / footprint
    return MatchedFrequency(
        cycles_per_pixel=frequency,
        footprint=footprint,
        cycles_per_unit=cycles,
        octaves=max(1, 2 + math.ceil(math.log2(cycles))),
        finest_resolution=max(16, math.ceil(4 * cycles)),
    )


def image_frequency(
    images: Sequence[UInt8[Tensor, "_ _ 3"]],
    masks: Sequence[Bool[Tensor, "_ _"]] | None = None,
    *,
    share: float = 0.99,
) -> float:
    """Frequency in cycles per pixel below which ``share`` of the pictures' energy ``|F|^2`` lies.

    Each picture loses its mean, within the mask where there is one, outside of which it is then 0,
    and is tapered to its borders. Energies are summed over colours and pictures in rings.

    Args:
        images: RGB.
        masks: True on the object, one per picture.
        share: above 0 and below 1.

    Raises:
        InputError: not as many masks, no variation, or a share out of range.

    Example:
        >>> noise = torch.randint(256, (64, 64, 3), generator=torch.Generator().manual_seed(0))
        >>> 0.6 < image_frequency([noise.to(torch.uint8)]) < 0.71  # white up to the corners
        True
    """
    if not 0 < share < 1:
        raise InputError(f"`share` (={share}) must be above 0 and below 1. 0.99 is usual.")
    if masks is not None and len(masks) != len(images):
        raise InputError(f"`masks` ({len(masks)}) must be as many as the {len(images)} `images`.")
    energy = torch.zeros(_BINS, dtype=torch.float64)
    for number, image in enumerate(images):
        energy += _ring_energy(image, None if masks is None else masks[number])
    total = float(energy.sum())
    if not total > _RESIDUE:
        raise InputError("`images` do not vary, so they have no frequency. Give the octaves.")
    below = int(torch.searchsorted(energy.cumsum(0) / total, share))
    return (below + 1) * math.sqrt(0.5) / _BINS


def pixel_footprint(cameras: Cameras) -> float:
    """Width of a pixel at the origin, ``distance / focal``: the median over cameras, scene units.

    Example:
        >>> pose = torch.eye(4)[None] + 2 * torch.eye(4)[2][:, None] * torch.eye(4)[3]
        >>> pixel_footprint(Cameras(torch.eye(3)[None] * 50, pose, torch.tensor([[8, 8]])))
        0.03999999910593033
    """
    focal = (cameras.intrinsics[:, 0, 0] * cameras.intrinsics[:, 1, 1]).abs().sqrt()
    return float((cameras.centers.norm(dim=1) / focal).median())


def _ring_energy(image: Tensor, mask: Tensor | None) -> Float[Tensor, " bins"]:
    """``|F|^2`` of a picture in rings of equal width up to the corner, ``sqrt(0.5)`` cycles."""
    values = image.permute(2, 0, 1).double() / 255
    weight = torch.ones(image.shape[:2], dtype=torch.float64) if mask is None else mask.double()
    weight = weight.to(values.device)
    mean = (values * weight).sum(dim=(1, 2), keepdim=True) / weight.sum().clamp_min(1)
    height, width = weight.shape
    taper = torch.hann_window(height, dtype=torch.float64)[:, None] * torch.hann_window(
        width, dtype=torch.float64
    )
    spectrum = magnitude_spectrum((values - mean) * weight * taper.to(values.device), ndim=2)
    rows = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    columns = torch.fft.fftfreq(width, dtype=torch.float64)
    ring = (rows.square() + columns.square()).sqrt() * (_BINS / math.sqrt(0.5))
    ring = ring.long().clamp_max(_BINS - 1).flatten()
    energy = spectrum.square().sum(dim=0).flatten().cpu()
    return torch.zeros(_BINS, dtype=torch.float64).index_add_(0, ring, energy)
