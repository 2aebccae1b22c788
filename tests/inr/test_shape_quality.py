"""Metrics, pictures and results of shapes, against closed forms and brute force."""

import base64
import io
import json
import math
import re
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image
from scipy.spatial import cKDTree
from torch import Tensor, nn

from passband.errors import InputError, MissingDependencyError
from passband.inr import Field, FieldSettings, FittedField, ResolvedField, SirenNetwork, encodings
from passband.inr._shape_bands import ShapeBands
from passband.inr._shape_figures import render_mesh
from passband.inr._shape_quality import (
    VolumeProbe,
    compare_surfaces,
    iou,
    surface_metrics,
)
from passband.inr._shape_results import fitted_mesh, write_shape_results
from passband.inr.targets import ShapeTarget, SignalInfo, shape_target
from passband.media import Mesh, read_mesh
from passband.training import LoopResult


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sphere(radius: float, subdivisions: int = 5, at: tuple[float, ...] = (0, 0, 0)) -> Mesh:
    surface = trimesh.creation.icosphere(subdivisions, radius)
    vertices = torch.from_numpy(np.asarray(surface.vertices) + np.array(at))
    return Mesh(vertices, torch.from_numpy(np.asarray(surface.faces, dtype=np.int64)))


def square(x: float, y: float, tilt: float = 0.0) -> Mesh:
    """A unit square with a corner at (x, y, 0), turned about its left side."""
    corners = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1]]).double()
    out = corners[:, 0]
    vertices = torch.stack(
        (x + out * math.cos(tilt), y + corners[:, 1], out * math.sin(tilt)), dim=1
    )
    return Mesh(vertices, torch.tensor([[0, 1, 2], [0, 2, 3]]))


def joined(a: Mesh, b: Mesh) -> Mesh:
    vertices = torch.cat((a.vertices, b.vertices))
    return Mesh(vertices, torch.cat((a.faces, b.faces + len(a.vertices))))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> ShapeTarget:
    """A sphere of radius 3 about (7, 0, -1): of radius 0.9 where the field lives."""
    file = tmp_path_factory.mktemp("shape") / "sphere.ply"
    mesh = sphere(3.0, at=(7, 0, -1))
    trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy()).export(file)
    return shape_target(str(file))


class Ball(nn.Module):
    """Signed distance of a ball, as a network."""

    def __init__(self, radius: float) -> None:
        super().__init__()
        self.radius = nn.Parameter(torch.tensor(radius))

    def forward(self, x: Tensor) -> Tensor:
        return x.norm(dim=-1, keepdim=True) - self.radius


def fitted(radius: float, info: SignalInfo) -> FittedField:
    settings = FieldSettings(network=SirenNetwork(first_omega=30.0))
    return FittedField(Field(encodings.Identity(3), Ball(radius)), settings, info)


def test_concentric_spheres() -> None:
    result = compare_surfaces(sphere(0.9), sphere(1.0), samples=20000, generator=seeded())
    assert result.chamfer == pytest.approx(0.1 / 2, rel=2e-3)  # the target is 2 wide
    assert result.normal_consistency == pytest.approx(1.0, abs=1e-3)
    assert result.f_score(0.049) < 0.01
    assert result.f_score(0.051) == 1.0


def test_a_mesh_is_at_zero_from_itself() -> None:
    mesh = sphere(2.0, at=(1000, 0, -1000))
    metrics = surface_metrics(mesh, mesh)
    assert metrics["chamfer"] < 1e-6
    assert metrics["f_score"] == 1.0
    # Where faces meet, rounding may find the neighbour.
    assert metrics["normal_consistency"] == pytest.approx(1.0, abs=1e-3)


def test_order_does_not_matter_between_boxes_of_a_size() -> None:
    a, b = sphere(1.0), sphere(1.0, subdivisions=2, at=(0.2, 0.1, 0))
    forth = compare_surfaces(a, b, samples=20000, generator=seeded())
    back = compare_surfaces(b, a, samples=20000, generator=seeded())
    assert forth.chamfer == pytest.approx(back.chamfer, rel=0.01)
    assert forth.f_score(0.03) == pytest.approx(back.f_score(0.03), rel=0.02)
    assert forth.normal_consistency == pytest.approx(back.normal_consistency, rel=0.01)


