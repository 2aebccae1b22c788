import json
import math
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from passband.cli import main
from passband.cli._run_kind import RECONSTRUCTION_FILE
from passband.errors import InputError, TrainingError
from passband.media import read_image, read_mesh, write_image
from passband.recon import (
    _fit,
    _results,
    fit_photographs,
    load_photographs_scene,
    load_reconstruction,
    parse_photographs_scene,
    reconstruction_mesh,
)
from passband.recon._objective import ReconstructionObjective
from passband.recon._presets import with_preset
from passband.recon._run import MODEL_FILE
from passband.recon._scene import dump_photographs_scene
from passband.recon.data import load_photographs
from passband.training import StepOutput

SCENES = [
    path
    for path in sorted((Path(__file__).parents[2] / "scenes").glob("*.toml"))
    if 'kind = "photographs"' in path.read_text(encoding="utf-8")
]
SMALL = [
    "training.steps=150",
    "training.rays=256",
    "training.evaluations=1",
    "sampler.resolution=32",
    "sampler.count=16",
    "surface.encoding.n_levels=4",
    "surface.encoding.log2_hashmap_size=10",
    "surface.encoding.finest_resolution=32",
    "surface.hidden_features=32",
    "losses.outside_points=200",
    "opacity.last=200",
]


@pytest.fixture(autouse=True, scope="module")
def _coarse() -> Iterator[None]:
    """A coarse hull and a coarse mesh: the ball has nothing finer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fit, "HULL_RESOLUTION", 32)
        patch.setattr(_results, "_CELLS", 64)
        yield


@pytest.fixture(scope="module")
def run(ball: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("runs") / "ball"
    return folder, fit_photographs(load_photographs_scene(ball, SMALL), folder, device="cpu")


def test_a_ball_is_found(run: tuple[Path, dict[str, Any]]) -> None:
    folder, metrics = run
    radii = read_mesh(folder / "mesh.ply").vertices.norm(dim=1)
    assert abs(float(radii.mean()) / 1.2 - 1) < 0.03  # of the ball in the world
    assert float(radii.std()) < 0.04
    assert metrics["components"] == 1
    assert metrics["watertight"]
    assert metrics["mask_iou"] > 0.95
    assert metrics["psnr"] > 22
    assert metrics["test_views"] == 1
    assert (folder / "report.html").stat().st_size > 10_000
    assert read_image(folder / "views" / "image_000.png").pixels.shape == (3, 32, 32)


def test_a_run_reloads(run: tuple[Path, dict[str, Any]], ball: Path) -> None:
    folder, _ = run
    fitted = load_reconstruction(folder)
    mesh = reconstruction_mesh(fitted, 64)
    torch.testing.assert_close(
        mesh.vertices.float(), read_mesh(folder / "mesh.ply").vertices.float(), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(fitted.to_world, load_photographs(ball).to_world)
    assert fitted.names == ("image/000.png",)


def test_killed_and_resumed_it_ends_alike(
    run: tuple[Path, dict[str, Any]], ball: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    code = f"""
import os, signal, torch
from pathlib import Path
from passband.recon import _fit, _results, fit_photographs, load_photographs_scene
from passband.recon._objective import ReconstructionObjective
torch.set_num_threads(1)
_fit.HULL_RESOLUTION, _results._CELLS = 32, 64
step_of = ReconstructionObjective.__call__
def dying(self, step):
    if step == 77:
        os.kill(os.getpid(), signal.SIGKILL)
    return step_of(self, step)
