"""Shapes as targets, against closed forms, a plain loop and winding numbers."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("trimesh", reason="meshes are an extra")
pytest.importorskip("open3d", reason="shapes are an extra")

import trimesh

from passband.errors import InputError, MissingDependencyError
from passband.inr import Field, encodings, networks
from passband.inr._shape_objective import ShapeObjective, mape
from passband.inr.targets import (
    ShapeSampler,
    ShapeTarget,
    SignedDistance,
    sample_mesh,
    sample_near_surface,
    sample_surface,
    sample_volume,
    shape_importance,
    shape_samples,
    shape_target,
    to_world,
)
from passband.inr.targets._shape_winding import cone_closing, solid_angle
from passband.media import Mesh, read_mesh, write_mesh


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def as_mesh(surface: trimesh.Trimesh) -> Mesh:
    vertices = torch.tensor(np.asarray(surface.vertices), dtype=torch.float64)
    return Mesh(vertices, torch.tensor(np.asarray(surface.faces), dtype=torch.int64))


def box(*extents: float) -> Mesh:
    return as_mesh(trimesh.creation.box(extents))


def ball(radius: float = 1.0, *, at: float = 0.0, subdivisions: int = 3) -> Mesh:
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return as_mesh(sphere.apply_translation([at, 0.0, 0.0]))


def together(*meshes: Mesh) -> Mesh:
    starts = [sum(len(m.vertices) for m in meshes[:k]) for k in range(len(meshes))]
    faces = torch.cat([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)])
    return Mesh(torch.cat([mesh.vertices for mesh in meshes]), faces)


def turned(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, mesh.faces.flip(1))


def target_of(mesh: Mesh, folder: Path) -> ShapeTarget:
    write_mesh(folder / "shape.obj", mesh)
    return shape_target(str(folder / "shape.obj"))


@pytest.fixture(scope="module")
def bunny(data: Path) -> ShapeTarget:
    return shape_target(str(data / "meshes" / "stanford-bunny.obj"))


def cube_points(n: int, size: float = 1.0, seed: int = 0) -> torch.Tensor:
    return size * (2 * torch.rand(n, 3, generator=seeded(seed)) - 1)


def box_distance(points: torch.Tensor, half: torch.Tensor) -> torch.Tensor:
    beyond = points.abs() - half
    return beyond.clamp_min(0).norm(dim=1) + beyond.amax(dim=1).clamp_max(0)


def triangle_distance(p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Distance of a point to a triangle: to its plane inside it, else to the nearest edge."""
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal)
    sides = [np.dot(np.cross(v - u, p - u), normal) for u, v in ((a, b), (b, c), (c, a))]
    if min(sides) >= 0:
        return abs(float(np.dot(p - a, normal)))
    best = math.inf
    for u, v in ((a, b), (b, c), (c, a)):
        along = np.clip(np.dot(p - u, v - u) / np.dot(v - u, v - u), 0, 1)
        best = min(best, float(np.linalg.norm(p - u - along * (v - u))))
    return best


def test_box_matches_its_closed_form() -> None:
    points = cube_points(5000)
    distance = SignedDistance(box(1.0, 0.6, 1.4))(points)
    wanted = box_distance(points.double(), torch.tensor([0.5, 0.3, 0.7]).double())
    assert distance.dtype == torch.float32
    torch.testing.assert_close(distance.double(), wanted, atol=2e-7, rtol=0)


def test_sphere_matches_its_closed_form_to_the_height_of_its_faces() -> None:
    sphere = ball(0.7, subdivisions=4)
    points = cube_points(5000)
    flatness = 0.7 - float(sphere.vertices[sphere.faces].mean(dim=1).norm(dim=1).min())
    error = SignedDistance(sphere)(points) - (points.norm(dim=1) - 0.7)
    assert error.min() > -1e-6
    assert error.max() < flatness + 1e-6  # the faces lie inside the sphere
    assert flatness < 1e-3


def test_distance_matches_a_plain_loop(tmp_path: Path) -> None:
    sphere = ball(subdivisions=2)
    noise = 1 + 0.3 * torch.rand(len(sphere.vertices), 1, generator=seeded(), dtype=torch.float64)
    target = target_of(Mesh(sphere.vertices * noise, sphere.faces), tmp_path)
    corners = target.mesh.vertices[target.mesh.faces].numpy()
    points = torch.cat((cube_points(8), sample_near_surface(target, 4, 0.01, seeded())))
    for point, found in zip(points.double().numpy(), target.distance(points), strict=True):
        wanted = min(triangle_distance(point, *triangle) for triangle in corners)
        assert abs(float(found)) == pytest.approx(wanted, abs=5e-7)


