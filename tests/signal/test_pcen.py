"""Per-channel energy normalisation as a module, trained and block by block."""

import math

import pytest
import torch

from passband.frequency import pcen
from passband.signal import PCEN

NAMES = ["log_gain", "log_bias", "log_power", "logit_b"]


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("n_channels", [None, 8])
def test_trainable_starts_where_the_settings_say(n_channels: int | None) -> None:
    S = noise(2, 8, 150)
    transform = PCEN(16000, 160, 0.8, 1.5, 0.4, trainable=True, n_channels=n_channels)
    expected = pcen(S, sr=16000, hop_length=160, gain=0.8, bias=1.5, power=0.4)
    torch.testing.assert_close(transform(S), expected, rtol=0, atol=1e-5)
    assert list(transform.state_dict()) == NAMES
    transform(S).sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in transform.parameters())


@pytest.mark.parametrize("trainable", [False, True])
def test_stream_is_the_whole(trainable: bool) -> None:
    S = noise(2, 8, 150)
    transform = PCEN(trainable=trainable, max_size=3)
    stream = transform.stream()
    for _ in range(2):
        blocks = [stream.push(block) for block in S.split((1, 0, 70, 79), dim=-1)]
        torch.testing.assert_close(torch.cat(blocks, -1), transform(S), rtol=0, atol=1e-12)
        stream.reset()


def test_nothing_learns_unless_asked() -> None:
    assert not list(PCEN().parameters())
    assert not PCEN().state_dict()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bias": 0.0}, r"`bias` \(=0\) must be above 0 if trainable"),
        ({"b": 1.0}, r"`b` \(=1\) must be above 0 and below 1 if trainable"),
        ({"gain": -1.0}, r"`gain` \(=-1\) must be at least 0"),
        ({"max_size": 0}, r"`max_size` \(=0\) must be a positive integer"),
        ({"b": math.nan}, r"`b` \(=nan\) must be 0 to 1"),
        ({"hop_length": 0}, r"`hop_length` \(=0\) must be a positive integer"),
        ({"n_channels": 0}, r"`n_channels` \(=0\) must be a positive integer"),
    ],
)
def test_errors(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PCEN(**settings, trainable=True)


def test_bad_spectrograms() -> None:
    with pytest.raises(ValueError, match=r"`S` .* must be finite"):
        PCEN()(torch.full((4, 10), math.inf))
    with pytest.raises(ValueError, match=r"`S` \(shape \(4, 10\)\) must be \(\*batch, 8, frames\)"):
        PCEN(n_channels=8, trainable=True)(torch.ones(4, 10))
    with pytest.raises(ValueError, match=r"must have a last axis"):
        PCEN()(torch.ones(4, 0))
