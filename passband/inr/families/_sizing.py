"""The member of a family that a number of parameters pays for."""

import torch

from passband.errors import InputError
from passband.inr._field import build_field
from passband.inr._scene import FieldSettings, with_knob
from passband.inr.families._family import Family

_LARGEST = {True: 24, False: 2**20}


def parameter_count(settings: FieldSettings, in_features: int, out_features: int) -> int:
    """Parameters of the field that ``settings`` describe, found by building it.

    Example:
        >>> from passband.inr import SirenNetwork
        >>> settings = FieldSettings(network=SirenNetwork(first_omega=30.0))
        >>> parameter_count(settings, 2, 3)
        198915
    """
    generator = torch.Generator().manual_seed(0)  # torch's own is left alone
    return build_field(settings, in_features, out_features, generator=generator).parameter_count


def sized(
    family: Family,
    settings: FieldSettings,
    parameters: int,
    in_features: int,
    out_features: int,
) -> FieldSettings:
    """``settings`` with the size of its family raised or lowered to at most ``parameters``.

    Args:
        family: which setting is the size.
        settings: a member, no knob left at ``"match"``.
        parameters: most that training may change.
        in_features: axes of the signal.
        out_features: its channels.

    Raises:
        InputError: not even the smallest member is that small.

    Example:
        >>> from passband.inr.families import FAMILIES
        >>> siren = FAMILIES["siren"]
        >>> member = sized(siren, with_knob(siren.settings, siren.knob, 30.0), 50_000, 2, 3)
        >>> member.network.hidden_features, parameter_count(member, 2, 3)
        (127, 49533)
    """

    def count(value: int) -> int:
        member = with_knob(settings, family.grows, value)
        return parameter_count(member, in_features, out_features)

    low = family.least
    if (least := count(low)) > parameters:
        raise InputError(
            f"`parameters` (={parameters:,}) must be at least {least:,} for a {family.name}. "
            "Raise the budget or name other families."
        )
    high = low + 1
    while high < _LARGEST[family.exponent] and count(high) <= parameters:
        low, high = high, min(2 * high, _LARGEST[family.exponent])
    while high - low > 1:
        middle = (low + high) // 2
        if count(middle) <= parameters:
            low = middle
        else:
            high = middle
    return with_knob(settings, family.grows, low)
