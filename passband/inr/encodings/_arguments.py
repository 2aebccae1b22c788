"""Checks of the arguments that encodings and networks share."""

import math

from passband.errors import InputError


def check_count(name: str, value: int, *, least: int = 1) -> None:
    """Raise unless ``value`` is an integer of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"`{name}` (={value}) must be an integer of at least {least}.")


def check_positive(name: str, value: float) -> None:
    """Raise unless ``value`` is a finite number above zero."""
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"`{name}` (={value}) must be a positive number.")


def check_not_negative(name: str, value: float) -> None:
    """Raise unless ``value`` is a finite number, zero or above."""
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"`{name}` (={value}) must be zero or a positive number.")
