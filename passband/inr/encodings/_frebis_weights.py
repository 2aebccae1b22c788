"""Weights of three features from the cosines between them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.networks._affine import Affine


def redundancy(cosines: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """``r_k = sum_j |cos_kj|`` over the two other features j: 0 to 2 for each of the three.

    Args:
        cosines: of features 1 and 2, 1 and 3, 2 and 3.

    Example:
        >>> redundancy(torch.tensor([-0.5, 0.0, 1.0]))
        tensor([0.5000, 1.5000, 1.0000])
    """
    ab, ac, bc = cosines.abs().unbind(-1)
    return torch.stack((ab + ac, ab + bc, ac + bc), dim=-1)


class RedundancySoftmax(nn.Module):
    """``softmax(-r / tau)`` of the redundancies r: features unlike the others count more.

    Args:
        tau: how soft the choice is; the larger, the nearer to a mean.

    Raises:
        InputError: a ``tau`` that is not positive.

    Example:
        >>> RedundancySoftmax(tau=0.5)(torch.tensor([0.0, 0.0, 1.0])).round(decimals=3)
        tensor([0.7870, 0.1070, 0.1070])
    """

    def __init__(self, tau: float = 1.0) -> None:
        super().__init__()
        check_positive("tau", tau)
        self.tau = tau

    def forward(self, cosines: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Weights that sum to one."""
        return torch.softmax(-redundancy(cosines) / self.tau, dim=-1)


class LearnedSoftmax(nn.Module):
    """``softmax(MLP(cosines))``: the weighting is learned, and starts as a plain mean.

    Args:
        hidden_features: width of the one hidden layer, of ReLUs.
        generator: source of the initial values.

    Raises:
        InputError: a width below one.

    Example:
        >>> LearnedSoftmax()(torch.tensor([0.0, 0.0, 1.0])).round(decimals=3)
        tensor([0.3330, 0.3330, 0.3330], grad_fn=<RoundBackward1>)
    """

    def __init__(
        self, hidden_features: int = 16, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        check_count("hidden_features", hidden_features)
        self.hidden = Affine(3, hidden_features, weight_bound=3**-0.5, generator=generator)
        self.scores = Affine(
            hidden_features, 3, weight_bound=0.0, bias_bound=0.0, generator=generator
        )

    def forward(self, cosines: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Weights that sum to one."""
        return torch.softmax(self.scores(self.hidden(cosines).relu()), dim=-1)
