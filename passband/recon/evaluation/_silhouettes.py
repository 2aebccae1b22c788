"""Whether a mesh covers what the masks of photographs say it covers."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from passband.errors import InputError
from passband.inr._shape_quality import iou
from passband.media import Mesh
from passband.recon.cameras import Cameras
from passband.recon.evaluation._casting import mesh_views


def mask_iou(
    mesh: Mesh, cameras: Cameras, masks: Sequence[Bool[Tensor, "_ _"]]
) -> Float64[Tensor, " views"]:
    """Intersection over union of a mesh's silhouettes with masks, view by view.

    A pixel belongs to the silhouette if the ray through its centre meets the mesh. A view in which
    both are empty counts as 1.

    Args:
        mesh: in the scene frame.
        cameras: of the views.
        masks: one per camera, of its height and width, True on the object.

    Raises:
        InputError: another number or size of masks than of cameras, or a mesh without faces.
        MissingDependencyError: without open3d.

    Example:
        >>> matrix = torch.tensor([[[10.0, 0.0, 2.0], [0.0, 10.0, 2.0], [0.0, 0.0, 1.0]]])
        >>> cameras = Cameras(matrix, torch.eye(4)[None], torch.tensor([[4, 4]]))
        >>> corners = torch.tensor([[-9, -9, 2], [9, -9, 2], [0, 9, 2]]).double()
        >>> mask = torch.ones(4, 4, dtype=torch.bool)
        >>> mask[0] = False
        >>> mask_iou(Mesh(corners, torch.tensor([[0, 1, 2]])), cameras, [mask]).tolist()
        [0.75]
    """
    if len(masks) != len(cameras):
        raise InputError(
            f"`masks` (={len(masks)}) must be one for each of {len(cameras)} cameras. "
            "Pass the masks of the same photographs."
        )
    for k, (mask, (width, height)) in enumerate(zip(masks, cameras.sizes.tolist(), strict=True)):
        if mask.shape != (height, width):
            raise InputError(
                f"mask {k} (={mask.shape[1]}x{mask.shape[0]}) must be {width}x{height} pixels, as "
                "its camera has. Resize the mask to its photograph."
            )
    shares = [
        iou(view.mask.flatten(), mask.cpu().flatten())
        for view, mask in zip(mesh_views(mesh, cameras), masks, strict=True)
    ]
    return torch.tensor(shares, dtype=torch.float64)
