"""Pictures of a search for shortcuts, as PNG bytes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from passband.signal.tasks.shortcuts._frequencies import Frequencies
from passband.signal.tasks.shortcuts._search import ClassShortcut
from passband.training import figure_png, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAP, _LINE, _MARK = "RdBu_r", "#2563a8", "#d1651c"
_HEIGHT = 1.5  # inches of a row


def adcs_figure(differences: Float[Tensor, "classes *spectrum"], classes: Sequence[str]) -> bytes:
    """ADCS of every class: a map for pictures, a line over the coefficients for sounds.

    Args:
        differences: of `adcs`.
        classes: names.

    Example:
        >>> adcs_figure(torch.zeros(2, 8, 5), ["a", "b"])[1:4]
        b'PNG'
    """
    limit = max(len(differences) - 1, 1)
    if differences.ndim == 3:
        return _maps([_whole_plane(each) for each in differences], classes, limit, _MAP)
    figure, axes = new_figure(
        len(classes), 1, (5.6, 0.9 + _HEIGHT * len(classes)), left=0.75, right=0.3
    )
    figure.subplots_adjust(hspace=0.5)
    for axis, values, name in zip(axes, differences, classes, strict=True):
        shown = _smoothed(values.cpu().double())
        axis.plot(np.linspace(0, 1, len(shown)), shown, color=_LINE, lw=1)
        axis.axhline(0, color="#d8dee4", lw=0.8, zorder=0)
        axis.set_ylim(-limit - 0.1, limit + 0.1)
        axis.set_title(name, fontsize=9, loc="left")
    axes[-1].set_xlabel("frequency, of the highest")
    return figure_png(figure)


def dominance_figure(
    results: Sequence[ClassShortcut], frequencies: Frequencies, classes: Sequence[str]
) -> bytes:
    """What the removal of each group costs a class; shortcuts that were found are marked.

    Args:
        results: of `find_shortcuts`.
        frequencies: that they were found in.
        classes: names.

    Example:
        >>> from passband.signal.tasks.shortcuts import sound_bands
        >>> losses, bands = torch.tensor([0.1, 2.0]), sound_bands(8, 8, [2])
        >>> result = ClassShortcut(0, losses, (1,), 1.0, 0.0, (), 0.0, 0.0, (1,))
        >>> dominance_figure([result], bands, ["a"])[1:4]
        b'PNG'
    """
    if frequencies.groups.ndim == 2:
        spread = [frequencies.spread(each.losses) for each in results]
        return _maps([_whole_plane(each) for each in spread], classes, None, "magma")
    figure, axes = new_figure(
        len(classes), 1, (5.6, 0.9 + _HEIGHT * len(classes)), left=0.75, right=0.3
    )
    figure.subplots_adjust(hspace=0.5)
    for axis, result, name in zip(axes, results, classes, strict=True):
        _bars(axis, result)
        axis.set_title(name, fontsize=9, loc="left")
    axes[0].set_ylabel("loss (nats)")
    axes[-1].set_xlabel("band")
    return figure_png(figure)


def map_figure(
    results: Sequence[ClassShortcut], frequencies: Frequencies, classes: Sequence[str]
) -> bytes:
    """Dominant frequency maps of pictures: the largest in grey, what was found in full.

    Args:
        results: of `find_shortcuts`.
        frequencies: of pictures.
        classes: names.

    Example:
        >>> from passband.signal.tasks.shortcuts import picture_frequencies
        >>> result = ClassShortcut(0, torch.zeros(10), (3, 1), 1.0, 0.0, (), 0.0, 0.0, (3,))
        >>> map_figure([result], picture_frequencies(4, 4), ["a"])[1:4]
        b'PNG'
    """
    planes = []
    for result in results:
        shown = torch.zeros(frequencies.count)
        shown[list(result.dominant)] = 0.4
        shown[list(result.found)] = 1.0
        planes.append(_whole_plane(frequencies.spread(shown)))
    return _maps(planes, classes, 1.0, "Greys")


def _bars(axis: "Axes", result: ClassShortcut) -> None:
    places = np.arange(len(result.losses))
    colours = [_MARK if group in result.found else _LINE for group in places]
    axis.bar(places, result.losses.numpy(), width=0.9, color=colours)


def _maps(
    planes: Sequence[Tensor], titles: Sequence[str], limit: float | None, colours: str
) -> bytes:
    columns = min(len(planes), 5)
    rows = -(-len(planes) // columns)
    size = (0.75 + 2.2 * columns, 0.9 + 2.2 * rows)
    figure, axes = new_figure(rows, columns, size, left=0.3)
    low = -limit if limit is not None and colours == _MAP else 0.0
    for axis in axes[len(planes) :]:
        axis.axis("off")
    for axis, plane, title in zip(axes, planes, titles, strict=False):
        axis.set(xticks=[], yticks=[])
        axis.spines[["top", "right"]].set_visible(True)
        axis.imshow(plane.numpy(), cmap=colours, vmin=low, vmax=limit, interpolation="nearest")
        axis.set_title(title, fontsize=9)
    return figure_png(figure)


def _whole_plane(half: Tensor) -> Tensor:
    """All frequencies, 0 in the middle, of those from 0 on across: (u, v) as at (-u, -v)."""
    half = half.cpu().double()
    mirrored = half[:, 1:].flip(0).roll(1, dims=0).flip(1)
    plane: Tensor = torch.fft.fftshift(torch.cat((mirrored, half), dim=1), dim=0)
    return plane


def _smoothed(values: Tensor) -> np.ndarray:
    """Means of neighbours where there are more values than a figure has points."""
    size = max(1, len(values) // 600)
    whole = values[: len(values) // size * size].reshape(-1, size)
    return whole.mean(dim=1).numpy()
