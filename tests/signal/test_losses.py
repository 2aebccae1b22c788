from collections.abc import Callable

import numpy as np
import pytest
import scipy.fft
import torch
from torch import Tensor
from torch.autograd import gradcheck

from passband.signal import (
    AdaptiveDCTLoss,
    AntiWrappingPhaseLoss,
    ComplexSTFTLoss,
    LogMelLoss,
    MultiResolutionSTFTLoss,
    MultiScaleMelLoss,
    SignalLoss,
    SISDRLoss,
)

SMALL: dict[str, Callable[..., SignalLoss]] = {
    "multi-resolution": lambda **kw: MultiResolutionSTFTLoss((32, 64), (8, 13), (32, 50), **kw),
    "complex": lambda **kw: ComplexSTFTLoss(32, **kw),
    "phase": lambda **kw: AntiWrappingPhaseLoss(32, **kw),
    "log-mel": lambda **kw: LogMelLoss(8000, 64, 16, 6, **kw),
    "multi-scale": lambda **kw: MultiScaleMelLoss(8000, (32, 64), (5, 10), **kw),
    "dct": lambda **kw: AdaptiveDCTLoss(1, **kw),
    "si-sdr": lambda **kw: SISDRLoss(**kw),
}

every_loss = pytest.mark.parametrize("make", SMALL.values(), ids=SMALL.keys())


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype)


def spectrum(x: Tensor, n_fft: int, hop: int, win: int) -> Tensor:
    taper = torch.hann_window(win, dtype=x.dtype)
    return torch.stft(x, n_fft, hop, win, taper, return_complex=True)


@every_loss
def test_a_batch_is_the_mean_of_its_items(make) -> None:
    x, y = (
        noise(2, 3, 200) * torch.tensor([1e-2, 1.0, 50.0], dtype=torch.float64)[:, None],
        noise(2, 3, 200),
    )
    single = make(reduction="none")(x, y)
    assert single.shape == (2, 3)
    one_by_one = [[make()(x[i, j], y[i, j]) for j in range(3)] for i in range(2)]
    expected = torch.tensor(one_by_one, dtype=torch.float64)
    torch.testing.assert_close(single, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(make()(x, y), expected.mean(), rtol=1e-12, atol=1e-12)
    mapped = torch.func.vmap(make(reduction="none"))(x, y)
    torch.testing.assert_close(mapped, expected, rtol=1e-10, atol=1e-12)


@every_loss
def test_least_at_equality(make) -> None:
    y = noise(3, 200)
    loss = make()
    least = loss(y, y)
    assert all(loss(y + size * noise(3, 200), y) > least for size in (1e-3, 0.1, 1.0))
    if not isinstance(loss, SISDRLoss):
        assert float(least) == 0


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("prediction", "target"),
    [("noise", "noise"), ("silence", "noise"), ("noise", "silence"), ("silence", "silence")],
)
def test_gradients_are_finite(make, prediction: str, target: str, dtype: torch.dtype) -> None:
    sounds = {"noise": noise(2, 200, dtype=dtype), "silence": torch.zeros(2, 200, dtype=dtype)}
    x = sounds[prediction].clone().requires_grad_()
    loss = make()(x, sounds[target])
    assert loss.isfinite()
    assert loss.dtype == dtype
    loss.backward()
    assert x.grad.isfinite().all()
    if (prediction, target) == ("noise", "silence") and make is not SMALL["si-sdr"]:
        assert x.grad.abs().sum() > 0


@every_loss
def test_gradcheck(make) -> None:
    x, y = noise(2, 40).requires_grad_(), noise(2, 40)
    loss = make(reduction="none")
    if isinstance(loss, AdaptiveDCTLoss):  # its weights are held fixed, so only alpha=0 is smooth
        loss = AdaptiveDCTLoss(1, alpha=0.0, reduction="none")
    assert gradcheck(lambda x: loss(x, y), (x,), fast_mode=True)


@every_loss
def test_falls_under_descent(make) -> None:
    y = noise(1, 200)
    x = (0.5 * y + 0.5 * noise(1, 200)).requires_grad_()
    loss, first = make(), None
    optimizer = torch.optim.Adam([x], lr=0.02)
    for _ in range(15):
        value = loss(x, y)
        first = float(value.detach()) if first is None else first
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert float(value.detach()) < first - 0.2 * abs(first)


