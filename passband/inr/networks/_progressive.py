"""Progressive implicit networks."""

import copy
from itertools import accumulate, pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.networks._affine import Affine


class Progressive(nn.Module):
    """``y_l = y_{l-1} + head_l(h_l)``, ``h_l = MLP_l([h_{l-1}, gamma_l(x)])``, ``l = 1 .. L``.

    The bands of random Fourier features ``[cos 2 pi x B, sin 2 pi x B]`` are sorted by their norm
    and dealt in L consecutive sets; ``gamma_l`` are the features of the lowest l sets. So each
    level is a smaller, smoother network of its own, which :meth:`at_level` gives. All heads but the
    first start at zero: a level that opens does not disturb those before it, which go on training.

    The paper leaves open what stands here: sets of equal size, ReLU layers, a first head as in
    :class:`~passband.inr.networks.ReluMLP`, levels that open at equal distances over the first
    ``opened_by`` of the run, and lower levels that are trained by their own loss too,
    ``lower_share`` times as much as the last. Without it they are good for nothing on their own.

    Args:
        in_features: coordinates of a point.
        out_features: values per point.
        hidden_features: width of every level.
        levels: L.
        layers_per_level: ReLU layers of one level.
        num_bands: columns of B in all, at least one a level.
        sigma: standard deviation of B's entries, in cycles per unit of the coordinate.
        opened_by: fraction of a run, 0 to 1, after which all levels are open.
        lower_share: factor, 0 to 1, on the gradients of :meth:`level_outputs` but the last.
        generator: source of B and the initial values, the same draws whatever ``sigma``.

    Raises:
        InputError: a size or a number out of range.

    Example:
        >>> network = Progressive(2, 3, hidden_features=16, levels=3, num_bands=12, sigma=4.0)
        >>> [tuple(y.shape) for y in network.level_outputs(torch.zeros(5, 2))]
        [(5, 3), (5, 3), (5, 3)]
        >>> network.set_progress(0.0)
        >>> network.active_levels, network.at_level(2).bands.shape
        (1, torch.Size([2, 8]))

    Reference: Landgraf, Sorkine-Hornung, Cabral, *PINs: Progressive Implicit Networks for
    Multi-Scale Neural Representations*, ICML 2022.
    """

    bands: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 128,
        levels: int = 4,
        layers_per_level: int = 1,
        num_bands: int = 128,
        sigma: float = 8.0,
        opened_by: float = 0.1,
        lower_share: float = 0.03,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("out_features", out_features)
        check_count("hidden_features", hidden_features)
        check_count("levels", levels)
        check_count("layers_per_level", layers_per_level)
        check_count("num_bands", num_bands, least=levels)
        check_positive("sigma", sigma)
        for name, value in (("opened_by", opened_by), ("lower_share", lower_share)):
            if not 0 <= value <= 1:
                raise InputError(f"`{name}` (={value}) must be from 0 to 1.")
        self.in_features = in_features
        self.out_features = out_features
        self.sigma = sigma
        self.opened_by = opened_by
        self.lower_share = lower_share
        self.active_levels = levels
        device = generator.device if generator is not None else None
        draws = torch.randn(in_features, num_bands, generator=generator, device=device)
        draws = draws[:, draws.norm(dim=0).argsort(stable=True)]
        self.register_buffer("bands", sigma * draws)
        # Bands of the first level, the first two ...
        self._ends = [num_bands * level // levels for level in range(1, levels + 1)]
        widths = [2 * end + hidden_features for end in self._ends]
        widths[0] -= hidden_features
        self.bodies = nn.ModuleList(
            _ReluLayers([width, *[hidden_features] * layers_per_level], generator)
            for width in widths
        )
        self.head_bound = hidden_features**-0.5
        heads = [
            Affine(hidden_features, out_features, weight_bound=self.head_bound, generator=generator)
            for _ in range(levels)
        ]
        for head in heads[1:]:
            for parameter in head.parameters():
                nn.init.zeros_(parameter)
        self.heads = nn.ModuleList(heads)

    @property
    def levels(self) -> int:
        """L, open or not."""
        return len(self.bodies)

    def set_progress(self, done: float) -> None:
        """Open the levels that are due after the fraction ``done`` of a run, 0 to 1.

        Level l opens at ``opened_by (l - 1) / (L - 1)``. Never called, all levels are open.
        """
        due = self.levels - 1
        if done < self.opened_by:
            due = int(due * done / self.opened_by)
        self.active_levels = 1 + due

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Values at the coordinates ``x``, of the last open level."""
        return self._levels(x)[-1]

    def level_outputs(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> list[Float[Tensor, "*batch {self.out_features}"]]:
        """``y_1, y_2 ..`` at the coordinates ``x``, of the levels that are open."""
        *lower, last = self._levels(x)
        return [*(_damped(y, self.lower_share) for y in lower), last]

    def _levels(self, x: Tensor) -> list[Tensor]:
        ends = self._ends[: self.active_levels]
        angle = x @ (2 * torch.pi * self.bands[:, : ends[-1]].to(x.dtype))
        cosine, sine = angle.cos(), angle.sin()
        changes: list[Tensor] = []
        hidden: list[Tensor] = []
        for end, body, head in zip(ends, self.bodies, self.heads, strict=False):
            h = body(torch.cat((*hidden, cosine[..., :end], sine[..., :end]), dim=-1))
            hidden = [h]
            changes.append(head(h))
        return list(accumulate(changes))

    def draw_heads(self, *, generator: torch.Generator | None = None) -> None:
        """Give all heads the initial values of an ordinary network's last layer.

        For measuring the spectrum of the untrained network, which levels at zero would hide.
        """
        with torch.no_grad():
            for parameter in self.heads.parameters():
                parameter.uniform_(-self.head_bound, self.head_bound, generator=generator)

    def at_level(self, level: int) -> "Progressive":
        """The first ``level`` levels as a network of their own, all open, on the same parameters.

        Args:
            level: 1 to L.

        Raises:
            InputError: there is no such level.
        """
        if not 1 <= level <= self.levels:
            raise InputError(f"`level` (={level}) must be from 1 to {self.levels}.")
        smaller = copy.copy(self)
        # A shallow copy shares the tables of modules and buffers: these become its own.
        smaller.__dict__.update(_modules={}, _buffers={})
        smaller.bodies, smaller.heads = self.bodies[:level], self.heads[:level]
        smaller._ends = self._ends[:level]
        smaller.register_buffer("bands", self.bands[:, : smaller._ends[-1]])
        smaller.active_levels = level
        return smaller


class _ReluLayers(nn.ModuleList):
    """``max(0, W x + b)``, layer after layer."""

    def __init__(self, widths: list[int], generator: torch.Generator | None) -> None:
        super().__init__(
            Affine(a, b, weight_bound=a**-0.5, generator=generator) for a, b in pairwise(widths)
        )

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch width"]:
        for layer in self:
            x = F.relu(layer(x), inplace=True)
        return x


def _damped(y: Tensor, share: float) -> Tensor:
    """``y``, with its gradient times ``share``."""
    still = y.detach()
    return still + share * (y - still)
