"""One small scene, and its folder in every format; loaded by the conftest files."""

import json
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from passband.media import write_image

BALLS = np.array([[0.0, 0.0, 0.0, 0.55], [0.45, 0.1, 0.2, 0.35], [-0.2, -0.5, 0.1, 0.25]])


@dataclass(frozen=True)
class Scene:
    """Cameras in the world (OpenCV, first pixel's centre at 0.5), pictures, the object's sphere."""

    intrinsics: np.ndarray  # (n, 3, 3)
    poses: np.ndarray  # (n, 4, 4) camera to world
    width: int
    height: int
    center: np.ndarray
    radius: float
    lens: np.ndarray  # k1 k2 p1 p2 k3 k4

    def __len__(self) -> int:
        return len(self.poses)

    @property
    def to_world(self) -> np.ndarray:
        matrix = np.diag([self.radius] * 3 + [1.0])
        matrix[:3, 3] = self.center
        return matrix

    def masks(self) -> np.ndarray:
        """Silhouettes of the three balls, (n, h, w), by the closed form of ray and ball."""
        ys, xs = np.mgrid[: self.height, : self.width] + 0.5
        pixels = np.stack((xs, ys, np.ones_like(xs)), -1)
        found = []
        for matrix, pose in zip(self.intrinsics, self.poses, strict=True):
            rays = pixels @ np.linalg.inv(matrix).T @ pose[:3, :3].T
            rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
            mask = np.zeros(xs.shape, dtype=bool)
            for *place, size in BALLS:
                to_ball = self.center + self.radius * np.array(place) - pose[:3, 3]
                along = rays @ to_ball
                off2 = to_ball @ to_ball - along**2
                mask |= (along > 0) & (off2 < (self.radius * size) ** 2)
            found.append(mask)
        return np.stack(found)


def look_at(center: np.ndarray, target: np.ndarray) -> np.ndarray:
    forward = (target - center) / np.linalg.norm(target - center)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack((right, np.cross(forward, right), forward), 1)
    pose[:3, 3] = center
    return pose


def make_scene(count: int = 12, width: int = 48, height: int = 40) -> Scene:
    """Cameras on a spiral around an object away from the origin, its radius not 1."""
    center, radius = np.array([4.0, -2.0, 1.0]), 2.5
    steps = (np.arange(count) + 0.5) / count
    z, turn = 1 - 1.8 * steps, np.arange(count) * 2.399963
    flat = np.sqrt(1 - z**2)
    sides = np.stack((flat * np.cos(turn), flat * np.sin(turn), z), 1)
    distance = radius * (3.2 + 0.3 * np.sin(turn))[:, None]
    poses = np.stack([look_at(place, center) for place in center + distance * sides])
    matrix = np.array([[1.4 * width, 0, width / 2], [0, 1.4 * width, height / 2], [0, 0, 1]])
    return Scene(np.tile(matrix, (count, 1, 1)), poses, width, height, center, radius, np.zeros(6))


def with_lens(scene: Scene) -> Scene:
    """The scene through a lens that distorts, with a principal point off the middle."""
    matrix = scene.intrinsics.copy()
    matrix[:, 0, 2] += 1.7
    matrix[:, 1, 1] *= 1.02
    lens = np.array([-0.12, 0.03, 1e-3, -2e-3, 0.0, 0.0])
    return replace(scene, intrinsics=matrix, lens=lens)


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, torch.from_numpy(values.astype(np.float32)))


def picture(scene: Scene, i: int, mask: np.ndarray) -> np.ndarray:
    """RGB on [0, 1]: gray by number on the object, white around."""
    shade = 0.2 + 0.5 * i / len(scene)
    return np.broadcast_to(np.where(mask, shade, 1.0), (3, *mask.shape))


def _all(scene: Scene, image: str, mask: str, folder: Path) -> None:
    for i, silhouette in enumerate(scene.masks()):
        save(folder / image.format(i), picture(scene, i, silhouette))
        save(folder / mask.format(i), silhouette[None])


def _neus_matrices(scene: Scene) -> dict[str, np.ndarray]:
    found = {}
    for i in range(len(scene)):
        matrix = np.eye(4)
        matrix[:3, :3] = scene.intrinsics[i]
        matrix[:2, 2] -= 0.5
        found[f"world_mat_{i}"] = matrix @ np.linalg.inv(scene.poses[i])
    return found