def test_units_do_not_depend_on_the_coordinates() -> None:
    a, b = sphere(0.9), sphere(1.0, subdivisions=2)
    moved = [Mesh(700 * m.vertices + 1e4, m.faces) for m in (a, b)]
    near = compare_surfaces(a, b, samples=2000, generator=seeded())
    far = compare_surfaces(moved[0], moved[1], samples=2000, generator=seeded())
    assert far.chamfer == pytest.approx(near.chamfer, rel=1e-5)


def test_distances_agree_with_the_nearest_of_many_points() -> None:
    a, b = sphere(0.8, at=(0.1, 0, 0)), sphere(0.5)
    result = compare_surfaces(a, b, samples=2000, generator=seeded())
    dense, _ = trimesh.sample.sample_surface(
        trimesh.Trimesh(b.vertices.numpy(), b.faces.numpy()), 100_000, seed=0
    )
    points = trimesh.sample.sample_surface(
        trimesh.Trimesh(a.vertices.numpy(), a.faces.numpy()), 2000, seed=0
    )[0]
    brute = cKDTree(dense).query(points)[0].mean()
    assert float(result.accuracy.mean()) == pytest.approx(brute, rel=0.03)


def test_f_score_of_half_a_surface() -> None:
    both = joined(square(0, 0), square(3, 0))
    half = compare_surfaces(square(0, 0), both, samples=20000, generator=seeded())
    assert half.f_score() == pytest.approx(2 / 3, abs=0.01)  # precision 1, recall 1/2
    assert float(half.accuracy.max()) < 1e-6
    nothing = compare_surfaces(square(0, 5), both, samples=100)
    assert nothing.f_score() == 0.0


def test_normal_consistency_is_the_cosine_of_the_angle() -> None:
    tilt = 0.3
    flat, turned = square(0, 0), square(0, 0, tilt)
    flipped = Mesh(turned.vertices, turned.faces.flip(1))
    for other in (turned, flipped):
        result = compare_surfaces(other, flat, samples=1000)
        assert result.normal_consistency == pytest.approx(math.cos(tilt), abs=1e-5)


def test_seeds_and_errors() -> None:
    a, b = sphere(0.9, 2), sphere(1.0, 2)
    first, again, other = (
        compare_surfaces(a, b, samples=100, generator=seeded(s)).chamfer for s in (1, 1, 2)
    )
    assert first == again != other
    empty = Mesh(torch.zeros(0, 3).double(), torch.zeros(0, 3, dtype=torch.int64))
    with pytest.raises(InputError, match="`mesh` has no faces"):
        compare_surfaces(empty, a)
    with pytest.raises(InputError, match="`target` has no faces"):
        compare_surfaces(a, empty)


def test_without_open3d_the_error_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open3d", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'passband\[mesh\]'"):
        compare_surfaces(sphere(1.0, 1), sphere(1.0, 1))


def test_iou_in_closed_form() -> None:
    left, right = torch.arange(10) < 6, torch.arange(10) >= 4
    assert iou(left, right) == 0.2
    assert iou(left, left) == 1.0
    assert iou(left, ~left) == 0.0
    assert iou(left & ~left, left & ~left) == 1.0


def test_probe_of_balls_in_a_ball(target: ShapeTarget) -> None:
    probe = VolumeProbe(target, volume=100_000, distances=10_000)
    cpu = torch.device("cpu")
    perfect = probe(Ball(0.9), cpu)
    assert perfect["iou"] > 0.995  # the target has flat faces
    assert perfect["mape"] < 0.03
    small = probe(Ball(0.7), cpu)
    assert small["iou"] == pytest.approx((0.7 / 0.9) ** 3, abs=5e-3)
    points = probe._points.double()
    truth = points.norm(dim=-1) - 0.9
    error = (0.2 / (truth.abs() + 0.01)).mean()
    assert small["mape"] == pytest.approx(float(error), rel=0.05)
    assert probe(target.distance, cpu) == {"iou": 1.0, "mape": 0.0}


