"""Meshes out of distances: cropped, coloured, placed and cleaned, against closed forms."""

import math

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr._meshing import extract_mesh
from passband.media import Mesh, read_mesh, write_mesh
from passband.recon.meshing import (
    cleaned,
    colored,
    cropped,
    frontal_color,
    placed,
    surface_mesh,
    unit_ball,
    vertex_normals,
)
from passband.recon.rendering import Geometry


def ball(x: Tensor) -> Tensor:
    return x.norm(dim=-1) - 0.6


def two_balls(x: Tensor) -> Tensor:
    other = (x - torch.tensor([0.8, 0.0, 0.0])).norm(dim=-1) - 0.1
    return torch.minimum(x.norm(dim=-1) - 0.5, other)


def turned(angle: float, scale: float, shift: tuple[float, float, float]) -> Tensor:
    matrix = torch.eye(4, dtype=torch.float64)
    c, s = math.cos(angle), math.sin(angle)
    matrix[:3, :3] = scale * torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    matrix[:3, 3] = torch.tensor(shift)
    return matrix


def volume(mesh: Mesh) -> float:
    return float(trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy(), process=False).volume)


def test_a_sphere_in_the_world() -> None:
    shift = (30.0, -20.0, 600.0)
    mesh = surface_mesh(ball, 64, to_world=turned(0.7, 200.0, shift).float())
    radii = (mesh.vertices - torch.tensor(shift).double()).norm(dim=1)
    torch.testing.assert_close(radii, torch.full_like(radii, 120.0), atol=0.2, rtol=0)
    assert mesh.watertight
    assert volume(mesh) == pytest.approx(4 / 3 * math.pi * 120.0**3, rel=5e-3)
    assert mesh.colors is None


def test_largest_part_or_all() -> None:
    assert float(surface_mesh(two_balls, 48).vertices.max()) < 0.51
    both = surface_mesh(two_balls, 48, largest=False)
    assert float(both.vertices.max()) == pytest.approx(0.9, abs=0.02)


def test_a_smooth_crop_is_the_intersection() -> None:
    """A ball cut by a half space is closed, and as large as a cap says."""
    mesh = surface_mesh(ball, 64, within=lambda x: x[:, 2] - 0.2)
    height = 0.6 + 0.2
    cap = math.pi * height**2 * (3 * 0.6 - height) / 3
    assert mesh.watertight
    assert volume(mesh) == pytest.approx(cap, rel=0.01)
    assert float(mesh.vertices[:, 2].max()) == pytest.approx(0.2, abs=1e-3)


def test_a_crop_by_inside_and_outside_is_closed_within_a_cell() -> None:
    mesh = surface_mesh(ball, 64, within=lambda x: x[:, 2] < 0.2)
    assert mesh.watertight
    assert 0.2 - 2 / 64 < float(mesh.vertices[:, 2].max()) < 0.2 + 2 / 64
    kept = mesh.vertices[mesh.vertices[:, 2] < 0.15]
    torch.testing.assert_close(
        kept.norm(dim=1), torch.full((len(kept),), 0.6).double(), atol=1e-3, rtol=0
    )


def test_a_crop_that_meets_nothing_changes_nothing() -> None:
    plain = surface_mesh(ball, 40)
    for within in (unit_ball, lambda x: unit_ball(x) < 0):
        other = surface_mesh(ball, 40, within=within)
        torch.testing.assert_close(other.vertices, plain.vertices, atol=1e-6, rtol=0)
        assert torch.equal(other.faces, plain.faces)


def test_what_is_outside_the_region_is_gone() -> None:
    mesh = surface_mesh(two_balls, 48, within=lambda x: x.norm(dim=-1) < 0.6, largest=False)
    assert float(mesh.vertices.max()) < 0.51
    with pytest.raises(InputError, match="does not cross"):
        surface_mesh(ball, 32, within=lambda x: torch.zeros(len(x), dtype=torch.bool))


