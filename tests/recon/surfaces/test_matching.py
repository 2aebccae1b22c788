"""Frequencies of pictures, and what resolves them on the object."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.recon.cameras import Cameras
from passband.recon.surfaces import image_frequency, match_photographs, pixel_footprint


def wave(cycles_per_pixel: float, size: int = 128) -> Tensor:
    x = torch.arange(size, dtype=torch.float64)
    value = 128 + 100 * torch.sin(2 * math.pi * cycles_per_pixel * x)
    return value.round().to(torch.uint8).expand(size, size)[..., None].repeat(1, 1, 3)


def cameras(count: int, *, distance: float, focal: float) -> Cameras:
    matrix = torch.tensor([[focal, 0, 64], [0, focal, 64], [0, 0, 1]]).expand(count, 3, 3)
    pose = torch.eye(4).repeat(count, 1, 1)
    pose[:, 2, 3] = -distance
    return Cameras(matrix, pose, torch.full((count, 2), 128))


@pytest.mark.parametrize("frequency", [1 / 16, 0.1, 0.25])
def test_frequency_of_a_wave(frequency: float) -> None:
    # The taper spreads it over two cycles per picture, the rounding to bytes adds little noise.
    assert image_frequency([wave(frequency)]) == pytest.approx(frequency, abs=3 / 128)


def test_footprint_turns_it_to_the_scene() -> None:
    seen = cameras(3, distance=4.0, focal=200.0)
    assert pixel_footprint(seen) == pytest.approx(0.02)
    found = match_photographs([wave(0.125)] * 3, seen)
    assert found.cycles_per_unit == pytest.approx(0.125 / 0.02, rel=0.2)
    assert 2.0 ** (found.octaves - 2) >= found.cycles_per_unit > 2.0 ** (found.octaves - 3)
    assert found.finest_resolution == math.ceil(4 * found.cycles_per_unit)
    nearer = match_photographs([wave(0.125)] * 3, cameras(3, distance=2.0, focal=200.0))
    assert nearer.cycles_per_unit == pytest.approx(2 * found.cycles_per_unit)


def test_what_is_beyond_the_mask_does_not_count() -> None:
    image, mask = wave(0.05), torch.zeros(128, 128, dtype=torch.bool)
    mask[:, :64] = True
    busy = image.clone()
    busy[:, 64:] = wave(0.4)[:, 64:]
    assert image_frequency([busy], [mask]) == image_frequency([image], [mask])
    assert image_frequency([busy]) > 0.35


def test_a_larger_share_needs_higher_frequencies() -> None:
    mixed = (wave(0.05).double() * 0.8 + wave(0.3).double() * 0.2).to(torch.uint8)
    low, high = (image_frequency([mixed], share=share) for share in (0.9, 0.99))
    assert low < 0.1
    assert high > 0.28


def test_real_photographs(data: Path) -> None:
    load = pytest.importorskip("passband.recon.data").load_photographs
    photographs = load(data / "multiview" / "dtu_scan65")
    found = match_photographs(
        photographs.images[::10], photographs.cameras.select(torch.arange(len(photographs))[::10]),
        None if photographs.masks is None else photographs.masks[::10],
    )  # fmt: skip
    assert 0.005 < found.cycles_per_pixel < 0.5
    assert 4 <= found.octaves <= 12
    assert 32 <= found.finest_resolution <= 4096


def test_bad_input() -> None:
    flat = torch.full((32, 32, 3), 7, dtype=torch.uint8)
    with pytest.raises(InputError, match="`images` do not vary, so they have no frequency"):
        image_frequency([flat])
    with pytest.raises(InputError, match=r"`share` \(=1.0\) must be above 0 and below 1"):
        image_frequency([wave(0.1)], share=1.0)
    with pytest.raises(InputError, match=r"`masks` \(0\) must be as many as the 1 `images`"):
        image_frequency([wave(0.1)], [])
    with pytest.raises(InputError, match=r"`images` \(1\) and `cameras` \(2\) must be equal"):
        match_photographs([wave(0.1)], cameras(2, distance=2.0, focal=100.0))