ReconstructionObjective.__call__ = dying
overrides = {[*SMALL, "training.checkpoint_seconds=0"]!r}
fit_photographs(load_photographs_scene(Path({str(ball)!r}), overrides), Path({str(folder)!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    scene = load_photographs_scene(ball, [*SMALL, "training.checkpoint_seconds=0"])
    fit_photographs(scene, folder, device="cpu", resume=True)
    first, again = (load_reconstruction(f).model.state_dict() for f in (run[0], folder))
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_a_diverging_run_stops_with_its_last_checkpoint(
    ball: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step_of = ReconstructionObjective.__call__

    def diverging(self: ReconstructionObjective, step: int) -> StepOutput:
        output = step_of(self, step)
        return output if step < 10 else StepOutput(output.loss * math.inf)

    monkeypatch.setattr(ReconstructionObjective, "__call__", diverging)
    scene = load_photographs_scene(ball, [*SMALL, "training.checkpoint_seconds=0"])
    with pytest.raises(
        TrainingError, match="the loss is inf at step 11; the last good checkpoint"
    ) as caught:
        fit_photographs(scene, tmp_path / "wild", device="cpu")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "wild" / "checkpoint.safetensors").is_file()


def test_time_is_turned_into_steps_once(ball: Path, tmp_path: Path) -> None:
    overrides = [o for o in SMALL if not o.startswith("training.steps")]
    scene = load_photographs_scene(ball, [*overrides, "training.seconds=0.2"])
    metrics = fit_photographs(scene, tmp_path / "timed", device="cpu")
    plan = json.loads((tmp_path / "timed" / "plan.json").read_text())
    assert plan["steps"] == metrics["steps"] >= 1
    again = fit_photographs(scene, tmp_path / "timed", device="cpu", resume=True)
    assert again["steps"] == metrics["steps"]


def test_commands(
    run: tuple[Path, dict[str, Any]],
    ball: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def passband(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["passband", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    folder = run[0]
    out = tmp_path / "ball.ply"
    assert passband("mesh", folder, "--resolution", 32, "--color", "-o", out) == 0
    colors = read_mesh(out).colors
    assert colors is not None
    assert colors.std() > 0.1
    assert passband("render", folder, "-o", tmp_path / "views") == 0
    assert [path.name for path in (tmp_path / "views").iterdir()] == ["000_000.png"]
    assert passband("render", folder, "--camera", "there", "-o", tmp_path / "views") == 2
    assert "must be test, orbit or a camera path" in capfd.readouterr().err
    assert passband("render", folder, "--scale", 2, "-o", tmp_path / "views") == 2
    assert passband("mesh", folder, "--lipschitz", 2, "-o", out) == 2
    assert "is for shapes" in capfd.readouterr().err
    assert passband("fit", ball, "--field", "siren", "--out", tmp_path / "no") == 2
    assert "are not for photographs" in capfd.readouterr().err
    assert passband("fit", "skimage:camera", "--preset", "laptop", "--out", tmp_path / "no") == 2
    assert "is for photographs" in capfd.readouterr().err
    assert passband("fit", tmp_path / "views", "--out", tmp_path / "no") == 2
    err = capfd.readouterr().err
    assert err.startswith("passband: ")
    assert err.count("\n") == 1
    assert passband("fit", ball, "--out", folder) == 2
    assert "is not empty" in capfd.readouterr().err
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_every_scene_reads_and_survives_writing(path: Path) -> None:
    scene = load_photographs_scene(path)
    plain = tomllib.loads(dump_photographs_scene(scene))
    assert parse_photographs_scene(plain, source="again") == scene


def test_the_command_line_knows_the_file_of_a_run() -> None:
    assert RECONSTRUCTION_FILE == MODEL_FILE


def test_presets_fill_what_a_scene_leaves_open() -> None:
    given = {"target": {"path": "/x"}, "training": {"steps": 7}, "surface": {"kind": "mlp"}}
    scene = parse_photographs_scene(with_preset(given, "24gb"), source="x")
    assert (scene.training.steps, scene.training.seconds) == (7, None)
    assert scene.training.rays == 16384
    assert scene.surface.kind == "mlp"
    with pytest.raises(InputError, match=r"`--preset` \(=4gb\) must be one of laptop, 8gb"):
        with_preset(given, "4gb")


@pytest.mark.parametrize(
    ("override", "match"),
    [
        ("training.rays=0", r"`training\.rays` \(=0\)"),
        ("sampler.kind=dense", "`sampler`: .*'dense'"),
        ("colour=1", "unknown key `colour`"),
        ("opacity.v=0.3", "unknown key `opacity"),
    ],
)
def test_faults_of_a_scene(ball: Path, override: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        load_photographs_scene(ball, [override])


def test_a_data_set_that_the_doctor_refuses(ball: Path, tmp_path: Path) -> None:
    broken = tmp_path / "inverted"
    shutil.copytree(ball, broken)
    for mask in (broken / "mask").iterdir():
        write_image(mask, 1 - read_image(mask).pixels[:1])
    with pytest.raises(InputError, match=r"mask.*target\.examine=false goes on"):
        fit_photographs(load_photographs_scene(broken, SMALL), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_every_part_by_name_takes_steps(ball: Path, tmp_path: Path) -> None:
    parts = {
        "opacity": ("neus", "volsdf", "scheduled_volsdf"),
        "sampler": ("uniform", "hierarchical", "error_bounded", "occupancy"),
        "background": ("learned", "inverted_sphere"),
    }
    kept = [o for o in SMALL if not o.startswith(("training.steps", "sampler", "opacity"))]
    for part, kinds in parts.items():
        for kind in kinds:
            chosen = [*kept, "training.steps=3", "target.masks=false", f"{part}.kind={kind}"]
            if kind == "error_bounded":
                with pytest.raises(
                    InputError, match=r"'error_bounded' needs opacity\.kind 'volsdf'"
                ):
                    load_photographs_scene(ball, chosen)
                chosen.append("opacity.kind=volsdf")
            scene = load_photographs_scene(ball, chosen)
            assert scene.model_dump()[part]["kind"] == kind
            metrics = fit_photographs(scene, tmp_path / f"{part}-{kind}", device="cpu")
            assert math.isfinite(metrics["loss"])
            assert (tmp_path / f"{part}-{kind}" / MODEL_FILE).is_file()
