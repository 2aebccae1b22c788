import math
from pathlib import Path

import numpy as np
import pytest
import torch

from passband.media import write_image

RADIUS, WORLD, SIDE = 0.6, 2.0, 32


@pytest.fixture(scope="session")
def ball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A NeuS folder: 10 views of a ball of radius 1.2 in the world, 0.6 in the scene."""
    folder = tmp_path_factory.mktemp("ball")
    for name in ("image", "mask"):
        (folder / name).mkdir()
    matrices = {}
    focal, middle = 40.0, (SIDE - 1) / 2  # centres of pixels at integers, as the format has them
    for k in range(10):
        place = _place(k, 10)
        pose = _looking_at_origin(place)
        y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
        plane = torch.stack(
            ((x - middle) / focal, (y - middle) / focal, torch.ones(SIDE, SIDE)), -1
        )
        rays = torch.nn.functional.normalize(plane @ pose.T, dim=-1)
        color, mask = _seen(place, rays)
        write_image(folder / "image" / f"{k:03}.png", color.movedim(-1, 0))
        write_image(folder / "mask" / f"{k:03}.png", mask[None].float())
        outer = np.eye(4)
        outer[:3, :3] = pose.T.double()
        outer[:3, 3] = -(pose.T @ place).double() * WORLD
        intrinsics = np.eye(4)
        intrinsics[:3, :3] = [[focal, 0, middle], [0, focal, middle], [0, 0, 1]]
        matrices[f"world_mat_{k}"] = intrinsics @ outer
        matrices[f"scale_mat_{k}"] = np.diag([WORLD, WORLD, WORLD, 1.0])
    np.savez(folder / "cameras_sphere.npz", **matrices)
    return folder


def _place(k: int, count: int) -> torch.Tensor:
    height = 1 - (2 * k + 1) / count
    angle, across = 2.4 * k, math.sqrt(1 - height**2)
    return 3 * torch.tensor([across * math.cos(angle), height, across * math.sin(angle)])


def _looking_at_origin(place: torch.Tensor) -> torch.Tensor:
    """Axes of the camera, right, down and forward, as columns."""
    forward = -place / place.norm()
    right = torch.linalg.cross(forward, torch.tensor([0.0, 1.0, 0.0]))
    right = right / right.norm()
    return torch.stack((right, torch.linalg.cross(forward, right), forward), 1)


def _seen(place: torch.Tensor, rays: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours (1 + normal) / 2 of the ball on white, and its mask, by the closed form."""
    along = (rays * place).sum(-1)
    inside = along.square() - place.square().sum() + RADIUS**2
    normal = (place + (-along - inside.clamp(min=0).sqrt())[..., None] * rays) / RADIUS
    mask = inside > 0
    return torch.where(mask[..., None], (0.5 + 0.5 * normal).clamp(0, 1), 1.0), mask
