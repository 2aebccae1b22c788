"""Change of sampling rate by a rational factor."""

import math
from fractions import Fraction

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from passband.frequency._framing import frame
from passband.frequency._validate import require_positive, require_real

_MOST_TAPS = 2**26

# Kaiser's formula for the length misses its target by less than this.
_MARGIN_DB = 2.0


def resample(
    x: Float[Tensor, "*batch time"],
    orig_freq: float,
    new_freq: float,
    *,
    stopband_db: float = 96.0,
    transition: float = 0.1,
) -> Float[Tensor, "*batch new_time"]:
    """Signal at ``new_freq``: ``y[n] = up sum_m h[n down + half - m up] x[m]``, without delay.

    ``up / down`` is ``new_freq / orig_freq`` in lowest terms and ``h`` is `resample_filter`. Beyond
    its ends the signal is taken as zero.

    Args:
        x: signal.
        orig_freq: its sampling rate, in Hz; a whole number.
        new_freq: the rate wanted, in Hz; a whole number.
        stopband_db: attenuation of what would alias, in dB, 40 to 120.
        transition: part of the band, below the lower of the two Nyquist frequencies, given to the
            filter's slope, in (0, 0.5]. A shorter slope costs a longer filter.

    Returns:
        Signal of ``ceil(time * new_freq / orig_freq)`` samples; ``x`` itself if the rates agree.

    Raises:
        TypeError: for a signal that is not float32 or float64.
        ValueError: for rates that are not positive whole numbers, or have so little in common that
            the filter would not fit in memory.

    Example:
        >>> x = torch.sin(2 * torch.pi * 440 * torch.arange(44100) / 44100)
        >>> resample(x, 44100, 48000).shape
        torch.Size([48000])

    Agrees with ``scipy.signal.resample_poly`` given the same filter to 1e-12 in float64.
    Reference: Crochiere & Rabiner, Interpolation and decimation of digital signals: a tutorial
    review, Proc. IEEE 69(3), 1981, section III.
    """
    require_real("x", x)
    ratio = Fraction(_whole("new_freq", new_freq), _whole("orig_freq", orig_freq))
    up, down = ratio.numerator, ratio.denominator
    if up == down:
        return x
    taps = resample_filter(up, down, stopband_db=stopband_db, transition=transition)
    return _polyphase(x, up * taps, up, down)


def resample_filter(
    up: int, down: int, *, stopband_db: float = 96.0, transition: float = 0.1
) -> Float[Tensor, " taps"]:
    """Linear-phase low-pass ``h`` of `resample`, at ``up`` times the original rate.

    A sinc under a Kaiser window. It passes up to ``1 - transition`` of the lower Nyquist frequency
    and stops from that Nyquist frequency on, which is ``1 / max(up, down)`` of its own.

    Args:
        up: factor of interpolation, at least 1.
        down: factor of decimation, at least 1.
        stopband_db: attenuation in the stop band, in dB, 40 to 120.
        transition: width of the slope as a part of the band, in (0, 0.5].

    Returns:
        An odd number of float64 taps, symmetric, with sum 1.

    Raises:
        ValueError: for values out of range, or a filter of more than 2 ** 26 taps.

    Example:
        >>> resample_filter(1, 2).sum().round(decimals=9)
        tensor(1., dtype=torch.float64)

    Agrees with ``scipy.signal.firwin`` exactly.
    Reference: Kaiser, Nonrecursive digital filter design using the I0-sinh window function, Proc.
    IEEE ISCAS, 1974.
    """
    require_positive("up", up, "Pass the new rate over the common divisor.")
    require_positive("down", down, "Pass the original rate over the common divisor.")
    if not 40 <= stopband_db <= 120:
        raise ValueError(f"`stopband_db` (={stopband_db}) must be 40 to 120 dB. Pass e.g. 96.")
    if not 0 < transition <= 0.5:
        raise ValueError(
            f"`transition` (={transition}) must be above 0 and at most 0.5. Pass e.g. 0.1."
        )
    edge = 1 / max(up, down)
    from scipy.signal import firwin, kaiserord  # noqa: PLC0415  0.9 s that fields never need

    count, beta = kaiserord(stopband_db + _MARGIN_DB, transition * edge)
    if count > _MOST_TAPS:
        raise ValueError(
            f"`up`/`down` (={up}/{down}) must need at most {_MOST_TAPS} taps, not {count}. "
            "Choose rates with a larger common divisor, or a wider `transition`."
        )
    taps = firwin(count | 1, edge * (1 - transition / 2), window=("kaiser", beta))
    return torch.from_numpy(taps)


def _whole(name: str, frequency: float) -> int:
    if not (math.isfinite(frequency) and frequency > 0 and frequency == int(frequency)):
        raise ValueError(
            f"`{name}` (={frequency} Hz) must be a positive whole number. Multiply both rates by a "
            "common factor."
        )
    return int(frequency)


def _polyphase(x: Tensor, taps: Tensor, up: int, down: int) -> Tensor:
    """Filtered signal, computed as products of framed input with blocks of the filter's phases."""
    return polyphase(x, polyphase_blocks(taps, up, down), taps.shape[-1], up, down)


def polyphase_blocks(taps: Tensor, up: int, down: int) -> list[tuple[int, Tensor]]:
    """Blocks of the filter's phases, each after the input sample of its first output.

    A block holds neighbouring outputs. Its frames span its taps plus the input those outputs
    advance over, so blocks that advance by about one filter length cost twice the least number of
    multiplications and yet are few and large, whatever the ratio.
    """
    half = taps.shape[-1] // 2
    reach = -(-taps.shape[-1] // up)  # inputs under the filter
    phases = pad(taps, (0, reach * up - taps.shape[-1])).reshape(reach, up)
    outputs = up * max(1, reach // down)
    size = max(1, min(outputs, reach * up // down))
    # The filter's centre, in samples at `up` times the original rate, for each output of a period.
    centres = torch.arange(outputs) * down + half
    return [
        (int(block[0]) // up - half // up, _block_kernel(phases, block))
        for block in torch.split(centres, size)
    ]


def polyphase(x: Tensor, blocks: list[tuple[int, Tensor]], taps: int, up: int, down: int) -> Tensor:
    """Signal filtered by the blocks of a filter of ``taps`` taps."""
    time = x.shape[-1]
    half, reach = taps // 2, -(-taps // up)
    repeats = max(1, reach // down)
    outputs, advance = up * repeats, down * repeats
    new_time = -(-time * up // down)
    count = -(-new_time // outputs)
    last = (count - 1) * advance + ((outputs - 1) * down + half) // up
    padded = pad(x, (reach - 1 - half // up, max(0, last + 1 - time)))
    pieces = []
    for start, block in blocks:
        kernel = block.to(dtype=x.dtype, device=x.device)
        frames = frame(padded[..., start:], kernel.shape[0], advance)[..., :count, :]
        pieces.append(frames @ kernel)
    return torch.cat(pieces, dim=-1).flatten(-2)[..., :new_time]


def _block_kernel(phases: Tensor, centres: Tensor) -> Tensor:
    """Taps of neighbouring outputs in columns, over the inputs that all of them together need."""
    reach, up = phases.shape
    newest = centres // up - centres[0] // up
    kernel = phases.new_zeros(int(newest[-1]) + reach, len(centres))
    rows = newest + torch.arange(reach - 1, -1, -1)[:, None]
    return kernel.scatter_(0, rows, phases[:, centres % up])
