"""The affine layer all networks are made of."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def uniform(*shape: int, bound: float, generator: torch.Generator | None) -> nn.Parameter:
    """Values from U(-bound, bound): the same seed gives the same draws, scaled by the bound."""
    device = generator.device if generator is not None else None
    values = torch.empty(shape, device=device).uniform_(-bound, bound, generator=generator)
    return nn.Parameter(values)


class Affine(nn.Module):
    """``gain (W x + b)``, with W and b uniform within their bounds at the start.

    ``bias_bound`` is ``1 / sqrt(in_features)`` where not given, as in ``torch.nn.Linear``.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        weight_bound: float,
        bias_bound: float | None = None,
        bias: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.weight = uniform(out_features, in_features, bound=weight_bound, generator=generator)
        bound = in_features**-0.5 if bias_bound is None else bias_bound
        self.bias = uniform(out_features, bound=bound, generator=generator) if bias else None

    def forward(
        self, x: Float[Tensor, "*batch d"], gain: float = 1.0
    ) -> Float[Tensor, "*batch out"]:
        """The gain goes into W and b: a pass over them is cheaper than one over the points."""
        if gain == 1.0:
            return F.linear(x, self.weight, self.bias)
        return F.linear(x, gain * self.weight, None if self.bias is None else gain * self.bias)