@every_loss
def test_half_precision_and_autocast(make) -> None:
    x, y = noise(2, 200, dtype=torch.float32), noise(2, 200, dtype=torch.float32)
    expected = make()(x, y)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = make()(x.bfloat16(), y.bfloat16())
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, expected, rtol=0.05, atol=0.05)
        torch.testing.assert_close(make()(x, y), expected, rtol=1e-6, atol=1e-6)


@every_loss
def test_bad_input(make) -> None:
    good, loss = torch.zeros(2, 200), make()
    with pytest.raises(ValueError, match=r"`target` .*1 of its values NaN or infinite"):
        loss(good, good.index_put((torch.tensor(1), torch.tensor(3)), torch.tensor(torch.nan)))
    assert loss(good + torch.nan, noise(2, 200, dtype=torch.float32)).isnan()


@every_loss
@pytest.mark.usefixtures("unchecked")
def test_bad_shapes(make) -> None:
    good, loss = torch.zeros(2, 200), make()
    with pytest.raises(ValueError, match=r"`prediction` \(shape \(1, 200\)\) must have the shape"):
        loss(good[:1], good)
    with pytest.raises(ValueError, match=r"`prediction` \(dtype torch.int64\) must be float32"):
        loss(good.long(), good)
    with pytest.raises(ValueError, match=r"must have a last axis of at least one sample"):
        loss(good[:, :0], good[:, :0])
    with pytest.raises(ValueError, match=r"`target` \(shape \(0, 200\)\) must hold at least one"):
        loss(good[:0], good[:0])
    with pytest.raises(ValueError, match=r"`reduction` \(='sum'\) must be one of mean, none"):
        make(reduction="sum")


def test_multi_resolution_is_its_formula() -> None:
    x, y = noise(3000), noise(3000)
    total = 0.0
    for n_fft, hop, win in ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240)):
        p, t = (
            spectrum(z, n_fft, hop, win).abs().square().clamp(min=1e-8).sqrt().numpy()
            for z in (x, y)
        )
        total += np.linalg.norm(t - p) / np.linalg.norm(t) + abs(np.log(p) - np.log(t)).mean()
    assert abs(float(MultiResolutionSTFTLoss()(x, y)) - total / 3) < 1e-10


def test_multi_resolution_counts_items_alike() -> None:
    """Over a whole batch the loud item would hide what is wrong with the quiet one."""
    loud, quiet = 100 * noise(3000), 0.01 * noise(3000)
    loss = MultiResolutionSTFTLoss()
    target = torch.stack((loud, quiet))
    wrong = torch.stack((loud, 0.01 * noise(3000)))
    single = loss(wrong[1], quiet)
    torch.testing.assert_close(loss(wrong, target), single / 2, rtol=1e-12, atol=0)


def test_complex_is_its_formula() -> None:
    x, y = noise(500), noise(500)
    apart = torch.view_as_real(spectrum(x, 64, 20, 50) - spectrum(y, 64, 20, 50))
    ours = ComplexSTFTLoss(64, 20, 50)(x, y)
    torch.testing.assert_close(ours, 2 * apart.abs().mean(), rtol=1e-12, atol=0)


def test_phase_is_its_formula() -> None:
    x, y = noise(500), noise(500)
    p, t = (spectrum(z, 64, 20, 50) for z in (x, y))
    turn = (p * t.conj()).numpy()

    def distance(z: np.ndarray) -> float:
        return float(abs(np.angle(z)).mean())

    expected = (
        distance(turn)
        + distance(turn[1:] * turn[:-1].conj())
        + distance(turn[:, 1:] * turn[:, :-1].conj())
    )
    assert abs(float(AntiWrappingPhaseLoss(64, 20, 50)(x, y)) - expected) < 1e-10


def test_adaptive_dct_is_its_formula() -> None:
    x, y = noise(2, 3, 8, 9), noise(2, 3, 8, 9)
    error = abs(scipy.fft.dctn((x - y).numpy(), axes=(-2, -1), norm="ortho"))
    weights = (error / error.max((-2, -1), keepdims=True)) ** 0.7
    ours = AdaptiveDCTLoss(alpha=0.7, reduction="none")(x, y)
    expected = torch.from_numpy((weights * error).mean((-2, -1)))
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=0)