def write_neus(scene: Scene, folder: Path) -> None:
    _all(scene, "image/{:03d}.png", "mask/{:03d}.png", folder)
    scales = {f"scale_mat_{i}": scene.to_world for i in range(len(scene))}
    np.savez(folder / "cameras_sphere.npz", **_neus_matrices(scene), **scales)


def write_volsdf(scene: Scene, folder: Path) -> None:
    """The farthest camera at radius 3 of ``scale_mat``, as VolSDF's preparation leaves it."""
    _all(scene, "image/{:03d}.png", "mask/{:03d}.png", folder)
    farthest = np.linalg.norm(scene.poses[:, :3, 3] - scene.center, axis=1).max()
    scale = np.diag([farthest / 3] * 3 + [1.0])
    scale[:3, 3] = scene.center
    scales = {f"scale_mat_{i}": scale for i in range(len(scene))}
    np.savez(folder / "cameras.npz", **_neus_matrices(scene), **scales)


def _opengl(scene: Scene, i: int) -> list[list[float]]:
    return (scene.poses[i] @ np.diag([1.0, -1.0, -1.0, 1.0])).tolist()


def write_nerf(scene: Scene, folder: Path, test: int = 3) -> None:
    """RGBA pictures and a field of view, split into transforms_train and transforms_test."""
    angle = 2 * np.arctan(scene.width / 2 / scene.intrinsics[0, 0, 0])
    frames: dict[str, list[dict[str, object]]] = {"train": [], "test": []}
    for i, mask in enumerate(scene.masks()):
        split = "test" if i >= len(scene) - test else "train"
        save(folder / f"{split}/r_{i}.png", np.concatenate((picture(scene, i, mask), mask[None])))
        frame = {"file_path": f"./{split}/r_{i}", "transform_matrix": _opengl(scene, i)}
        frames[split].append(frame)
    for split, listed in frames.items():
        text = json.dumps({"camera_angle_x": angle, "frames": listed})
        (folder / f"transforms_{split}.json").write_text(text)


def write_nerfstudio(scene: Scene, folder: Path) -> None:
    """Intrinsics by frame, distortion for all, masks in files."""
    _all(scene, "images/f_{:02d}.png", "masks/f_{:02d}.png", folder)
    frames = []
    for i, matrix in enumerate(scene.intrinsics):
        frame = {"file_path": f"images/f_{i:02d}.png", "mask_path": f"masks/f_{i:02d}.png"}
        numbers = dict(fl_x=matrix[0, 0], fl_y=matrix[1, 1], cx=matrix[0, 2], cy=matrix[1, 2])
        frames.append(frame | numbers | {"transform_matrix": _opengl(scene, i)})
    lens = dict(zip(("k1", "k2", "p1", "p2", "k3", "k4"), scene.lens.tolist(), strict=True))
    whole = {"w": scene.width, "h": scene.height, "camera_model": "OPENCV", "frames": frames}
    (folder / "transforms.json").write_text(json.dumps(whole | lens))


def _colmap_pose(pose: np.ndarray) -> tuple[list[float], list[float]]:
    from scipy.spatial.transform import Rotation

    to_camera = np.linalg.inv(pose)
    x, y, z, w = Rotation.from_matrix(to_camera[:3, :3]).as_quat()
    return [w, x, y, z], to_camera[:3, 3].tolist()


def _opencv_parameters(scene: Scene) -> list[float]:
    matrix = scene.intrinsics[0]
    return [matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], *scene.lens[:4]]


def _cloud(scene: Scene) -> np.ndarray:
    rng = np.random.default_rng(0)
    sides = rng.normal(size=(200, 3))
    sides /= np.linalg.norm(sides, axis=1, keepdims=True)
    return scene.center + 0.8 * scene.radius * sides


