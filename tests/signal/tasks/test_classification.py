"""Training and using classifiers as a whole, on sounds and networks small enough for a second."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.media import write_audio
from passband.signal.tasks import save_model
from passband.signal.tasks.classification import (
    ClassifierRecipe,
    cross_validate,
    load_classifier,
    read_clips,
    read_sound,
    train_classifier,
)
from passband.signal.tasks.classification import _cross_validation as cross_module
from passband.signal.tasks.classification import _train as train_module
from passband.signal.tasks.classification._train import _Objective
from passband.training import read_events

RATE = 8000


def hum(frequency: float, seconds: float = 0.4) -> Tensor:
    """A tone in some noise."""
    t = torch.arange(round(seconds * RATE)) / RATE
    return 0.3 * torch.sin(2 * math.pi * frequency * t) + 0.03 * torch.randn(len(t))


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Three classes of six clips, low, middle and high, in sub-folders."""
    torch.manual_seed(0)
    folder = tmp_path / "sounds"
    for name, frequency in (("high", 2500.0), ("low", 300.0), ("middle", 1000.0)):
        (folder / name).mkdir(parents=True)
        for k in range(6):
            sound = hum(frequency * (1 + 0.05 * k))
            write_audio(folder / name / f"{name}{k}.wav", sound[None], RATE)
    return folder


