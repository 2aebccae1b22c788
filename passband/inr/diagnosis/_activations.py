"""Activation patterns: which units of a network rise and which do not."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from passband.inr import Field
from passband.inr.diagnosis._layers import trace_network
from passband.inr.diagnosis._samples import SignalPairs

_CHUNK = 1024


@dataclass(frozen=True)
class ActivationPatterns:
    """The patterns of a field at n points.

    Attributes:
        bits: whether the slope of each hidden unit is above zero.
        distance: of each point to the nearest boundary of a ReLU network's linear regions, measured
            in the input space of the layer that the boundary belongs to; None for other networks.
    """

    bits: Bool[Tensor, "n units"]
    distance: Float[Tensor, " n"] | None


def activation_patterns(field: Field, x: Float[Tensor, "n d"]) -> ActivationPatterns:
    """``bit = slope of the activation > 0`` of every hidden unit at the points ``x``.

    For ReLU that is ``z > 0``; for a sine the sign of the cosine; for a complex wavelet the sign of
    the slope of its real part along the real axis. On a linear region of a ReLU network, or a
    monotone piece of any other, the pattern does not change.

    Args:
        field: the field.
        x: coordinates, on its device.

    Returns:
        Patterns on the CPU; no units where the network has no hidden layer.

    Example:
        >>> from passband.inr import encodings, networks
        >>> field = Field(encodings.Identity(1), networks.ReluMLP(1, 1, hidden_features=4))
        >>> activation_patterns(field, torch.linspace(-1, 1, 9)[:, None]).bits.shape
        torch.Size([9, 8])

    Reference: Lazzari & Liu, *Understanding the Spectral Bias of Coordinate Based MLPs Via Training
    Dynamics*, arXiv 2301.05816, 2023. Patterns of other activations than ReLU are ours.
    """
    bits, distances = [], []
    for part in x.split(_CHUNK):
        with torch.no_grad():
            features = field.encoding(part)
        layers = trace_network(field.network, features).layers
        rising = [layer.slopes.flatten(1) > 0 for layer in layers]
        bits.append(torch.cat(rising, dim=-1) if rising else x.new_zeros(len(part), 0).bool())
        known = [layer.distance for layer in layers if layer.distance is not None]
        if known and len(known) == len(layers):
            distances.append(torch.stack(known).amin(dim=0))
    whole = torch.cat(distances).cpu() if len(distances) == len(bits) else None
    return ActivationPatterns(torch.cat(bits).cpu(), whole)


def hamming_distances(field: Field, pairs: SignalPairs) -> Int[Tensor, " pairs"]:
    """Number of hidden units whose bit differs between the two ends of each pair."""
    device = next(field.parameters()).device
    bits = activation_patterns(field, pairs.points.x.to(device)).bits
    return (bits[pairs.first] ^ bits[pairs.second]).sum(dim=-1)


def count_patterns(bits: Bool[Tensor, "n units"]) -> int:
    """Number of distinct rows.

    Example:
        >>> count_patterns(torch.tensor([[True, False], [True, False], [True, True]]))
        2
    """
    if bits.shape[1] == 0:
        return min(1, len(bits))
    return len(np.unique(np.packbits(bits.cpu().numpy(), axis=1), axis=0))
