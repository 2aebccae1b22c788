"""``passband classify`` on files, folders and faults."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import typer

from passband.cli._classify import classify
from passband.errors import InputError, PassbandError
from passband.media import write_audio
from passband.signal.tasks import built_with_seed, save_model
from passband.signal.tasks.classification import (
    Classifier,
    ClassifierRecipe,
    load_classifier,
    read_sound,
    save_classifier,
)

Run = Callable[..., tuple[int, str, str]]
RATE = 8000


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, in an empty folder: its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(source: str, **options: object) -> tuple[int, str, str]:
        arguments: dict[str, object] = {"model": Path("run"), "device": "cpu", **options}
        code, said = 0, ""
        try:
            classify(Path(source), **arguments)  # type: ignore[arg-type]
        except typer.Exit as end:
            code = end.exit_code
        except PassbandError as error:
            code, said = 2, str(error)
        shown = capsys.readouterr()
        return code, shown.out, shown.err + said

    return call


@pytest.fixture
def model(run: Run) -> Classifier:
    """A classifier that learned nothing, in the folder ``run``."""
    recipe = ClassifierRecipe.model_validate({
        "data": {"sample_rate": RATE, "seconds": 0.5},
        "model": {"kind": "square", "channels": [4, 4]},
    })  # fmt: skip
    Path("run").mkdir()
    classifier = built_with_seed(lambda: Classifier(recipe, ["dog", "rain", "sea"], 2), 0)
    save_classifier(Path("run"), classifier)
    return load_classifier(Path("run"), "cpu")


def test_one_sound_is_named_as_the_model_says(run: Run, model: Classifier) -> None:
    write_audio("a.wav", torch.randn(2, 2 * RATE) * 0.1, 2 * RATE)
    code, out, err = run("a.wav", json_=True)
    assert (code, err) == (0, "")
    entry = json.loads(out)
    starts, found = model.classify(read_sound(Path("a.wav"), RATE))
    assert (entry["path"], entry["seconds"]) == ("a.wav", 1.0)
    assert [window["start"] for window in entry["windows"]] == starts == [0.0, 0.25, 0.5]
    mean = dict(zip(model.classes, found.mean(dim=0).tolist(), strict=True))
    told = {each["name"]: each["probability"] for each in entry["classes"]}
    assert told == pytest.approx(mean, abs=1e-4)
    ranks = [each["probability"] for each in entry["classes"]]
    assert ranks == sorted(ranks, reverse=True)

    best = entry["classes"][0]
    code, out, _ = run("a.wav", top=1)
    assert (code, out) == (0, f"a.wav  {best['name']} {best['probability']:.2f}\n")


def test_a_folder_goes_on_and_names_what_failed(run: Run, model: Classifier) -> None:
    Path("in/deep").mkdir(parents=True)
    write_audio("in/a.wav", torch.randn(1, 100) * 0.1, RATE)
    write_audio("in/deep/b.flac", torch.randn(2, 3 * RATE) * 0.1, 44100)
    Path("in/bad.wav").write_bytes(b"RIFF")
    code, out, err = run("in", top=2)
    assert code == 2
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["in/a.wav", "in/deep/b.flac"]
    assert lines[2] == "3 sounds: 2 classified, 1 failed"
    assert err.startswith("passband: in/bad.wav")
    assert err.count("\n") == 1
    code, out, _ = run("in", json_=True)
    document = json.loads(out)
    assert [entry["path"] for entry in document["files"]] == ["in/a.wav", "in/deep/b.flac"]
    assert list(document["failures"]) == ["in/bad.wav"]
    assert code == 2


@pytest.mark.parametrize(
    ("source", "model_folder", "match"),
    [
        ("missing.wav", "run", "missing.wav does not exist"),
        ("empty", "run", "holds no sound files"),
        ("notes.txt", "run", "notes.txt"),
        ("good.wav", "empty", "holds no model.safetensors: it is not the folder of a run"),
        ("good.wav", "denoiser", "is a model of another task, denoiser, not classifier"),
    ],
)
def test_bad_input_is_one_line(
    run: Run, model: Classifier, source: str, model_folder: str, match: str
) -> None:
    write_audio("good.wav", torch.randn(1, RATE) * 0.1, RATE)
    Path("empty").mkdir()
    Path("denoiser").mkdir()
    save_model(Path("denoiser"), "denoiser", torch.nn.Linear(1, 1), {}, {})
    Path("notes.txt").write_text("words")
    code, out, err = run(source, model=Path(model_folder))
    assert (code, out) == (2, "")
    assert match in err


def test_a_missing_sound_is_told_before_the_model_is_read(run: Run) -> None:
    with pytest.raises(InputError, match="does not exist"):
        classify(Path("missing.wav"), Path("no run"))
