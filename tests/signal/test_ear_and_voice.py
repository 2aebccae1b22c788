"""Chroma, gammatonegram, cochleagram, cepstrum and separation as modules."""

import math

import pytest
import torch
from torch import Tensor

from passband.frequency import cochleagram, erb_frequencies
from passband.signal import (
    Cepstrum,
    Chroma,
    Cochleagram,
    Gammatonegram,
    HarmonicPercussive,
    HilbertEnvelope,
    LogFrequencySpectrogram,
)

RATE = 16000


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


FRAMED = {
    "chroma": lambda center: Chroma(RATE, 512, hop_length=128, norm=None, center=center),
    "gammatone": lambda center: Gammatonegram(
        RATE, 512, hop_length=128, n_filters=12, center=center
    ),
    "cepstrum": lambda center: Cepstrum(512, hop_length=128, center=center),
}


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("name", FRAMED)
def test_stream_is_the_whole(name: str, center: bool) -> None:
    x = noise(2, 3000)
    transform = FRAMED[name](center)
    stream = transform.stream()
    frames = [stream.push(block) for block in x.split((100, 900, 1500, 500), dim=-1)]
    frames.append(stream.finish())
    torch.testing.assert_close(torch.cat(frames, dim=-1), transform(x), rtol=0, atol=1e-10)


@pytest.mark.parametrize("norm", [1.0, 2.0, math.inf])
def test_chroma_has_its_norm_and_silence_stays_silent(norm: float) -> None:
    x = noise(4000)
    x[:2000] = 0
    chroma = Chroma(RATE, 512, hop_length=128, norm=norm)(x.requires_grad_())
    sizes = torch.linalg.vector_norm(chroma, norm, dim=-2)
    assert not sizes[:10].any()
    torch.testing.assert_close(sizes[20:], torch.ones_like(sizes[20:]))
    chroma.square().sum().backward()
    assert x.grad.isfinite().all()


def test_a_chord_has_its_classes() -> None:
    t = torch.arange(RATE) / RATE
    chord = sum(torch.sin(2 * math.pi * f * t) for f in (261.63, 329.63, 392.0))  # C, E, G
    classes = Chroma(RATE, 4096)(chord)[:, 15].topk(3).indices
    assert sorted(classes.tolist()) == [0, 4, 7]


def test_gammatonegram_is_a_mean_square() -> None:
    transform = Gammatonegram(RATE, 1024, hop_length=256, n_filters=12, f_min=300.0)
    k = 6
    hertz = round(float(transform.frequencies[k]) * 1024 / RATE) * RATE / 1024
    tone = 3 * torch.cos(2 * math.pi * hertz * torch.arange(8000) / RATE)
    middle = transform(tone)[:, 16]
    assert int(middle.argmax()) == k
    assert abs(float(middle[k]) - 9 / 2) < 0.1


def test_parts_of_a_batch_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(5, 2, 1000)
    transforms = [Cepstrum(256), LogFrequencySpectrogram(RATE, 256, n_bins=12)]
    whole = [transform(x) for transform in transforms]
    monkeypatch.setattr("passband.frequency._groups._SAMPLES", 2500)
    for transform, expected in zip(transforms, whole, strict=True):
        torch.testing.assert_close(transform(x), expected, rtol=0, atol=1e-10)


def test_cochleagram_is_its_function() -> None:
    settings = {"n_filters": 5, "f_max": 8000.0, "envelope_rate": 400, "numtaps": 101}
    x = noise(2, 800)
    transform = Cochleagram(RATE, power=0.5, **settings)
    expected = cochleagram(x, sample_rate=RATE, power=0.5, **settings)
    assert torch.equal(transform(x), expected)
    assert torch.equal(transform.frequencies, erb_frequencies(5, 50.0, 8000.0))


@pytest.mark.parametrize("kernel_size", [31, (9, 17)])
def test_parts_add_up_to_the_sound(kernel_size) -> None:
    x = noise(2, 5000)
    harmonic, percussive = HarmonicPercussive(512, kernel_size=kernel_size)(x)
    torch.testing.assert_close(harmonic + percussive, x, rtol=0, atol=1e-10)


def test_separates_a_tone_from_clicks() -> None:
    t = torch.arange(2 * RATE, dtype=torch.float64)
    tone = torch.sin(2 * math.pi * 500 * t / RATE)
    clicks = torch.zeros_like(tone)
    clicks[2000::4000] = 8
    harmonic, percussive = HarmonicPercussive(1024)(tone + clicks)
    middle = slice(RATE // 2, -RATE // 2)
    assert (harmonic - tone)[middle].square().mean() < 0.01 * tone.square().mean()
    assert (percussive - clicks)[middle].square().mean() < 0.1 * clicks.square().mean()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Chroma(RATE, hop_length=0), r"`hop_length` \(=0\) must be a positive integer"),
        (lambda: Chroma(RATE, norm=0.0), r"`norm` \(=0\) must be above 0, or None"),
        (lambda: Chroma(RATE, n_chroma=0), r"`n_chroma` \(=0\) must be a positive integer"),
        (lambda: Chroma(RATE, 512, 513), r"`win_length` \(=513\) must be at most `n_fft` \(=512\)"),
        (
            lambda: Gammatonegram(RATE, f_max=8000.0),
            r"`f_max` \(=8000 Hz\) must be below",
        ),
        (lambda: Gammatonegram(RATE, n_filters=0), r"`n_filters` \(=0\) must be a positive"),
        (lambda: Cochleagram(RATE), r"`f_max` \(=10000 Hz\) must be at most the Nyquist frequency"),
        (lambda: Cochleagram(22050), r"`envelope_rate` \(=200 Hz\) must divide `sample_rate`"),
        (lambda: Cepstrum(floor=0.0), r"`floor` \(=0\) must be above 0"),
        (lambda: Cepstrum(0), r"`n_fft` \(=0\) must be a positive integer"),
        (lambda: HarmonicPercussive(512, hop_length=512), r"`hop_length` \(=512\) .*\(NOLA\)"),
        (lambda: HarmonicPercussive(power=0.0), r"`power` \(=0\) must be above 0"),
        (lambda: HarmonicPercussive(margin=0.0), r"`margin` \(=0.0\) must be one or two factors"),
        (lambda: HarmonicPercussive(kernel_size=0), r"`kernel_size` \(=0\) must be a positive"),
    ],
)
def test_errors(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "make", [*(lambda name=name: FRAMED[name](True) for name in FRAMED), HilbertEnvelope]
)
def test_bad_signals(make) -> None:
    with pytest.raises(ValueError, match=r"`waveform` .* must be finite"):
        make()(torch.full((4000,), math.nan))
    with pytest.raises(ValueError, match=r"must have a last axis of at least one sample"):
        make()(torch.zeros(2, 0))
