"""Between the camera axes of OpenGL and those of OpenCV."""

from jaxtyping import Float
from torch import Tensor


def flip_camera_axes(pose: Float[Tensor, "*b 4 4"]) -> Float[Tensor, "*b 4 4"]:
    """Camera poses with the camera's y and z turned round: OpenGL to OpenCV, and back.

    OpenGL (Blender, NeRF): x right, y up, z backward. OpenCV (COLMAP, NeuS): x right, y down,
    z forward. The frame the poses lead to stays as it is.

    Args:
        pose: transforms from a camera to the world.

    Returns:
        ``pose diag(1, -1, -1, 1)``.

    Example:
        >>> import torch
        >>> flip_camera_axes(torch.eye(4)).diagonal().tolist()
        [1.0, -1.0, -1.0, 1.0]
    """
    return pose * pose.new_tensor([1.0, -1.0, -1.0, 1.0])
