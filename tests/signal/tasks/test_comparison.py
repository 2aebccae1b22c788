"""The comparison runner: cells, resumption, statistics and what it leaves."""

import csv
import json
import math
import statistics
from pathlib import Path
from typing import Any

import pytest
import torch

from passband.errors import InputError, TrainingError
from passband.media import write_audio
from passband.signal.tasks.classification import _cross_validation, _train
from passband.signal.tasks.comparison import (
    ComparisonRecipe,
    compare,
    load_comparison,
    paired_difference,
    summarise,
    text_table,
)
from passband.signal.tasks.comparison import _kinds as kinds_module
from passband.signal.tasks.comparison import _results as results_module
from passband.signal.tasks.comparison._compare import plan_cells
from passband.signal.tasks.comparison._kinds import KINDS, find_kind

RATE = 4000


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two classes, high and low tones, three clips each."""
    for name, hz in (("low", 200.0), ("high", 1200.0)):
        folder = tmp_path / "clips" / name
        folder.mkdir(parents=True)
        for index in range(3):
            tone = torch.sin(2 * torch.pi * (hz + 20 * index) * torch.arange(RATE // 2) / RATE)
            write_audio(folder / f"{index}.wav", (0.3 * tone)[None], RATE)
    return tmp_path / "clips"


def recipe(clips: Path | str, **changes: Any) -> ComparisonRecipe:
    plain = {
        "task": {
            "kind": "classifier",
            "data": {
                "folder": str(clips), "sample_rate": RATE, "seconds": 0.5, "frame_rate": 50.0,
                "folds": 2, "batch_size": 4, "most_bins": 16,
            },
            "model": {"kind": "square", "channels": [4]},
            "training": {"steps": 2, "evaluations": 1},
        },
        "representations": [
            {"name": "mel", "transform": "mel", "settings": {"n_mels": 16},
             "window_lengths": [128, 256]},
            {"name": "linear", "transform": "stft", "settings": {"n_fft": 128}},
        ],
    } | changes  # fmt: skip
    return ComparisonRecipe.model_validate(plain)


@pytest.fixture
def pictures() -> None:
    """Asked for by a test that looks at them."""


@pytest.fixture(autouse=True)
def _no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would take most of the time."""
    if "pictures" not in request.fixturenames:
        monkeypatch.setattr(results_module, "comparison_figure", lambda metrics: b"PNG")
        for module in (_cross_validation, _train):
            monkeypatch.setattr(module, "write_report", lambda *given, **named: None)


