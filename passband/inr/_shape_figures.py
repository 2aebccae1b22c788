"""Pictures of a fitted shape, as PNG bytes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from passband.inr._figures import _BLUE, _ORANGE
from passband.inr.targets import ShapeTarget
from passband.inr.targets._raycasting import first_hits, nearest, raycasting_scene
from passband.media import Mesh
from passband.training import figure_png, new_figure

_SIDE = 400  # pixels of a view
_SAMPLES = 2  # rays per pixel along each axis
_LIGHT = (0.35, 0.55, 0.76)  # from the upper right behind the viewer
_PAINT = (0.80, 0.81, 0.83)
_SCALE_SHARE = 0.99  # of the surface shown within the colour scale
_TILT = math.radians(12.0)
_VIEWS = {"front": math.radians(25.0), "back": math.radians(205.0)}


def shape_figures(target: ShapeTarget, mesh: Mesh) -> list[tuple[bytes, str]]:
    """Front and back of target and fit, and the fit coloured by its distance from the target.

    The y axis is up, as most meshes have it. The colour scale ends at the 99th percentile.

    Args:
        target: the true shape.
        mesh: the fitted one, in the coordinates of the field.

    Returns:
        PNG bytes, each with its caption.

    Raises:
        MissingDependencyError: without open3d.
    """
    return [
        (_shaded_figure(target.mesh, mesh), "Target above, fit below"),
        (
            _error_figure(target.mesh, mesh),
            "Distance from the fit to the target, in % of the target's longest side",
        ),
    ]


def history_figure(history: Sequence[dict[str, Any]]) -> bytes:
    """``1 - iou`` and ``mape`` of the evaluations against steps, as PNG bytes.

    Example:
        >>> history_figure([{"step": 9, "iou": 0.9, "mape": 0.2}])[1:4]
        b'PNG'
    """
    figure, (axis,) = new_figure(1, 1, (6.2, 3.6))
    steps = [entry["step"] for entry in history]
    missing = [max(1.0 - entry["iou"], 1e-6) for entry in history]
    axis.plot(steps, missing, color=_BLUE, lw=1.4, marker=".", label="1 - IoU")
    error = [entry["mape"] for entry in history]
    axis.plot(steps, error, color=_ORANGE, lw=1.4, marker=".", label="relative error")
    axis.set(xscale="log", yscale="log", xlabel="steps")
    axis.legend(frameon=False)
    return figure_png(figure)


def render_mesh(
    mesh: Mesh,
    azimuth: float,
    *,
    colors: Float[Tensor, "vertices 3"] | None = None,
    side: int = _SIDE,
) -> Float[Tensor, "{side} {side} 4"]:
    """Orthographic picture of what a mesh holds of [-1, 1]^3, shaded by interpolated normals.

    Args:
        mesh: a surface.
        azimuth: angle of the viewer about the y axis, in radians; 0 looks along -z.
        colors: of each vertex, on [0, 1]; light grey by default.
        side: pixels along a side.

    Returns:
        Red, green, blue and coverage on [0, 1].

    Example:
        >>> corners = torch.tensor([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0, 0.5, 0]]).double()
        >>> picture = render_mesh(Mesh(corners, torch.tensor([[0, 1, 2]])), 0.0, side=8)
        >>> picture.shape, bool(picture[4, 4, 3] == 1), bool(picture[0, 0, 3] == 0)
        (torch.Size([8, 8, 4]), True, True)
    """
    right, up, towards = _axes(azimuth)
    rows = side * _SAMPLES
    # Both half a sample off the ends; rows run downwards.
    ticks = (2 * torch.arange(rows, dtype=torch.float64) + 1) / rows - 1
    y, x = torch.meshgrid(-ticks, ticks, indexing="ij")
    origins = x.reshape(-1, 1) * right + y.reshape(-1, 1) * up + 4.0 * towards
    faces, weights = first_hits(raycasting_scene(mesh), origins, -towards)
    met = faces >= 0
    corners = mesh.faces[faces[met]]
    weights = weights[met, :, None]
    normals = torch.nn.functional.normalize((_vertex_normals(mesh)[corners] * weights).sum(1))
    light = _LIGHT[0] * right + _LIGHT[1] * up + _LIGHT[2] * towards
    facing = torch.where(normals @ towards < 0, -1.0, 1.0)  # both sides of open meshes are lit
    shade = 0.30 + 0.70 * (facing * (normals @ light)).clamp_min(0.0)
    if colors is None:
        paint = torch.tensor(_PAINT, dtype=torch.float64)
    else:
        paint = (colors.double()[corners] * weights).sum(1)
    picture = torch.zeros(rows * rows, 4, dtype=torch.float64)
    picture[met, :3] = (shade[:, None] * paint).clamp(0.0, 1.0)
    picture[met, 3] = 1.0
    blocks = picture.reshape(side, _SAMPLES, side, _SAMPLES, 4).mean(dim=(1, 3))
    blocks[..., :3] /= blocks[..., 3:].clamp_min(1e-9)  # of what is covered alone
    return blocks.clamp(0.0, 1.0).float()


def _shaded_figure(target: Mesh, mesh: Mesh) -> bytes:
    figure, axes = new_figure(2, 2, (9.0, 9.2))
    for row, (name, surface) in enumerate((("target", target), ("fit", mesh))):
        for column, (view, azimuth) in enumerate(_VIEWS.items()):
            axis = axes[2 * row + column]
            axis.imshow(render_mesh(surface, azimuth).numpy())
            axis.set_title(f"{name}, {view}", fontsize=9)
            axis.set_axis_off()
    return figure_png(figure)


def _error_figure(target: Mesh, mesh: Mesh) -> bytes:
    from matplotlib import colormaps  # noqa: PLC0415  loaded with the figure
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415
    from matplotlib.colors import Normalize  # noqa: PLC0415

    extents = target.vertices.amax(dim=0) - target.vertices.amin(dim=0)
    distance, _ = nearest(raycasting_scene(target), mesh.vertices)
    percent = 100.0 * distance / float(extents.max())
    top = max(float(np.quantile(percent.numpy(), _SCALE_SHARE)), 1e-9)
    scale = ScalarMappable(Normalize(0.0, top), colormaps["inferno_r"])
    colors = torch.from_numpy(np.ascontiguousarray(scale.to_rgba(percent.numpy())[:, :3]))
    figure, axes = new_figure(1, 2, (9.8, 4.8))
    for axis, (view, azimuth) in zip(axes, _VIEWS.items(), strict=True):
        axis.imshow(render_mesh(mesh, azimuth, colors=colors.float()).numpy())
        axis.set_title(f"error, {view}", fontsize=9)
        axis.set_axis_off()
    figure.colorbar(scale, ax=axes, label="% of the longest side", pad=0.01, shrink=0.8)
    return figure_png(figure)


def _axes(azimuth: float) -> tuple[Tensor, Tensor, Tensor]:
    """Right, up and towards the viewer, who looks down a little."""
    sin, cos = math.sin(azimuth), math.cos(azimuth)
    right = torch.tensor([cos, 0.0, -sin], dtype=torch.float64)
    towards = torch.tensor(
        [sin * math.cos(_TILT), math.sin(_TILT), cos * math.cos(_TILT)], dtype=torch.float64
    )
    return right, torch.linalg.cross(towards, right), towards


def _vertex_normals(mesh: Mesh) -> Tensor:
    """Sum of the normals of the faces around each vertex, by area."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    normals = torch.linalg.cross(b - a, c - a)
    sums = torch.zeros_like(mesh.vertices)
    for k in range(3):
        sums.index_add_(0, mesh.faces[:, k], normals)
    return sums
