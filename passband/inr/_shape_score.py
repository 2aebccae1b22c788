"""How near the surface of a briefly trained field is to its shape."""

import math

import torch

from passband.errors import InputError
from passband.inr._field import Field
from passband.inr._meshing import extract_mesh
from passband.inr._shape_quality import compare_surfaces
from passband.inr.targets import ShapeTarget
from passband.training import make_generator

_CELLS = 64
_POINTS = 2**13
_STREAM = 13  # keeps these points apart from those of training and of the final metrics


def surface_score(target: ShapeTarget, field: Field, *, cells: int = _CELLS) -> float:
    """``-20 log10`` of the chamfer distance to ``target`` in sides of the unit cube, in dB.

    Of the mesh at ``cells`` a side, so surfaces that are not there in the shape count: the mean of
    the field over the true surface does not see them. A chamfer distance 10 % larger is 0.83 dB
    less. Minus infinity where the field has no surface.

    Args:
        target: the shape.
        field: signed distances in the shape's coordinates.
        cells: along a side of the cube [-1, 1]^3; the more, the finer the detail that counts.
    """
    device = next(field.parameters()).device
    try:
        with torch.no_grad():
            mesh = extract_mesh(field, cells, device=device)
    except InputError:  # no surface, or not a number
        return -math.inf
    compared = compare_surfaces(
        mesh, target.mesh, samples=_POINTS, generator=make_generator(0, _STREAM)
    )
    return -20.0 * math.log10(max(compared.chamfer, 1e-12))
