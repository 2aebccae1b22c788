import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import (
    _cochleagram,
    cochleagram,
    envelope_filter,
    erb_filters,
    erb_frequencies,
)

SMALL = {
    "sample_rate": 4000,
    "n_filters": 5,
    "f_min": 60.0,
    "f_max": 1900.0,
    "sample_factor": 2,
    "envelope_rate": 200,
    "numtaps": 101,
}


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def recipe(x: np.ndarray, center: bool) -> np.ndarray:
    """Channel by channel, frame by frame."""
    n, taps, step = len(x), 101, 20
    hertz = torch.arange(n // 2 + 1, dtype=torch.float64) * 4000 / n
    filters = erb_filters(hertz, 5, 60.0, 1900.0, 2).numpy()
    t = np.arange(-50, 51)
    h = np.sinc(t / step) / step * np.kaiser(taps, 5.0)
    spectrum = np.fft.fft(x)
    rows = []
    for g in filters:
        analytic = np.zeros(n, dtype=complex)
        analytic[: n // 2 + 1] = 2 * spectrum[: n // 2 + 1] * g
        analytic[0] /= 2
        if n % 2 == 0:
            analytic[n // 2] /= 2
        envelope = np.abs(np.fft.ifft(analytic))
        if center:
            envelope = np.pad(envelope, 50)
        frames = range(0, len(envelope) - taps + 1, step)
        slow = np.array([np.dot(envelope[s : s + taps], h) for s in frames])
        rows.append((np.maximum(slow, 0) + 1e-8) ** 0.3)
    return np.stack(rows)


@pytest.mark.parametrize("time", [400, 405])  # an even and an odd length that the FFT takes as is
@pytest.mark.parametrize("center", [True, False])
def test_is_its_recipe(time: int, center: bool) -> None:
    x = noise(time)
    ours = cochleagram(x, center=center, **SMALL)
    torch.testing.assert_close(
        ours, torch.from_numpy(recipe(x.numpy(), center)), rtol=0, atol=1e-10
    )
    single = cochleagram(x.float(), center=center, **SMALL)
    torch.testing.assert_close(single.double(), ours, rtol=0, atol=1e-4)


def test_default_size() -> None:
    x = noise(4000).float()
    assert cochleagram(x).shape == (211, 40)
    assert cochleagram(x, center=False).shape == (211, 30)


def test_a_tone_is_loudest_at_its_channel() -> None:
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(8000) / 20000)
    middle = cochleagram(tone, power=1.0, pad_factor=1.5)[:, 40]
    centres = erb_frequencies(50, 50.0, 10000.0)
    assert abs(float(centres[middle.argmax()]) - 1000) < 25
    # The squared envelopes of a tone of amplitude 1 add up to 1.
    assert abs(float(middle.square().sum()) - 1) < 1e-2


def test_padding_keeps_the_end_from_ringing_at_the_beginning() -> None:
    x = torch.zeros(400, dtype=torch.float64)
    x[-1] = 1
    wrapped, apart = (cochleagram(x, pad_factor=f, **SMALL)[:, 0].max() for f in (1.0, 2.0))
    assert apart < wrapped / 2


def test_blocks_of_channels_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(2, 400)
    expected = cochleagram(x, **SMALL)
    monkeypatch.setattr(_cochleagram, "_MOST_SAMPLES", 2500)
    torch.testing.assert_close(cochleagram(x, **SMALL), expected, rtol=0, atol=1e-12)


def test_batch_and_vmap() -> None:
    x = noise(2, 400)
    rows = torch.stack([cochleagram(row, **SMALL) for row in x])
    torch.testing.assert_close(cochleagram(x, **SMALL), rows)
    torch.testing.assert_close(torch.func.vmap(lambda row: cochleagram(row, **SMALL))(x), rows)


def test_gradient_of_the_whole() -> None:
    loud = {**SMALL, "clip": 1e9, "offset": 1.0}
    x = noise(120).requires_grad_()
    assert gradcheck(lambda x: cochleagram(x, **loud)[::3, ::2], x)
    silence = torch.zeros(120, requires_grad=True)
    cochleagram(silence, **SMALL).sum().backward()
    assert silence.grad.isfinite().all()


def test_gradients_see_a_clipped_slope() -> None:
    x = torch.tensor([-1.0, 0.0, 0.5, 4.0], dtype=torch.float64, requires_grad=True)
    y = _cochleagram.compressed(x, 0.3, 1e-8, 5.0)
    level = torch.tensor([1e-8, 1e-8, 0.5 + 1e-8, 4 + 1e-8], dtype=torch.float64)
    assert torch.equal(y.detach(), level**0.3)
    y.sum().backward()
    expected = torch.cat((torch.tensor([5.0, 5.0]).double(), 0.3 * level[2:] ** -0.7))
    torch.testing.assert_close(x.grad, expected)


def test_envelope_filter_passes_slow_and_stops_fast() -> None:
    taps = envelope_filter(20, 1001, 5.0)
    gain = torch.fft.rfft(taps, n=20000).abs()
    assert (gain[:350] - 1).abs().max() < 0.01
    assert gain[650:].max() < 0.01


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample_rate": 0}, r"`sample_rate` \(=0\) must be a positive integer"),
        ({"envelope_rate": 300}, r"`envelope_rate` \(=300 Hz\) must divide `sample_rate`"),
        ({"envelope_rate": 0}, r"`envelope_rate` \(=0\) must be a positive integer"),
        ({"f_max": 2001.0}, r"`f_max` \(=2001 Hz\) must be at most the Nyquist frequency 2000"),
        ({"numtaps": 100}, r"`numtaps` \(=100\) must be odd"),
        ({"power": 0.0}, r"`power` \(=0\) must be above 0"),
        ({"clip": math.nan}, r"`clip` \(=nan\) must be above 0"),
        ({"offset": -1.0}, r"`offset` \(=-1\) must be at least 0"),
        ({"pad_factor": 0.5}, r"`pad_factor` \(=0.5\) must be 1 to"),
        ({"beta": -1.0}, r"`beta` \(=-1\) must be at least 0"),
        ({"center": False, "numtaps": 501}, r"`numtaps` \(=501\) must be at most the 400 samples"),
    ],
)
def test_errors(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cochleagram(torch.zeros(400), **{**SMALL, **settings})
