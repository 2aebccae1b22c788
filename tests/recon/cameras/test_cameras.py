import math

import numpy as np
import pytest
import torch
from scipy.optimize import root
from scipy.spatial.transform import Rotation

from passband.errors import InputError
from passband.recon.cameras import (
    Cameras,
    Rays,
    decompose_projection,
    distort,
    flip_camera_axes,
    fold_radius,
    near_far,
    undistort,
)

EXACT = 1e-10  # float64
LENS = torch.tensor([-0.15, 0.04, 2e-3, -1e-3, 0.01, -0.002], dtype=torch.float64)


def random_cameras(count: int = 5, *, lens: bool = False, seed: int = 0) -> Cameras:
    rng = np.random.default_rng(seed)
    matrix = np.zeros((count, 3, 3))
    matrix[:, 0, 0], matrix[:, 1, 1] = rng.uniform(300, 500, (2, count))
    matrix[:, 0, 1], matrix[:, 2, 2] = rng.uniform(-5, 5, count), 1
    matrix[:, 0, 2], matrix[:, 1, 2] = rng.uniform(100, 150, (2, count))
    pose = np.tile(np.eye(4), (count, 1, 1))
    pose[:, :3, :3] = Rotation.random(count, random_state=seed).as_matrix()
    pose[:, :3, 3] = rng.normal(size=(count, 3))
    lenses = LENS.expand(count, 6) if lens else None
    sizes = torch.tensor([[256, 240]] * count)
    return Cameras(torch.from_numpy(matrix), torch.from_numpy(pose), sizes, lenses)


def brown(x: float, y: float, lens: list[float]) -> tuple[float, float]:
    """The model as textbooks write it, one point at a time."""
    k1, k2, p1, p2, k3, k4 = lens
    r = math.hypot(x, y)
    gain = 1 + k1 * r**2 + k2 * r**4 + k3 * r**6 + k4 * r**8
    return (
        x * gain + 2 * p1 * x * y + p2 * (r**2 + 2 * x**2),
        y * gain + p1 * (r**2 + 2 * y**2) + 2 * p2 * x * y,
    )


def test_rays_are_those_of_a_plain_loop_in_float64() -> None:
    cameras = random_cameras()
    pixels = torch.rand(20, 2, dtype=torch.float64, generator=torch.manual_seed(0)) * 240
    number = torch.arange(20) % 5
    rays = cameras.rays(number, pixels)
    for i, camera in enumerate(number.tolist()):
        point = np.linalg.solve(cameras.intrinsics[camera].numpy(), [*pixels[i].tolist(), 1.0])
        direction = cameras.to_scene[camera, :3, :3].numpy() @ point
        direction /= np.linalg.norm(direction)
        np.testing.assert_allclose(rays.directions[i].numpy(), direction, atol=EXACT)
        np.testing.assert_array_equal(rays.origins[i], cameras.to_scene[camera, :3, 3])


@pytest.mark.parametrize("lens", [False, True])
def test_projection_undoes_rays(lens: bool) -> None:
    cameras = random_cameras(lens=lens)
    pixels = torch.rand(30, 2, dtype=torch.float64, generator=torch.manual_seed(1)) * 240
    for camera in range(5):
        rays = cameras.rays(torch.full((30,), camera), pixels)
        depths = torch.linspace(0.5, 4, 30, dtype=torch.float64)
        back, along = cameras.project(rays.at(depths))
        torch.testing.assert_close(back[camera], pixels, atol=1e-8, rtol=0)
        cosine = rays.directions @ cameras.axes[camera]
        torch.testing.assert_close(along[camera], depths * cosine, atol=EXACT, rtol=0)


def test_points_behind_a_camera_have_no_pixel() -> None:
    cameras = random_cameras(1)
    behind = cameras.centers - cameras.axes
    pixels, depths = cameras.project(behind)
    assert pixels.isnan().all()
    assert depths.item() == pytest.approx(-1)


def test_points_beyond_the_fold_of_the_lens_have_no_pixel() -> None:
    eye = torch.eye(4, dtype=torch.float64)[None]
    lens = torch.tensor([[-0.3, 0, 0, 0, 0, 0]], dtype=torch.float64)
    cameras = Cameras(eye[:, :3, :3], eye, torch.tensor([[2, 2]]), lens)
    limit = math.sqrt(1 / 0.9)  # of r (1 - 0.3 r^2)
    assert fold_radius(lens).item() == pytest.approx(limit)
    points = torch.tensor([[limit - 1e-6, 0, 1], [limit + 1e-6, 0, 1]], dtype=torch.float64)
    assert cameras.project(points)[0][0, :, 0].isnan().tolist() == [False, True]


def test_distortion_is_that_of_the_textbook() -> None:
    points = torch.rand(50, 2, dtype=torch.float64, generator=torch.manual_seed(2)) * 1.6 - 0.8
    expected = [brown(x, y, LENS.tolist()) for x, y in points.tolist()]
    torch.testing.assert_close(
        distort(points, LENS), torch.tensor(expected, dtype=torch.float64), atol=EXACT, rtol=0
    )


