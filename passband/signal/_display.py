"""Spectrograms as pictures: seconds along, Hz or notes up, a colour bar with its unit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor

from passband.frequency._validate import require_choice
from passband.signal._ticks import decade_ticks, note_name, note_ticks, round_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Scale = Literal["linear", "log", "notes", "bins"]

_COLUMNS, _ROWS = 1600, 720  # more than a screen shows; what is finer is reduced by its maximum
_CLOSEST = 0.045  # of the axis, between two labels


def spectrogram_figure(
    levels: Float[Tensor, "bins frames"],
    *,
    times: Float[Tensor, " times"],
    frequencies: Float[Tensor, " frequencies"] | None = None,
    scale: Scale = "linear",
    names: Sequence[str] = (),
    top_db: float | None = 80.0,
    unit: str = "dB",
    title: str = "",
    axes: "Axes | None" = None,
) -> "Figure":
    """Draw ``levels`` over time and frequency, low frequencies at the bottom.

    Where there are more values than pixels, the largest of each pixel is shown, so that a click or
    a thin line does not vanish. No window system and no state of pyplot is touched.

    Args:
        levels: what the colours show, such as decibels.
        times: of the frames, in seconds, evenly spaced.
        frequencies: of the bins, in Hz, rising or falling; None where bins are no frequencies.
        scale: ``linear`` or ``log`` in Hz, ``notes`` (log, with note names on the left and Hz on
            the right), or ``bins``: one bin as high as another, labelled in Hz.
        names: of the bins, where they are no frequencies; their numbers by default.
        top_db: how far below the largest level the darkest colour stands; None shows all levels,
            signed ones in two colours.
        unit: label of the colour bar.
        title: what to write above.
        axes: Matplotlib axes to draw in; a new figure by default.

    Returns:
        The figure, to be saved by its ``savefig``.

    Raises:
        ValueError: for an unknown scale, or times and frequencies that do not match the levels.

    Example:
        >>> import torch
        >>> levels = torch.rand(513, 200)
        >>> times, frequencies = torch.arange(200) / 100, torch.linspace(0, 8000, 513)
        >>> figure = spectrogram_figure(levels, times=times, frequencies=frequencies)
        >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel(), figure.axes[1].get_ylabel()
        ('time (s)', 'frequency (Hz)', 'dB')
    """
    require_choice("scale", scale, ("linear", "log", "notes", "bins"))
    _require_lengths(levels, times, frequencies)
    array = levels.detach().cpu().numpy()
    instants = times.detach().cpu().double().numpy()
    hertz = None if frequencies is None else frequencies.detach().cpu().double().numpy()
    if axes is None:
        axes = _axes()
    figure = axes.get_figure(root=True)
    assert figure is not None
    array, hertz = _rising(array, hertz, scale)
    positions = np.arange(len(array), dtype=float) if hertz is None else _place(hertz, scale)
    rows, bottom, top = _even_rows(_reduced_columns(array), positions)
    coefficients = hertz is None and not names
    # The first coefficient, the level of all, would leave the others pale.
    low, high, colours = _range(rows[1:] if coefficients and len(rows) > 1 else rows, top_db)
    left, right = _ends(instants)
    image = axes.imshow(
        rows, origin="lower", aspect="auto", interpolation="nearest",
        extent=(left, right, bottom, top), vmin=low, vmax=high, cmap=colours,
    )  # fmt: skip
    axes.set(xlabel="time (s)", title=title)
    _label(axes, hertz, scale, names, positions)
    # A layout engine makes room for the axis on the right by itself.
    beside = scale == "notes" and figure.get_layout_engine() is None
    figure.colorbar(image, ax=axes, label=unit, pad=0.12 if beside else 0.02)
    return figure


def _require_lengths(levels: Tensor, times: Tensor, frequencies: Tensor | None) -> None:
    given = (levels.shape[0] if frequencies is None else len(frequencies), len(times))
    if tuple(levels.shape) != given or levels.numel() == 0:
        raise ValueError(
            f"`levels` (shape {tuple(levels.shape)}) must be (bins, frames), not empty, for "
            f"{given[0]} frequencies and {given[1]} times. Pass one item of the batch."
        )


def _axes() -> "Axes":
    # The Figure class alone: pyplot would pick a window system and keep every figure alive.
    from matplotlib.figure import Figure  # noqa: PLC0415  0.6 s that only pictures should pay

    return Figure(figsize=(7.2, 3.8), dpi=110, layout="constrained").subplots()


def _rising(
    array: np.ndarray, hertz: np.ndarray | None, scale: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Bins from low to high, without those a logarithm has no place for."""
    if hertz is None:
        return array, None
    if hertz[0] > hertz[-1]:
        array, hertz = array[::-1], hertz[::-1]
    if scale in ("log", "notes"):
        first = int(np.searchsorted(hertz, 0.0, side="right"))
        array, hertz = array[first:], hertz[first:]
    return array, hertz


