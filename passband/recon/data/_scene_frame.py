"""Photographs in the frame of the scene."""

from dataclasses import replace

import numpy as np
import torch

from passband.recon.cameras import Cameras
from passband.recon.data._listing import Floats
from passband.recon.data._photographs import Photographs
from passband.recon.data._similarity import move_poses


def in_scene(world: Photographs, to_world: Floats) -> Photographs:
    """Photographs in the world of the data, float64, brought into the scene, float32.

    Args:
        world: their scene frame is the world.
        to_world: similarity (4, 4) from the scene to the world.
    """
    cameras = world.cameras
    poses = move_poses(np.linalg.inv(to_world), cameras.to_scene.numpy())
    lens = cameras.distortion
    return replace(
        world,
        cameras=Cameras(
            cameras.intrinsics.float(),
            torch.from_numpy(poses).float(),
            cameras.sizes,
            None if lens is None else lens.float(),
        ),
        to_world=torch.from_numpy(to_world).float(),
    )
