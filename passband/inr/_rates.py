"""Learning rates: one for all weights, but for the first layer of a very fast sine network."""

from typing import Any

from passband.inr._field import Field
from passband.inr.networks import Finer, Siren

_FASTEST = 300.0


def parameter_groups(field: Field, lr: float) -> list[dict[str, Any]]:
    """Groups for an optimiser, the first layer's rate times ``300 / omega`` where that is below 1.

    In ``sin(omega (W x + b))`` a step of Adam turns the phase by about ``omega lr``. Pictures need
    omegas of 30 to 200; sounds need thousands, where a usual rate would turn it by many radians a
    step and the layer would never settle.

    Args:
        field: whose parameters to group.
        lr: rate of all others.

    Example:
        >>> from passband.inr import encodings, networks
        >>> field = Field(encodings.Identity(1), networks.Siren(1, 1, first_omega=3000.0))
        >>> [round(group["lr"], 6) for group in parameter_groups(field, 1e-3)]
        [0.0001, 0.001]
    """
    network = field.network
    if not isinstance(network, Siren | Finer) or network.omegas[0] <= _FASTEST:
        return [{"params": list(field.parameters()), "lr": lr}]
    first = list(network.layers[0].parameters())
    theirs = {id(parameter) for parameter in first}
    others = [p for p in field.parameters() if id(p) not in theirs]
    return [
        {"params": first, "lr": lr * _FASTEST / network.omegas[0]},
        {"params": others, "lr": lr},
    ]
