"""Ridges: the curves in a time-frequency plane along which its energy runs."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from passband.frequency._validate import require_between, require_complex, require_positive

# Cells this far under the largest energy count as empty: 60 dB.
_FLOOR = 1e-6


class Ridges(NamedTuple):
    """Curves through a time-frequency plane, the strongest first.

    Args:
        frequencies: ``(*batch, n_ridges, frames)``, in the unit of the rows.
        rows: ``(*batch, n_ridges, frames)``, the rows they run along.
    """

    frequencies: Tensor
    rows: Tensor


def extract_ridges(
    transform: Complex[Tensor, "*batch rows frames"],
    frequencies: Float[Tensor, " rows"],
    *,
    penalty: float = 1.0,
    n_ridges: int = 1,
    bandwidth: int = 4,
) -> Ridges:
    """Rows ``r[t]`` that maximise ``sum_t log |X[r[t], t]|^2 - penalty (r[t] - r[t - 1])^2``.

    Found by dynamic programming, forward and then back, so that it is the best of all curves; a
    curve moves by at most ``sqrt(14 / penalty)`` rows a frame, beyond which an empty cell (60 dB
    under the largest) is the cheaper way. After each ridge the rows about it are emptied, and the
    next is sought in what is left. Where two components cross, the ridges may exchange them.

    Args:
        transform: complex values, e.g. of `cwt` or `synchrosqueezed_cwt`.
        frequencies: of the rows, in any unit.
        penalty: of a move by one row from one frame to the next, at least 0; raise it for noise,
            lower it for steep chirps.
        n_ridges: curves to find, at least 1.
        bandwidth: rows emptied on each side of a ridge that was found, at least 0: the half width
            of a component. About 4 for a squeezed transform, more for one that is not.

    Returns:
        `Ridges`, with no gradient.

    Raises:
        TypeError: for a transform that is not complex64 or complex128.
        ValueError: for frequencies that do not match the rows, or a setting out of range.

    Example:
        >>> plane = torch.zeros(5, 20, dtype=torch.complex64)
        >>> plane[3, :10] = plane[2, 10:] = 1.0
        >>> extract_ridges(plane, torch.arange(5.0)).rows[0, 8:12]
        tensor([3, 3, 2, 2])

    Agrees with a search through all curves.
    Reference: Carmona, Hwang & Torrésani, Multiridge detection and time-frequency reconstruction,
    IEEE Trans. Signal Processing 47(2), 1999.
    """
    require_complex("transform", transform)
    require_positive("n_ridges", n_ridges, "Pass 1 for the strongest alone.")
    require_between("penalty", penalty, 0.0, math.inf, "Pass e.g. 1.")
    require_between("bandwidth", bandwidth, 0, math.inf, "Pass e.g. 4.")
    if transform.ndim < 2 or 0 in transform.shape or frequencies.shape != transform.shape[-2:-1]:
        raise ValueError(
            f"`transform` (shape {tuple(transform.shape)}) must be (*batch, rows, frames), not "
            f"empty, with one of the {len(frequencies)} frequencies for each row. Check the axes."
        )
    with torch.no_grad():
        power = transform.real.square() + transform.imag.square()
        largest = power.amax((-2, -1), keepdim=True).clamp_min(torch.finfo(power.dtype).tiny)
        score = (power / largest + _FLOOR).log()
        rows = torch.arange(score.shape[-2], device=score.device)
        found = []
        for _ in range(n_ridges):
            ridge = _best_curve(score, penalty)
            found.append(ridge)
            near = (rows[:, None] - ridge[..., None, :]).abs() <= bandwidth
            score = score.masked_fill(near, math.log(_FLOOR))
        index = torch.stack(found, dim=-2)
        return Ridges(frequencies[index], index)


def _best_curve(score: Tensor, penalty: float) -> Tensor:
    """Rows ``(*batch, frames)`` of the largest sum of scores less the penalties (Viterbi)."""
    count, frames = score.shape[-2:]
    most = -math.log(_FLOOR) / penalty if penalty > 0 else math.inf
    reach = min(count - 1, math.ceil(math.sqrt(most)) if most < math.inf else count)
    move = torch.arange(-reach, reach + 1, device=score.device)
    cost = penalty * move.square().to(score.dtype)
    total, moves = score[..., 0], []
    for t in range(1, frames):
        before = torch.nn.functional.pad(total, (reach, reach), value=-math.inf)
        best, chosen = (before.unfold(-1, 2 * reach + 1, 1) - cost).max(-1)
        total = best + score[..., t]
        moves.append(chosen)
    row = total.argmax(-1, keepdim=True)
    curve = [row]
    for chosen in reversed(moves):
        row = row + chosen.gather(-1, row) - reach
        curve.append(row)
    return torch.cat(curve[::-1], dim=-1)