def write_colmap_text(scene: Scene, folder: Path, *, masks: bool = True) -> None:
    _all(
        scene,
        "images/p{:02d}.png",
        "masks/p{:02d}.png.png" if masks else "unused/p{:02d}.png",
        folder,
    )
    model = folder / "sparse" / "0"
    model.mkdir(parents=True)
    numbers = " ".join(map(repr, map(float, _opencv_parameters(scene))))
    line = f"7 OPENCV {scene.width} {scene.height} {numbers}"
    (model / "cameras.txt").write_text(f"# cameras\n{line}\n")
    lines = ["# two lines each"]
    for i, pose in enumerate(scene.poses):
        turn, shift = _colmap_pose(pose)
        lines += [f"{i + 1} {' '.join(map(repr, map(float, turn + shift)))} 7 p{i:02d}.png", ""]
    (model / "images.txt").write_text("\n".join(lines) + "\n")
    points = [f"{i} {x} {y} {z} 9 9 9 0.5 1 0 2 0 3 0" for i, (x, y, z) in enumerate(_cloud(scene))]
    (model / "points3D.txt").write_text("\n".join(points))


def write_colmap_binary(scene: Scene, folder: Path) -> None:
    _all(scene, "images/p{:02d}.png", "masks/p{:02d}.png", folder)
    model = folder / "sparse" / "0"
    model.mkdir(parents=True)
    head = struct.pack("<QiiQQ", 1, 7, 4, scene.width, scene.height)
    (model / "cameras.bin").write_bytes(head + struct.pack("<8d", *_opencv_parameters(scene)))
    stored = struct.pack("<Q", len(scene))
    for i, pose in enumerate(scene.poses):
        turn, shift = _colmap_pose(pose)
        stored += struct.pack("<i7di", i + 1, *turn, *shift, 7) + f"p{i:02d}.png".encode() + b"\0"
        stored += struct.pack("<Q", 1) + struct.pack("<ddq", 1.0, 2.0, -1)
    (model / "images.bin").write_bytes(stored)
    stored = struct.pack("<Q", 200)
    for i, point in enumerate(_cloud(scene)):
        stored += struct.pack("<q3d3BdQ", i, *point, 9, 9, 9, 0.5, 3)
        stored += struct.pack("<6i", 1, 0, 2, 0, 3, 0)
    (model / "points3D.bin").write_bytes(stored)


def write_blendedmvs(scene: Scene, folder: Path) -> None:
    _all(scene, "blended_images/{:08d}.png", "mask/{:08d}.png", folder)
    (folder / "cams").mkdir()
    for i, pose in enumerate(scene.poses):
        matrix = scene.intrinsics[i].copy()
        matrix[:2, 2] -= 0.5
        rows = "\n".join(" ".join(map(repr, map(float, r))) for r in np.linalg.inv(pose))
        inner = "\n".join(" ".join(map(repr, map(float, r))) for r in matrix)
        text = f"extrinsic\n{rows}\n\nintrinsic\n{inner}\n\n1.0 0.1 128 9.0\n"
        (folder / "cams" / f"{i:08d}_cam.txt").write_text(text)


def write_sdfstudio(scene: Scene, folder: Path) -> None:
    _all(scene, "{:06d}_rgb.png", "{:06d}_mask.png", folder)
    frames = []
    for i, pose in enumerate(scene.poses):
        own = np.linalg.inv(scene.to_world) @ pose
        own[:3, :3] *= scene.radius
        matrix = np.eye(4)
        matrix[:3, :3] = scene.intrinsics[i]
        paths = {"rgb_path": f"{i:06d}_rgb.png", "foreground_mask": f"{i:06d}_mask.png"}
        frames.append(paths | {"camtoworld": own.tolist(), "intrinsics": matrix.tolist()})
    box = {"aabb": [[-1, -1, -1], [1, 1, 1]], "radius": 1.0, "collider_type": "near_far"}
    whole = {"width": scene.width, "height": scene.height, "worldtogt": scene.to_world.tolist()}
    (folder / "meta_data.json").write_text(
        json.dumps(whole | {"scene_box": box, "frames": frames, "camera_model": "OPENCV"})
    )


WRITERS = {
    "neus": write_neus,
    "volsdf": write_volsdf,
    "nerf": write_nerf,
    "nerfstudio": write_nerfstudio,
    "colmap-text": write_colmap_text,
    "colmap-binary": write_colmap_binary,
    "blendedmvs": write_blendedmvs,
    "sdfstudio": write_sdfstudio,
}