def test_undistortion_agrees_with_scipys_root() -> None:
    points = torch.rand(25, 2, dtype=torch.float64, generator=torch.manual_seed(3)) - 0.5
    found = undistort(points, LENS)
    for point, ours in zip(points.tolist(), found.tolist(), strict=True):

        def off(guess: np.ndarray, point: list[float] = point) -> list[float]:
            return [a - b for a, b in zip(brown(*guess, LENS.tolist()), point, strict=True)]

        theirs = root(off, point, tol=1e-13)
        np.testing.assert_allclose(ours, theirs.x, atol=EXACT)


def test_undistortion_holds_to_a_millionth_in_float32() -> None:
    points = torch.rand(1000, 2, generator=torch.manual_seed(4)) * 1.2 - 0.6
    lens = LENS.float()
    torch.testing.assert_close(undistort(distort(points, lens), lens), points, atol=1e-6, rtol=0)


def test_rays_have_gradients_for_poses_and_intrinsics() -> None:
    cameras = random_cameras(2, lens=True)
    pixels = torch.tensor([[10.0, 20.0], [200.0, 100.0]], dtype=torch.float64)

    def directions(matrix: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
        moved = Cameras(matrix, pose, cameras.sizes, cameras.distortion)
        return moved.rays(torch.arange(2), pixels).directions

    inputs = (cameras.intrinsics.requires_grad_(), cameras.to_scene.requires_grad_())
    assert torch.autograd.gradcheck(directions, inputs)


def test_near_and_far_solve_the_quadratic() -> None:
    generator = torch.manual_seed(5)
    origins = torch.randn(200, 3, dtype=torch.float64, generator=generator) * 2
    directions = torch.randn(200, 3, dtype=torch.float64, generator=generator)
    rays = Rays(origins, directions / directions.norm(dim=1, keepdim=True))
    near, far, hits = near_far(rays, 1.3)
    for i in range(200):
        b = float(rays.origins[i] @ rays.directions[i])
        roots = np.roots([1, 2 * b, float(rays.origins[i] @ rays.origins[i]) - 1.3**2])
        expected = np.isreal(roots).all() and roots.real.max() > 0
        assert bool(hits[i]) == expected
        if expected:
            np.testing.assert_allclose(near[i], max(roots.real.min(), 0), atol=EXACT)
            np.testing.assert_allclose(far[i], roots.real.max(), atol=EXACT)
        else:
            assert near[i] == far[i] >= 0


def test_near_keeps_its_digits_far_away() -> None:
    direction = torch.tensor([[0.6, 0.0, 0.8]])
    rays = Rays(-1000 * direction, direction)
    near, far, hits = near_far(rays)
    assert hits.item()
    assert (near.item(), far.item()) == pytest.approx((999, 1001), abs=2e-4)


@pytest.mark.parametrize("radius", [0.0, -1.0, math.nan])
def test_a_sphere_without_size_is_refused(radius: float) -> None:
    with pytest.raises(InputError, match="`radius`"):
        near_far(Rays(torch.zeros(1, 3), torch.ones(1, 3)), radius)


@pytest.mark.parametrize("scale", [1.0, -1.0, 37.5, -1e-3])
def test_a_projection_falls_into_what_it_was_made_of(scale: float) -> None:
    cameras = random_cameras(8, seed=6)
    for matrix, pose in zip(cameras.intrinsics, cameras.to_scene, strict=True):
        projection = scale * matrix @ torch.linalg.inv(pose)[:3]
        found, found_pose = decompose_projection(projection)
        torch.testing.assert_close(found, matrix, atol=1e-8, rtol=1e-10)
        torch.testing.assert_close(found_pose, pose, atol=1e-9, rtol=0)


@pytest.mark.parametrize("fault", [math.nan, 0.0])
def test_a_projection_that_is_none_is_refused(fault: float) -> None:
    with pytest.raises(InputError, match="K \\[R \\| t\\]"):
        decompose_projection(torch.full((3, 4), fault))


def test_opengl_and_opencv_see_the_same_pixel() -> None:
    """A point up and ahead in OpenGL's axes is up, at smaller rows, in the picture."""
    pose = torch.eye(4, dtype=torch.float64)[None]
    matrix = torch.tensor([[[100.0, 0, 50], [0, 100, 50], [0, 0, 1]]], dtype=torch.float64)
    cameras = Cameras(matrix, flip_camera_axes(pose), torch.tensor([[100, 100]]))
    pixels, depths = cameras.project(torch.tensor([[0.1, 0.2, -1.0]], dtype=torch.float64))
    assert depths.item() == 1
    assert pixels[0, 0].tolist() == pytest.approx([60, 30])
    assert torch.equal(flip_camera_axes(flip_camera_axes(pose)), pose)


def test_selection_keeps_what_belongs_together() -> None:
    cameras = random_cameras(lens=True)
    chosen = cameras.select(torch.tensor([3, 1])).to("cpu")
    assert len(chosen) == 2
    torch.testing.assert_close(chosen.centers, cameras.centers[[3, 1]])
    torch.testing.assert_close(chosen.intrinsics, cameras.intrinsics[[3, 1]])
    assert chosen.distortion.shape == (2, 6)
