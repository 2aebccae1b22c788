import json
from pathlib import Path

import pytest
import torch

from passband.errors import InputError
from passband.inr import ShapeScene, fit, load_field, parse_scene
from passband.inr._problem import load_problem
from passband.inr._shape_results import fitted_mesh
from passband.inr.choosing import candidates, trial
from passband.inr.families import FAMILIES
from passband.media import Mesh, read_mesh, write_mesh

SETTINGS = {
    "field": {
        "encoding": {
            "kind": "hashgrid",
            "n_levels": 4,
            "log2_hashmap_size": 15,
            "base_resolution": 8,
            "finest_resolution": 24,
        },
        "network": {"kind": "relu", "hidden_features": 32, "hidden_layers": 1},
    },
    "training": {"steps": 400, "batch_size": 2048, "evaluations": 2, "optimizer": {"lr": 1e-2}},
}


def ball(folder: Path) -> Path:
    """An icosphere of radius 3 about (5, 0, 0)."""
    import trimesh

    sphere = trimesh.creation.icosphere(subdivisions=3, radius=3.0)
    vertices = torch.from_numpy(sphere.vertices.copy()) + torch.tensor([5.0, 0.0, 0.0]).double()
    write_mesh(folder / "ball.ply", Mesh(vertices, torch.from_numpy(sphere.faces.copy()).long()))
    return folder / "ball.ply"


def scene_of(path: Path, **changes: object) -> ShapeScene:
    plain = {"kind": "shape", "target": {"path": str(path)}, **SETTINGS, **changes}
    scene = parse_scene(plain, source="test")
    assert isinstance(scene, ShapeScene)
    return scene


def test_a_ball_comes_back_in_its_own_coordinates(tmp_path: Path) -> None:
    metrics = fit(scene_of(ball(tmp_path)), tmp_path / "run", device="cpu")
    assert metrics["iou"] > 0.8
    assert metrics["chamfer"] < 5e-3
    assert {"f_score", "normal_consistency", "mape"} <= metrics.keys()
    saved = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert saved["iou"] == metrics["iou"]
    mesh = read_mesh(tmp_path / "run" / "mesh.ply")
    radii = (mesh.vertices - torch.tensor([5.0, 0.0, 0.0]).double()).norm(dim=1)
    assert float((radii - 3.0).abs().mean()) < 0.05
    coarse = fitted_mesh(load_field(tmp_path / "run"), 32)
    assert coarse.watertight
    assert "normal consistency" in (tmp_path / "run" / "report.html").read_text()


def test_a_killed_shape_resumes_to_the_same_bits(tmp_path: Path) -> None:
    path = ball(tmp_path)
    training = {**SETTINGS["training"], "steps": 12, "checkpoint_seconds": 0}
    whole = fit(scene_of(path, training=training), tmp_path / "a", device="cpu")
    fit(scene_of(path, training=training), tmp_path / "b", device="cpu")
    again = fit(scene_of(path, training=training), tmp_path / "b", device="cpu", resume=True)
    assert again["loss"] == whole["loss"]
    assert again["mape"] == whole["mape"]


def test_the_knob_is_matched_on_a_volume(tmp_path: Path) -> None:
    field = {"encoding": {"kind": "fourier", "num_bands": 16}, "network": {"kind": "relu"}}
    plain = {"field": field, "matching": {"initialisations": 2, "candidates": [0.5, 1.0, 8.0]}}
    training = {**SETTINGS["training"], "steps": 2}
    scene = scene_of(ball(tmp_path), training=training, **plain)
    metrics = fit(scene, tmp_path / "run", device="cpu")
    assert metrics["knob_value"] == metrics["matching"]["value"]
    assert metrics["knob_value"] < 8.0  # a ball has no fine detail


def test_neurbf_kernels_gather_at_the_surface(tmp_path: Path) -> None:
    problem = load_problem(scene_of(ball(tmp_path)))
    (member,) = candidates(
        problem.grid, ["neurbf-3d"], [120_000], scene_of(ball(tmp_path)).matching
    )
    from passband.inr._initial import initial_field

    field = initial_field(member.settings, problem, 0)
    centres = field.encoding.centres
    distance = problem.target.distance(centres).abs()
    assert float(distance.median()) < 0.1
    training = scene_of(ball(tmp_path)).training
    few = trial(problem, member, training, steps=2, device=torch.device("cpu"))
    more = trial(problem, member, training, steps=60, device=torch.device("cpu"))
    assert more > few + 3.0


def test_every_family_takes_a_volume_or_says_not(tmp_path: Path) -> None:
    takes = [name for name, family in FAMILIES.items() if 3 in family.axes]
    assert {"siren", "hashgrid", "triplane", "neurbf-3d"} <= set(takes)
    problem = load_problem(scene_of(ball(tmp_path)))
    with pytest.raises(InputError, match="no family fits"):
        candidates(problem.grid, ["neurbf"], [30_000], scene_of(ball(tmp_path)).matching)
