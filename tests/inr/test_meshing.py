"""Marching cubes in blocks, against closed forms and scikit-image on the whole lattice."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes
from torch import Tensor

from passband.errors import InputError
from passband.inr._meshing import extract_mesh, largest_component
from passband.media import Mesh

Sdf = Callable[[Tensor], Tensor]


def ball(x: Tensor) -> Tensor:
    return x.norm(dim=-1) - 0.6


def torus(x: Tensor) -> Tensor:
    ring = x[:, :2].norm(dim=-1) - 0.55
    return torch.stack((ring, x[:, 2])).norm(dim=0) - 0.2


def shell(x: Tensor) -> Tensor:
    return ball(x).abs() - 0.004  # thinner than half a cell of what it is meshed with


def sheets(x: Tensor) -> Tensor:
    a, b = (6 * x).sin(), (6 * x).cos().roll(1, dims=-1)
    return torch.maximum((a * b).sum(dim=-1).abs() / 10 - 0.03, x.norm(dim=-1) - 0.9)


def box(x: Tensor) -> Tensor:
    return x.abs().amax(dim=-1) - 0.5


def noise(cells: int) -> Sdf:
    """Independent values at the nodes: all cases of marching cubes, the ambiguous ones too."""
    table = torch.randn((cells + 1,) * 3, generator=torch.Generator().manual_seed(0))
    table[[0, -1]] = table[:, [0, -1]] = table[:, :, [0, -1]] = 1.0

    def sdf(x: Tensor) -> Tensor:
        i, j, k = ((x + 1) * (cells / 2)).round().long().unbind(-1)
        return table[i.clamp(0, cells), j.clamp(0, cells), k.clamp(0, cells)]

    return sdf


def peer(mesh: Mesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy(), process=False)


def canonical(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Vertices, and faces each from its lowest vertex on, in order."""
    faces = mesh.faces.numpy()
    first = faces.argmin(axis=1)[:, None]
    turned = np.take_along_axis(faces, (first + np.arange(3)) % 3, axis=1)
    return mesh.vertices.numpy(), turned[np.lexsort(turned.T[::-1])]


def assert_same(mesh: Mesh, other: Mesh) -> None:
    for ours, theirs in zip(canonical(mesh), canonical(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("sdf", "volume", "area", "euler"),
    [
        (ball, 4 / 3 * math.pi * 0.6**3, 4 * math.pi * 0.6**2, 2),
        (torus, 2 * math.pi**2 * 0.55 * 0.2**2, 4 * math.pi**2 * 0.55 * 0.2, 0),
        (box, 1.0, 6.0, 2),
    ],
)
def test_closed_forms(sdf: Sdf, volume: float, area: float, euler: int) -> None:
    surface = peer(extract_mesh(sdf, 90, block=32))
    assert surface.is_watertight
    assert surface.is_winding_consistent
    assert surface.euler_number == euler
    assert surface.volume == pytest.approx(volume, rel=3e-3)  # positive: faces look outwards
    # Marching cubes cuts the edges of a box.
    assert surface.area == pytest.approx(area, rel=0.015 if sdf is box else 3e-3)
    assert float(sdf(torch.from_numpy(surface.vertices)).abs().max()) < 2e-3


@pytest.mark.parametrize("sdf", [torus, sheets])
def test_agrees_with_scikit_image_on_the_whole_lattice(sdf: Sdf) -> None:
    cells = 50
    axis = -1 + np.arange(cells + 1) * 2 / cells
    nodes = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).astype(np.float32)
    volume = sdf(torch.from_numpy(nodes.reshape(-1, 3))).reshape(nodes.shape[:3]).numpy()
    theirs, faces, _, _ = marching_cubes(volume, 0.0)
    ours = extract_mesh(sdf, cells, block=16)
    assert len(ours.faces) == len(faces)
    assert len(ours.vertices) == len(theirs)
    # It interpolates with weights in float32, and goes up to the nodes.
    distance, match = cKDTree(theirs * 2 / cells - 1).query(ours.vertices.numpy())
    assert distance.max() < 2e-4 * 2 / cells + 1e-6
    assert len(np.unique(match)) == len(theirs)


@pytest.mark.parametrize("sdf", [ball, torus, shell, sheets])
@pytest.mark.parametrize(("cells", "block"), [(32, 8), (61, 24)])
def test_blocks_make_the_mesh_of_one_block(sdf: Sdf, cells: int, block: int) -> None:
    whole = extract_mesh(sdf, cells, block=64)
    assert_same(extract_mesh(sdf, cells, block=block), whole)
    assert peer(whole).is_watertight


