"""The reassigned spectrogram: every cell's energy moved to where its centre of gravity lies."""

from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency._groups import item_groups
from passband.frequency._magnitude import magnitude
from passband.frequency._sample_rate import require_sample_rate
from passband.frequency._stft import Padding, PadMode, _frame_window, _hop, stft
from passband.frequency._validate import (
    require_between,
    require_choice,
    require_positive,
    require_real,
)


class Reassigned(NamedTuple):
    """Where every cell ``(freq, frame)`` of a spectrogram belongs, and how strong it is.

    Args:
        times: in seconds.
        frequencies: in Hz.
        magnitudes: ``|X|`` of the plain STFT.
    """

    times: Tensor
    frequencies: Tensor
    magnitudes: Tensor


def reassigned_spectrogram(
    x: Float[Tensor, "*batch time"],
    *,
    sample_rate: float,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: str | tuple[str, float] | Float[Tensor, " window"] = "hann",
    padding: Padding = "center",
    pad_mode: PadMode = "constant",
    ref_power: float = 1e-6,
    fill_nan: bool = True,
    clip: bool = True,
) -> Reassigned:
    """Times ``t + Re(X_th / X_h)`` and frequencies ``f - Im(X_dh / X_h)`` of every STFT cell.

    ``X_h`` is the STFT with window h, ``X_dh`` that with its derivative and ``X_th`` that with h
    times the time from the middle of the frame. A steady tone then stands at its own frequency in
    every cell it reaches, a click at its own time.

    The windows are librosa's: the derivative is a central difference, good to about 1e-3 of a bin,
    and for an even ``n_fft`` time counts from half a sample before the frame's position, so that
    all times are half a sample late.

    Args:
        x: signal, in samples.
        sample_rate: samples per second, above 0.
        n_fft: frame length, in samples.
        hop_length: samples from one frame to the next; a quarter of the window if not given.
        win_length: as `stft` takes it.
        window: as `stft` takes it.
        padding: as `stft` takes it: ``center`` or ``valid``.
        pad_mode: as `stft` takes it.
        ref_power: cells with a power below this, at least 0, are not reassigned: their ratios
            are of rounding noise.
        fill_nan: give such cells the time of their frame and the frequency of their bin, which is
            what a plain spectrogram says of them; False marks them with NaN, as librosa does.
        clip: keep times within the signal and frequencies within 0 to half the sample rate.

    Returns:
        `Reassigned`: times in s, frequencies in Hz and magnitudes, each
        ``(*batch, n_fft // 2 + 1, frames)``. Times and frequencies pass gradients where a cell is
        reassigned.

    Raises:
        ValueError: for a sample rate that is not positive, a negative ``ref_power``, or what
            `stft` refuses.

    Example:
        >>> tone = torch.sin(2 * torch.pi * 1010 * torch.arange(4000) / 8000)
        >>> found = reassigned_spectrogram(tone, sample_rate=8000, n_fft=256)
        >>> found.frequencies[32, 20].round(decimals=1)  # the bin at 1000 Hz
        tensor(1010.)

    Agrees with ``librosa.reassigned_spectrogram`` to 1e-9 s and 1e-6 Hz in float64 (which returns
    frequencies first, and fills only if asked to).
    Reference: Auger & Flandrin, Improving the readability of time-frequency and time-scale
    representations by the reassignment method, IEEE Trans. Signal Processing 43(5), 1995;
    Flandrin, Auger & Chassande-Mottin, Time-frequency reassignment, 2002, eq. 5.20 and 5.23.
    """
    require_real("x", x)
    require_sample_rate(sample_rate)
    require_between("ref_power", ref_power, 0, torch.inf, "Pass 0 to reassign every cell.")
    require_choice("padding", padding, ("center", "valid"))
    if hop_length is None:
        given = window.shape[-1] if isinstance(window, Tensor) else n_fft
        hop_length = max(1, (win_length or given) // 4)
    hop_length = _hop(n_fft, hop_length)
    taper = _frame_window(window, win_length, n_fft, x.dtype, x.device)
    windows = reassignment_windows(taper)
    transform = partial(
        stft, n_fft=n_fft, hop_length=hop_length, padding=padding, pad_mode=pad_mode
    )
    bins = torch.arange(n_fft // 2 + 1, dtype=x.dtype, device=x.device)[:, None]
    bins = bins * (sample_rate / n_fft)
    found = []
    for group in item_groups(x):
        plain, slope, lever = (transform(group, window=each) for each in windows)
        frames = torch.arange(plain.shape[-1], dtype=x.dtype, device=x.device)
        frames = (frames * hop_length + (n_fft // 2 if padding == "valid" else 0)) / sample_rate
        audible, turn, delay = _corrections(plain, slope, lever, ref_power)
        times = frames + delay / sample_rate
        frequencies = bins + turn * (sample_rate / (2 * torch.pi))
        if clip:
            times = times.clamp(0, x.shape[-1] / sample_rate)
            frequencies = frequencies.clamp(0, sample_rate / 2)
        if not fill_nan:
            times = torch.where(audible, times, torch.nan)
            frequencies = torch.where(audible, frequencies, torch.nan)
        found.append((times, frequencies, magnitude(plain)))
    joined = (torch.cat(part) if len(part) > 1 else part[0] for part in zip(*found, strict=True))
    return Reassigned(*(part.reshape(*x.shape[:-1], *part.shape[1:]) for part in joined))


def _corrections(
    plain: Tensor, slope: Tensor, lever: Tensor, ref_power: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Where there is enough to divide by, and what moves there: radians per sample, and samples."""
    power = magnitude(plain.detach(), power=2)
    audible = (power >= ref_power) & (power > torch.finfo(power.dtype).tiny)
    safe = torch.where(audible, plain, 1.0)
    turn = torch.where(audible, -(slope / safe).imag, 0.0)
    return audible, turn, torch.where(audible, (lever / safe).real, 0.0)


def reassignment_windows(
    window: Float[Tensor, " length"],
) -> tuple[Float[Tensor, " length"], Float[Tensor, " length"], Float[Tensor, " length"]]:
    """The window h, its derivative dh per sample, and h times the time from its middle, in samples.

    Args:
        window: the window, of as many samples as a frame.

    Returns:
        Three windows of the same length.

    Example:
        >>> h, dh, th = reassignment_windows(torch.tensor([0.0, 1.0, 2.0, 1.0]))
        >>> dh, th
        (tensor([ 0.,  1.,  0., -1.]), tensor([-0.0000, -0.5000,  1.0000,  1.5000]))

    Agrees with the windows inside ``librosa.reassigned_spectrogram`` exactly.
    """
    n = window.shape[-1]
    offsets = torch.arange(n, dtype=window.dtype, device=window.device) - (n - 1) / 2
    return window, (window.roll(-1) - window.roll(1)) / 2, window * offsets


def accumulate_on_grid(
    times: Float[Tensor, "*batch freq frames"],
    frequencies: Float[Tensor, "*batch freq frames"],
    values: Float[Tensor, "*batch freq frames"],
    *,
    n_freqs: int,
    n_times: int,
    freq_step: float,
    time_step: float,
) -> Float[Tensor, "*batch {n_freqs} {n_times}"]:
    """Scattered values summed onto a regular grid, each shared by its four nearest grid points.

    Grid point ``(i, j)`` stands at ``i freq_step`` Hz and ``j time_step`` s. A value in between is
    shared in proportion to nearness (bilinearly), so that the sum over the grid is that over the
    points inside it, and the result is differentiable with respect to places and values alike.
    Points outside the grid, or at NaN, are left out.

    Args:
        times: places in s.
        frequencies: places in Hz.
        values: what to sum, e.g. the squared magnitudes.
        n_freqs: grid points along frequency, at least 1.
        n_times: grid points along time, at least 1.
        freq_step: Hz from one grid point to the next, above 0.
        time_step: seconds from one grid point to the next, above 0.

    Returns:
        Sums ``(*batch, n_freqs, n_times)``.

    Raises:
        ValueError: for counts below 1 or steps that are not positive.

    Example:
        >>> place = torch.tensor([[1.25]])
        >>> accumulate_on_grid(
        ...     place, place, torch.ones(1, 1), n_freqs=3, n_times=3, freq_step=1, time_step=1
        ... )
        tensor([[0.0000, 0.0000, 0.0000],
                [0.0000, 0.5625, 0.1875],
                [0.0000, 0.1875, 0.0625]])

    Agrees with ``scipy.sparse.coo_matrix`` of the same points to 1e-12 in float64.
    """
    require_positive("n_freqs", n_freqs, "Pass e.g. n_fft // 2 + 1.")
    require_positive("n_times", n_times, "Pass e.g. the number of frames.")
    for name, step in (("freq_step", freq_step), ("time_step", time_step)):
        if not 0 < step < torch.inf:
            raise ValueError(f"`{name}` (={step}) must be above 0. Pass e.g. one bin or one hop.")
    row, column = frequencies / freq_step, times / time_step
    inside = (row >= 0) & (row <= n_freqs - 1) & (column >= 0) & (column <= n_times - 1)
    row, column = torch.where(inside, row, 0.0), torch.where(inside, column, 0.0)
    values = torch.where(inside, values, 0.0)
    low, left = row.detach().floor(), column.detach().floor()
    up, right = row - low, column - left
    grid = values.new_zeros(*values.shape[:-2], n_freqs * n_times)
    for i, height in ((0, 1 - up), (1, up)):
        for j, width in ((0, 1 - right), (1, right)):
            cells = (low + i).clamp(max=n_freqs - 1) * n_times + (left + j).clamp(max=n_times - 1)
            share = values * height * width
            grid = grid.scatter_add(-1, cells.long().flatten(-2), share.flatten(-2))
    return grid.reshape(*grid.shape[:-1], n_freqs, n_times)
