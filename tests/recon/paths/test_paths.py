"""Camera paths, orbits and videos."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from passband.errors import InputError
from passband.recon.paths import orbit, read_camera_path

POSE = [1, 0, 0, 0.5, 0, 1, 0, 0, 0, 0, 1, 3, 0, 0, 0, 1]


def saved(folder: Path, **changes: Any) -> Path:
    keys: dict[str, Any] = {
        "render_width": 80,
        "render_height": 60,
        "camera_path": [{"camera_to_world": POSE, "fov": 40.0, "aspect": 1.3}],
        "fps": 30,
        "seconds": 4,
    }
    keys.update(changes)
    (folder / "path.json").write_text(json.dumps(keys))
    return folder / "path.json"


def test_a_pinhole_by_hand(tmp_path: Path) -> None:
    """OpenGL: the camera stands at (0.5, 0, 3), looks along -z, y is up."""
    read = read_camera_path(saved(tmp_path))
    assert read.fps == 30.0
    cameras = read.cameras
    assert cameras.sizes.tolist() == [[80, 60]]
    torch.testing.assert_close(cameras.centers, torch.tensor([[0.5, 0.0, 3.0]]))
    top = cameras.rays(torch.tensor([0]), torch.tensor([[40.0, 0.0]])).directions[0]
    half = math.radians(20.0)
    torch.testing.assert_close(top, torch.tensor([0.0, math.sin(half), -math.cos(half)]))
    right = cameras.rays(torch.tensor([0]), torch.tensor([[80.0, 30.0]])).directions[0]
    assert float(right[0]) > 0
    assert float(right[0] / -right[2]) == pytest.approx(math.tan(half) * 80 / 60)


def test_rows_of_a_matrix_and_the_default_rate(tmp_path: Path) -> None:
    rows = np.reshape(POSE, (4, 4)).tolist()
    path = saved(tmp_path, camera_path=[{"camera_to_world": rows, "fov": 40}] * 3)
    keys = json.loads(path.read_text())
    del keys["fps"]
    path.write_text(json.dumps(keys))
    read = read_camera_path(path)
    assert read.fps == 24.0
    assert len(read.cameras) == 3
    torch.testing.assert_close(read.cameras.centers[2], torch.tensor([0.5, 0.0, 3.0]))


def test_from_the_world_to_the_scene(tmp_path: Path) -> None:
    """A ray of the path meets the same points, carried over by the similarity."""
    angle, scale = 0.4, 25.0
    to_world = torch.eye(4, dtype=torch.float64)
    c, s = math.cos(angle), math.sin(angle)
    to_world[:3, :3] = scale * torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    to_world[:3, 3] = torch.tensor([3.0, 4.0, 5.0])
    in_world = read_camera_path(saved(tmp_path)).cameras
    in_scene = read_camera_path(saved(tmp_path), to_world.float()).cameras
    rotation = in_scene.to_scene[0, :3, :3]
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(3), atol=1e-6, rtol=0)
    number, pixel = torch.tensor([0]), torch.tensor([[12.0, 50.0]])
    wanted = in_world.rays(number, pixel).at(torch.tensor([10.0]))[0].double()
    found = in_scene.rays(number, pixel).at(torch.tensor([10.0 / scale]))[0].double()
    torch.testing.assert_close(
        to_world[:3, :3] @ found + to_world[:3, 3], wanted, atol=1e-4, rtol=0
    )


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no frames": ({"camera_path": []}, "list `camera_path` of at least one camera"),
    "frame": ({"camera_path": [3]}, "camera 0 must be an object"),
    "no pose": ({"camera_path": [{"fov": 40}]}, "camera 0: `camera_to_world` must be 16 numbers"),
    "short": (
        {"camera_path": [{"camera_to_world": POSE[:12], "fov": 40}]},
        "camera 0: `camera_to_world` must be 16 numbers",
    ),
    "scaled": (
        {"camera_path": [{"camera_to_world": [2 * v for v in POSE], "fov": 40}]},
        "must be a rigid transform",
    ),
    "nan": (
        {"camera_path": [{"camera_to_world": [math.nan, *POSE[1:]], "fov": 40}]},
        "must be a rigid transform",
    ),
    "no fov": (
        {"camera_path": [{"camera_to_world": POSE}]},
        r"camera 0: `fov` \(=None\) must be a number above 0",
    ),
    "wide": (
        {"camera_path": [{"camera_to_world": POSE, "fov": 180}]},
        r"`fov` \(=180 degrees\) must be below 180",
    ),
    "no width": ({"render_width": None}, r"`render_width` \(=None\) must be a number above 0"),
    "half": ({"render_height": 1.5}, r"`render_height` \(=1.5\) must be a whole number"),
    "huge": ({"render_height": 1e9}, r"must be a whole number of pixels up to 16384"),
    "rate": ({"fps": -1}, r"`fps` \(=-1\) must be a number above 0"),
    "type": ({"camera_type": "fisheye"}, r"`camera_type` \(='fisheye'\) must be 'perspective'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_a_path(tmp_path: Path, name: str) -> None:
    changes, match = FAULTS[name]
    with pytest.raises(InputError, match=match) as caught:
        read_camera_path(saved(tmp_path, **changes))
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_camera_path(tmp_path / "none.json")
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        read_camera_path(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(InputError, match="must hold an object with `camera_path`"):
        read_camera_path(tmp_path / "a.json")
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\0")
    with pytest.raises(InputError, match="is no JSON"):
        read_camera_path(tmp_path / "a.json")


@pytest.mark.parametrize("up", [(0.0, 0.0, 1.0), (0.0, -2.0, 0.0), (0.3, 0.5, -0.2)])
def test_an_orbit_looks_at_the_origin_with_up_upwards(up: tuple[float, float, float]) -> None:
    cameras = orbit(8, size=(64, 48), fov=30.0, distance=2.5, elevation=25.0, up=up)
    axis = torch.nn.functional.normalize(torch.tensor(up), dim=0)
    torch.testing.assert_close(cameras.centers.norm(dim=1), torch.full((8,), 2.5))
    torch.testing.assert_close(
        cameras.centers @ axis, torch.full((8,), 2.5 * math.sin(math.radians(25.0)))
    )
    pixels, depths = cameras.project(torch.stack((torch.zeros(3), 0.1 * axis)))
    torch.testing.assert_close(
        pixels[:, 0], torch.tensor([32.0, 24.0]).expand(8, 2), atol=1e-3, rtol=0
    )
    torch.testing.assert_close(depths[:, 0], torch.full((8,), 2.5))
    assert bool((pixels[:, 1, 1] < 24.0).all())  # rows run downwards
    torch.testing.assert_close(pixels[:, 1, 0], torch.full((8,), 32.0), atol=1e-3, rtol=0)
    rotation = cameras.to_scene[:, :3, :3]
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(8))
    steps = (cameras.centers - cameras.centers.roll(1, dims=0)).norm(dim=1)
    torch.testing.assert_close(steps, steps[:1].expand(8))
    turn = torch.linalg.cross(cameras.centers, cameras.centers.roll(-1, dims=0)) @ axis
    assert bool((turn > 0).all())  # counter-clockwise from above


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"count": 0}, r"`count` \(=0\)"),
        ({"fov": 180.0}, r"`fov` \(=180 degrees\)"),
        ({"distance": 1.0}, r"`distance` \(=1\) must be above 1"),
        ({"elevation": 90.0}, r"`elevation` \(=90 degrees\)"),
        ({"up": (0.0, 0.0, 0.0)}, "`up` .* must be finite and not 0"),
    ],
)
def test_orbits_that_cannot_be(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        orbit(**{"count": 4, **changes})
