from pathlib import Path

import numpy as np
import pytest
import torch

from passband.errors import InputError
from passband.inr.targets import audio_target, evaluate_on_grid, grid_coordinates, image_target
from passband.media import write_audio, write_image


@pytest.mark.parametrize("size", [(7,), (3, 5), (2, 3, 4), (1, 6)])
def test_coordinates_are_an_align_corners_grid_in_xyz_order(size: tuple[int, ...]) -> None:
    axes = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in size]
    expected = np.stack(np.meshgrid(*axes, indexing="ij")[::-1], axis=-1).reshape(-1, len(size))
    indices = torch.arange(int(np.prod(size)))
    np.testing.assert_allclose(grid_coordinates(indices, size).numpy(), expected, atol=1e-6)


def test_evaluation_in_chunks_is_evaluation_at_once() -> None:
    def field(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x.sin(), x.prod(-1, keepdim=True)], dim=-1)

    whole = evaluate_on_grid(field, (9, 11))
    assert whole.shape == (3, 9, 11)
    torch.testing.assert_close(evaluate_on_grid(field, (9, 11), chunk=7), whole)
    assert float(whole[0, 0, -1]) == pytest.approx(np.sin(1.0))  # x runs along the last axis
    assert float(whole[1, 0, -1]) == pytest.approx(np.sin(-1.0))  # y along the first


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [8, 16])
def test_pictures_map_to_plus_minus_one_and_back(tmp_path: Path, channels: int, depth: int) -> None:
    pixels = torch.rand(channels, 5, 7)
    write_image(tmp_path / "a.png", pixels, bit_depth=depth)
    target = image_target(str(tmp_path / "a.png"))
    info = target.info
    assert (info.channels, info.size, info.bounded, info.bit_depth) == (
        channels,
        (5, 7),
        True,
        depth,
    )
    back = target.signal * info.scale + info.center
    assert float((back - pixels).abs().max()) <= 0.5 / (2**depth - 1) + 1e-6


def test_unbounded_pictures_keep_their_range(tmp_path: Path) -> None:
    pixels = torch.linspace(-3, 40, 48).reshape(3, 4, 4)
    write_image(tmp_path / "a.exr", pixels, bit_depth=32)
    target = image_target(str(tmp_path / "a.exr"))
    assert not target.info.bounded
    assert float(target.signal.min()) == pytest.approx(-1.0)
    assert float(target.signal.max()) == pytest.approx(1.0)
    back = target.signal * target.info.scale + target.info.center
    torch.testing.assert_close(back, pixels, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_pictures_of_one_sample_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    write_image(tmp_path / "a.png", torch.rand(3, *size))
    with pytest.raises(InputError, match="at least 2 samples along each axis"):
        image_target(str(tmp_path / "a.png"))


def test_unknown_bundled_picture_lists_the_known() -> None:
    with pytest.raises(InputError, match=r"skimage:astronot.*Allowed: astronaut, "):
        image_target("skimage:astronot")


def test_sounds_are_scaled_to_their_peak_and_cut_in_seconds(tmp_path: Path) -> None:
    samples = 0.25 * torch.sin(torch.arange(2 * 8000).reshape(2, 8000).float())
    write_audio(tmp_path / "a.flac", samples, 8000)
    target = audio_target(str(tmp_path / "a.flac"), start=0.25, duration=0.5)
    assert target.info.size == (4000,)
    assert target.info.sample_rate == 8000
    assert float(target.signal.abs().max()) == pytest.approx(1.0)
    back = target.signal * target.info.scale
    torch.testing.assert_close(back, samples[:, 2000:6000], rtol=0, atol=1e-4)


def test_silence_stays_silence(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", torch.zeros(1, 100), 8000)
    assert not audio_target(str(tmp_path / "a.wav")).signal.any()


def test_a_start_after_the_end_is_refused(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", torch.zeros(1, 8000), 8000)
    with pytest.raises(InputError, match=r"0 samples from target.start=3 s.*lasts 1 s"):
        audio_target(str(tmp_path / "a.wav"), start=3.0)
