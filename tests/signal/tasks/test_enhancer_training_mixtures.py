"""Mixtures, the mask that is aimed at, and the filter that is compared with."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from passband.errors import InputError
from passband.frequency import si_sdr
from passband.media import write_audio
from passband.signal.tasks import Recordings
from passband.signal.tasks.enhancement.frcrn import FRCRNSettings, build_frcrn
from passband.signal.tasks.enhancement.learning import (
    EnhancementLoss,
    Mixtures,
    MixtureSettings,
    Pair,
    find_sounds,
    make_held_out,
    mixed,
    ratio_mask,
    reverberated,
    wiener_filter,
)

RATE = 8000


def ratio_db(pair: Pair) -> float:
    noise = pair.noisy - pair.clean
    return float(10 * (pair.clean.square().sum() / noise.square().sum()).log10())


def recordings(folder: Path, name: str, sounds: list[Tensor]) -> Recordings:
    (folder / name).mkdir()
    for index, sound in enumerate(sounds):
        write_audio(folder / name / f"{index}.wav", sound[None], RATE)
    return Recordings(sorted((folder / name).iterdir()), RATE)


@pytest.fixture
def mixtures(tmp_path: Path) -> Mixtures:
    settings = MixtureSettings(seconds=0.25, batch_size=6, snr_db=(-5, 10), peak_db=(-20, -3))
    return Mixtures(
        recordings(tmp_path, "speech", [0.3 * torch.randn(4000), 0.3 * torch.randn(900)]),
        recordings(tmp_path, "noise", [0.3 * torch.randn(3000) for _ in range(2)]),
        Recordings([], RATE),
        settings,
        seed=3,
    )


def test_a_mixture_has_the_ratio_and_the_level_that_were_drawn(mixtures: Mixtures) -> None:
    ratios, peaks = [], []
    for step in range(12):
        batch = mixtures(step)
        assert batch.noisy.shape == batch.clean.shape == (6, 2000)
        for noisy, clean in zip(batch.noisy, batch.clean, strict=True):
            ratios.append(ratio_db(Pair(noisy, clean)))
            peaks.append(float(20 * noisy.abs().max().log10()))
    assert -5.01 < min(ratios) < -3 < 8 < max(ratios) < 10.01
    assert np.std(ratios) == pytest.approx(15 / 12**0.5, rel=0.2)
    assert -20.01 < min(peaks) < -17 < -6 < max(peaks) < -2.99


def test_a_step_is_a_function_of_its_number_and_the_seed(mixtures: Mixtures) -> None:
    first = mixtures(5)
    mixtures(0)
    assert torch.equal(mixtures(5).noisy, first.noisy)
    assert not torch.equal(mixtures(6).noisy, first.noisy)
    mixtures.seed = 4
    assert not torch.equal(mixtures(5).noisy, first.noisy)


def test_speed_moves_the_pitch(tmp_path: Path) -> None:
    tone = 0.3 * torch.sin(2 * torch.pi * 1000 * torch.arange(8000) / RATE)
    settings = MixtureSettings(seconds=0.5, batch_size=12, snr_db=(60, 60), speeds=(0.8, 1.25))
    mixtures = Mixtures(
        recordings(tmp_path, "speech", [tone]),
        recordings(tmp_path, "noise", [0.3 * torch.randn(3000)]),
        Recordings([], RATE),
        settings,
        seed=0,
    )
    found = torch.fft.rfft(mixtures(0).clean * torch.hann_window(4000)).abs().argmax(-1) * 2
    assert set(found.tolist()) == {800, 1250}


def test_silent_stretches_are_not_mixed(tmp_path: Path) -> None:
    speech = torch.zeros(8000)
    speech[6000:] = 0.3 * torch.randn(2000)
    settings = MixtureSettings(seconds=0.2, batch_size=20)
    mixtures = Mixtures(
        recordings(tmp_path, "speech", [speech, torch.zeros(4000)]),
        recordings(tmp_path, "noise", [0.3 * torch.randn(3000), torch.zeros(100)]),
        Recordings([], RATE),
        settings,
        seed=0,
    )
    for pair in (mixtures(0), mixtures(1)):
        for noisy, clean in zip(pair.noisy, pair.clean, strict=True):
            assert -5.01 < ratio_db(Pair(noisy, clean)) < 10.01


def test_a_room_is_a_convolution_without_its_delay() -> None:
    clean, room = torch.randn(500).double(), torch.randn(90).double()
    room[30] = 5.0
    expected = scipy.signal.fftconvolve(clean, room)[30:530]
    expected *= float(clean.norm()) / np.linalg.norm(expected)
    made = reverberated(clean.float(), room.float())
    np.testing.assert_allclose(made.numpy(), expected, atol=1e-5)


def test_rooms_come_as_often_as_they_should(mixtures: Mixtures, tmp_path: Path) -> None:
    dry = torch.cat([mixtures(step).clean for step in range(10)])
    room = torch.zeros(300)
    room[0], room[250] = 0.5, 0.5
    rooms = recordings(tmp_path, "rooms", [room])
    settings = mixtures.settings.model_copy(update={"room_probability": 0.5})
    wet_mixtures = Mixtures(mixtures.speech, mixtures.noise, rooms, settings, seed=3)
    wet = torch.cat([wet_mixtures(step).clean for step in range(10)])
    # The same crops, but for the echo and the level of the mixture.
    same = si_sdr(wet, dry) > 40
    assert 15 < int(same.sum()) < 45
    assert float(si_sdr(wet, dry)[~same].max()) < 15


def test_held_out_mixtures_stand_still(tmp_path: Path) -> None:
    (tmp_path / "speech_bad").mkdir()
    speech = recordings(tmp_path, "speech", [0.3 * torch.randn(4000) for _ in range(3)])
    speech.files[1].write_bytes(b"RIFF")
    noise = recordings(tmp_path, "noise", [0.3 * torch.randn(900) for _ in range(2)])
    settings = MixtureSettings(
        mixtures=8, held_out_seconds=0.3, lead_seconds=0.1, held_out_snr_db=(0, 20)
    )
    found = make_held_out(speech, noise, settings)
    assert found.snrs == [0.0, 20.0] * 4
    assert [name.split(" + ")[0] for name in found.names] == list("00222200")
    assert {name.split(" + ")[1] for name in found.names} == {"0", "1"}
    for pair, snr in zip(found.pairs, found.snrs, strict=True):
        assert len(pair.noisy) == 800 + 2400
        assert not pair.clean[:800].any()
        assert pair.noisy[:800].any()
        assert ratio_db(pair) == pytest.approx(snr, abs=0.01)
    again = make_held_out(Recordings(speech.files, RATE), noise, settings)
    assert all(torch.equal(a.noisy, b.noisy) for a, b in zip(found.pairs, again.pairs, strict=True))
    speech_gone = Recordings([speech.files[1]], RATE)
    with pytest.raises(InputError, match="none of the 1 files of held-out speech"):
        make_held_out(speech_gone, noise, settings)


def test_sources_may_be_folders_files_and_patterns(tmp_path: Path) -> None:
    for name in ("a/1.wav", "a/2.flac", "b/1.wav", "b/room.wav", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    sources = [str(tmp_path / "b" / "1*.wav"), str(tmp_path / "?"), str(tmp_path / "a" / "1.wav")]
    found = [path.relative_to(tmp_path).as_posix() for path in find_sounds("data.noise", sources)]
    assert found == ["b/1.wav", "a/1.wav", "a/2.flac", "b/room.wav"]
    assert find_sounds("data.noise", []) == []


def test_the_ideal_mask_gives_back_the_speech() -> None:
    s, y = (torch.randn(3, 9, 5, dtype=torch.complex128) for _ in range(2))
    y = y * (2 + y.abs()) / y.abs()
    s = s / s.abs().clamp(min=1)
    torch.testing.assert_close(ratio_mask(s, y, 2.0) * y, s, rtol=0, atol=1e-7)
    cut = torch.view_as_real(ratio_mask(100 * s, y, 1.5))
    assert float(cut.abs().max()) == 1.5
    torch.testing.assert_close(cut.sign(), torch.view_as_real(s * y.conj()).sign(), rtol=0, atol=0)


def test_the_loss_adds_up(mixtures: Mixtures) -> None:
    settings = FRCRNSettings(
        sample_rate=RATE, n_fft=128, hop_length=64, channels=(4, 4), kernels=(5, 5),
        recurrences=(), stages=1,
    )  # fmt: skip
    model = build_frcrn(settings).eval()
    loss = EnhancementLoss(model, mixtures, 7.0)(2)
    pair = mixtures(2)
    with torch.no_grad():
        made = model.masked(pair.noisy)
    noise = made.audio - made.audio.mean(-1, keepdim=True)
    clean = pair.clean - pair.clean.mean(-1, keepdim=True)
    along = (noise * clean).sum(-1, keepdim=True) / clean.square().sum(-1, keepdim=True) * clean
    ratio = 10 * ((along**2).sum(-1) / ((noise - along) ** 2).sum(-1)).log10()
    quotient = model.spectrum(pair.clean) / made.spectrum
    wanted = torch.complex(quotient.real.clamp(-1, 1), quotient.imag.clamp(-1, 1))
    error = (made.mask - wanted).abs().square().mean()
    assert float(loss.measures["si_snr"]) == pytest.approx(float(ratio.mean()), abs=1e-3)
    assert float(loss.measures["mask_error"]) == pytest.approx(float(error), rel=1e-3)
    assert float(loss.loss.detach()) == pytest.approx(float(7 * error - ratio.mean()), rel=1e-3)
    loss.loss.backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())


def test_a_perfect_mask_costs_nothing_but_the_ratio(mixtures: Mixtures) -> None:
    model = build_frcrn(
        FRCRNSettings(channels=(2,), kernels=(5,), recurrences=(), n_fft=64, hop_length=32)
    )
    clean = 0.1 * torch.randn(2, 640)

    def half(step: int) -> Pair:
        return Pair(2 * clean, clean)

    made = dataclasses.replace(model.masked(2 * clean), mask=torch.tensor(0.5 + 0j))
    model.masked = lambda audio: dataclasses.replace(made, audio=0.5 * audio)
    found = EnhancementLoss(model, half, 1.0)(0)
    assert float(found.measures["mask_error"]) < 1e-4
    assert float(found.measures["si_snr"]) > 60


def plain_wiener(y: np.ndarray, rate: int) -> np.ndarray:
    """The same filter, bin by bin, with SciPy's transform."""
    n, hop = 2 * round(0.032 * rate / 2), 2 * round(0.032 * rate / 2) // 4
    window = scipy.signal.get_window("hann", n)
    padded = np.pad(y, (n // 2, n // 2))
    frames = [np.fft.rfft(window * padded[k : k + n]) for k in range(0, len(padded) - n + 1, hop)]
    count = int((0.25 * rate - n) / hop) + 1
    noise = np.mean([abs(f) ** 2 for f in frames[2 : 2 + count]], axis=0)
    before = np.zeros_like(noise)
    out, norm = np.zeros(len(padded)), np.zeros(len(padded))
    for k, spectrum in enumerate(frames):
        x = 0.98 * before / noise + 0.02 * np.maximum(abs(spectrum) ** 2 / noise - 1, 0)
        gain = np.maximum(x / (1 + x), 0.1)
        before = (gain * abs(spectrum)) ** 2
        here = slice(k * hop, k * hop + n)
        out[here] += window * np.fft.irfft(gain * spectrum, n)
        norm[here] += window**2
    inside = slice(n // 2, n // 2 + len(y))
    return out[inside] / np.maximum(norm[inside], 1e-12)


def test_the_wiener_filter_is_the_plain_one() -> None:
    x = torch.randn(4096, dtype=torch.float64)
    x[2000:] += 5 * torch.sin(0.3 * torch.arange(2096))
    made = wiener_filter(torch.stack((x, 2 * x)), RATE)
    np.testing.assert_allclose(made[0].numpy(), plain_wiener(x.numpy(), RATE), atol=1e-9)
    torch.testing.assert_close(made[1], 2 * made[0])


def test_the_wiener_filter_helps_against_hiss() -> None:
    clean = torch.sin(0.3 * torch.arange(16000)) * (torch.arange(16000) > 4000)
    pair = mixed(clean, torch.randn(16000), 5.0)
    made = wiener_filter(pair.noisy, 16000)
    assert float(si_sdr(made, pair.clean)) > 5 + 8
    for still in (torch.zeros(4000), torch.randn(10)):
        assert bool(wiener_filter(still, 16000).isfinite().all())
