"""Coordinates as blobs over bins."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count


class OneBlob(nn.Module):
    """Shares ``C(n (r_b - u)) - C(n (l_b - u))`` of a blob at ``u = (x + 1) / 2`` in n bins.

    The interval is cut into ``n_bins`` equal bins ``[l_b, r_b]``. The blob is a quartic kernel
    ``15/16 (1 - t^2)^2`` of half-width one bin with distribution function ``C``, and goes round: C
    is summed over the blob's copies one interval to the left and to the right, so a blob at an end
    reaches into the bins at the other, and the shares of a coordinate in the interval sum to 1.

    tiny-cuda-nn's otype ``OneBlob``, whose coordinates are in [0, 1]: coordinate after coordinate,
    bin after bin. Three bins at most are not 0, for one coordinate.

    Args:
        in_features: coordinates of a point.
        n_bins: bins per coordinate; tiny-cuda-nn wants a power of two, here any number will do.

    Raises:
        InputError: a count out of range.

    Example:
        >>> OneBlob(1, 4)(torch.tensor([-0.25])).round(decimals=3)
        tensor([0.1040, 0.7930, 0.1040, 0.0000])

    Reference: Müller, McWilliams, Rousselle, Gross, Novák, *Neural Importance Sampling*, ACM Trans.
    Graph. 38(5), 2019; the quartic kernel and the wrapping are tiny-cuda-nn's.
    """

    edges: Tensor

    def __init__(self, in_features: int, n_bins: int = 16) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("n_bins", n_bins)
        self.in_features = in_features
        self.n_bins = n_bins
        self.out_features = in_features * n_bins
        # In bins, so exact in every floating-point type.
        self.register_buffer("edges", torch.arange(n_bins + 1.0), persistent=False)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``."""
        place = self.n_bins * (0.5 * x + 0.5)
        distance = self.edges.to(x.dtype) - place[..., None]
        copies = [_quartic_cdf(distance + k * self.n_bins) for k in (-1, 0, 1)]
        return torch.stack(copies).sum(dim=0).diff(dim=-1).flatten(-2)


def _quartic_cdf(t: Float[Tensor, "*batch edges"]) -> Float[Tensor, "*batch edges"]:
    """Integral of ``15/16 (1 - t^2)^2`` from -1 to t: 0 before, 1 after 1."""
    t = t.clamp(-1.0, 1.0)
    square = t * t
    return 0.5 + (15 / 16) * t * (1.0 - square * (2 / 3 - square / 5))
