"""``passband compare``: a table from a recipe and a folder, resumption, and faults."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from passband.cli import main
from passband.errors import TrainingError
from passband.signal.tasks.comparison import _kinds

Run = Callable[..., tuple[object, str, str]]

RECIPE = """
kind = "comparison"
seeds = [0]
[task]
kind = "classifier"
[[representations]]
name = "mel"
transform = "mel"
[[representations]]
name = "mfcc"
transform = "mfcc"
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command line in this process, in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sounds.toml").write_text(RECIPE)

    def call(*arguments: object) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["passband", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return ended.value.code, said.out, said.err

    return call


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Recipes that were run; results are made up, and those of seed 13 fail."""
    seen: list[Any] = []

    def train(recipe: Any, folder: Path, *, device: str, resume: bool) -> dict[str, Any]:
        seen.append(recipe)
        if recipe.training.seed == 13:
            raise TrainingError("the loss is not finite")
        accuracy = 0.9 if recipe.representation.transform == "mel" else 0.5
        metrics = {"folds": [{"fold": k, "accuracy": accuracy + k / 100} for k in (1, 2)]}
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps(metrics))
        return metrics

    monkeypatch.setattr(_kinds.Kind, "runner", lambda kind: train)
    return seen


def test_a_table_is_printed_and_kept(run: Run, runs: list[Any], tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    code, out, err = run("compare", "sounds.toml", "--data", "clips")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].startswith("accuracy by representation")
    assert lines[2].split()[:2] == ["mel", "0.9150"]
    assert lines[3].split()[:2] == ["mfcc", "0.5150"]
    assert lines[3].split()[4] == "-0.4000"
    assert lines[-1] == "report: runs/sounds/report.html"
    assert Path("runs/sounds/table.txt").read_text().splitlines() == lines[:-1]
    assert "mel, seed 0 (1 of 2)" in err
    assert {recipe.data.folder for recipe in runs} == {str(tmp_path / "clips")}
    code, again, _ = run("compare", "sounds.toml", "--data", "clips", "--resume")
    assert (code, again) == (0, out)
    assert len(runs) == 2


def test_what_failed_is_said_in_the_end(run: Run) -> None:
    code, out, _ = run("compare", "sounds.toml", "--set", "seeds=[0, 13]", "--out", "out")
    assert code == 2
    assert "failed: mel, seed 13: the loss is not finite" in out
    assert json.loads(Path("out/metrics.json").read_text())["cells_done"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.toml",), "none.toml"),
        (("sounds.toml", "--set", "seeds=[]"), "seeds"),
        (("sounds.toml", "--set", "task.kind='cook'"), "`task.kind` (='cook') must be one of"),
        (("sounds.toml", "--set", "task.training.lr=7"), "task of mel: "),
    ],
)
def test_bad_input_is_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run("compare", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
