"""Distances between surfaces, against closed forms, brute force in float64 and scipy."""

import math

import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial import cKDTree
from torch import Tensor

from passband.errors import InputError
from passband.inr.targets import sample_mesh
from passband.media import Mesh
from passband.recon.evaluation import component_count, nearest_in_cloud, surface_distances

EMPTY = Mesh(torch.zeros(0, 3, dtype=torch.float64), torch.zeros(0, 3, dtype=torch.int64))


def sphere(radius: float, subdivisions: int = 5, at: tuple[float, ...] = (0, 0, 0)) -> Mesh:
    surface = trimesh.creation.icosphere(subdivisions, radius)
    vertices = torch.from_numpy(np.asarray(surface.vertices) + np.array(at))
    return Mesh(vertices, torch.from_numpy(np.asarray(surface.faces, dtype=np.int64)))


def square(height: float, side: float = 1.0) -> Mesh:
    corners = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]).double() * side
    return Mesh(
        corners + torch.tensor([0, 0, height]).double(), torch.tensor([[0, 1, 2], [0, 2, 3]])
    )


def joined(a: Mesh, b: Mesh) -> Mesh:
    vertices = torch.cat((a.vertices, b.vertices))
    return Mesh(vertices, torch.cat((a.faces, b.faces + len(a.vertices))))