@pytest.mark.parametrize("name", ["3holes.off", "spot.obj"])
def test_sign_matches_the_parity_of_eleven_rays(data: Path, name: str) -> None:
    import open3d

    target = shape_target(str(data / "meshes" / name))
    points = torch.cat((cube_points(5000), sample_near_surface(target, 5000, 0.02, seeded())))
    scene = open3d.t.geometry.RaycastingScene()
    scene.add_triangles(
        open3d.core.Tensor(target.mesh.vertices.float().numpy()),
        open3d.core.Tensor(target.mesh.faces.numpy().astype("uint32")),
    )
    theirs = scene.compute_signed_distance(open3d.core.Tensor(points.numpy()), nsamples=11)
    assert torch.equal(target.distance(points), torch.from_numpy(theirs.numpy()))


def test_any_batch_shape() -> None:
    distance = SignedDistance(box(1.0, 1.0, 1.0))
    points = cube_points(24)
    assert torch.equal(distance(points.reshape(2, 3, 4, 3)), distance(points).reshape(2, 3, 4))
    assert distance(points[:0]).shape == (0,)
    assert distance(points[0]).shape == ()
    assert distance(torch.full((2, 3), math.nan)).isnan().all()


def test_overlapping_nested_and_inverted_parts() -> None:
    points = torch.tensor([[0.0, 0, 0], [0.4, 0, 0], [-0.4, 0, 0], [0.9, 0, 0]])
    overlapping = together(ball(0.5, at=0.3), ball(0.5, at=-0.3))
    assert SignedDistance(overlapping).inside(points).tolist() == [True, True, True, False]
    hollow = together(ball(0.5), turned(ball(0.2)))
    assert SignedDistance(hollow).inside(points).tolist() == [False, True, True, False]
    assert SignedDistance(turned(ball(0.5))).inside(points).tolist() == [True, True, True, False]


def test_closed_surface_with_faces_turned_at_random() -> None:
    sphere = ball(0.6)
    flipped = torch.rand(len(sphere.faces), generator=seeded()) < 0.5
    mesh = Mesh(sphere.vertices, torch.where(flipped[:, None], sphere.faces.flip(1), sphere.faces))
    assert mesh.watertight
    points = cube_points(4000)
    assert torch.equal(SignedDistance(mesh).inside(points), SignedDistance(sphere).inside(points))


def test_solid_angle_of_a_closed_surface() -> None:
    sphere = ball(0.8)
    inside = cube_points(200, 0.4)
    outside = torch.nn.functional.normalize(cube_points(200), dim=1) * 0.9
    torch.testing.assert_close(
        solid_angle(inside, sphere),
        torch.full((200,), 4 * math.pi, dtype=torch.float64),
        atol=1e-9,
        rtol=0,
    )
    assert float(solid_angle(outside, sphere).abs().max()) < 1e-9


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_cones_close_any_part_of_a_surface(share: float) -> None:
    sphere = ball(0.8, subdivisions=2)
    kept = torch.rand(len(sphere.faces), generator=seeded()) < share
    part = Mesh(sphere.vertices, sphere.faces[kept])
    closing = cone_closing(part)
    corner = part.boundary.amax() + 1
    assert corner > 0
    assert len(closing.faces) == len(part.boundary)
    points = cube_points(500)
    whole = (solid_angle(points, part) + solid_angle(points, closing)) / (4 * math.pi)
    torch.testing.assert_close(whole, whole.round(), atol=1e-8, rtol=0)


