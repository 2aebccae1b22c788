"""Training of an enhancer as a whole, on sounds and models small enough for a second."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.media import write_audio
from passband.signal.tasks import load_model
from passband.signal.tasks.enhancement import load_enhancer
from passband.signal.tasks.enhancement.learning import (
    EnhancementLoss,
    EnhancerRecipe,
    _results,
    train_enhancer,
)
from passband.signal.tasks.enhancement.learning._train import find_material
from passband.training import read_events
from passband.training.recipes import load_settings

RATE = 8000


def voice(index: int) -> Tensor:
    """Harmonics that come and go."""
    t = torch.arange(RATE // 2, dtype=torch.float64) / RATE
    tone = sum(torch.sin(2 * torch.pi * k * (110 + 15 * index) * t) / k for k in range(1, 8))
    return (tone * (1.2 + torch.sin(2 * torch.pi * 5 * t))).float() * 0.2


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    for name in ("speech", "noise", "rooms"):
        (folder / name).mkdir(parents=True)
    for index in range(5):
        write_audio(folder / "speech" / f"{index}.wav", voice(index)[None], RATE)
        hiss = 0.1 * torch.randn(1, 3000 + 400 * index)
        write_audio(folder / "noise" / f"{index}.wav", hiss, RATE)
    decay = torch.randn(1, 400) * torch.exp(-torch.arange(400) / 60)
    write_audio(folder / "rooms" / "hall.wav", 0.2 * decay, RATE)
    return folder


def recipe(sounds: Path, **changes: object) -> EnhancerRecipe:
    plain = {
        "model": {
            "kind": "frcrn", "sample_rate": RATE, "n_fft": 128, "hop_length": 64,
            "channels": [4, 6, 6], "kernels": [5, 5, 5], "recurrences": [1], "memory": 5,
            "reduction": 2, "stages": 1, "causal": True, "compression": 0.5,
        },
        "data": {
            "folder": str(sounds / "speech"), "noise": [str(sounds / "noise")],
            "rooms": [str(sounds / "rooms")], "room_probability": 0.5, "speeds": [0.9, 1.0],
            "held_out": 2, "seconds": 0.2, "batch_size": 4, "mixtures": 4,
            "held_out_seconds": 0.4, "lead_seconds": 0.1,
        },
        "losses": {"mask": 5.0},
        "training": {
            "steps": 6, "lr": 3e-3, "log_every": 1, "checkpoint_seconds": 0.0, "evaluations": 1,
        },
    }  # fmt: skip
    for path, value in changes.items():
        part, name = path.split("__")
        plain[part][name] = value
    return EnhancerRecipe.model_validate(plain)


@pytest.fixture(autouse=True)
def _no_packages_with_a_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """PESQ of synthetic clips at 8 kHz says nothing and takes its time, as pictures do."""
    monkeypatch.setattr(_results, "_OPTIONAL", {})
    monkeypatch.setattr(_results, "_SHOWN", 0)


def weights(folder: Path) -> Tensor:
    state = load_model(folder, "enhancer").weights
    return torch.cat([value.flatten().double() for value in state.values()])


def test_a_run_is_complete_and_hears_less_noise(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_results, "_SHOWN", 1)
    (sounds / "speech" / "bad.wav").write_bytes(b"RIFF no")
    (sounds / "noise" / "bad.wav").write_bytes(b"")
    write_audio(sounds / "noise" / "other.wav", 0.1 * torch.randn(2, 9000), 44100)
    run = tmp_path / "run"
    settings = recipe(
        sounds,
        training__steps=50,
        training__evaluations=2,
        training__checkpoint_seconds=99,
        data__held_out=1,
    )
    metrics = train_enhancer(settings, run, device="cpu")
    events = read_events(run)
    assert [event["step"] for event in events] == list(range(50))
    first, last = (np.mean([e["si_snr"] for e in part]) for part in (events[:5], events[-5:]))
    assert last > first + 5

    assert json.loads((run / "metrics.json").read_text()) == metrics
    assert [entry["step"] for entry in metrics["history"]] == [25, 50]
    assert metrics["si_snr_gain"] == pytest.approx(metrics["history"][-1]["si_snr_gain"])
    assert metrics["si_snr_gain"] > 2
    assert {Path(name).name for name in metrics["left_out"]} == {"bad.wav"}
    assert len(metrics["left_out"]) == 2
    assert [row["snr_db"] for row in metrics["by_snr"]] == [-5.0, 0.0, 5.0, 10.0]
    for row in metrics["by_snr"]:
        assert row["noisy"]["si_snr"] == pytest.approx(row["snr_db"], abs=1.5)
    gain = metrics["enhanced"]["si_snr"] - metrics["noisy"]["si_snr"]
    assert metrics["si_snr_gain"] == pytest.approx(gain)
    page = (run / "report.html").read_text()
    assert page.count("data:audio/wav") == 4
    assert page.count("data:image/png") == 6
    assert "Wiener filter" in page

    model = load_enhancer(run)
    assert model.sample_rate == RATE
    assert not model.training
    x = torch.randn(700)
    stream = model.stream()
    torch.testing.assert_close(
        torch.cat([stream.push(x), stream.finish()]), model(x).detach(), rtol=0, atol=1e-5
    )


def test_a_run_that_died_resumes_to_the_same_bits(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_enhancer(recipe(sounds), tmp_path / "whole", device="cpu")
    inner = EnhancementLoss.__call__

    def dying(self: EnhancementLoss, step: int):
        if step == 4:
            raise RuntimeError("killed")
        return inner(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(EnhancementLoss, "__call__", dying)
        with pytest.raises(RuntimeError, match="killed"):
            train_enhancer(recipe(sounds), tmp_path / "broken", device="cpu")
    train_enhancer(recipe(sounds), tmp_path / "broken", device="cpu", resume=True)
    assert read_events(tmp_path / "broken") == read_events(tmp_path / "whole")
    assert torch.equal(weights(tmp_path / "broken"), weights(tmp_path / "whole"))


def test_a_folder_of_another_run_is_refused(sounds: Path, tmp_path: Path) -> None:
    run, one = tmp_path / "run", recipe(sounds, training__steps=1, training__evaluations=1)
    train_enhancer(one, run, device="cpu")
    with pytest.raises(InputError, match=r"is not empty\. Pass --resume"):
        train_enhancer(one, run, device="cpu")
    with pytest.raises(InputError, match=r"is another run \(its recipe\.toml differs"):
        train_enhancer(recipe(sounds), run, device="cpu", resume=True)
    (sounds / "noise" / "new.wav").write_bytes((sounds / "noise" / "0.wav").read_bytes())
    with pytest.raises(InputError, match="is a checkpoint of another"):
        train_enhancer(one, run, device="cpu", resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data__folder": ""}, "Pass --data DIR"),
        ({"data__folder": "/nowhere/at/all"}, r"`data\.folder` .* is neither a folder nor a file"),
        ({"data__noise": []}, r"`data\.noise` must name folders of noise\. Pass --set"),
        ({"data__noise": ["/nowhere/*"]}, r"`data\.noise` .* is neither a folder nor a file"),
        ({"data__held_out": 5}, "must be less than the number of sound files, 5"),
        (
            {"data__held_out_noise": ["x*"]},
            r"`data\.held_out_noise` \(=x\*\) matches none of the 5",
        ),
        ({"data__held_out_speech": ["*"]}, r"`data\.held_out_speech` \(=\*\) matches all of the 5"),
    ],
)
def test_data_that_cannot_be_used_is_refused_before_anything_is_written(
    sounds: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train_enhancer(recipe(sounds, **changes), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("kind", "what"), [("speech", "held-out speech"), ("noise", "noise")])
@pytest.mark.parametrize("fault", ["corrupt", "silent"])
def test_nothing_but_bad_files_is_refused(
    sounds: Path, tmp_path: Path, kind: str, what: str, fault: str
) -> None:
    for path in (sounds / kind).iterdir():
        if fault == "corrupt":
            path.write_bytes(b"RIFF")
        else:
            write_audio(path, torch.zeros(1, 4000), RATE)
    with pytest.raises(InputError, match=f"none of the 2 files of {what} can be used"):
        train_enhancer(recipe(sounds), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data__seconds": 0.06, "model__n_fft": 1024}, "must be at least one frame"),
        ({"data__snr_db": [5, -5]}, r"snr_db \(=5, -5\) must not fall"),
        ({"model__kind": "gtcrn"}, "frcrn"),
        ({"model__widths": [3]}, "Extra inputs are not permitted"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(
    sounds: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        recipe(sounds, **changes)


def test_held_out_files_are_never_learned_from(sounds: Path) -> None:
    (sounds / "more").mkdir()
    write_audio(sounds / "more" / "guest.wav", voice(3)[None], RATE)
    settings = recipe(
        sounds,
        data__held_out_speech=["[01].wav"],
        data__held_out_noise=["4*"],
        data__more_held_out=[str(sounds / "more")],
    )
    found = find_material(settings)
    names = [
        [path.name for path in part]
        for split in (found.speech, found.noise)
        for part in (split.learned, split.held_out)
    ]
    assert names == [
        ["2.wav", "3.wav", "4.wav"],
        ["0.wav", "1.wav", "guest.wav"],
        ["0.wav", "1.wav", "2.wav", "3.wav"],
        ["4.wav"],
    ]
    whole = find_material(recipe(sounds, data__more_held_out=[str(sounds / "speech")])).speech
    assert not set(whole.learned) & set(whole.held_out)


@pytest.mark.parametrize("name", ["frcrn", "frcrn_small"])
def test_the_recipes_of_the_project_are_valid(name: str) -> None:
    path = Path(__file__).parents[3] / "recipes" / f"{name}.toml"
    settings = load_settings(EnhancerRecipe, path)
    assert settings.model.causal == (name == "frcrn_small")
