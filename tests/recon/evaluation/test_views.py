"""Silhouettes, depths and picture scores, against closed forms and plain loops."""

import math

import numpy as np
import pytest
import torch
import trimesh
from scipy.ndimage import binary_erosion
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from passband.errors import InputError
from passband.media import Mesh
from passband.recon.cameras import Cameras
from passband.recon.evaluation import (
    PictureScores,
    depth_error,
    eroded,
    mask_iou,
    mean_scores,
    mesh_views,
    normal_error,
    picture_scores,
    pixel_centers,
)

RADIUS = 0.6
CENTER = (0.15, -0.1, 0.05)
SIZES = ((64, 48), (31, 50))


@pytest.fixture(scope="module")
def ball() -> Mesh:
    surface = trimesh.creation.icosphere(6, RADIUS)
    vertices = torch.from_numpy(np.asarray(surface.vertices) + np.array(CENTER))
    return Mesh(vertices, torch.from_numpy(np.asarray(surface.faces, dtype=np.int64)))


@pytest.fixture(scope="module")
def cameras() -> Cameras:
    """Two cameras of different sizes: from -z, and from +x with z up, both off their axes."""
    intrinsics = torch.tensor(
        [[[70.0, 0, 30], [0, 75, 26], [0, 0, 1]], [[40.0, 0, 15.5], [0, 40, 25], [0, 0, 1]]]
    )
    first = torch.eye(4)
    first[2, 3] = -2.0
    second = torch.eye(4)
    second[:3, :3] = torch.tensor([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]])
    second[0, 3] = 2.5
    return Cameras(intrinsics, torch.stack((first, second)), torch.tensor(SIZES))


def closed_form(cameras: Cameras, k: int) -> tuple[np.ndarray, np.ndarray]:
    """How far inside the sphere each pixel's ray passes (positive: it hits), and its depth."""
    width, height = SIZES[k]
    matrix = cameras.intrinsics[k].double().numpy()
    pose = cameras.to_scene[k].double().numpy()
    margin, depth = np.zeros((height, width)), np.full((height, width), np.inf)
    for row in range(height):
        for column in range(width):
            pixel = np.array([column + 0.5, row + 0.5, 1.0])
            direction = pose[:3, :3] @ np.linalg.solve(matrix, pixel)
            direction /= np.linalg.norm(direction)
            to_center = np.array(CENTER) - pose[:3, 3]
            along = to_center @ direction
            inside = RADIUS**2 - (to_center @ to_center - along**2)
            margin[row, column] = inside
            if inside > 0:
                depth[row, column] = along - math.sqrt(inside)
    return margin, depth


def test_silhouettes_and_depths_of_a_sphere(ball: Mesh, cameras: Cameras) -> None:
    masks = []
    for k, view in enumerate(mesh_views(ball, cameras)):
        margin, depth = closed_form(cameras, k)
        clear = np.abs(margin) > 1e-3  # the mesh lies within 2e-4 of the sphere
        np.testing.assert_array_equal(view.mask.numpy()[clear], margin[clear] > 0)
        well_inside = margin > 0.05
        assert well_inside.sum() > 250
        np.testing.assert_allclose(view.depth.numpy()[well_inside], depth[well_inside], atol=1e-3)
        assert bool(view.depth[~view.mask].isinf().all())
        points = cameras.rays(torch.full((margin.size,), k), pixel_centers(*SIZES[k])).at(
            torch.from_numpy(np.where(margin > 0, depth, 0.0)).float().flatten()
        )
        outward = (points - torch.tensor(CENTER)).reshape(*margin.shape, 3)
        angle = normal_error(view.normal, outward, torch.from_numpy(well_inside))
        assert angle is not None
        assert angle < 1.5  # of flat faces
        masks.append(torch.from_numpy(margin > 0))
    assert float(mask_iou(ball, cameras, masks).min()) > 0.995


