"""How many ones tiny-cuda-nn appends to the features of an encoding."""

import math

from torch import nn

from passband.inr.encodings import Composite
from passband.inr.settings import CompositeEncoding, GridEncoding, Settings

_BLOCK = 16


def constant_inputs(settings: Settings, encoding: nn.Module) -> int:
    """Ones behind the features of ``encoding``, which ``settings`` describe.

    The features are filled up to a multiple of 16, and inside a composite encoding also before a
    grid, to a multiple of its features per level. Grids fill up with 0, which says nothing, and all
    others with 1, which gives the network a bias.

    Example:
        >>> from passband.inr.settings import OneBlobEncoding
        >>> settings = OneBlobEncoding(n_bins=4)
        >>> constant_inputs(settings, settings.build(3))
        4
    """
    ones, width = _within(settings, encoding)
    rest = -width % math.lcm(_BLOCK, _alignment(settings))
    return ones + rest * _fills_with_ones(settings)


def _within(settings: Settings, encoding: nn.Module) -> tuple[int, int]:
    """Ones inside ``encoding``, and its features with them and all other filling."""
    if not isinstance(settings, CompositeEncoding):
        return 0, int(encoding.out_features)  # type: ignore[arg-type]
    assert isinstance(encoding, Composite)
    parts = [part.encoding for part, _, _ in settings.stretches(encoding.in_features)]
    modules = list(encoding.nested)
    if settings.reduction != "Concatenation":
        width = int(encoding.out_features)
        rest = -width % _alignment(settings)
        return rest * _fills_with_ones(settings), width + rest
    ones = width = 0
    for number, (part, module) in enumerate(zip(parts, modules, strict=True)):
        ones_there, width_there = _within(part, module)
        ones, width = ones + ones_there, width + width_there
        if number + 1 < len(parts):
            rest = -width % _alignment(parts[number + 1])
            ones, width = ones + rest * _fills_with_ones(part), width + rest
    return ones, width


def _alignment(settings: Settings) -> int:
    """Multiple that the features before and of an encoding are filled up to."""
    if isinstance(settings, GridEncoding):
        return settings.n_features_per_level
    if isinstance(settings, CompositeEncoding):
        return math.lcm(*(_alignment(part.encoding) for part in settings.nested))
    return 1


def _fills_with_ones(settings: Settings) -> bool:
    if isinstance(settings, GridEncoding):
        return False
    if not isinstance(settings, CompositeEncoding):
        return True
    nested = [_fills_with_ones(part.encoding) for part in settings.nested]
    if settings.reduction == "Concatenation":
        return nested[-1]
    # Sums of ones are no longer 1, which the weights behind them take up.
    return any(nested) if settings.reduction == "Sum" else all(nested)
