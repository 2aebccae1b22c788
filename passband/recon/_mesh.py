"""The mesh of a reconstruction."""

from collections.abc import Callable

import torch

from passband.media import Mesh
from passband.recon._run import FittedReconstruction
from passband.recon.meshing import frontal_color, surface_mesh, unit_ball


def reconstruction_mesh(
    fitted: FittedReconstruction,
    resolution: int,
    *,
    color: bool = False,
    largest: bool = True,
    in_world: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Mesh:
    """The surface that was learned, cropped to the masks' hull or, without one, to the unit ball.

    Args:
        fitted: what was learned.
        resolution: cells along a side of the cube [-1, 1]^3.
        color: give vertices the colour that is seen from the front.
        largest: keep only the connected part with the most faces.
        in_world: in the world of the photographs, else in the scene frame.
        progress: called with blocks done and blocks known of.

    Raises:
        InputError: the resolution is out of range, or there is no surface.
    """
    surface = fitted.model.surface
    device = next(fitted.model.parameters()).device
    within = unit_ball if fitted.hull is None else fitted.hull.to(device).distance
    with torch.no_grad():
        return surface_mesh(
            surface.distance,
            resolution,
            within=within,
            largest=largest,
            color=frontal_color(surface) if color else None,
            to_world=fitted.to_world if in_world else None,
            device=device,
            progress=progress,
        )