def test_iou_of_known_overlap(ball: Mesh, cameras: Cameras) -> None:
    views = [view.mask for view in mesh_views(ball, cameras)]
    half = [mask.clone() for mask in views]
    for mask in half:
        mask[:, mask.shape[1] // 2 :] = False
    wanted = [int(h.sum()) / int(v.sum()) for h, v in zip(half, views, strict=True)]
    assert mask_iou(ball, cameras, half).tolist() == pytest.approx(wanted)
    assert mask_iou(ball, cameras, [~mask for mask in views]).tolist() == [0.0, 0.0]
    behind = Mesh(ball.vertices + torch.tensor([9.0, 0, -9.0]).double(), ball.faces)
    assert mask_iou(behind, cameras, [torch.zeros_like(m) for m in views]).tolist() == [1.0, 1.0]


def test_masks_must_fit(ball: Mesh, cameras: Cameras) -> None:
    masks = [torch.ones(h, w, dtype=torch.bool) for w, h in SIZES]
    with pytest.raises(InputError, match=r"`masks` \(=1\) must be one for each of 2 cameras"):
        mask_iou(ball, cameras, masks[:1])
    with pytest.raises(InputError, match=r"mask 1 \(=64x48\) must be 31x50 pixels"):
        mask_iou(ball, cameras, [masks[0], masks[0]])
    empty = Mesh(torch.zeros(0, 3, dtype=torch.float64), torch.zeros(0, 3, dtype=torch.int64))
    with pytest.raises(InputError, match="no faces, so no camera sees it"):
        mask_iou(empty, cameras, masks)


def test_scores_are_those_of_scikit_image() -> None:
    generator = torch.Generator().manual_seed(0)
    photograph = torch.rand(3, 40, 30, generator=generator)
    rendering = (photograph + 0.1 * torch.randn(3, 40, 30, generator=generator)).clamp(0, 1)
    scores = picture_scores(photograph, rendering)
    a, b = photograph.double().numpy(), rendering.double().numpy()
    assert scores.psnr == pytest.approx(peak_signal_noise_ratio(a, b, data_range=1.0), abs=1e-4)
    similarity = structural_similarity(
        a,
        b,
        data_range=1.0,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert scores.ssim == pytest.approx(similarity, abs=1e-4)
    assert (scores.psnr_inside, scores.psnr_eroded) == (None, None)


def test_scores_inside_the_mask_and_its_core() -> None:
    mask = torch.zeros(20, 24, dtype=torch.bool)
    mask[3:15, 5:19] = True
    error = torch.full((20, 24), 0.1)  # outside
    error[3:15, 5:19] = 0.2
    error[5:13, 7:17] = 0.01
    scores = picture_scores(torch.zeros(3, 20, 24), error.expand(3, -1, -1), mask)
    squares = error.double().square()
    assert scores.psnr == pytest.approx(-10 * math.log10(squares.mean()), abs=1e-4)
    assert scores.psnr_inside == pytest.approx(-10 * math.log10(squares[mask].mean()), abs=1e-4)
    assert scores.psnr_eroded == pytest.approx(40.0, abs=1e-4)
    empty = picture_scores(torch.zeros(3, 4, 4), torch.ones(3, 4, 4), torch.zeros(4, 4).bool())
    assert empty == PictureScores(0.0, None, None, None)
    with pytest.raises(InputError, match=r"`rendering` \(=3x4x4\) .* size 3x4x5"):
        picture_scores(torch.zeros(3, 4, 5), torch.zeros(3, 4, 4))
    with pytest.raises(InputError, match=r"`mask` \(=4x4\) .* height and width 4x5"):
        picture_scores(torch.zeros(3, 4, 5), torch.zeros(3, 4, 5), mask[:4, :4])


@pytest.mark.parametrize("pixels", [1, 2])
def test_erosion_is_that_of_scipy(pixels: int) -> None:
    mask = torch.rand(30, 20, generator=torch.Generator().manual_seed(0)) > 0.02
    square = np.ones((2 * pixels + 1, 2 * pixels + 1), dtype=bool)
    wanted = binary_erosion(mask.numpy(), square, border_value=1)
    np.testing.assert_array_equal(eroded(mask, pixels).numpy(), wanted)


def test_means_over_views() -> None:
    views = [PictureScores(20.0, 0.5, 10.0, None, 0.25), PictureScores(30.0, 0.7, None, None, 0.75)]
    means = mean_scores(views)
    assert means == {
        "psnr": 25.0,
        "ssim": pytest.approx(0.6),
        "psnr_inside": 10.0,
        "psnr_eroded": None,
        "depth_error": 0.5,
        "normal_error": None,
    }
    with pytest.raises(InputError, match="`scores` are empty"):
        mean_scores([])


def test_depth_and_normal_errors() -> None:
    inside = torch.tensor([[True, True, False]])
    depth, truth = torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([[1.25, 1.25, math.inf]])
    assert depth_error(depth, truth, inside) == pytest.approx(0.5)
    assert depth_error(depth, truth, torch.zeros_like(inside)) is None
    tilt = math.radians(30.0)
    normal = torch.tensor([[[0, 0, 2.0], [0, 0, 1], [1, 0, 0]]])
    other = torch.tensor([[[0, math.sin(tilt), math.cos(tilt)], [0, 0, 1], [0, 1, 0]]])
    assert normal_error(normal, other, inside) == pytest.approx(15.0, abs=1e-4)
    assert normal_error(normal, normal, inside) == 0.0
    assert normal_error(normal, -normal, inside) == pytest.approx(180.0)
    assert normal_error(normal, other, torch.zeros_like(inside)) is None
