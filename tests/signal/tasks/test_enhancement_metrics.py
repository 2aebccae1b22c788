"""Scores of speech: of the clean and the noisy recording, and of what comes of the noisy one."""

import sys
from pathlib import Path

import pytest
import torch

from passband.errors import InputError, MissingDependencyError
from passband.frequency import si_sdr
from passband.media import read_audio
from passband.signal.tasks.enhancement import (
    dnsmos,
    intelligibility,
    load_enhancer,
    pesq_wideband,
)
from passband.signal.tasks.enhancement._dnsmos import log_mels

NAMES = ("p287_001", "p287_002", "p287_003")


@pytest.fixture(scope="module")
def folder(data: Path) -> Path:
    return data / "metrics" / "dnsmos"


def speech(data: Path, kind: str, name: str) -> torch.Tensor:
    return read_audio(data / "audio" / "noisy_speech" / kind / f"{name}.wav").samples[0]


@pytest.mark.parametrize("name", NAMES)
def test_published_weights_raise_every_score(data: Path, name: str) -> None:
    clean, noisy = speech(data, "clean", name), speech(data, "noisy", name)
    model = load_enhancer(data / "weights" / "gtcrn" / "model_trained_on_vctk.tar")
    with torch.no_grad():
        made = model(noisy)
    for measure, least in ((pesq_wideband, 0.4), (intelligibility, 0.02)):
        assert measure(clean, made, 16000) > measure(clean, noisy, 16000) + least
    assert float(si_sdr(made, clean)) > float(si_sdr(noisy, clean)) + 3.5


# Of the authors' own script (microsoft/DNS-Challenge, dnsmos_local.py) on the same files.
CLEAN, NOISY = (3.653, 4.1634, 3.4232, 4.0419), (3.0786, 1.912, 1.9172, 2.9032)


def test_opinions_are_those_of_the_authors_script(data: Path, folder: Path) -> None:
    for kind, theirs in (("clean", CLEAN), ("noisy", NOISY)):
        found = dnsmos(speech(data, kind, NAMES[2]), 16000, folder)
        assert tuple(found) == pytest.approx(theirs, abs=1e-3)


def test_mels_are_librosas() -> None:
    import librosa

    sound = torch.randn(144160) / 10
    power = librosa.feature.melspectrogram(
        y=sound[:-160].numpy(), sr=16000, n_fft=321, hop_length=160, n_mels=120
    )
    expected = (librosa.power_to_db(power, ref=power.max()) + 40) / 40
    torch.testing.assert_close(log_mels(sound), torch.from_numpy(expected.T), atol=1e-4, rtol=0)


def test_sounds_without_samples_and_folders_without_models(folder: Path, tmp_path: Path) -> None:
    assert all(mark != mark for mark in dnsmos(torch.zeros(0), 16000, folder))
    with pytest.raises(InputError, match=r"holds no sig_bak_ovr\.onnx"):
        dnsmos(torch.zeros(100), 16000, tmp_path)
    (tmp_path / "sig_bak_ovr.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read as a network"):
        dnsmos(torch.zeros(100), 16000, tmp_path)


def test_the_missing_package_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match="pip install onnxruntime"):
        dnsmos(torch.zeros(100), 16000, folder)
