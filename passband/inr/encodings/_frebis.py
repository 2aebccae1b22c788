"""Frequency-banded encoders, weighted against redundancy."""

import math
from bisect import bisect_left
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count, check_not_negative
from passband.inr.encodings._band_encoder import BLEND, BandEncoder
from passband.inr.encodings._frebis_weights import RedundancySoftmax, redundancy

_BANDS = 3


class FreBIS(nn.Module):
    """``sum_k a_k(x) f_k(x)`` of three encoders f: of low, middle and high octaves.

    The octaves of :class:`~passband.inr.encodings.Positional` are split evenly, and an encoder is a
    small network that sees the coordinates and its share. The weights ``a`` follow from the cosines
    between the three features at a point and favour features unlike the others.

    The paper leaves depth, activation and weighting open; what stands here is ours.

    Args:
        in_features: coordinates of a point.
        octaves: of all three together; a share that stays empty sees the coordinates alone.
        out_features: of an encoder and of the sum.
        hidden_features: width of the encoders' hidden layers.
        hidden_layers: of an encoder, before its last layer.
        weighting: from the cosines to the weights; a
            :class:`~passband.inr.encodings.RedundancySoftmax` where not given.
        penalty_weight: of the mean redundancy in :meth:`penalty`.
        generator: source of the initial values.

    Raises:
        InputError: a size or a number out of range.

    Example:
        >>> encoding = FreBIS(2, 6, out_features=8, hidden_features=16)
        >>> encoding(torch.zeros(5, 2)).shape, [e.first_octave for e in encoding.encoders]
        (torch.Size([5, 8]), [0, 2, 4])

    Reference: Sawada, Miraldo, Lohit, Marks, Chatterjee, *FreBIS: Frequency-Based Stratification
    for Neural Implicit Surface Representations*, arXiv 2504.20222, 2025.
    """

    def __init__(
        self,
        in_features: int,
        octaves: int,
        *,
        out_features: int = 64,
        hidden_features: int = 64,
        hidden_layers: int = 2,
        weighting: nn.Module | None = None,
        penalty_weight: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("octaves", octaves)
        check_not_negative("penalty_weight", penalty_weight)
        self.in_features = in_features
        self.octaves = octaves
        self.out_features = out_features
        self.hidden_layers = hidden_layers
        self.penalty_weight = penalty_weight
        edges = [-(-octaves * k // _BANDS) for k in range(_BANDS + 1)]
        self.encoders = nn.ModuleList(
            BandEncoder(
                in_features,
                out_features,
                first_octave=first,
                octaves=last - first,
                hidden_features=hidden_features,
                hidden_layers=hidden_layers,
                generator=generator,
            )
            for first, last in pairwise(edges)
        )
        self.weighting = RedundancySoftmax() if weighting is None else weighting
        self._redundancy: Tensor | None = None

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``."""
        features = [encoder(x) for encoder in self.encoders]
        similar = cosines(features)
        if self.penalty_weight and torch.is_grad_enabled():
            self._redundancy = redundancy(similar).mean()
        weights = self.weighting(similar).unbind(-1)
        low, middle, high = (a[..., None] * f for a, f in zip(weights, features, strict=True))
        total: Tensor = low + middle + high
        return total

    def weights(self, x: Float[Tensor, "*batch {self.in_features}"]) -> Float[Tensor, "*batch 3"]:
        """The weights ``a`` at the coordinates ``x``: of low, middle and high octaves."""
        weights: Tensor = self.weighting(cosines([encoder(x) for encoder in self.encoders]))
        return weights

    def penalty(self) -> Float[Tensor, ""]:
        """``penalty_weight`` times the mean redundancy of the forward pass just made.

        Zero where none was made with gradients since the last call.
        """
        last, self._redundancy = self._redundancy, None
        if last is None:
            return next(self.parameters()).new_zeros(())
        return self.penalty_weight * last


def cosines(features: list[Float[Tensor, "*batch d"]]) -> Float[Tensor, "*batch 3"]:
    """Cosines of low to middle, low to high and middle to high features.

    Example:
        >>> low, high = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 2.0]])
        >>> cosines([low, low + high, high]).round(decimals=2)
        tensor([[0.8300, 0.0000, 0.5500]])
    """
    low, middle, high = (F.normalize(f, dim=-1) for f in features)
    pairs = ((low, middle), (low, high), (middle, high))
    return torch.stack([(a * b).sum(dim=-1) for a, b in pairs], dim=-1)


def matched_single_encoder(
    encoding: FreBIS, *, generator: torch.Generator | None = None
) -> BandEncoder:
    """One encoder of all octaves with as many parameters as ``encoding``: its fair baseline.

    As deep, with as many features; the width of its hidden layers is the one that comes nearest.

    Args:
        encoding: what to compare with; its octaves and sizes count, not its values.
        generator: source of the initial values.

    Example:
        >>> encoding = FreBIS(3, 6, out_features=64, hidden_features=64)
        >>> single = matched_single_encoder(encoding)
        >>> [sum(p.numel() for p in m.parameters()) for m in (encoding, single)]
        [28032, 28108]
    """
    hidden = encoding.hidden_layers
    ends = encoding.in_features * (1 + 2 * encoding.octaves), encoding.out_features

    def parameters(width: int) -> int:
        sizes = [ends[0], *[width] * hidden, ends[1]]
        return sum((a + 1) * b for a, b in pairwise(sizes))

    wanted = sum(p.numel() for p in encoding.encoders.parameters())
    above = bisect_left(range(1, wanted), wanted, key=parameters) + 1
    width = min((max(above - 1, 1), above), key=lambda width: abs(parameters(width) - wanted))
    return BandEncoder(
        *(encoding.in_features, encoding.out_features),
        octaves=encoding.octaves,
        hidden_features=width,
        hidden_layers=hidden,
        generator=generator,
    )


def geometric_frebis(
    in_features: int,
    octaves: int,
    *,
    out_features: int = 64,
    hidden_features: int = 64,
    hidden_layers: int = 2,
    weighting: nn.Module | None = None,
    penalty_weight: float = 0.0,
    generator: torch.Generator | None = None,
) -> FreBIS:
    """A :class:`FreBIS` for shapes: its features start with the norm ``|x|``.

    The low encoder starts blind to its octaves and without biases: its first layer looks in evenly
    spread directions, whose rectified cosines add up to a multiple of the norm, and the others hand
    that on. The encoders of higher octaves start at almost nothing. A
    :class:`~passband.inr.networks.SphereHead` behind them is then the distance to a sphere. Even
    directions are ours: the normal law of the paper is a rougher sphere by a factor of five.

    Args, errors and returns as for :class:`FreBIS`. The wider, the rounder the sphere.

    Example:
        >>> from passband.inr.networks import SphereHead
        >>> draws = torch.Generator().manual_seed(0)
        >>> shape = nn.Sequential(
        ...     geometric_frebis(3, 6, generator=draws), SphereHead(64, 1, radius=0.5)
        ... )
        >>> x = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.6, 0.8]])
        >>> bool(((shape(x)[:, 0] - torch.tensor([0.0, 0.5])).abs() < 0.1).all())
        True

    Reference: Atzmon & Lipman, *SAL: Sign Agnostic Learning of Shapes from Raw Data*, CVPR 2020,
    sec. 4; Yariv et al., *Multiview Neural Surface Reconstruction*, NeurIPS 2020.
    """
    encoding = FreBIS(
        in_features,
        octaves,
        out_features=out_features,
        hidden_features=hidden_features,
        hidden_layers=hidden_layers,
        weighting=weighting,
        penalty_weight=penalty_weight,
        generator=generator,
    )
    with torch.no_grad():
        low, *others = (_maps(encoder) for encoder in encoding.encoders)
        for weight, bias in low:
            weight.normal_(0, 0.1 / math.sqrt(len(bias)), generator=generator)
            bias.zero_()
        first = low[0][0]
        first[:, in_features:] = 0
        first[:, :in_features] = _directions(len(first), in_features, generator)
        for weight, _ in low[1:]:
            rows = torch.arange(len(weight), device=weight.device)
            weight[rows, rows % weight.shape[1]] += 1
        for *_, (weight, bias) in others:
            weight.zero_()
            # On the parabola, where there is little to see and still a slope to learn by.
            bias.fill_(-BLEND / 2)
        x = 2 * torch.rand(1024, in_features, generator=generator, device=first.device) - 1
        norm = x.norm(dim=-1)
        found = math.sqrt(math.pi / out_features) * encoding(x).sum(dim=-1)
        low[-1][0].mul_(norm.square().sum() / (norm * found).sum())
    return encoding


def _maps(encoder: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of its layers, first to last."""
    values = [*encoder.parameters()]
    return [*zip(values[::2], values[1::2], strict=True)]


def _directions(count: int, d: int, generator: torch.Generator | None) -> Float[Tensor, "count d"]:
    """Unit rows more even than chance: orthonormal frames, each followed by its opposite."""
    device = generator.device if generator is not None else None
    draws = torch.randn(-(-count // (2 * d)), d, d, generator=generator, device=device)
    frames = torch.linalg.qr(draws).Q
    return torch.cat((frames, -frames), dim=1).flatten(0, 1)[:count]