def test_open_meshes_match_the_sum_of_solid_angles(bunny: ShapeTarget) -> None:
    """The bunny's holes, and its neck cut through so that much of it is in doubt."""
    mesh = bunny.mesh
    below = mesh.vertices[mesh.faces].mean(dim=1)[:, 1] < 0.3
    beheaded = Mesh(mesh.vertices, mesh.faces[below])
    for surface in (mesh, beheaded):
        points = torch.cat((cube_points(30), 0.3 * cube_points(30)))
        points = torch.cat((points, sample_mesh(surface, 30, generator=seeded())[0].float() + 2e-3))
        wanted = solid_angle(points, surface) / (4 * math.pi)
        distance = SignedDistance(surface)
        torch.testing.assert_close(distance.winding_number(points), wanted, atol=1e-5, rtol=0)
        clear = (wanted - 0.5).abs() > 1e-4
        assert torch.equal(distance.inside(points)[clear], (wanted.abs() > 0.5)[clear])
        assert 0.05 < float((wanted > 0.5).double().mean()) < 0.95


def test_a_soup_of_open_edges_is_judged_by_many_rays() -> None:
    sphere = ball(0.8, subdivisions=4)
    kept = torch.rand(len(sphere.faces), generator=seeded()) < 0.8
    soup = Mesh(sphere.vertices, sphere.faces[kept])
    assert len(soup.boundary) > 1024
    points = cube_points(400)
    far = (points.norm(dim=1) - 0.8).abs() > 0.1
    inside = SignedDistance(soup).inside(points)
    assert torch.equal(inside[far], (points.norm(dim=1) < 0.8)[far])
    rays = SignedDistance(soup).winding_number(points)
    assert float((rays - solid_angle(points, soup) / (4 * math.pi)).abs()[far].max()) < 0.25


def test_target_fills_the_cube_and_knows_its_world(tmp_path: Path) -> None:
    world = box(4.0, 2.0, 1.0)
    moved = Mesh(world.vertices + torch.tensor([10.0, -3.0, 0.5]), world.faces)
    target = target_of(moved, tmp_path)
    assert target.watertight
    torch.testing.assert_close(
        target.mesh.vertices.amax(0), torch.tensor([0.9, 0.45, 0.225]).double()
    )
    torch.testing.assert_close(target.mesh.vertices.amin(0), -target.mesh.vertices.amax(0))
    torch.testing.assert_close(to_world(target.info, target.mesh.vertices), moved.vertices)
    assert target.info.offset == pytest.approx((10.0, -3.0, 0.5))
    # A distance is scaled like a coordinate: the centre is half a unit of the world deep.
    assert float(target.distance(torch.zeros(1, 3))) * target.info.scale == pytest.approx(-0.5)


def test_surface_points_are_spread_by_area() -> None:
    mesh = box(1.0, 2.0, 4.0)
    points, normals = sample_mesh(mesh, 40_000, generator=seeded())
    axis = normals.abs().argmax(dim=1)
    share = torch.bincount(axis, minlength=3).double() / len(axis)
    torch.testing.assert_close(
        share, torch.tensor([8.0, 4.0, 2.0]).double() / 14, atol=0.01, rtol=0
    )
    assert float(box_distance(points, torch.tensor([0.5, 1.0, 2.0]).double()).abs().max()) < 1e-12
    top = points[normals[:, 2] > 0.5, :2]  # uniform on a face: variances of 1/12 and 4/12
    torch.testing.assert_close(
        top.var(dim=0), torch.tensor([1, 4]).double() / 12, atol=0.02, rtol=0
    )


def test_samples_near_and_around(tmp_path: Path) -> None:
    target = target_of(box(1.0, 1.0, 1.0), tmp_path)
    half = torch.full((3,), 0.9)
    near = sample_near_surface(target, 20_000, 0.01, seeded())
    noise = target.distance(near)
    flat = (near.abs() < 0.8).sum(dim=1) == 2  # near a face and far from its edges
    assert float(noise[flat].std()) == pytest.approx(0.01, rel=0.05)
    # Beyond three standard deviations lie 0.86 % of a logistic law, 0.27 % of a normal one.
    assert 0.006 < float((noise[flat].abs() > 0.03).double().mean()) < 0.0115
    assert float(box_distance(sample_surface(target, 100, seeded()), half).abs().max()) < 1e-6
    around = sample_volume(target, 20_000, seeded())
    assert float(around.abs().max()) <= 1.0
    torch.testing.assert_close(around.var(dim=0), torch.full((3,), 1 / 3), atol=0.01, rtol=0)
    with pytest.raises(InputError, match=r"`sigma` \(=0\) must be positive"):
        sample_near_surface(target, 5, 0.0)