def test_cropped_takes_columns_and_other_devices_dtypes() -> None:
    values = cropped(lambda x: x[:, :1].double(), lambda x: x[:, 1] < 0, step=0.25)
    found = values(torch.tensor([[-1.0, -1, 0], [-1, 1, 0], [2, 1, 0]]))
    assert found.tolist() == [-1.0, 0.25, 2.0]
    assert found.dtype == torch.float64


def test_colours_are_taken_in_the_scene_with_normals_out() -> None:
    seen = []

    def color(points: Tensor, normals: Tensor) -> Tensor:
        seen.append((points, normals))
        return 0.5 + 0.5 * normals

    mesh = surface_mesh(ball, 64, color=color, to_world=turned(0.0, 50.0, (7.0, 0.0, 0.0)))
    points, normals = (torch.cat(parts) for parts in zip(*seen, strict=True))
    assert points.dtype == torch.float32
    torch.testing.assert_close(
        points.norm(dim=1), torch.full((len(points),), 0.6), atol=1e-3, rtol=0
    )
    assert float((normals - points / 0.6).norm(dim=1).max()) < 0.05
    assert mesh.colors is not None
    outward = (mesh.vertices - torch.tensor([7.0, 0, 0]).double()) / 30
    assert float((mesh.colors - 0.5 - outward / 2).abs().max()) < 0.05


def test_colours_go_to_files(tmp_path) -> None:
    mesh = surface_mesh(ball, 24, color=lambda x, n: 0.5 + 0.5 * n)
    for suffix in (".ply", ".obj", ".glb"):
        write_mesh(tmp_path / f"a{suffix}", mesh)
        back = read_mesh(tmp_path / f"a{suffix}")
        assert back.watertight
        assert back.colors is not None
        expected = (0.5 + 0.5 * back.vertices / back.vertices.norm(dim=1, keepdim=True)).float()
        assert float((back.colors - expected).abs().max()) < 0.06


def test_colours_are_in_range_and_without_gradients() -> None:
    weight = torch.ones(3, requires_grad=True)
    mesh = colored(extract_mesh(ball, 16), lambda x, n: 9 * n * weight)
    assert mesh.colors is not None
    assert not mesh.colors.requires_grad
    assert (float(mesh.colors.min()), float(mesh.colors.max())) == (0.0, 1.0)


class Lit(nn.Module):
    """A ball whose colour tells direction, normal and features."""

    def distance(self, x: Tensor) -> Tensor:
        return ball(x)

    def geometry(self, x: Tensor) -> Geometry:
        x = x.detach().requires_grad_()
        distance = ball(x)
        (gradient,) = torch.autograd.grad(distance.sum(), x, create_graph=True)
        return Geometry(distance, 3.0 * gradient, x[:, :1])

    def color(self, x: Tensor, normal: Tensor, direction: Tensor, features: Tensor) -> Tensor:
        cosine = (normal * direction).sum(dim=1)
        return torch.stack((-cosine, normal.norm(dim=1) / 2, features[:, 0] / 2 + 0.5), dim=1)


def test_a_surface_is_coloured_as_seen_from_the_front() -> None:
    mesh = surface_mesh(ball, 24, color=frontal_color(Lit()))
    assert mesh.colors is not None
    torch.testing.assert_close(mesh.colors[:, :2].mean(0), torch.tensor([1.0, 0.5]))
    torch.testing.assert_close(mesh.colors[:, 2], mesh.vertices[:, 0].float() / 2 + 0.5)


def test_vertex_normals_are_those_of_trimesh() -> None:
    mesh = extract_mesh(two_balls, 24)
    peer = trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy(), process=False)
    weighted = np.zeros((len(mesh.vertices), 3))
    for face, area, normal in zip(peer.faces, peer.area_faces, peer.face_normals, strict=True):
        weighted[face] += area * normal
    weighted /= np.linalg.norm(weighted, axis=1, keepdims=True)
    np.testing.assert_allclose(vertex_normals(mesh).numpy(), weighted, atol=1e-9)


