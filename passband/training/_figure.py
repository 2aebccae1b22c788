"""Figures for reports: made without a window system, with fixed margins, as PNG bytes."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def new_figure(
    rows: int, columns: int, size: tuple[float, float], *, left: float = 0.75, right: float = 0.15
) -> "tuple[Figure, list[Axes]]":
    """An empty figure of ``rows`` times ``columns`` axes, given row by row.

    Args:
        rows: of axes.
        columns: of axes.
        size: width and height in inches.
        left: margin in inches, for labels.
        right: margin in inches.

    Example:
        >>> figure, axes = new_figure(1, 2, (6.0, 3.0))
        >>> len(axes)
        2
    """
    # The Figure class alone: pyplot would pick a window system and keep every figure alive.
    from matplotlib.figure import Figure  # noqa: PLC0415  0.6 s that only reports should pay

    figure = Figure(figsize=size, dpi=110)
    axes = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    # Fixed margins: measuring every label to place the axes would cost 0.1 s a figure.
    width, height = size
    figure.subplots_adjust(
        left=left / width, right=1 - right / width, bottom=0.55 / height, top=1 - 0.35 / height,
        wspace=0.22,
    )  # fmt: skip
    for axis in axes:
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def figure_png(figure: "Figure") -> bytes:
    """The picture of ``figure``.

    Example:
        >>> figure_png(new_figure(1, 1, (3.0, 2.0))[0])[1:4]
        b'PNG'
    """
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() == "log":
                # Plain numbers: powers of ten would be typeset, at 0.1 s a figure.
                axis.set_major_formatter("{x:g}")
                axis.set_minor_formatter("")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
