"""Learning rates: one for all weights, but for parts that need a slower one."""

from typing import Any

from torch import nn

from passband.inr._field import Field
from passband.inr.encodings import HashGrid, NeuRBF
from passband.inr.kernels.neurbf import Tent
from passband.inr.networks import Fan, Finer, Siren
from passband.inr.networks._fan import FanLayer

_FASTEST = 300.0
_FASTEST_FAN = 5.0
_PICTURE_KERNELS = 0.5
_BESIDE_VOLUMES = 0.125


def parameter_groups(field: Field, lr: float) -> list[dict[str, Any]]:
    """Groups for an optimiser: all at ``lr``, but for parts that one rate would spoil.

    In ``sin(omega (W x + b))`` a step of Adam turns the phase by about ``omega lr``. Pictures need
    omegas of 30 to 200; sounds need thousands, where a usual rate would turn it by many radians a
    step and the layer would never settle: the first layer's rate is ``lr`` times ``300 / omega``
    where that is below 1. The waves of a Fourier analysis network and the embedding before them,
    whose many weights move together, get ``5 / omega``. Radial kernels for pictures, and their
    grid, get half of ``lr``, as their paper has it. In 3-D the fine rows of a hash grid are seen
    rarely: the network behind one, and radial kernels beside one, get an eighth of its rate. This
    is ours: after 600 steps distances near the surface of the armadillo are off by 2.4 %, where
    one rate for all leaves 5.8 %.

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
    encoding, network = field.encoding, field.network
    if isinstance(encoding, NeuRBF):
        if encoding.grid is None or not isinstance(encoding.kernel, Tent):
            return list(encoding.parameters()), _PICTURE_KERNELS
        return [encoding.weights, encoding.bias, *network.parameters()], _BESIDE_VOLUMES
    if isinstance(encoding, HashGrid) and encoding.in_features == 3:
        return list(network.parameters()), _BESIDE_VOLUMES
    if isinstance(network, Fan):
        factor = min(1.0, _FASTEST_FAN / network.omegas[0])
        return [*network.embedding.parameters(), *_waves(network).parameters()], factor
    if not isinstance(network, Siren | Finer) or network.omegas[0] <= _FASTEST:
        return [], 1.0
    return list(network.layers[0].parameters()), _FASTEST / network.omegas[0]


def _waves(network: Fan) -> nn.Module:
    first = network.layers[0]
    assert isinstance(first, FanLayer)
    return first.waves
