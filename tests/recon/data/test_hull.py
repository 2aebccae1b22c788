import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from passband.errors import InputError
from passband.recon.cameras import Cameras
from passband.recon.data import Hull, Photographs, visual_hull

SIDE, FOCAL, DISTANCE = 100, 120.0, 3.0
REACH = 0.6


def ball_seen_from_everywhere(count: int = 40) -> Photographs:
    """Silhouettes of a ball of radius 0.6 are discs: of angle asin(0.6 / 3) about the axis."""
    steps = (np.arange(count) + 0.5) / count
    z, turn = 1 - 2 * steps, np.arange(count) * 2.399963
    flat = np.sqrt(1 - z**2)
    sides = np.stack((flat * np.cos(turn), flat * np.sin(turn), z), 1)
    poses = np.tile(np.eye(4), (count, 1, 1))
    for pose, side in zip(poses, sides, strict=True):
        right = np.cross(-side, [0.3, 0.1, 1.0])
        right /= np.linalg.norm(right)
        pose[:3, :3] = np.stack((right, np.cross(-side, right), -side), 1)
        pose[:3, 3] = DISTANCE * side
    matrix = torch.tensor([[FOCAL, 0, SIDE / 2], [0, FOCAL, SIDE / 2], [0, 0, 1]])
    ys, xs = np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2
    limit = FOCAL * np.tan(np.arcsin(REACH / DISTANCE))
    mask = torch.from_numpy(np.hypot(xs, ys) < limit)
    image = torch.zeros(SIDE, SIDE, 3, dtype=torch.uint8)
    cameras = Cameras(
        matrix.expand(count, 3, 3),
        torch.from_numpy(poses).float(),
        torch.tensor([[SIDE, SIDE]] * count),
    )
    names = tuple(str(i) for i in range(count))
    return Photographs(names, (image,) * count, (mask,) * count, cameras, torch.eye(4))


def cell_middles(resolution: int) -> torch.Tensor:
    line = (2 * torch.arange(resolution) + 1) / resolution - 1
    return torch.cartesian_prod(line, line, line)


def test_the_hull_of_a_ball_is_little_more_than_the_ball() -> None:
    hull = visual_hull(ball_seen_from_everywhere(), 48)
    reach = cell_middles(48).norm(dim=1).reshape(48, 48, 48)
    pixel = DISTANCE / FOCAL
    assert hull.occupancy[reach < REACH - pixel].all()
    assert not hull.occupancy[reach > 1.12 * REACH].any()


def test_the_hull_is_that_of_a_plain_loop() -> None:
    photographs = ball_seen_from_everywhere(6)
    hull = visual_hull(photographs, 12)
    for point, found in zip(cell_middles(12), hull.occupancy.reshape(-1), strict=True):
        pixels, _ = photographs.cameras.project(point[None])
        kept = True
        for view, (x, y) in enumerate(pixels[:, 0].tolist()):
            if 0 <= x < SIDE and 0 <= y < SIDE:
                kept &= bool(photographs.masks[view][int(y), int(x)])
        assert found.item() == kept  # every cell of the cube is in a quarter of these pictures


def test_a_dilated_hull_holds_all_that_is_within_so_many_cells() -> None:
    photographs = ball_seen_from_everywhere()
    plain, grown = (visual_hull(photographs, 32, dilate=d).occupancy for d in (0, 2))
    tree = cKDTree(plain.nonzero().numpy())
    off, _ = tree.query(np.argwhere(np.ones((32, 32, 32))), workers=1)
    off = off.reshape(32, 32, 32)
    assert grown.numpy()[off <= 1.5].all()
    assert not grown.numpy()[off > 3.5].any()


def test_dilation_keeps_parts_thinner_than_a_cell() -> None:
    photographs = ball_seen_from_everywhere()
    thin = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    thin[49:51, 49:51] = True  # 0.05 wide at the middle, where cells of 8 are 0.25
    needle = Photographs(
        photographs.names, photographs.images, (thin,) * 40, photographs.cameras, torch.eye(4)
    )
    assert not visual_hull(needle, 8).occupancy.any()
    assert visual_hull(needle, 8, dilate=1).occupancy.sum() >= 8


def test_what_too_few_pictures_show_is_left_out() -> None:
    photographs = ball_seen_from_everywhere(4)
    full = torch.ones(SIDE, SIDE, dtype=torch.bool)
    close = Photographs(
        photographs.names, photographs.images, (full,) * 4, photographs.cameras, torch.eye(4)
    )
    pixels, _ = photographs.cameras.project(cell_middles(16))
    shown = ((pixels >= 0) & (pixels < SIDE)).all(-1).sum(0).reshape(16, 16, 16)
    for least, number in ((0, 1), (0.5, 2), (1, 4)):
        assert torch.equal(visual_hull(close, 16, least=least).occupancy, shown >= number)


def test_distance_is_that_to_the_nearest_cell_of_the_other_kind() -> None:
    occupancy = torch.zeros(16, 16, 16, dtype=torch.bool)
    occupancy[3:9, 5:12, 4:6] = True
    hull = Hull(occupancy)
    middles = cell_middles(16)
    inside = occupancy.reshape(-1)
    between = torch.cdist(middles, middles)
    nearest_in, nearest_out = between[:, inside].amin(1), between[:, ~inside].amin(1)
    expected = torch.where(inside, 1 / 16 - nearest_out, nearest_in - 1 / 16)
    torch.testing.assert_close(hull.distance(middles), expected, atol=1e-5, rtol=0)
    assert torch.equal(hull.inside(middles), inside)


def test_distance_outside_of_the_cube_is_a_lower_bound_that_grows() -> None:
    occupancy = torch.zeros(16, 16, 16, dtype=torch.bool)
    occupancy[6:10, 6:10, 6:10] = True  # the cube of +-0.25
    hull = Hull(occupancy)
    points = torch.tensor([[2.0, 0.0, 0.0], [3.0, 3.0, 0.0], [0.0, -1.5, 0.0]])
    true = (points.abs() - 0.25).clamp(min=0).norm(dim=1)
    found = hull.distance(points)
    # sqrt(a^2 + b^2) is at least (a + b) / sqrt(2).
    assert (found <= true + 1 / 16).all()
    assert (found > 0.67 * true).all()
    assert not hull.inside(points).any()


@pytest.mark.parametrize(("filled", "sign"), [(False, 1), (True, -1)])
def test_empty_and_full_hulls_have_distances_too(filled: bool, sign: int) -> None:
    hull = Hull(torch.full((8, 8, 8), filled))
    found = hull.distance(torch.zeros(1, 3)).item()
    assert np.isfinite(found)
    assert found * sign > 0.5


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"resolution": 0}, "`resolution` \\(=0\\)"),
        ({"dilate": -1.0}, "`dilate` \\(=-1\\)"),
        ({"least": 2.0}, "`least` \\(=2\\)"),
    ],
)
def test_bad_settings_are_refused(wrong: dict[str, float], match: str) -> None:
    settings = {"resolution": 8, **wrong}
    with pytest.raises(InputError, match=match):
        visual_hull(ball_seen_from_everywhere(2), **settings)


def test_a_hull_needs_masks() -> None:
    photographs = ball_seen_from_everywhere(2)
    bare = Photographs(
        photographs.names, photographs.images, None, photographs.cameras, torch.eye(4)
    )
    with pytest.raises(InputError, match="must have masks"):
        visual_hull(bare, 8)
