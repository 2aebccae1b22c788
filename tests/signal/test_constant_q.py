import warnings

import pytest
import torch
from torch import Tensor

from passband.signal import (
    CQT,
    VQT,
    GaborCQT,
    InverseCQT,
    InverseGaborCQT,
    InverseVQT,
)

SMALL = {"sample_rate": 8000, "hop_length": 16, "f_min": 200.0, "n_bins": 36}


def tone(time: int, hertz: float, rate: int = 8000) -> Tensor:
    return torch.sin(2 * torch.pi * hertz * torch.arange(time, dtype=torch.float64) / rate)


def decibels(x: Tensor, y: Tensor, edge: int) -> float:
    inner = slice(edge, -edge)
    return float(20 * torch.log10(x[..., inner].norm() / (y - x)[..., inner].norm()))


def test_defaults_are_librosas() -> None:
    transform = CQT()
    assert transform.frequencies.shape == (84,)
    assert float(transform.frequencies[0]) == pytest.approx(32.70319566257483)
    assert (transform.sample_rate, transform.hop_length) == (22050, 512)
    assert transform(torch.zeros(22050)).shape == (84, 44)


def test_vqt_without_gamma_is_the_cqt() -> None:
    x = torch.randn(2, 1500, dtype=torch.float64)
    assert torch.equal(VQT(**SMALL, gamma=0.0)(x), CQT(**SMALL)(x))
    assert not torch.allclose(VQT(**SMALL)(x), CQT(**SMALL)(x), rtol=0.05)


def test_frequencies_in_any_order_give_rows_in_that_order() -> None:
    x = torch.randn(1500, dtype=torch.float64)
    up = CQT(8000, 64, frequencies=[300.0, 500.0, 800.0])(x)
    mixed = CQT(8000, 64, frequencies=[500.0, 800.0, 300.0])(x)
    torch.testing.assert_close(mixed, up[[1, 2, 0]], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("forward", "backward"), [(CQT, InverseCQT), (VQT, InverseVQT)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_inverse(forward: type[VQT], backward: type[InverseVQT], dtype: torch.dtype) -> None:
    settings = SMALL | {"hop_length": 8}
    x = (tone(6000, 440.0) + tone(6000, 990.0)).to(dtype)
    x = x * torch.hann_window(6000, dtype=dtype)
    spectrum = forward(**settings)(x.expand(2, 3, -1))
    back = backward(**settings)(spectrum, length=6000)
    assert back.shape == (2, 3, 6000)
    assert decibels(x.expand(2, 3, -1), back, 800) > 80


def test_length_of_the_inverse() -> None:
    spectrum = CQT(**SMALL)(tone(1000, 440.0))
    inverse = InverseCQT(**SMALL)
    assert inverse(spectrum).shape == (62 * 16,)
    assert inverse(spectrum, length=1007).shape == (1007,)
    with pytest.raises(ValueError, match=r"`length` \(=1008 samples\) must be 992 to 1007"):
        inverse(spectrum, length=1008)


def test_a_hop_too_long_is_named_and_not_silent() -> None:
    with pytest.warns(UserWarning, match=r"`hop_length` \(=512\) is above the \d+ samples") as seen:
        inverse = InverseCQT(4000, 512, n_bins=60)
    assert "from 51.9 Hz upward" in str(seen[0].message)
    x = tone(8000, 200.0, 4000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back = inverse(CQT(4000, 512, n_bins=60)(x), length=8000)
    assert bool(back.isfinite().all())
    assert float(back.norm()) < float(x.norm())  # least squares adds nothing


def test_gaps_between_filters_are_named() -> None:
    with pytest.warns(UserWarning, match=r"gaps between their filters .* to .* Hz"):
        inverse = InverseCQT(**SMALL, filter_scale=4.0)
    assert len(inverse.covered) > 1


def test_covered_band_holds_every_centre() -> None:
    inverse = InverseCQT(**SMALL)
    ((low, high),) = inverse.covered
    centres = CQT(**SMALL).frequencies
    assert low < float(centres[0])
    assert high > float(centres[-1])


def test_trainable_filters_learn() -> None:
    transform = CQT(8000, 64, 400.0, 12, trainable=True)
    x = torch.randn(2, 900)
    loss = transform(x).abs().square().mean()
    loss.backward()
    names = [name for name, _ in transform.named_parameters()]
    assert names
    assert all(name.startswith("kernel_") for name in names)
    for parameter in transform.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0
    # One step down the gradient lowers the loss: the gradient points where it should.
    with torch.no_grad():
        for parameter in transform.parameters():
            parameter -= 1e-3 * parameter.grad / parameter.grad.norm()
    assert transform(x).abs().square().mean() < loss


@pytest.mark.parametrize("hop", [64, 50, 37])
@pytest.mark.parametrize("block", [1, 100, 999])
def test_stream(hop: int, block: int) -> None:
    transform = CQT(8000, hop, 400.0, 20)
    x = torch.randn(2, 3000 if block > 1 else 700, dtype=torch.float64)
    stream = transform.stream()
    parts = [stream.push(piece) for piece in x.split(block, dim=-1)]
    joined = torch.cat([*parts, stream.finish()], dim=-1)
    torch.testing.assert_close(joined, transform(x), rtol=0, atol=1e-9)
    if block == 100:
        assert sum(part.shape[-1] for part in parts) > 0.5 * joined.shape[-1]


def test_stream_forgets_what_it_no_longer_needs() -> None:
    stream = CQT(8000, 64, 400.0, 20).stream()
    kept = []
    for _ in range(40):
        stream.push(torch.randn(1000))
        kept.append(stream._kept.shape[-1])
    assert max(kept[10:]) == max(kept[20:]) < 6000


def test_gabor_round_trip_of_anything() -> None:
    settings = {"sample_rate": 8000, "f_min": 100.0, "n_bins": 50}
    analysis, synthesis = GaborCQT(**settings), InverseGaborCQT(**settings)
    for length in (1, 100, 1001, 4096):
        for dtype, least in ((torch.float32, 110), (torch.float64, 250)):
            x = torch.randn(2, length, dtype=dtype)
            y = synthesis(analysis(x), length=length)
            assert float(20 * torch.log10(x.norm() / (y - x).norm().clamp(min=1e-300))) > least


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.zeros(0), "at least one sample"),
        (torch.zeros(100, dtype=torch.int64), "float32 or float64"),
        (torch.full((100,), torch.nan), "`waveform`.* NaN"),
    ],
)
@pytest.mark.parametrize("make", [lambda: CQT(**SMALL), lambda: GaborCQT(8000, 100.0, 12)])
def test_bad_waveforms(bad: Tensor, message: str, make, unchecked: None) -> None:
    with pytest.raises(ValueError, match=message):
        make()(bad)


def test_bad_spectra(unchecked: None) -> None:
    inverse = InverseCQT(**SMALL)
    with pytest.raises(ValueError, match=r"must be \(\*batch, 36, frames\)"):
        inverse(torch.zeros(35, 4, dtype=torch.complex64))
    with pytest.raises(ValueError, match="complex64 or complex128"):
        inverse(torch.zeros(36, 4))
    with pytest.raises(ValueError, match="`n_iter`"):
        InverseCQT(**SMALL, n_iter=-1)
    with pytest.raises(ValueError, match="`frequencies`"):
        CQT(8000, 64, frequencies=[])
