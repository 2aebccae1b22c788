"""Into how many parts a mesh falls."""

import numpy as np

from passband.media import Mesh


def component_count(mesh: Mesh) -> int:
    """Number of connected parts: sets of faces that hang together by common vertices.

    Example:
        >>> import torch
        >>> corners = torch.rand(7, 3, dtype=torch.float64)
        >>> component_count(Mesh(corners, torch.tensor([[0, 1, 2], [2, 3, 0], [4, 5, 6]])))
        2
    """
    from scipy.sparse import coo_array  # noqa: PLC0415  only those who ask pay for loading it
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    faces, count = mesh.faces.numpy(), len(mesh.vertices)
    ends = np.concatenate((faces[:, :2], faces[:, 1:]))
    graph = coo_array((np.ones(len(ends), dtype=bool), (ends[:, 0], ends[:, 1])), (count, count))
    _, part = connected_components(graph, directed=False)
    return len(np.unique(part[faces[:, 0]]))
