"""A picture of cameras and hull from three sides."""

import io
import os
from typing import Any

import numpy as np
import torch

from passband.atomic import write_bytes_atomic
from passband.recon.data import Photographs
from passband.recon.doctor._examine import Examination

_PLANES = ((0, 1), (0, 2), (1, 2))


def draw(examination: Examination, path: str | os.PathLike[str]) -> None:
    """Write a PNG of the cameras and the hull, in the scene frame, from three sides.

    Every camera is a frustum coloured by the overlap of its mask with the hull's silhouette (gray
    without masks); the circle is the sphere of the object, the gray area the hull.

    Args:
        examination: what `examine` found.
        path: of the picture, .png.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  drawing is asked for

    figure = Figure(figsize=(15, 5), layout="constrained")
    panels = figure.subplots(1, 3)
    drawn = _corners(examination.photographs)
    for panel, plane in zip(panels, _PLANES, strict=True):
        _draw_side(panel, examination, drawn, plane)
    if examination.scores is not None:
        shades = figure.colorbar(_shades(), ax=panels, shrink=0.8, pad=0.01)
        shades.set_label("overlap of mask and hull")
    errors = sum(finding.severity == "error" for finding in examination.findings)
    figure.suptitle(
        f"{len(examination.photographs)} cameras around the object's sphere, in its radii"
        + (f"; {errors} error{'s' if errors > 1 else ''}" if errors else "")
    )
    stored = io.BytesIO()
    figure.savefig(stored, format="png", dpi=110)
    write_bytes_atomic(path, stored.getvalue())


def _draw_side(
    panel: Any, examination: Examination, drawn: np.ndarray, plane: tuple[int, int]
) -> None:
    from matplotlib.collections import LineCollection  # noqa: PLC0415  as above

    if examination.hull is not None:
        third = ({0, 1, 2} - set(plane)).pop()
        shadow = examination.hull.occupancy.any(third).float().T.numpy()
        panel.imshow(
            np.where(shadow > 0, 0.55, np.nan),
            extent=(-1, 1, -1, 1),
            origin="lower",
            cmap="gray",
            vmin=0,
            vmax=1,
        )
    turn = np.linspace(0, 2 * np.pi, 181)
    panel.plot(np.cos(turn), np.sin(turn), color="tab:blue", linewidth=1)
    colors = _colors(examination)
    for corners, color in zip(drawn[:, :, plane], colors, strict=True):
        edges = [(corners[0], corner) for corner in corners[1:]]
        rim = corners[[1, 2, 4, 3, 1]]
        panel.add_collection(LineCollection([*edges, rim], colors=[color], linewidths=0.9))
    reach = min(max(1.2, 1.05 * float(np.abs(drawn[:, :, plane]).max())), 50.0)
    panel.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    panel.set_xlabel("xyz"[plane[0]])
    panel.set_ylabel("xyz"[plane[1]])
    panel.grid(alpha=0.25)


def _corners(photographs: Photographs) -> np.ndarray:
    """Centre and four corners of every frustum, (n, 5, 3): first, top right, below left, last."""
    cameras = photographs.cameras
    depth = 0.12 * cameras.centers.norm(dim=1).median().clamp(0.5, 50)
    sides = torch.tensor([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    n = len(cameras)
    pixels = (cameras.sizes[:, None] * sides).reshape(-1, 2)
    rays = cameras.rays(torch.arange(n).repeat_interleave(4), pixels)
    cosine = (rays.directions * cameras.axes.repeat_interleave(4, 0)).sum(1).clamp(min=0.1)
    corners = rays.at(depth / cosine).reshape(n, 4, 3)
    return torch.cat((cameras.centers[:, None], corners), 1).numpy()


def _shades() -> Any:
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415  as above
    from matplotlib.colors import Normalize  # noqa: PLC0415  as above

    return ScalarMappable(Normalize(0, 1), "RdYlGn")


def _colors(examination: Examination) -> list[Any]:
    if examination.scores is None:
        return ["0.35"] * len(examination.photographs)
    return list(_shades().to_rgba(examination.scores.numpy()))