def test_a_mirror_keeps_the_outside_out() -> None:
    mesh = extract_mesh(ball, 16)
    mirror = torch.diag(torch.tensor([-2.0, 2.0, 2.0, 1.0]).double())
    assert volume(placed(mesh, mirror)) == pytest.approx(8 * volume(mesh))
    back = placed(placed(mesh, mirror), torch.linalg.inv(mirror))
    torch.testing.assert_close(back.vertices, mesh.vertices)
    assert torch.equal(back.faces, mesh.faces)


@pytest.mark.parametrize("fault", ["nan", "singular", "projective"])
def test_no_placing_without_a_similarity(fault: str) -> None:
    matrix = torch.eye(4)
    if fault == "nan":
        matrix[0, 3] = math.nan
    elif fault == "singular":
        matrix[2, 2] = 0.0
    else:
        matrix[3, 0] = 1.0
    with pytest.raises(InputError, match="finite and invertible with last row 0 0 0 1"):
        surface_mesh(ball, 16, to_world=matrix)


def test_a_closed_surface_stays_closed_far_from_the_origin() -> None:
    """At 1e4 single precision steps by 1e-3, a thirtieth of a cell; vertices 1e-4 of one apart."""
    shift = torch.eye(4)
    shift[:3, 3] = torch.tensor([1e4, -1e4, 1e4])
    rounded = surface_mesh(lambda x: ball(x + 0.00321), 64, to_world=shift)
    assert rounded.dropped > 0
    assert rounded.watertight
    assert torch.equal(rounded.vertices, rounded.vertices.float().double())
    corners = rounded.vertices[rounded.faces]
    for a, b in ((0, 1), (1, 2), (2, 0)):
        assert bool((corners[:, a] != corners[:, b]).any(dim=1).all())


def test_cleaning_keeps_touching_parts_apart_and_colours_in_step() -> None:
    near = extract_mesh(ball, 12)
    apart = Mesh(
        torch.cat((near.vertices, near.vertices + 1e-12, torch.zeros(2, 3).double())),
        torch.cat((near.faces, near.faces + len(near.vertices))),
        torch.rand(2 * len(near.vertices) + 2, 3, generator=torch.Generator().manual_seed(0)),
    )
    mesh = cleaned(apart)
    assert len(mesh.vertices) == 2 * len(near.vertices)  # the two without faces are gone
    assert mesh.dropped == 0
    assert apart.colors is not None
    assert mesh.colors is not None
    assert torch.equal(mesh.colors[mesh.faces], apart.colors[apart.faces])


def test_a_chain_of_short_edges_becomes_one_vertex() -> None:
    strip = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1e-12, 0], [1, 2e-12, 0], [1, 3e-12, 0]])
    strip = strip.double() + torch.tensor([0.0, 1.0, 0.0])
    faces = torch.tensor([[0, 4, 3], [0, 3, 2], [0, 2, 1], [0, 1, 5]])
    mesh = cleaned(Mesh(torch.cat((strip, torch.tensor([[0.0, 0, 1]]).double())), faces))
    assert (len(mesh.vertices), len(mesh.faces), mesh.dropped) == (3, 1, 3)


@pytest.mark.parametrize("resolution", [1, 5000])
def test_resolution_has_bounds(resolution: int) -> None:
    with pytest.raises(InputError, match=r"`resolution` .* must be 2 to 4096"):
        surface_mesh(ball, resolution)


def test_memory_grows_with_the_surface_not_the_cube() -> None:
    """At 256 the lattice would be 17 million values; no call sees more than a batch of 2^16."""
    most, total = 0, 0

    def counted(x: Tensor) -> Tensor:
        nonlocal most, total
        most, total = max(most, len(x)), total + len(x)
        return ball(x)

    surface_mesh(counted, 256)
    assert most <= 2**16
    assert total < 257**3 / 5
