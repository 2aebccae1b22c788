"""Learning rates: one for all weights, but for parts that need a slower one."""

from typing import Any

from torch import nn

from passband.inr._field import Field
from passband.inr.encodings import NeuRBF
from passband.inr.networks import Fan, Finer, Siren
from passband.inr.networks._fan import FanLayer

_FASTEST = 300.0


def parameter_groups(field: Field, lr: float) -> list[dict[str, Any]]:
    """Groups for an optimiser: all at ``lr``, but for very fast sine layers and radial kernels.

    In ``sin(omega (W x + b))`` a step of Adam turns the phase by about ``omega lr``. Pictures need
    omegas of 30 to 200; sounds need thousands, where a usual rate would turn it by many radians a
    step and the layer would never settle: the first layer's rate is ``lr`` times ``300 / omega``
    where that is below 1. The weights of radial kernels get half of ``lr``, as their paper has it.

    Args:
        field: whose parameters to group.
        lr: rate of all others.

    Example:
        >>> from passband.inr import encodings, networks
        >>> field = Field(encodings.Identity(1), networks.Siren(1, 1, first_omega=3000.0))
        >>> [round(group["lr"], 6) for group in parameter_groups(field, 1e-3)]
        [0.0001, 0.001]
    """
    slow, factor = _slow_part(field)
    theirs = {id(parameter) for parameter in slow}
    others = [p for p in field.parameters() if id(p) not in theirs]
    if not slow:
        return [{"params": others, "lr": lr}]
    return [{"params": slow, "lr": lr * factor}, {"params": others, "lr": lr}]


def _slow_part(field: Field) -> tuple[list[nn.Parameter], float]:
    """Parameters that need a slower rate, and its share of the others'."""
    network = field.network
    if isinstance(field.encoding, NeuRBF):
        return list(field.encoding.parameters()), 0.5
    if not isinstance(network, Siren | Finer | Fan) or network.omegas[0] <= _FASTEST:
        return [], 1.0
    fast = network.layers[0]
    first = fast.waves if isinstance(fast, FanLayer) else fast
    return list(first.parameters()), _FASTEST / network.omegas[0]