def test_samples_follow_the_recipe_and_the_seed(tmp_path: Path) -> None:
    target = target_of(box(1.0, 1.0, 1.0), tmp_path)
    points, distances = shape_samples(target, 800, generator=seeded(3))
    assert points.dtype == distances.dtype == torch.float32
    assert int((distances == 0).sum()) == 400
    assert int((distances.abs() > 0.02).sum()) > 80  # a hundred lie anywhere
    torch.testing.assert_close(
        distances, box_distance(points, torch.full((3,), 0.9)), atol=1e-6, rtol=0
    )
    again = shape_samples(target, 800, generator=seeded(3))
    assert torch.equal(points, again[0])
    assert torch.equal(distances, again[1])


def test_batches_depend_on_seed_and_step_alone(tmp_path: Path) -> None:
    target = target_of(ball(), tmp_path)
    first, second = (ShapeSampler(target, 100, seed=5, pool=1000) for _ in range(2))
    for _ in range(7):
        first(_)
    for mine, other in zip(first(8), second(8), strict=True):
        assert torch.equal(mine, other)
    epoch = torch.cat([second(step)[0] for step in range(10)])
    assert len(torch.unique(epoch, dim=0)) == 1000  # each point once before any twice
    assert not torch.equal(first(0)[0], ShapeSampler(target, 100, seed=6, pool=1000)(0)[0])
    points, distances = first(3)
    assert points.shape == (100, 3)
    assert distances.shape == (100, 1)
    torch.testing.assert_close(target.distance(points)[:, None], distances, atol=1e-6, rtol=0)


def test_importance_is_the_inverse_distance(tmp_path: Path) -> None:
    target = target_of(box(1.0, 1.0, 1.0), tmp_path)
    points, weights = shape_importance(target, 400, eps=0.01, generator=seeded())
    wanted = 1 / (box_distance(points, torch.full((3,), 0.9)).abs() + 0.01)
    torch.testing.assert_close(weights, wanted, rtol=1e-3, atol=0)
    with pytest.raises(InputError, match=r"`eps` \(=0\) must be positive"):
        shape_importance(target, 5, eps=0.0)


def test_objective_is_the_relative_error_and_falls(tmp_path: Path) -> None:
    target = target_of(ball(), tmp_path)
    field = Field(encodings.Identity(3), networks.Siren(3, 1, generator=seeded()))
    sampler = ShapeSampler(target, 512, seed=0, pool=4096)
    objective = ShapeObjective(field, sampler, steps=100)
    points, wanted = ShapeSampler(target, 512, seed=0, pool=4096)(4)
    given = field(points)
    expected = ((given - wanted).abs() / (wanted.abs() + 0.01)).mean()
    torch.testing.assert_close(objective(4).loss, expected)
    torch.testing.assert_close(mape(given, wanted), expected)
    optimizer = torch.optim.Adam(field.parameters(), 1e-3)
    before = float(objective(0).loss.detach())
    for step in range(40):
        optimizer.zero_grad()
        objective(step).loss.backward()
        optimizer.step()
    assert float(objective(41).loss.detach()) < 0.5 * before


def test_shapes_without_an_inside_are_refused(tmp_path: Path) -> None:
    flat = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    (tmp_path / "flat.obj").write_text(flat)
    with pytest.raises(InputError, match=r"is flat \(1 x 1 x 0\): it has no inside"):
        shape_target(str(tmp_path / "flat.obj"))
    tilted = Mesh(torch.eye(3, dtype=torch.float64), torch.tensor([[0, 1, 2]]))
    with pytest.raises(InputError, match=r"encloses nothing: 3 of its edges are open"):
        target_of(tilted, tmp_path)
    write_mesh(tmp_path / "shape.obj", ball())
    with pytest.raises(InputError, match="more than `max_faces`"):
        shape_target(str(tmp_path / "shape.obj"), max_faces=10)


def test_without_open3d_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "open3d", None)
    with pytest.raises(MissingDependencyError, match="pip install 'passband\\[mesh\\]'"):
        SignedDistance(box(1.0, 1.0, 1.0))


def test_read_mesh_feeds_the_target(tmp_path: Path) -> None:
    target = target_of(ball(), tmp_path)
    assert torch.equal(target.mesh.faces, read_mesh(tmp_path / "shape.obj").faces)
    assert target.info.size == (256, 256, 256)
    assert target.info.kind == "shape"
