import math

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import sinc_resample, sinc_resample_filter

METHODS = ["sinc_interp_hann", "sinc_interp_kaiser"]


def by_its_sum(x: Tensor, up: int, down: int, width: int, rolloff: float, beta: float | None):
    """Every output as the sum over all inputs, the filter evaluated where it is needed."""
    edge = rolloff * min(1, up / down)
    out = []
    for n in range(math.ceil(len(x) * up / down)):
        t = edge * (n * down / up - torch.arange(len(x), dtype=torch.float64))
        if beta is None:
            window = torch.cos(t * math.pi / 2 / width).square()
        else:
            window = torch.special.i0(beta * (1 - (t / width).square()).clamp(min=0).sqrt())
            window = window / torch.special.i0(torch.tensor(beta).double())
        out.append((x * edge * torch.sinc(t) * window * (t.abs() < width)).sum())
    return torch.stack(out)


@pytest.mark.parametrize("rates", [(3, 2), (2, 3), (1, 4), (5, 1), (441, 480), (480, 441), (7, 5)])
@pytest.mark.parametrize("beta", [None, 8.0])
@pytest.mark.parametrize(("width", "rolloff"), [(6, 0.99), (10, 0.8)])
def test_is_its_sum(rates: tuple[int, int], beta: float | None, width: int, rolloff: float) -> None:
    x = torch.randn(2, 101, dtype=torch.float64)
    shared = {"lowpass_filter_width": width, "rolloff": rolloff, "beta": beta}
    method = METHODS[beta is not None]
    ours = sinc_resample(x, *(100 * r for r in rates), resampling_method=method, **shared)
    down, up = rates
    for item, y in zip(x, ours, strict=True):
        expected = by_its_sum(item, up, down, width, rolloff, beta)
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_tone_stays_a_tone(method: str) -> None:
    t = torch.arange(4000, dtype=torch.float64)
    tone = torch.sin(2 * torch.pi * 0.02 * t)
    y = sinc_resample(tone, 4, 5, resampling_method=method, lowpass_filter_width=64)
    expected = torch.sin(2 * torch.pi * 0.02 * 0.8 * torch.arange(5000, dtype=torch.float64))
    torch.testing.assert_close(y[500:-500], expected[500:-500], rtol=0, atol=2e-4)


def test_filter_is_symmetric_and_passes_a_constant() -> None:
    for up, down in ((1, 2), (3, 2), (160, 147)):
        taps = sinc_resample_filter(up, down, lowpass_filter_width=40)
        assert torch.equal(taps, taps.flip(0))
        assert float(taps.sum()) == pytest.approx(up, rel=1e-3)


def test_gradients_and_batches() -> None:
    x = torch.randn(2, 3, 20, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: sinc_resample(x, 3, 2), x)
    mapped = torch.func.vmap(lambda x: sinc_resample(x, 3, 2))(x)
    torch.testing.assert_close(mapped, sinc_resample(x, 3, 2))
    assert sinc_resample(x, 8000, 8000) is x


@pytest.mark.parametrize(
    ("rates", "arguments", "message"),
    [
        ((0, 1), {}, r"`orig_freq` \(=0 Hz\) must be a positive whole number"),
        ((1, 2.5), {}, r"`new_freq` \(=2.5 Hz\) must be a positive whole number"),
        ((1, 2), {"rolloff": 0.0}, r"`rolloff` \(=0.0\) must be above 0 and at most 1"),
        ((1, 2), {"rolloff": 1.1}, r"`rolloff` \(=1.1\) must be above 0 and at most 1"),
        ((1, 2), {"lowpass_filter_width": 0}, r"`lowpass_filter_width` \(=0\) must be at least 1"),
        ((1, 2), {"beta": -1.0}, r"`beta` \(=-1\) must be at least 0"),
        ((1, 2), {"resampling_method": "soxr"}, r"`resampling_method` \(='soxr'\) must be one of"),
        ((99999989, 99999971), {}, r"`up`/`down` .* must need at most 67108864 taps"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_arguments(rates: tuple, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sinc_resample(torch.ones(100), *rates, **arguments)