class Recorder:
    """Instead of trainings: makes up metrics, counts calls, and dies or fails when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, int]] = []
        self.die_at: int | None = None
        self.fail: tuple[str, int] | None = None
        monkeypatch.setattr(kinds_module.Kind, "runner", lambda kind: self)

    def __call__(self, settings: Any, folder: Path, *, device: str, resume: bool) -> dict[str, Any]:
        assert resume
        name, seed = folder.parent.name, int(folder.name)
        if self.die_at == len(self.calls):
            raise KeyboardInterrupt
        self.calls.append((name, seed))
        if (name, seed) == self.fail:
            raise TrainingError("the loss is not finite")
        assert settings.training.seed == seed
        base = {"mel 128": 0.8, "mel 256": 0.7, "linear": 0.6}[name]
        folds = [
            {"fold": k, "accuracy": base + 0.01 * k + 0.03 * seed * k * (name == "linear")}
            for k in (1, 2, 3)
        ]
        metrics = {"folds": folds, "seconds": 2.0}
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps(metrics))
        return metrics


@pytest.mark.usefixtures("pictures")
def test_the_table_is_of_every_representation_window_and_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Recorder(monkeypatch)
    metrics = compare(recipe("clips", seeds=[0, 7]), tmp_path / "run", device="cpu")
    assert list(metrics["representations"]) == ["mel 128", "mel 256", "linear"]
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == metrics
    linear = metrics["representations"]["linear"]
    folds = [[0.61, 0.62, 0.63], [0.61 + 0.21, 0.62 + 0.42, 0.63 + 0.63]]
    by_fold = [statistics.fmean(pair) for pair in zip(*folds, strict=True)]
    assert linear["mean"] == pytest.approx(statistics.fmean(by_fold))
    assert linear["deviation"] == pytest.approx(statistics.stdev(by_fold))
    means = [statistics.fmean(row) for row in folds]
    assert linear["seed_deviation"] == pytest.approx(statistics.stdev(means))
    apart = [value - (0.8 + 0.01 * k) for k, value in enumerate(by_fold, 1)]
    difference = linear["difference"]
    assert difference["mean"] == pytest.approx(statistics.fmean(apart))
    error = statistics.stdev(apart) * math.sqrt(
        1 / 3 + 1 / 2
    )  # folds of three: 1 tested, 2 learned
    assert difference["error"] == pytest.approx(error)
    assert difference["half_width"] == pytest.approx(4.302653 * error)  # Student, 2 degrees
    assert (difference["better"], difference["units"]) == (
        sum(each > 0 for each in apart), 3,
    )  # fmt: skip
    assert "difference" not in metrics["representations"]["mel 128"]
    with (tmp_path / "run" / "values.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    assert rows[0] == {
        "representation": "mel 128", "seed": "0", "fold": "fold 1", "accuracy": "0.81",
    }  # fmt: skip
    table = (tmp_path / "run" / "table.txt").read_text()
    assert table == text_table(metrics)
    assert table.splitlines()[2].startswith("linear")  # the best mean comes first
    page = (tmp_path / "run" / "report.html").read_text()
    assert "linear" in page
    assert "data:image/png" in page
    assert (tmp_path / "run" / "figure.png").read_bytes()[1:4] == b"PNG"


def test_what_was_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    recorder = Recorder(monkeypatch)
    settings = recipe("clips", seeds=[0, 1])
    expected = compare(settings, whole, device="cpu")
    order = list(recorder.calls)
    assert order[:3] == [("mel 128", 0), ("mel 256", 0), ("linear", 0)]
    recorder.calls.clear()
    recorder.die_at = 4
    with pytest.raises(KeyboardInterrupt):
        compare(settings, broken, device="cpu")
    recorder.die_at = None
    assert compare(settings, broken, device="cpu", resume=True) == expected
    assert recorder.calls == order
    for name in ("metrics.json", "values.csv", "table.txt", "figure.png"):
        assert (whole / name).read_bytes() == (broken / name).read_bytes()
    with pytest.raises(InputError, match="is another run"):
        compare(recipe("clips", seeds=[0, 2]), broken, device="cpu", resume=True)


def test_a_cell_that_fails_is_named_and_the_others_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch)
    recorder.fail = ("mel 128", 0)
    metrics = compare(recipe("clips", seeds=[0, 1]), tmp_path / "run", device="cpu")
    assert metrics["failed"] == {"mel 128, seed 0": "the loss is not finite"}
    assert (metrics["cells_done"], metrics["cells"]) == (5, 6)
    difference = metrics["representations"]["mel 256"]["difference"]
    assert difference["mean"] == pytest.approx(-0.1)  # of the seed that both have
    recorder.fail = None
    again = compare(recipe("clips", seeds=[0, 1]), tmp_path / "run", device="cpu", resume=True)
    assert again["failed"] == {}
    recorder.fail = ("mel 128", 0)
    only = [{"name": "mel 128", "transform": "mel"}]
    with pytest.raises(InputError, match="no cell could be run: the loss is not finite"):
        compare(recipe("clips", representations=only), tmp_path / "none", device="cpu")


def test_real_classifiers_are_compared(clips: Path, tmp_path: Path) -> None:
    representations = [
        {"name": "mel", "transform": "mel", "settings": {"n_mels": 16, "n_fft": 128}},
        {"name": "linear", "transform": "stft", "settings": {"n_fft": 128}},
    ]
    settings = recipe(clips, representations=representations, seeds=[3])
    metrics = compare(settings, tmp_path / "run", device="cpu")
    assert metrics["failed"] == {}
    for name, row in metrics["representations"].items():
        cell = json.loads((tmp_path / "run" / "cells" / name / "3" / "metrics.json").read_text())
        folds = {f"fold {fold['fold']}": fold["accuracy"] for fold in cell["folds"]}
        assert row["values"]["3"] == folds
        assert len(folds) == 2
    kept = list((tmp_path / "run" / "features").rglob("*.safetensors"))
    assert len(kept) == 12  # six clips under two representations, once each


def test_every_kind_takes_a_representation(tmp_path: Path) -> None:
    stft = [{"name": "stft", "transform": "stft", "settings": {"n_fft": 30}}]
    for name in KINDS:
        settings = recipe("x", task={"kind": name}, representations=stft)
        (plan,) = plan_cells(settings, find_kind(name), tmp_path)
        plain = plan.recipe.model_dump()
        found = plain["model"] if name == "denoiser" else plain["representation"]["settings"]
        assert found["n_fft"] == 30
        assert plain["training"]["seed"] == 0


def test_values_of_every_kind() -> None:
    piece = {"name": "a", "note_f1": 0.5, "average_precision": 0.7}
    assert KINDS["transcriber"].values({"pieces": [piece]}, "average_precision") == {"a": 0.7}
    assert KINDS["denoiser"].values({"snr_gain": 8.0}, "snr_gain") == {"all": 8.0}


def test_a_base_is_taken_in_and_changed(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(
        'kind = "classifier"\n[training]\nsteps = 5\nlr = 0.1\n[representation]\n'
        'transform = "mel"\n[representation.settings]\nn_mels = 9\n'
    )
    path = tmp_path / "comparison.toml"
    path.write_text(
        'base = "base.toml"\n[task.training]\nlr = 0.2\n[[representations]]\nname = "q"\n'
        'transform = "cqt"\ntask = { data = { seconds = 1.0 } }\n'
    )
    settings = load_comparison(path, ["task.training.steps=7"])
    assert settings.base is None
    (plan,) = plan_cells(settings, find_kind("classifier"), tmp_path)
    plain = plan.recipe.model_dump()
    assert plain["training"]["steps"] == 7
    assert plain["training"]["lr"] == 0.2
    assert plain["data"]["seconds"] == 1.0
    assert plain["representation"] == {"transform": "cqt", "settings": {}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": {"kind": "vocoder"}}, r"`task.kind` \(='vocoder'\) must be one of classifier"),
        ({"task": {}}, r"`task.kind` \(=None\) must be one of"),
        ({"measure": "loudness"}, r"`measure` \(='loudness'\) must be one of accuracy"),
        ({"task": {"kind": "classifier", "training": {"stepz": 3}}}, "task of mel 128: .*stepz"),
        (
            {"representations": [{"name": "x", "transform": "mell"}]},
            r"representation of x: .*'mell'\) must be one of",
        ),
        (
            {"representations": [{"name": "x", "transform": "mel", "settings": {"n_melz": 3}}]},
            "representation of x: .*n_melz",
        ),
        ({"task": {"kind": "denoiser"}}, r"`transform` \(='mel'\) must be 'stft' for a denoiser"),
    ],
)
def test_bad_recipes_are_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str
) -> None:
    recorder = Recorder(monkeypatch)
    with pytest.raises(InputError, match=message):
        compare(recipe("clips", **changes), tmp_path / "run", device="cpu")
    assert not recorder.calls
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": [1, 1]}, "seeds must differ"),
        ({"reference": "cqt"}, "reference must be one of mel 128, mel 256, linear"),
        ({"representations": [{"name": "../x", "transform": "mel"}]}, "pattern"),
        ({"representations": [{"name": n, "transform": "mel"} for n in "aA"]}, "names of their"),
    ],
)
def test_bad_comparisons(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe("clips", **changes)


def test_a_recipe_says_what_is_learned(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[[representations]]\nname = "mel"\ntransform = "mel"\n')
    with pytest.raises(InputError, match="`base` or `task` must say what is learned"):
        load_comparison(path)
    with pytest.raises(InputError, match=r"none\.toml"):
        load_comparison(path, ["base=none.toml"])


def test_statistics_of_a_single_unit_have_no_deviation() -> None:
    alone = summarise({0: {"all": 2.0}})
    assert (alone.mean, alone.deviation, alone.seed_deviation) == (2.0, None, None)
    difference = paired_difference({0: {"all": 2.0}}, {0: {"all": 1.5}}, overlap=0.0)
    assert (difference.mean, difference.error, difference.half_width) == (0.5, None, None)


def test_the_interval_against_scipy() -> None:
    from scipy import stats

    generator = torch.Generator().manual_seed(0)
    mine = torch.randn(6, generator=generator, dtype=torch.float64)
    other = torch.randn(6, generator=generator, dtype=torch.float64)
    rows = [{0: {str(k): float(v) for k, v in enumerate(x)}} for x in (mine, other)]
    found = paired_difference(rows[0], rows[1], overlap=0.0)
    low, high = stats.ttest_rel(mine.numpy(), other.numpy()).confidence_interval(0.95)
    assert found.half_width is not None
    assert found.mean - found.half_width == pytest.approx(low)
    assert found.mean + found.half_width == pytest.approx(high)
