"""DTU's protocol on synthetic scans, against closed forms and plain loops."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from passband.errors import InputError
from passband.inr.targets import sample_mesh
from passband.media import Mesh, write_mesh
from passband.recon.evaluation import (
    ObservedVolume,
    dtu_scores,
    mesh_lattice,
    nearest_in_cloud,
    read_cloud,
    read_observed,
    read_plane,
    surface_distances,
    thinned,
)


def plate(height: float, side: float = 20.0, low: float = 0.0) -> Mesh:
    corners = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]).double() * side
    shift = torch.tensor([low, low, height]).double()
    return Mesh(corners + shift, torch.tensor([[0, 1, 2], [0, 2, 3]]))


def grid(height: float, side: float = 20.0, step: float = 0.25) -> torch.Tensor:
    ticks = torch.arange(0.0, side + step / 2, step)
    x, y = torch.meshgrid(ticks, ticks, indexing="ij")
    return torch.stack((x, y, torch.full_like(x, height)), dim=-1).reshape(-1, 3)


def greedy(points: np.ndarray, order: np.ndarray, spacing: float) -> list[int]:
    kept: list[int] = []
    for index in order:
        if all(math.dist(points[index], points[other]) > spacing for other in kept):
            kept.append(int(index))
    return sorted(kept)


@pytest.mark.parametrize("spacing", [0.05, 0.2, 3.0])
def test_thinning_is_the_greedy_loop(spacing: float, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(400, 3, generator=generator, dtype=torch.float64) - 7.0
    order = torch.randperm(400, generator=generator)
    monkeypatch.setattr(torch, "randperm", lambda n, generator: order)
    kept = thinned(points, spacing)
    assert kept.tolist() == greedy(points.numpy(), order.numpy(), spacing)


def test_thinned_points_are_apart_and_leave_no_gap() -> None:
    points = torch.rand(20_000, 3, generator=torch.Generator().manual_seed(1)) * 4
    kept = thinned(points, 0.3, seed=2)
    apart = torch.cdist(points[kept].double(), points[kept].double()).fill_diagonal_(math.inf)
    assert float(apart.min()) > 0.3
    assert float(nearest_in_cloud(points, points[kept]).max()) <= 0.3
    assert torch.equal(kept, thinned(points, 0.3, seed=2))
    assert not torch.equal(kept, thinned(points, 0.3, seed=3))


def test_the_lattice_covers_a_mesh_within_the_spacing() -> None:
    generator = torch.Generator().manual_seed(5)
    mesh = Mesh(
        torch.rand(30, 3, generator=generator, dtype=torch.float64) * 3,
        torch.arange(30).reshape(10, 3),
    )
    points = mesh_lattice(mesh, 0.2)
    anywhere, _ = sample_mesh(mesh, 4000, generator=generator)
    # Within a cell of the lattice no place is farther from a corner than half its longer diagonal.
    assert float(nearest_in_cloud(anywhere, points).max()) < 0.2
    assert float(nearest_in_cloud(mesh.vertices, points).max()) < 1e-12
    on_it = surface_distances(mesh, points, samples=len(points)).completeness
    assert float(on_it.max()) < 1e-6
    with pytest.raises(InputError, match="more than 134,217,728"):
        mesh_lattice(mesh, 1e-6)


def test_parallel_plates() -> None:
    scores = dtu_scores(plate(0.7), grid(0.0))
    # From the plate to points 0.25 apart: 0.7 up, and up to half a diagonal across.
    assert 0.7 <= scores.accuracy <= math.hypot(0.7, 0.125 * 2**0.5)
    assert 0.7 <= scores.completeness <= math.hypot(0.7, 0.2)
    assert scores.overall == pytest.approx((scores.accuracy + scores.completeness) / 2)
    assert (scores.outliers, scores.missing) == (0.0, 0.0)


def test_what_is_far_counts_as_outlier_not_for_the_mean() -> None:
    cloud = torch.cat((grid(0.0), grid(30.0)))
    scores = dtu_scores(plate(1.0), cloud)
    assert scores.missing == pytest.approx(0.5)
    assert 1.0 <= scores.completeness < 1.03
    far = dtu_scores(plate(-25.0), grid(0.0))
    assert (far.outliers, far.missing) == (1.0, 1.0)
    assert far.accuracy == math.inf
    both = dtu_scores(torch.cat((grid(1.0), grid(-50.0))), grid(0.0))
    assert both.outliers == pytest.approx(0.5)
    assert both.accuracy == pytest.approx(1.0)


def test_only_what_the_scanner_saw_counts_for_accuracy() -> None:
    cells = torch.zeros(30, 30, 3, dtype=torch.bool)
    cells[:11] = True  # x up to 10.5
    observed = ObservedVolume(cells, torch.tensor([0.0, 0.0, -1.0]).double(), 1.0)
    surface = torch.cat((grid(0.0), torch.tensor([[15.0, 5.0, 1.0], [5.0, 5.0, 1.0]])))
    all_points = dtu_scores(surface, grid(0.0))
    seen = dtu_scores(surface, grid(0.0), observed=observed)
    left = grid(0.0)
    count = int((left[:, 0] <= 10.5).sum())
    assert all_points.accuracy == pytest.approx(2 / (len(left) + 2))
    assert seen.accuracy == pytest.approx(1 / (count + 1))
    assert seen.completeness == 0.0


def test_only_what_is_above_the_table_counts_for_completeness() -> None:
    cloud = torch.cat((grid(2.0), grid(-3.0)))
    plane = torch.tensor([0.0, 0.0, 1.0, 0.5]).double()
    assert dtu_scores(grid(2.0), cloud).completeness == pytest.approx(2.5)
    assert dtu_scores(grid(2.0), cloud, plane=plane).completeness == 0.0


def test_dense_parts_count_by_area() -> None:
    """A corner that was scanned ten times as densely does not weigh ten times as much."""
    generator = torch.Generator().manual_seed(0)
    dense = torch.rand(20_000, 3, generator=generator) * torch.tensor([5.0, 5.0, 0.0])
    surface = torch.cat((grid(0.0), dense + torch.tensor([0.0, 0.0, 1.0])))
    kept = thinned(surface, 0.2)
    raised = int((kept >= len(grid(0.0))).sum())
    assert raised < 25 / (0.2**2 * 0.6)
    scores = dtu_scores(surface, grid(0.0))
    assert scores.accuracy == pytest.approx(raised / len(kept), rel=0.02)


def test_files_as_the_data_set_has_them(tmp_path: Path) -> None:
    mask = np.zeros((4, 5, 6), dtype=np.uint8)
    mask[1, 2, 3] = 1
    box = np.array([[-10.0, 20.0, 600.0], [-4.0, 28.0, 610.0]], dtype=np.float32)
    savemat(tmp_path / "mask.mat", {"ObsMask": mask, "BB": box, "Res": np.array([[2.0]])})
    observed = read_observed(tmp_path / "mask.mat")
    inside = torch.tensor([[-8.0, 24.0, 606.0], [-7.1, 24.9, 605.1], [-6.9, 24.0, 606.0]])
    assert observed(inside).tolist() == [True, True, False]
    assert observed(torch.tensor([[-99.0, 24.0, 606.0], [0.0, 24.0, 1e9]])).tolist() == [False] * 2
    savemat(tmp_path / "plane.mat", {"P": np.array([[0.1], [0.2], [0.3], [4.0]])})
    assert read_plane(tmp_path / "plane.mat").tolist() == [0.1, 0.2, 0.3, 4.0]
    with pytest.raises(InputError, match="lacks P"):
        read_plane(tmp_path / "mask.mat")
    with pytest.raises(InputError, match="lacks ObsMask, BB, Res"):
        read_observed(tmp_path / "plane.mat")
    savemat(tmp_path / "flat.mat", {"ObsMask": mask[0], "BB": box, "Res": 2.0})
    with pytest.raises(InputError, match=r"three axes.*\(5, 6\)"):
        read_observed(tmp_path / "flat.mat")
    (tmp_path / "text.mat").write_text("hello")
    with pytest.raises(InputError, match="cannot be read as a MATLAB file"):
        read_plane(tmp_path / "text.mat")
    with pytest.raises(InputError, match="does not exist"):
        read_observed(tmp_path / "none.mat")


def test_clouds_are_read_from_ply(tmp_path: Path) -> None:
    text = (
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n"
        "end_header\n1 2 3 9 9 9\n4 5 6 9 9 9\n1 2 3 9 9 9\n"
    )
    (tmp_path / "a.ply").write_text(text)
    assert read_cloud(tmp_path / "a.ply").tolist() == [[1, 2, 3], [4, 5, 6], [1, 2, 3]]
    write_mesh(tmp_path / "b.ply", plate(1.0))
    assert read_cloud(tmp_path / "b.ply").shape == (4, 3)
    with pytest.raises(InputError, match="does not exist"):
        read_cloud(tmp_path / "c.ply")
    (tmp_path / "d.ply").write_text("hello")
    with pytest.raises(InputError, match="cannot be read as points"):
        read_cloud(tmp_path / "d.ply")


def test_bad_values() -> None:
    with pytest.raises(InputError, match=r"`spacing` \(=0\) must be above 0"):
        dtu_scores(plate(0.0), grid(0.0), spacing=0.0)
    with pytest.raises(InputError, match=r"`spacing` \(=-1\) must be above 0"):
        thinned(grid(0.0), -1.0)
    with pytest.raises(InputError, match=r"`farthest` \(=0\) must be above 0"):
        dtu_scores(plate(0.0), grid(0.0), farthest=0.0)
    with pytest.raises(InputError, match="`cloud` has no points where they count"):
        dtu_scores(grid(0.0), grid(0.0), plane=torch.tensor([0.0, 0, 0, -1]).double())
    nowhere = ObservedVolume(torch.zeros(2, 2, 2, dtype=torch.bool), torch.zeros(3).double(), 1.0)
    with pytest.raises(InputError, match="`surface` has no points where they count"):
        dtu_scores(grid(0.0), grid(0.0), observed=nowhere)
    with pytest.raises(InputError, match="1e-6 of the cloud's extent"):
        thinned(grid(0.0), 1e-6)
    assert thinned(torch.zeros(0, 3), 1.0).shape == (0,)