def test_adaptive_dct_weights_are_held_fixed() -> None:
    x, y = noise(1, 20).requires_grad_(), noise(1, 20)
    AdaptiveDCTLoss(1)(x, y).backward()
    basis = torch.from_numpy(scipy.fft.dct(np.eye(20), axis=0, norm="ortho"))
    error = basis @ (x - y)[0].detach()
    expected = (error.abs() / error.abs().max() * error.sign() / 20) @ basis
    torch.testing.assert_close(x.grad[0], expected, rtol=1e-10, atol=1e-12)


def test_si_sdr_is_its_formula() -> None:
    p, s = (noise(3, 500) + 1).numpy(), (noise(3, 500) - 2).numpy()
    p = p + 3 * s
    p0, s0 = p - p.mean(-1, keepdims=True), s - s.mean(-1, keepdims=True)
    kept = (p0 * s0).sum(-1, keepdims=True) / (s0**2).sum(-1, keepdims=True) * s0
    expected = 10 * np.log10((kept**2).sum(-1) / ((p0 - kept) ** 2).sum(-1))
    ours = -SISDRLoss(reduction="none")(torch.from_numpy(p), torch.from_numpy(s))
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("gain", [1e-9, 1e-3, 1e6])
def test_si_sdr_is_scale_invariant(gain: float) -> None:
    p, s = noise(2, 500, dtype=torch.float32), noise(2, 500, dtype=torch.float32)
    p = s + 0.01 * p
    torch.testing.assert_close(SISDRLoss()(gain * p, s), SISDRLoss()(p, s), rtol=1e-4, atol=0)
    torch.testing.assert_close(SISDRLoss()(p, gain * s), SISDRLoss()(p, s), rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: MultiResolutionSTFTLoss((512,), (50,), (513,)),
            r"`win_length` \(=513\) must be at",
        ),
        (lambda: MultiResolutionSTFTLoss((512,), (50, 60), (240,)), r"`hop_sizes` \(2\)"),
        (lambda: MultiResolutionSTFTLoss((), (), ()), r"`fft_sizes` \(0\)"),
        (lambda: MultiResolutionSTFTLoss((512,), (0,), (240,)), r"`hop_sizes` \(=0\)"),
        (lambda: MultiResolutionSTFTLoss(eps=0), r"`eps` \(=0\) must be above 0"),
        (lambda: MultiScaleMelLoss(window_lengths=(32,)), r"`window_lengths` \(1\)"),
        (lambda: MultiScaleMelLoss(f_max=30000.0), r"`f_max` \(=30000 Hz\) must be at most"),
        (lambda: MultiScaleMelLoss(eps=-1), r"`eps` \(=-1\) must be above 0"),
        (lambda: MultiScaleMelLoss(window_lengths=(2,), n_mels=(1,)), r"`hop_length` \(=0\)"),
        (lambda: LogMelLoss(n_fft=64), r"`n_mels` \(=100\) must be few enough"),
        (lambda: ComplexSTFTLoss(0), r"`n_fft` \(=0\) must be a positive integer"),
        (lambda: AntiWrappingPhaseLoss(16, 0), r"`hop_length` \(=0\) must be a positive"),
        (lambda: AntiWrappingPhaseLoss(eps=-1.0), r"`eps` \(=-1\) must be at least 0"),
        (lambda: AdaptiveDCTLoss(0), r"`n_dims` \(=0\) must be a positive integer"),
        (lambda: AdaptiveDCTLoss(alpha=-1.0), r"`alpha` \(=-1\) must be at least 0"),
    ],
)
def test_errors(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.usefixtures("unchecked")
def test_compiled() -> None:
    x, y = noise(2, 200), noise(2, 200)
    for name in ("multi-resolution", "phase", "dct", "si-sdr"):
        loss = SMALL[name]()
        compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
        torch.testing.assert_close(compiled(x, y), loss(x, y), rtol=1e-9, atol=1e-9)