def _place(hertz: np.ndarray, scale: str) -> np.ndarray:
    if scale == "bins":
        return np.arange(len(hertz), dtype=float)
    return hertz if scale == "linear" else np.log2(hertz)


def _ends(positions: np.ndarray) -> tuple[float, float]:
    """First and last position, each half a step further out."""
    if len(positions) == 1:
        return float(positions[0]) - 0.5, float(positions[0]) + 0.5
    first, last = positions[1] - positions[0], positions[-1] - positions[-2]
    return float(positions[0] - first / 2), float(positions[-1] + last / 2)


def _reduced_columns(array: np.ndarray) -> np.ndarray:
    count = array.shape[1]
    if count <= _COLUMNS:
        return array
    starts = np.arange(_COLUMNS) * count // _COLUMNS
    reduced: np.ndarray = np.maximum.reduceat(array, starts, axis=1)
    return reduced


def _even_rows(array: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Rows of one height, each the largest of the bins that reach into it; bottom and top."""
    bottom, top = _ends(positions)
    steps = np.diff(positions)
    even = len(steps) == 0 or float(np.ptp(steps)) < 1e-3 * float(steps.mean())
    if even and len(array) <= _ROWS:
        return array, bottom, top
    edges = np.concatenate(([bottom], (positions[1:] + positions[:-1]) / 2, [top]))
    grid = np.linspace(bottom, top, _ROWS + 1)
    first = np.searchsorted(edges, grid[:-1], side="right") - 1
    last = np.maximum(np.searchsorted(edges, grid[1:], side="left"), first + 1)
    pairs = np.stack((first, last), axis=1).ravel()
    # One row more, never looked at: reduceat takes no index at the very end.
    padded = np.concatenate((array, array[-1:]))
    return np.maximum.reduceat(padded, np.minimum(pairs, len(array)), axis=0)[::2], bottom, top


def _range(rows: np.ndarray, top_db: float | None) -> tuple[float, float, str]:
    if top_db is not None:
        peak = float(rows.max())
        return peak - top_db, peak, "magma"
    low, high = (float(level) for level in np.percentile(rows, (1, 99)))
    if low < 0 < high:
        reach = max(-low, high)
        return -reach, reach, "RdBu_r"
    return low, max(high, low + 1e-9), "magma"


def _label(
    axes: "Axes",
    hertz: np.ndarray | None,
    scale: str,
    names: Sequence[str],
    positions: np.ndarray,
) -> None:
    """Ticks and name of the vertical axis, and of the right one where the left has notes."""
    if hertz is None:
        axes.set_ylabel("pitch class" if names else "coefficient")
        shown = range(0, len(positions), 1 if names else round_step(len(positions) / 10))
        axes.set_yticks(shown, list(names) or [str(number) for number in shown])
        return
    if scale == "linear":
        axes.set_ylabel("frequency (Hz)")
        return
    chosen = _spread(decade_ticks(hertz[0], hertz[-1]), hertz, positions)
    if scale == "notes":
        notes = _spread(note_ticks(hertz[0], hertz[-1]), hertz, positions)
        axes.set_yticks(np.interp(notes, hertz, positions), [note_name(note) for note in notes])
        axes.set_ylabel("note")
        beside = axes.secondary_yaxis("right")
        beside.set_yticks(np.interp(chosen, hertz, positions), [f"{tick:g}" for tick in chosen])
        beside.set_ylabel("frequency (Hz)")
        return
    axes.set_yticks(np.interp(chosen, hertz, positions), [f"{tick:g}" for tick in chosen])
    axes.set_ylabel("frequency (Hz)")


def _spread(ticks: list[float], hertz: np.ndarray, positions: np.ndarray) -> list[float]:
    """Those of ``ticks`` that stand far enough apart to be read."""
    reach = max(float(positions[-1] - positions[0]), 1e-9)
    kept: list[float] = []
    at = -np.inf
    for tick in ticks:
        here = float(np.interp(tick, hertz, positions)) / reach
        if here - at >= _CLOSEST:
            kept.append(tick)
            at = here
    return kept
