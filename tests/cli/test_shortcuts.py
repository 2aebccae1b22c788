"""``passband shortcuts`` on the run of a classifier that learned nothing, and on faults."""

import json
from pathlib import Path

import pytest
import torch
import typer

from passband.cli._shortcuts import shortcuts
from passband.errors import InputError
from passband.media import write_audio
from passband.signal.tasks import built_with_seed, save_model
from passband.signal.tasks.classification import Classifier, ClassifierRecipe, save_classifier

RATE = 8000


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A run, its clips and where to write."""
    run, data = tmp_path / "run", tmp_path / "data"
    recipe = ClassifierRecipe.model_validate({
        "representation": {"transform": "mel", "settings": {"n_fft": 256, "n_mels": 16}},
        "data": {"sample_rate": RATE, "seconds": 0.2, "folds": 2},
        "model": {"kind": "square", "channels": [4, 4]},
    })  # fmt: skip
    run.mkdir()
    save_classifier(run, built_with_seed(lambda: Classifier(recipe, ["dog", "rain"]), 0))
    for name in ("dog", "rain"):
        (data / name).mkdir(parents=True)
        for k in range(4):
            write_audio(data / name / f"{name}{k}.wav", 0.1 * torch.randn(1, 2000), RATE)
    return run, data, tmp_path / "out"


def call(run: Path, data: Path, out: Path, *, json_: bool = False) -> None:
    shortcuts(run, data, out, bands=8, fraction=0.1, clips=2, json_=json_, device="cpu")


def test_the_result_is_said_and_written(
    folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    call(*folders)
    assert capsys.readouterr().out.splitlines() == [
        "dog: no shortcut",
        "rain: no shortcut",
        f"4 clips tested, 0 left out: {folders[2]}",
    ]
    assert "<table>" in (folders[2] / "report.html").read_text()
    call(*folders, json_=True)
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((folders[2] / "shortcuts.json").read_text())
    assert len(found["bands"]) == len(found["classes"][0]["losses"]) == 8


def test_a_clip_that_cannot_be_read_is_named(
    folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for k in range(2):
        (folders[1] / "dog" / f"damaged{k}.wav").write_bytes(b"RIFF, but no sound")
    with pytest.raises(typer.Exit) as end:
        shortcuts(folders[0], folders[1], folders[2], bands=8, clips=9, device="cpu")
    shown = capsys.readouterr()
    assert end.value.exit_code == 2
    assert "2 left out" in shown.out
    assert "damaged0.wav" in shown.err


def test_what_is_no_classifier_is_refused(folders: tuple[Path, Path, Path]) -> None:
    save_model(folders[0], "denoiser", torch.nn.Linear(2, 2), {}, {})
    with pytest.raises(InputError, match="a model of another task, denoiser"):
        call(*folders)
    with pytest.raises(InputError, match="not the folder of a run"):
        call(folders[1], *folders[1:])