def test_noise_is_closed_in_any_blocks() -> None:
    whole = extract_mesh(noise(29), 29, block=32)
    assert_same(extract_mesh(noise(29), 29, block=8), whole)
    edges = np.sort(whole.faces.numpy()[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 2).all()
    assert peer(whole).is_winding_consistent
    assert (peer(whole).area_faces > 0).all()


def test_skipping_changes_nothing_and_saves_most() -> None:
    counts = []

    def counted(x: Tensor) -> Tensor:
        counts[-1] += len(x)
        return shell(x)

    meshes = []
    for lipschitz in (None, 1.0, math.inf):
        counts.append(0)
        meshes.append(extract_mesh(counted, 128, lipschitz=lipschitz))
    assert_same(meshes[0], meshes[2])
    assert_same(meshes[1], meshes[2])
    assert counts[2] == 129**3 + 16**3
    assert counts[0] < 0.45 * counts[2]
    assert counts[1] < counts[0]


def test_coarse_lattices_do_not_miss_what_lies_between_the_bricks() -> None:
    mesh = extract_mesh(lambda x: x.norm(dim=-1) - 0.3, 16)  # as far from all 8 brick centres
    assert peer(mesh).volume == pytest.approx(4 / 3 * math.pi * 0.3**3, rel=0.2)


@pytest.mark.parametrize("block", [8, 16, 64])
def test_a_surface_is_followed_into_skipped_bricks(block: int) -> None:
    assert_same(extract_mesh(torus, 64, block=block, lipschitz=0.2), extract_mesh(torus, 64))


def test_every_node_is_evaluated_once() -> None:
    seen: list[Tensor] = []

    def recorded(x: Tensor) -> Tensor:
        seen.append(x.clone())
        return torus(x)

    extract_mesh(recorded, 48, block=16, lipschitz=0.3)
    nodes = torch.cat(seen)[6**3 :]  # after the centres of the bricks
    assert len(torch.unique(nodes, dim=0)) == len(nodes)


def test_closed_even_if_no_two_evaluations_agree() -> None:
    generator = torch.Generator().manual_seed(0)

    def rounding(x: Tensor) -> Tensor:
        return torus(x) + 1e-2 * torch.randn(len(x), generator=generator)

    assert peer(extract_mesh(rounding, 48, block=8)).is_watertight


def test_nodes_on_the_level_leave_no_degenerate_triangles() -> None:
    surface = peer(extract_mesh(lambda x: x.abs().sum(dim=-1) - 0.5, 32, block=16))
    assert surface.is_watertight
    assert (surface.area_faces > 0).all()
    assert surface.volume == pytest.approx(4 / 3 * 0.5**3, rel=1e-3)


def test_level_bounds_and_a_channel_axis() -> None:
    def column(x: Tensor) -> Tensor:
        return 3 * (x - 5).norm(dim=-1, keepdim=True)

    mesh = extract_mesh(column, 40, level=1.5, bounds=(4.0, 6.0))
    radius = (mesh.vertices - 5).norm(dim=-1)
    assert float((radius - 0.5).abs().max()) < 2e-3
    assert mesh.vertices.dtype == torch.float64
    assert mesh.faces.dtype == torch.int64


def test_open_only_where_the_surface_leaves_the_cube() -> None:
    mesh = extract_mesh(lambda x: x.norm(dim=-1) - 1.2, 30, block=16)
    assert not mesh.watertight
    ends = mesh.vertices[mesh.boundary].abs().amax(dim=-1)
    assert float((ends - 1).abs().max()) < 1e-12


def test_progress_ends_with_everything_done() -> None:
    calls: list[tuple[int, int]] = []
    extract_mesh(torus, 64, block=16, lipschitz=0.2, progress=lambda *n: calls.append(n))
    assert [done for done, _ in calls] == list(range(1, len(calls) + 1))
    assert calls[-1][0] == calls[-1][1]


def test_largest_component_drops_floaters() -> None:
    def two(x: Tensor) -> Tensor:
        return torch.minimum(x.norm(dim=-1) - 0.4, (x - 0.8).norm(dim=-1) - 0.1)

    both = extract_mesh(two, 48)
    one = largest_component(Mesh(both.vertices, both.faces, torch.rand(len(both.vertices), 3)))
    assert peer(both).body_count == 2
    assert peer(one).is_watertight
    assert peer(one).volume == pytest.approx(4 / 3 * math.pi * 0.4**3, rel=0.01)
    assert one.colors is not None
    assert len(one.colors) == len(one.vertices)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resolution": 1}, r"`resolution` \(=1\) must be 2 to 4096"),
        ({"resolution": 5000}, "`resolution`"),
        ({"bounds": (1.0, -1.0)}, "`bounds`.*must be finite and rise"),
        ({"bounds": (-math.inf, 1.0)}, "`bounds`"),
        ({"block": 60}, r"`block` \(=60\) must be a multiple of 8"),
        ({"block": 512}, "`block`"),
        ({"lipschitz": 0.0}, r"`lipschitz` \(=0\) must be positive"),
        ({"lipschitz": math.nan}, "`lipschitz`"),
        ({"level": 7.0}, r"does not cross `level` \(=7\)"),
        ({"sdf": lambda x: x.sum(-1) * math.nan}, "holds NaN or inf"),
        ({"sdf": lambda x: torch.ones(len(x))}, "it holds 1 to 1 where"),
    ],
)
def test_bad_input(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        extract_mesh(**{"sdf": ball, "resolution": 16, **arguments})
