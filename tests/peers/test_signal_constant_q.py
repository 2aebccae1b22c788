"""The constant-Q transforms beside librosa's and nnAudio's, for what those get right."""

import numpy as np
import pytest
import torch

from passband.media import read_audio
from passband.signal import CQT, VQT

librosa = pytest.importorskip("librosa")
features = pytest.importorskip("nnAudio.features")

pytestmark = pytest.mark.filterwarnings("ignore:n_fft=.* is too large:UserWarning")

RATE = 22050
# librosa places its windows half a sample away from ours and decimates with a short filter.
LIBROSA = 0.03
# nnAudio's Q is 3 % lower than librosa's.
NNAUDIO = 0.06


def signals() -> dict[str, np.ndarray]:
    t = np.arange(RATE) / RATE
    rng = np.random.default_rng(0)
    click = np.zeros(RATE)
    click[8000] = 1
    return {
        "noise": rng.standard_normal(RATE),
        "sines": np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 1234 * t),
        "chirp": np.sin(2 * np.pi * (100 * t + 1500 * t**2)),
        "click": click,
    }


def distance(ours: torch.Tensor, theirs: np.ndarray) -> float:
    theirs = torch.as_tensor(theirs)[..., : ours.shape[-1]]
    ours = ours[..., : theirs.shape[-1]]
    return float((ours - theirs).norm() / theirs.norm())


@pytest.mark.parametrize("name", ["noise", "sines", "chirp", "click"])
@pytest.mark.parametrize(
    ("hop", "bins", "per_octave"), [(512, 84, 12), (256, 60, 12), (512, 168, 24)]
)
def test_librosa_cqt(name: str, hop: int, bins: int, per_octave: int) -> None:
    x = signals()[name]
    theirs = librosa.cqt(
        x, sr=RATE, hop_length=hop, fmin=32.7032, n_bins=bins, bins_per_octave=per_octave,
        sparsity=0, res_type="soxr_vhq",
    )  # fmt: skip
    ours = CQT(RATE, hop, 32.7032, bins, per_octave)(torch.from_numpy(x))
    limit = 0.1 if name == "click" else LIBROSA  # a click shows half a sample most
    assert distance(ours, theirs) < limit


@pytest.mark.parametrize("gamma", [None, 5.0, 20.0])
def test_librosa_vqt(gamma: float | None) -> None:
    x = signals()["noise"]
    theirs = librosa.vqt(
        x, sr=RATE, hop_length=512, fmin=65.4, n_bins=60, gamma=gamma, sparsity=0,
        res_type="soxr_vhq",
    )  # fmt: skip
    ours = VQT(RATE, 512, 65.4, 60, gamma=gamma)(torch.from_numpy(x))
    assert distance(ours, theirs) < 2 * LIBROSA  # shorter filters: half a sample weighs more


def test_librosa_cqt_with_the_window_mirrored_as_librosa_does() -> None:
    """At an odd hop librosa decimates nothing: the window's half sample is all that differs."""
    x = signals()["noise"]
    # A signal turned round in time, seen by filters turned round, is conjugated and turned round.
    # Frames stand at multiples of the hop from both ends when the length is one more than that.
    samples = 441 * ((len(x) - 1) // 441) + 1
    turned = torch.from_numpy(x[:samples][::-1].copy())
    ours = CQT(RATE, 441, 32.7032, 84)(turned).flip(-1).conj()
    theirs = librosa.cqt(x[:samples], sr=RATE, hop_length=441, fmin=32.7032, n_bins=84, sparsity=0)
    assert distance(ours, theirs) < 1e-3


@pytest.mark.parametrize("hop", [512, 441])
def test_nnaudio_magnitudes(hop: int) -> None:
    x = signals()["chirp"].astype(np.float32)
    peer = features.CQT1992v2(
        RATE, hop, fmin=32.7032, n_bins=84, verbose=False, pad_mode="constant",
        output_format="Magnitude",
    )  # fmt: skip
    theirs = peer(torch.from_numpy(x)[None])[0]
    ours = CQT(RATE, hop, 32.7032, 84)(torch.from_numpy(x)).abs()
    assert distance(ours, theirs.numpy()) < NNAUDIO


def test_a_real_trumpet(data) -> None:
    audio = read_audio(data / "audio/music/sorohanro_-_solo-trumpet-06.ogg")
    x = audio.samples.double().mean(0)[: 3 * RATE]
    theirs = librosa.cqt(
        x.numpy(), sr=RATE, hop_length=512, fmin=32.7032, sparsity=0, res_type="soxr_vhq"
    )
    assert distance(CQT(RATE, 512, 32.7032)(x), theirs) < LIBROSA
