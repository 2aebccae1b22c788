"""Lengths that the fast Fourier transform is fast at."""


def fast_length(least: int) -> int:
    """The smallest ``2^a 3^b 5^c`` of at least ``least``.

    Plain arithmetic, so that a compiler can follow it.

    Args:
        least: smallest length that will do, at least 1.

    Returns:
        The length.

    Example:
        >>> fast_length(1021)
        1024

    Agrees with ``scipy.fft.next_fast_len(real=True)`` exactly.
    """
    best = 1
    while best < least:
        best *= 2
    fives = 1
    while fives < best:
        threes = fives
        while threes < best:
            length = threes
            while length < least:
                length *= 2
            best = min(best, length)
            threes *= 3
        fives *= 5
    return best
