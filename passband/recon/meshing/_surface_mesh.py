"""From a signed distance in the scene frame to a mesh in the world of the photographs."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.inr._meshing import extract_mesh, largest_component
from passband.media import Mesh
from passband.recon.meshing._clean import cleaned
from passband.recon.meshing._coloring import Color, colored
from passband.recon.meshing._crop import Region, cropped
from passband.recon.meshing._placing import placed


def surface_mesh(
    distance: Callable[[Tensor], Tensor],
    resolution: int,
    *,
    within: Region | None = None,
    largest: bool = True,
    color: Color | None = None,
    to_world: Float[Tensor, "4 4"] | None = None,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Mesh:
    """The surface ``distance(x) = 0`` in the cube [-1, 1]^3, cropped, coloured, in world units.

    The steps are functions of their own: `cropped`, then marching cubes in blocks near the surface
    (`passband.inr`), ``largest_component``, `colored`, `placed`, `cleaned`. The lattice is never
    held whole, so memory grows with the surface: about 100 bytes a vertex.

    Args:
        distance: maps ``(n, 3)`` points of the scene to ``(n,)``, negative inside.
        resolution: cells along a side of the cube, 2 to 4096.
        within: what the mesh is cropped to, see `cropped`; a surface trained in the unit sphere
            means nothing in the corners of the cube, so pass `unit_ball` where there is no hull.
        largest: keep only the connected part with the most faces.
        color: of the vertices, see `colored`; None leaves the mesh without colours.
        to_world: similarity from the scene to the world; None stays in the scene frame.
        device: where the callables take their points.
        progress: called with blocks done and blocks known of.

    Raises:
        InputError: the resolution is out of range, ``to_world`` no similarity, the field holds NaN,
            or it has no surface.

    Example:
        >>> ball = lambda x: x.norm(dim=-1) - 0.5
        >>> to_world = torch.diag(torch.tensor([10.0, 10.0, 10.0, 1.0]))
        >>> mesh = surface_mesh(ball, 32, color=lambda x, n: n / 2 + 0.5, to_world=to_world)
        >>> round(float(mesh.vertices.norm(dim=1).mean()), 2), mesh.colors.shape[1], mesh.watertight
        (5.0, 3, True)

    Reference: Lorensen and Cline, *Marching Cubes*, SIGGRAPH 1987.
    """
    if not 2 <= resolution <= 4096:
        raise InputError(
            f"`resolution` (={resolution}) must be 2 to 4096 cells along a side. Pass 512."
        )
    if within is not None:
        distance = cropped(distance, within, step=2 / resolution)
    mesh = extract_mesh(distance, resolution, device=device, progress=progress)
    if largest:
        mesh = largest_component(mesh)
    if color is not None:
        mesh = colored(mesh, color, device=device)
    if to_world is not None:
        mesh = placed(mesh, to_world)
    return cleaned(mesh)
