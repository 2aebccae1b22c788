"""Frequencies worth a label on an axis: round numbers of Hz, and notes."""

import math

_NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


def decade_ticks(low: float, high: float) -> list[float]:
    """Round frequencies in Hz from ``low`` to ``high``: 1, 2 and 5 times powers of ten, or finer.

    Example:
        >>> decade_ticks(80, 2500)
        [100.0, 200.0, 500.0, 1000.0, 2000.0]
    """
    if high <= 4 * low:
        return _fine_ticks(low, high)
    return _round_ticks(low, high, (1, 2, 5) if high > 12 * low else (1, 2, 3, 4, 5, 6, 8))


def round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, ... that is at least ``least``.

    Example:
        >>> round_step(0.3), round_step(3), round_step(102)
        (1, 5, 200)
    """
    power: int = 10 ** max(0, math.floor(math.log10(max(least, 1))))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= least)


def note_ticks(low: float, high: float) -> list[float]:
    """Frequencies in Hz of every C from ``low`` to ``high``; of more notes in a narrow range.

    Example:
        >>> [note_name(tick) for tick in note_ticks(30, 300)]
        ['C1', 'C2', 'C3', 'C4']
    """
    octaves = math.log2(high / low) if low > 0 else 9.0
    step = 12 if octaves > 3 else 6 if octaves > 1.5 else 2 if octaves > 0.5 else 1
    first, last = math.ceil(_semitone(low) - 0.02), math.floor(_semitone(high) + 0.02)
    return [440.0 * 2 ** ((s - 69) / 12) for s in range(first, last + 1) if s % step == 0]


def note_name(hertz: float) -> str:
    """The equal-tempered note nearest to ``hertz``, for A4 = 440 Hz.

    Example:
        >>> note_name(440.0), note_name(61.74), note_name(32.7032)
        ('A4', 'B1', 'C1')
    """
    semitone = round(_semitone(hertz))
    return f"{_NOTES[semitone % 12]}{semitone // 12 - 1}"


def pitch_classes() -> tuple[str, ...]:
    """The twelve names, from C.

    Example:
        >>> pitch_classes()[:3]
        ('C', 'C♯', 'D')
    """
    return _NOTES


def _semitone(hertz: float) -> float:
    return 69 + 12 * math.log2(hertz / 440.0)


def _round_ticks(low: float, high: float, digits: tuple[int, ...]) -> list[float]:
    least = math.floor(math.log10(low)) if low > 0 else math.floor(math.log10(high)) - 3
    most = math.floor(math.log10(high))
    ticks = [float(f"{digit}e{power}") for power in range(least, most + 1) for digit in digits]
    return [tick for tick in ticks if low <= tick <= high]


def _fine_ticks(low: float, high: float) -> list[float]:
    """Multiples of a round step, for less than two octaves."""
    step = 10 ** math.floor(math.log10(max(high - low, 1e-9) / 2))
    step *= 2 if (high - low) / step > 8 else 1
    return [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
