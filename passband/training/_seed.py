"""Seeds: one number makes a whole CPU run repeatable."""

import torch

_MIX = 0x9E3779B97F4A7C15  # golden-ratio increment of SplitMix64
_MASK = (1 << 64) - 1


def derive_seed(seed: int, *stream: int) -> int:
    """Seed of the sub-stream ``stream`` of ``seed``: equal inputs give equal seeds, others differ.

    Lets every step, epoch or initialisation own a generator that depends on its number alone, so
    a resumed run draws what the uninterrupted one would have drawn, with no state to store.

    Args:
        seed: the run's seed, any integer.
        stream: numbers that name the sub-stream, e.g. a purpose and an epoch.

    Returns:
        An integer in [0, 2**63).

    Example:
        >>> derive_seed(0, 1, 2) == derive_seed(0, 1, 2), derive_seed(0, 1) == derive_seed(0, 2)
        (True, False)

    Reference: Steele, Lea, Flood, *Fast splittable pseudorandom number generators*, OOPSLA 2014
    (the finaliser of SplitMix64).
    """
    state = seed & _MASK
    for number in stream:
        state = (state + (number + 1) * _MIX) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state >> 1


def make_generator(seed: int, *stream: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Generator seeded with ``derive_seed(seed, *stream)`` on ``device``.

    Example:
        >>> torch.rand(1, generator=make_generator(3)) == torch.rand(1, generator=make_generator(3))
        tensor([True])
    """
    return torch.Generator(device=device).manual_seed(derive_seed(seed, *stream))
