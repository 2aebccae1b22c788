"""Parity of harmonic-percussive separation with librosa, and of the running median with scipy."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from passband.frequency import hpss, hpss_masks, running_median, softmask
from passband.signal import HarmonicPercussive

librosa = pytest.importorskip("librosa")

SETTINGS = [
    {},
    {"kernel_size": (13, 7)},
    {"kernel_size": 8},
    {"power": 0.5},
    {"power": np.inf},
    {"margin": (1.0, 5.0)},
    {"margin": 3.0, "power": 1.0},
]


def spectrum(*shape: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    S = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    S[..., 3, :] = 0
    S[..., 10:45] = 0
    return S


@pytest.mark.parametrize("size", [1, 2, 3, 8, 31])
def test_scipy(size: int) -> None:
    x = np.random.default_rng(0).random((3, 50))
    expected = scipy.ndimage.median_filter(x, size=(1, size), mode="reflect")
    assert torch.equal(running_median(torch.from_numpy(x), size), torch.from_numpy(expected))


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("is_complex", [True, False])
def test_librosa(settings: dict[str, object], is_complex: bool) -> None:
    S = spectrum(2, 60, 80)
    S = S if is_complex else np.abs(S)
    expected = librosa.decompose.hpss(S, **settings)
    for dtype, atol in ((S.dtype, 1e-12), (S.astype(np.complex64).dtype, 1e-5)):
        given = torch.from_numpy(S.astype(dtype if is_complex else np.zeros(0, dtype).real.dtype))
        for ours, theirs in zip(hpss(given, **settings), expected, strict=True):
            error = (ours - torch.from_numpy(theirs)).abs().max()
            assert error < atol
    masks = librosa.decompose.hpss(np.abs(S), mask=True, **settings)
    for ours, theirs in zip(
        hpss_masks(torch.from_numpy(np.abs(S)), **settings), masks, strict=True
    ):
        theirs = torch.from_numpy(np.asarray(theirs, dtype=np.float64))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("power", [0.3, 1.0, 8.0, np.inf])
@pytest.mark.parametrize("split_zeros", [True, False])
def test_softmask(power: float, split_zeros: bool) -> None:
    x, reference = np.abs(spectrum(2, 40, 50))
    expected = librosa.util.softmask(x, reference, power=power, split_zeros=split_zeros)
    ours = softmask(
        torch.from_numpy(x), torch.from_numpy(reference), power=power, split_zeros=split_zeros
    )
    torch.testing.assert_close(ours, torch.from_numpy(expected.astype(float)), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "settings",
    [{}, {"margin": 2.0, "kernel_size": (17, 9)}, {"win_length": 400, "hop_length": 99}],
)
def test_waveforms(settings: dict[str, object]) -> None:
    y = np.random.default_rng(0).standard_normal(6000)
    expected = librosa.effects.hpss(y, n_fft=512, **settings)
    ours = HarmonicPercussive(512, **settings)(torch.from_numpy(y))
    inside = slice(512, -512)  # librosa leaves out the last frames of an inverse
    for part, theirs in zip(ours, expected, strict=True):
        error = (part - torch.from_numpy(theirs))[inside].abs().max()
        assert error < 1e-10