def to_triangle(point: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Distance from a point to a triangle: its plane where the foot is inside, else its edges."""
    normal = np.cross(b - a, c - a)
    foot = point - normal * np.dot(point - a, normal) / np.dot(normal, normal)
    inside = all(
        np.dot(np.cross(q - p, foot - p), normal) >= 0 for p, q in ((a, b), (b, c), (c, a))
    )
    if inside:
        return float(np.linalg.norm(point - foot))
    gaps = []
    for p, q in ((a, b), (b, c), (c, a)):
        share = np.clip(np.dot(point - p, q - p) / np.dot(q - p, q - p), 0, 1)
        gaps.append(float(np.linalg.norm(point - p - share * (q - p))))
    return min(gaps)


def test_concentric_spheres_are_their_difference_apart() -> None:
    found = surface_distances(sphere(2.3), sphere(2.0), samples=4000)
    for distances in (found.accuracy, found.completeness):
        assert distances.shape == (4000,)
        # Flat faces of an icosphere lie below the sphere by at most 7e-4 of its radius.
        torch.testing.assert_close(distances, torch.full_like(distances, 0.3), atol=2e-3, rtol=0)
    assert found.chamfer == pytest.approx(0.3, abs=1e-3)
    assert found.f_score(0.31) == 1.0
    assert found.f_score(0.29) == 0.0
    assert found.normal_consistency == pytest.approx(1.0, abs=2e-3)


def test_units_are_those_of_the_meshes_and_places_do_not_matter() -> None:
    found = surface_distances(square(600.25, 100.0), square(600.0, 100.0), samples=500)
    torch.testing.assert_close(
        found.accuracy, torch.full_like(found.accuracy, 0.25), atol=1e-4, rtol=0
    )
    assert found.chamfer == pytest.approx(0.25, abs=1e-5)
    same = surface_distances(sphere(50.0, 3, (500, -200, 0)), sphere(50.0, 3, (500, -200, 0)))
    assert same.chamfer < 1e-4
    assert len(same.accuracy) == 30_000


def test_a_mesh_that_lacks_a_part_is_accurate_but_not_complete() -> None:
    both = joined(square(0.0), square(2.0))
    found = surface_distances(square(0.0), both, samples=2000)
    assert float(found.accuracy.max()) < 1e-6
    assert float(found.completeness.mean()) == pytest.approx(1.0, abs=0.1)  # half of it at 2
    other = surface_distances(both, square(0.0), samples=2000)
    assert float(other.completeness.max()) < 1e-6
    precision = float((other.accuracy <= 0.1).double().mean())
    assert other.f_score(0.1) == pytest.approx(2 * precision / (1 + precision))


def test_distances_are_those_of_a_loop_over_triangles() -> None:
    generator = torch.Generator().manual_seed(3)
    truth = Mesh(
        torch.rand(12, 3, generator=generator, dtype=torch.float64), torch.arange(12).reshape(4, 3)
    )
    points = torch.rand(20, 3, generator=generator, dtype=torch.float64) * 3 - 1
    # Every sampled point of this mesh is a vertex of it: triangles a millionth wide.
    tiny = points[:, None] + 1e-7 * torch.eye(3).double()
    mesh = Mesh(tiny.reshape(-1, 3), torch.arange(60).reshape(20, 3))
    found = surface_distances(mesh, truth, samples=200).accuracy.numpy()
    corners = truth.vertices[truth.faces].numpy()
    wanted = np.array([min(to_triangle(p, *t) for t in corners) for p in points.numpy()])
    assert np.abs(found[:, None] - wanted).min(axis=1).max() < 1e-5
    assert len(np.unique(np.abs(found[:, None] - wanted).argmin(axis=1))) > 15


def test_against_a_cloud() -> None:
    truth, mesh = sphere(1.0), sphere(1.2)
    cloud, _ = sample_mesh(truth, 6000, generator=torch.Generator().manual_seed(1))
    found = surface_distances(mesh, cloud, samples=3000)
    assert len(found.accuracy) == 3000
    assert len(found.completeness) == 3000
    torch.testing.assert_close(
        found.completeness, torch.full_like(found.completeness, 0.2), atol=2e-3, rtol=0
    )
    assert 0.2 - 1e-3 <= float(found.accuracy.min())
    assert float(found.accuracy.mean()) < 0.205
    assert found.normal_consistency is None
    few = surface_distances(mesh, cloud[:50].float(), samples=3000)
    assert len(few.completeness) == 50


def test_the_same_seed_gives_the_same_points() -> None:
    a, b, c = (
        surface_distances(sphere(1.0, 2), square(0.0), samples=50, seed=s) for s in (4, 4, 5)
    )
    assert torch.equal(a.accuracy, b.accuracy)
    assert not torch.equal(a.accuracy, c.accuracy)


def test_nearest_in_cloud_is_a_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    points, cloud = torch.rand(2, 30, 3, generator=generator, dtype=torch.float64)
    wanted = [min(math.dist(p, q) for q in cloud.tolist()) for p in points.tolist()]
    torch.testing.assert_close(
        nearest_in_cloud(points, cloud), torch.tensor(wanted).double(), atol=1e-7, rtol=0
    )
    theirs = cKDTree(cloud.numpy()).query(points.numpy())[0]
    np.testing.assert_array_equal(nearest_in_cloud(points, cloud).numpy(), theirs)


@pytest.mark.parametrize(
    ("mesh", "truth", "samples", "match"),
    [
        (square(0.0), square(0.0), 0, r"`samples` \(=0\) must be at least 1"),
        (EMPTY, square(0.0), 9, "`mesh` has no faces"),
        (EMPTY, torch.zeros(3, 3), 9, "`mesh` has no faces"),
        (square(0.0), EMPTY, 9, "`target` has no faces"),
        (square(0.0), torch.zeros(0, 3), 9, "`cloud` holds no points"),
    ],
)
def test_what_cannot_be_compared(
    mesh: Mesh, truth: Mesh | Tensor, samples: int, match: str
) -> None:
    with pytest.raises(InputError, match=match):
        surface_distances(mesh, truth, samples=samples)


def test_components_hang_together_by_vertices() -> None:
    a, b = sphere(1.0, 1), sphere(1.0, 1, (5, 0, 0))
    assert component_count(joined(a, b)) == 2
    assert component_count(joined(joined(a, b), square(9.0))) == 3
    touching = Mesh(torch.rand(5, 3).double(), torch.tensor([[0, 1, 2], [2, 3, 4]]))
    assert component_count(touching) == 1
    loose = Mesh(torch.rand(9, 3).double(), touching.faces)  # vertices without faces do not count
    assert component_count(loose) == 1
    peer = trimesh.Trimesh(*(t.numpy() for t in (joined(a, b).vertices, joined(a, b).faces)))
    assert component_count(joined(a, b)) == peer.body_count
    assert component_count(EMPTY) == 0
