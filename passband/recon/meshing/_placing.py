"""A mesh moved from one frame to another."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.media import Mesh


def placed(mesh: Mesh, matrix: Float[Tensor, "4 4"]) -> Mesh:
    """The mesh with vertices ``A x + t``; faces turn round where A mirrors, to face out still.

    Args:
        mesh: of any size.
        matrix: [A t; 0 1] with an invertible A, such as the scene's ``to_world`` or its inverse.

    Raises:
        InputError: the matrix holds NaN, is singular or projective.

    Example:
        >>> triangle = Mesh(torch.eye(3, dtype=torch.float64), torch.tensor([[0, 1, 2]]))
        >>> placed(triangle, torch.diag(torch.tensor([2.0, 2.0, 2.0, 1.0]))).vertices[0].tolist()
        [2.0, 0.0, 0.0]
    """
    matrix = matrix.detach().double().cpu()
    part = matrix[:3, :3]
    volume = float(torch.linalg.det(part)) if bool(matrix.isfinite().all()) else 0.0
    if volume == 0.0 or not torch.equal(matrix[3], matrix.new_tensor([0.0, 0.0, 0.0, 1.0])):
        raise InputError(
            "`matrix` must be finite and invertible with last row 0 0 0 1. "
            "Pass the scene's `to_world`."
        )
    faces = mesh.faces if volume > 0 else mesh.faces.flip(1)
    return Mesh(mesh.vertices @ part.T + matrix[:3, 3], faces, mesh.colors, mesh.dropped)
