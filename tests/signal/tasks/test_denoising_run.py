"""A denoiser's training as a whole, on records small enough for a second."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks.denoising import (
    DenoiserRecipe,
    Mixtures,
    load_denoiser,
    train_denoiser,
)
from passband.signal.tasks.denoising import _report as report_module
from passband.signal.tasks.denoising import _train as train_module
from passband.training import load_tensors, read_events
from passband.training.recipes import load_settings

RATE, PICK = 100, 800


def quake(seed: int, samples: int = 2400) -> np.ndarray:
    """Three components: slow noise, and from the pick on a burst that decays."""
    dice = np.random.default_rng(seed)
    t = (np.arange(samples) - PICK) / RATE
    drift = np.cumsum(dice.standard_normal((samples, 3)), axis=0)
    burst = np.where(t > 0, np.sin(2 * np.pi * (4 + seed % 3) * t) * np.exp(-np.abs(t) / 2), 0)
    return 0.3 * (drift - drift.mean(axis=0)) + 400 * burst[:, None]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    for number in range(6):
        np.savez(folder / f"{number}.npz", data=quake(number), itp=PICK, channels="HHE_HHN_HHZ")
    return folder


def recipe(records: Path, **training: object) -> DenoiserRecipe:
    return DenoiserRecipe.model_validate({
        "model": {"network": {"depth": 2, "root": 4}},
        "data": {
            "folder": str(records), "held_out": 2, "samples": 600, "batch_size": 4,
            "held_out_mixtures": 8,
        },
        "training": {
            "steps": 10, "log_every": 1, "checkpoint_seconds": 0.0, "evaluations": 1, "lr": 5e-3,
        } | training,
    })  # fmt: skip


@pytest.fixture(autouse=True)
def _few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes longer than these trainings."""
    monkeypatch.setattr(report_module, "_SHOWN", 1)


def weights(folder: Path) -> dict[str, Tensor]:
    return load_tensors(folder / "model.safetensors")[0]


def test_a_run_is_complete(records: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (records / "bad.npz").write_bytes(b"PK no")
    np.savez(records / "unpicked.npz", data=quake(9))
    run = tmp_path / "run"
    metrics = train_denoiser(
        recipe(records, steps=40, evaluations=2, checkpoint_seconds=99), run, device="cpu"
    )
    assert json.loads((run / "metrics.json").read_text()) == metrics
    assert sorted(Path(name).name for name in metrics["left_out"]) == ["bad.npz", "unpicked.npz"]
    assert capsys.readouterr().err.count("left out: ") == 2
    assert [entry["step"] for entry in metrics["history"]] == [20, 40]
    assert metrics["snr_gain"] == metrics["network"]["snr_gain"]
    assert metrics["snr_gain"] == pytest.approx(metrics["history"][-1]["snr_gain"])
    assert metrics["snr_gain"] > 3
    assert set(metrics["baselines"]) == {"band_pass", "wiener"}
    assert sum(row["mixtures"] for row in metrics["network"]["by_snr"]) == 8
    assert metrics["files"] == {"learned": 6, "held_out": 2, "noise": 0}
    losses = [event["loss"] for event in read_events(run)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    page = (run / "report.html").read_text()
    assert page.count("data:image/png") == 3 + 1

    denoiser = load_denoiser(run, "cpu")
    noisy = torch.from_numpy(quake(20).T.copy())
    signal, noise = denoiser(noisy, 100.0)
    torch.testing.assert_close(signal + noise, noisy)
    before = slice(100, PICK - 100)
    assert float(signal[:, before].norm()) < 0.6 * float(noisy[:, before].norm())


def test_a_run_that_died_resumes_to_the_same_bits(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "write_report", lambda *arguments: None)
    train_denoiser(recipe(records), tmp_path / "whole", device="cpu")
    inner = Mixtures.__call__
    for stop_at in (1, 7):
        broken = tmp_path / f"broken_at_{stop_at}"

        def dying(self: Mixtures, step: int, stop_at: int = stop_at):
            if step == stop_at:
                raise RuntimeError("killed")
            return inner(self, step)

        with monkeypatch.context() as patch:
            patch.setattr(Mixtures, "__call__", dying)
            with pytest.raises(RuntimeError, match="killed"):
                train_denoiser(recipe(records), broken, device="cpu")
        torch.randn(3)  # what has been drawn elsewhere does not matter
        train_denoiser(recipe(records), broken, device="cpu", resume=True)
        assert read_events(broken) == read_events(tmp_path / "whole")
        one, two = weights(broken), weights(tmp_path / "whole")
        assert all(torch.equal(one[name], two[name]) for name in two)
        assert any("running_mean" in name for name in two)


def test_a_folder_of_another_run_is_refused(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "write_report", lambda *arguments: None)
    run = tmp_path / "run"
    train_denoiser(recipe(records, steps=1), run, device="cpu")
    with pytest.raises(InputError, match=r"is not empty\. Pass --resume"):
        train_denoiser(recipe(records, steps=1), run, device="cpu")
    np.savez(records / "new.npz", data=quake(7), itp=PICK)
    with pytest.raises(InputError, match="is a checkpoint of another"):
        train_denoiser(recipe(records, steps=1), run, device="cpu", resume=True)


def test_held_out_files_are_whole_files(records: Path) -> None:
    data = train_module.prepare(recipe(records))
    assert len(set(data.learned.owners)) == 4
    assert len(set(data.apart.owners)) == 2
    assert not set(data.learned.owners) & set(data.apart.owners)
    assert len(data.learned.noises) == 12


def test_noise_from_a_folder_of_its_own(records: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.mkdir()
    np.savez(noise / "a.npz", data=np.random.default_rng(0).standard_normal(1500))
    (noise / "b.npz").write_bytes(b"")
    plain = recipe(records).model_dump(exclude_none=True)
    plain["data"]["noise_folder"] = str(noise)
    data = train_module.prepare(DenoiserRecipe.model_validate(plain))
    assert len(data.learned.noises) == 13
    assert [path.name for path in data.learned.faults] == ["b.npz"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"folder": ""}, "Pass --data DIR"),
        ({"folder": "nowhere"}, "nowhere is not a folder"),
        ({"held_out": 6}, "must be less than the number of seismograms, 6"),
        ({"min_snr": 1e9}, "give 0 traces with an event and 12 stretches of noise"),
    ],
)
def test_data_that_cannot_be_learned_from(
    records: Path, change: dict[str, object], match: str
) -> None:
    plain = recipe(records).model_dump(exclude_none=True)
    plain["data"] |= change
    with pytest.raises(InputError, match=match):
        train_module.prepare(DenoiserRecipe.model_validate(plain))


def test_the_room_imports_without_obspy_or_scipys_filters() -> None:
    heavy = ("obspy", "scipy.signal", "matplotlib")
    code = (
        "import sys, passband.signal.tasks.denoising\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_recipe_is_the_published_model() -> None:
    path = Path(__file__).parents[3] / "recipes" / "seismic_denoiser.toml"
    settings = load_settings(DenoiserRecipe, path, ["training.steps=5"])
    model = settings.model
    assert (model.win_length, model.n_fft, model.hop_length, model.bins) == (30, 60, 15, 31)
    assert model.network.channels == [8, 16, 32, 64, 128, 256]
    assert (settings.data.samples, settings.training.steps) == (3000, 5)