@pytest.mark.parametrize("azimuth", [0.0, 2.0])
def test_the_silhouette_of_a_sphere_is_a_disc(azimuth: float) -> None:
    picture = render_mesh(sphere(0.8, 4), azimuth, side=96)
    assert float(picture[..., 3].mean()) == pytest.approx(math.pi * 0.8**2 / 4, rel=0.01)
    brightest = picture[..., 0].argmax()
    row, column = divmod(int(brightest), 96)
    assert row < 48 < column  # lit from the upper right


def test_colours_are_interpolated() -> None:
    mesh = square(-0.5, -0.5)
    colors = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]])
    picture = render_mesh(mesh, 0.0, colors=colors, side=64)
    reds = picture[32, 20:44, 0]
    steps = reds.diff()
    assert float(steps.min()) > 0
    assert float(steps.max() - steps.min()) < 1e-3
    assert float(picture[..., 1].max()) == 0.0


@pytest.fixture
def _few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    few = partial(VolumeProbe, volume=30_000, distances=3000)
    monkeypatch.setattr("passband.inr._shape_results.VolumeProbe", few)


@pytest.mark.usefixtures("_few_points")
def test_results_of_a_fit(target: ShapeTarget, tmp_path: Path) -> None:
    info = SignalInfo(**{**vars(target.info), "size": (48, 48, 48)})
    small = ShapeTarget(info, target.mesh, target.distance)
    model = fitted(0.81, info)
    found = {"band_error_db": [-1.0, -2.0, -3.0]}
    history = [
        {"step": 10, "iou": 0.5, "mape": 0.9, **found},
        {"step": 20, "iou": 0.7, "mape": 0.5, **found},
    ]
    bands = {"band_edges": [0.0, 1.0, 2.0, 4.0], **found}
    result = LoopResult(loss=0.1, seconds=2.0, history=history)
    metrics = write_shape_results(
        tmp_path, model, small, ResolvedField(model.settings), result, steps=20, bands=bands
    )
    assert metrics["chamfer"] == pytest.approx(0.05, rel=0.02)  # 0.09 of 1.8
    assert metrics["iou"] == pytest.approx(0.9**3, abs=0.01)
    assert metrics["f_score"] == 0.0
    assert metrics["normal_consistency"] > 0.99
    assert metrics["watertight"] is True
    assert json.loads((tmp_path / "metrics.json").read_text()) == metrics
    world = read_mesh(tmp_path / "mesh.ply")
    assert len(world.faces) == metrics["faces"]
    radius = (world.vertices - torch.tensor([7.0, 0.0, -1.0])).norm(dim=-1)
    assert float((radius - 2.7).abs().max()) < 0.01
    report = (tmp_path / "report.html").read_text()
    pictures = re.findall(r"data:image/png;base64,([^\"]+)", report)
    assert len(pictures) == 4
    for encoded in pictures:
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
            assert np.asarray(picture.convert("L")).std() > 10
    assert "chamfer, unit cube" in report


@pytest.mark.usefixtures("_few_points")
def test_results_of_a_field_without_a_surface(target: ShapeTarget, tmp_path: Path) -> None:
    model = fitted(-1.0, target.info)
    result = LoopResult(loss=0.1, seconds=2.0, history=[])
    metrics = write_shape_results(
        tmp_path, model, target, ResolvedField(model.settings), result, steps=20, bands={}
    )
    assert (metrics["chamfer"], metrics["iou"], metrics["faces"]) == (None, 0.0, 0)
    assert not (tmp_path / "mesh.ply").exists()
    assert "no surface yet" in (tmp_path / "report.html").read_text()


def test_only_shapes_have_a_surface() -> None:
    info = SignalInfo("image", "a.png", 3, (8, 8), 0.5, 0.5, True)
    with pytest.raises(InputError, match="fitted to a picture, which has no surface"):
        fitted_mesh(fitted(0.5, info), 32)


def test_bands_of_a_shape(target: ShapeTarget) -> None:
    bands = ShapeBands(target, side=24)
    truth = fitted(0.9, target.info).field
    edges, exact = bands(truth, torch.device("cpu"))
    assert len(edges) == len(exact) + 1
    assert max(exact) < -25.0  # a sphere of many faces is almost the sphere itself
    _, empty = bands(fitted(-1.0, target.info).field, torch.device("cpu"))
    assert empty[2] == pytest.approx(0.0, abs=1e-3)  # a constant lacks all but the mean
