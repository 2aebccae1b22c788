"""Figures of a reconstruction's progress, as PNG bytes."""

from collections.abc import Sequence
from typing import Any

from passband.training import figure_png, new_figure

_NAMES = {"psnr": "whole picture", "psnr_inside": "inside the mask", "psnr_eroded": "rim left out"}


def progress_figure(history: Sequence[dict[str, Any]]) -> bytes:
    """PSNR against steps.

    Args:
        history: rows with ``step`` and the scores' names; None leaves a score out.

    Example:
        >>> progress_figure([{"step": 10, "psnr": 20.0, "psnr_inside": None}])[1:4]
        b'PNG'
    """
    figure, (axes,) = new_figure(1, 1, (6.4, 3.2))
    for key, label in _NAMES.items():
        rows = [(row["step"], row[key]) for row in history if row.get(key) is not None]
        if rows:
            axes.plot(*zip(*rows, strict=True), marker="o", markersize=3, label=label)
    axes.set_xlabel("step")
    axes.set_ylabel("PSNR (dB)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure_png(figure)