def recipe(sounds: Path, **changes: Any) -> ClassifierRecipe:
    plain: dict[str, Any] = {
        "representation": {"transform": "mel", "settings": {"n_fft": 256, "n_mels": 20}},
        "data": {
            "folder": str(sounds), "sample_rate": RATE, "seconds": 0.4, "folds": 3,
            "held_out": 2, "batch_size": 4,
        },
        "model": {"kind": "square", "channels": [8, 8], "dropout": 0.1},
        "training": {
            "steps": 12, "lr": 1e-2, "log_every": 1, "checkpoint_seconds": 0.0, "evaluations": 2,
        },
    }  # fmt: skip
    for key, value in changes.items():
        plain[key] = plain.get(key, {}) | value if isinstance(value, dict) else value
    return ClassifierRecipe.model_validate(plain)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take most of the time of a short training."""
    for module in (train_module, cross_module):
        monkeypatch.setattr(module, "write_report", lambda *arguments, **options: None)


def weights(folder: Path) -> Tensor:
    state = load_classifier(folder, "cpu").state_dict()
    return torch.cat([value.flatten().double() for value in state.values()])


@pytest.mark.parametrize("kind", ["square", "time"])
def test_a_run_is_complete_and_finds_the_classes(sounds: Path, tmp_path: Path, kind: str) -> None:
    run = tmp_path / "run"
    settings = recipe(
        sounds, model={"kind": kind}, training={"steps": 60, "checkpoint_seconds": 99}
    )
    metrics = train_classifier(settings, run, device="cpu")
    assert json.loads((run / "metrics.json").read_text()) == metrics
    assert metrics["accuracy"] == 1.0
    assert metrics["confusion"] == [[2, 0, 0], [0, 2, 0], [0, 0, 2]]
    assert metrics["recall"] == {"high": 1.0, "low": 1.0, "middle": 1.0}
    assert [entry["step"] for entry in metrics["history"]] == [30, 60]
    assert (metrics["fold"], metrics["learned_from"]) == (2, 12)
    page = (run / "report.html").read_text()
    assert page.count("data:image/png") == 6

    classifier = load_classifier(run, "cpu")
    assert classifier.classes == ["high", "low", "middle"]
    for frequency, name in ((2600.0, "high"), (310.0, "low"), (1040.0, "middle")):
        starts, found = classifier.classify(hum(frequency, 0.9))
        assert starts == pytest.approx([0.0, 0.2, 0.4, 0.5])
        assert classifier.classes[int(found.mean(dim=0).argmax())] == name


@pytest.mark.usefixtures("no_pictures")
def test_the_loaded_model_is_the_one_that_was_judged(sounds: Path, tmp_path: Path) -> None:
    metrics = train_classifier(recipe(sounds), tmp_path / "run", device="cpu")
    classifier = load_classifier(tmp_path / "run", "cpu")
    for clip in metrics["clips"]:
        found = classifier.classify(read_sound(sounds / clip["path"], RATE))[1][0]
        assert classifier.classes[int(found.argmax())] == clip["predicted"]
        assert float(found.max()) == pytest.approx(clip["probability"], abs=1e-4)


@pytest.mark.usefixtures("no_pictures")
def test_a_run_that_died_resumes_to_the_same_bits(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = recipe(sounds)
    train_classifier(settings, tmp_path / "whole", device="cpu")
    inner = _Objective.__call__

    def dying(self: _Objective, step: int) -> Any:
        if step == 7:
            raise RuntimeError("killed")
        torch.rand(step)  # torch's own generator stands elsewhere than in the whole run
        return inner(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(_Objective, "__call__", dying)
        with pytest.raises(RuntimeError, match="killed"):
            train_classifier(settings, tmp_path / "broken", device="cpu")
    train_classifier(settings, tmp_path / "broken", device="cpu", resume=True)
    assert read_events(tmp_path / "broken") == read_events(tmp_path / "whole")
    assert torch.equal(weights(tmp_path / "broken"), weights(tmp_path / "whole"))


@pytest.mark.usefixtures("no_pictures")
def test_cross_validation_judges_every_clip_once_and_goes_on_where_it_died(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = recipe(
        sounds, data={"held_out": "all"}, training={"steps": 40, "checkpoint_seconds": 99}
    )
    metrics = train_classifier(settings, tmp_path / "whole", device="cpu")
    assert [fold["fold"] for fold in metrics["folds"]] == [1, 2, 3]
    accuracies = [fold["accuracy"] for fold in metrics["folds"]]
    assert metrics["accuracy_mean"] == pytest.approx(sum(accuracies) / 3)
    mean = metrics["accuracy_mean"]
    spread = math.sqrt(sum((value - mean) ** 2 for value in accuracies) / 2)
    assert metrics["accuracy_std"] == pytest.approx(spread)
    assert metrics["accuracy_mean"] >= 0.8
    names = [clip["path"] for clip in metrics["clips"]]
    assert sorted(names) == sorted(f"{n[:-1]}/{n}.wav" for n in (Path(m).stem for m in names))
    assert len(set(names)) == 18
    right = sum(clip["label"] == clip["predicted"] for clip in metrics["clips"])
    assert right == sum(metrics["confusion"][k][k] for k in range(3))
    assert sum(map(sum, metrics["confusion"])) == 18

    inner, calls = train_module.learn, []

    def dying(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return inner(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(train_module, "learn", dying)
        with pytest.raises(RuntimeError, match="killed"):
            cross_validate(settings, tmp_path / "broken", device="cpu")
    again = cross_validate(settings, tmp_path / "broken", device="cpu", resume=True)
    assert again["clips"] == metrics["clips"]
    assert torch.equal(weights(tmp_path / "broken"), weights(tmp_path / "whole"))

    together = load_classifier(tmp_path / "whole", "cpu")
    sound = hum(300.0)
    alone = [load_classifier(tmp_path / "whole" / f"fold{k}", "cpu") for k in (1, 2, 3)]
    mean_of_folds = torch.stack([each.classify(sound)[1] for each in alone]).mean(dim=0)
    torch.testing.assert_close(together.classify(sound)[1], mean_of_folds)


@pytest.mark.usefixtures("no_pictures")
def test_no_held_out_clip_is_learned_from(sounds: Path, tmp_path: Path) -> None:
    """Other sounds in the held-out fold must change nothing but the judgement."""
    settings = recipe(sounds)
    train_classifier(settings, tmp_path / "one", device="cpu")
    clips = read_clips(settings.data)
    for path, fold in zip(clips.files, clips.folds, strict=True):
        if fold == 2:
            write_audio(path, torch.randn(1, 3200) * 0.1, RATE)
    train_classifier(settings, tmp_path / "two", device="cpu")
    assert torch.equal(weights(tmp_path / "one"), weights(tmp_path / "two"))


@pytest.mark.usefixtures("no_pictures")
def test_bad_files_among_good_ones_are_left_out(sounds: Path, tmp_path: Path) -> None:
    (sounds / "low" / "broken.wav").write_bytes(b"RIFF no")
    (sounds / "stray.wav").write_bytes((sounds / "low" / "low0.wav").read_bytes())
    (sounds / "rare").mkdir()
    write_audio(sounds / "rare" / "only.wav", hum(700.0)[None], RATE)
    write_audio(sounds / "high" / "stereo.wav", hum(2500.0, 0.1).expand(2, -1), 2 * RATE)
    metrics = train_classifier(recipe(sounds), tmp_path / "run", device="cpu")
    why = metrics["left_out"]
    assert set(why) == {"low/broken.wav", "stray.wav", "rare/only.wav"}
    assert "only clip of its class, rare" in why["rare/only.wav"]
    assert metrics["classes"] == ["high", "low", "middle"]


@pytest.mark.usefixtures("no_pictures")
def test_a_folder_of_another_run_is_refused(sounds: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train_classifier(recipe(sounds), run, device="cpu")
    with pytest.raises(InputError, match=r"is not empty\. Pass --resume"):
        train_classifier(recipe(sounds), run, device="cpu")
    with pytest.raises(InputError, match=r"is another run \(its recipe\.toml differs"):
        train_classifier(recipe(sounds, data={"held_out": 1}), run, device="cpu", resume=True)
    (sounds / "low" / "low0.wav").rename(sounds / "high" / "low0.wav")
    with pytest.raises(InputError, match="is a checkpoint of another"):
        train_classifier(recipe(sounds), run, device="cpu", resume=True)


def test_what_cannot_be_learned_from_is_one_line(sounds: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(InputError, match=r"`data\.held_out` \(=7\).*there are 1, 2, 3"):
        train_classifier(recipe(sounds, data={"held_out": 7}), run)
    with pytest.raises(InputError, match="must be one of stft"):
        train_classifier(recipe(sounds, representation={"transform": "dct"}), run)
    with pytest.raises(InputError, match=r"`data\.seconds` \(400 samples\) is no length for stft"):
        train_classifier(
            recipe(
                sounds,
                representation={"transform": "stft", "settings": {"n_fft": 4096}},
                data={"seconds": 0.05},
            ),
            run,
        )
    for name in ("high", "middle"):
        for path in (sounds / name).iterdir():
            path.write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"has 1 classes of two clips or more.*first file"):
        train_classifier(recipe(sounds), run)
    table = sounds / "clips.csv"
    table.write_text("filename,fold,category\nlow0.wav,1,a\nlow1.wav,1,a\n" * 1)
    with table.open("a") as file:
        file.write("low2.wav,1,b\nlow3.wav,1,b\n")
    with pytest.raises(InputError, match="has one fold only"):
        cross_validate(recipe(sounds), run)
    assert not run.exists()


def test_a_model_of_another_task_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path, "denoiser", torch.nn.Linear(1, 1), {}, {})
    with pytest.raises(InputError, match="is a model of another task, denoiser, not classifier"):
        load_classifier(tmp_path, "cpu")


@pytest.mark.usefixtures("no_pictures")
def test_a_cache_on_the_disk_changes_nothing(sounds: Path, tmp_path: Path) -> None:
    plain = train_classifier(recipe(sounds), tmp_path / "one", device="cpu")
    kept = recipe(sounds, data={"cache": str(tmp_path / "features")})
    for name in ("two", "three"):
        cached = train_classifier(kept, tmp_path / name, device="cpu")
        assert cached["clips"] == plain["clips"]
        assert cached["loss"] == plain["loss"]
