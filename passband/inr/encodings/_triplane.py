"""Feature planes at several scales, filtered."""

from itertools import combinations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_count, check_not_negative, check_positive
from passband.inr.encodings._frustum import frustum_weights

_TRUNCATE = 4.0
_OPENING = 0.5  # of a run, until all levels are open


class TriPlane(nn.Module):
    """``[x, F_1(x), ..., F_L(x)]``: per level, features of the projections of x onto axis planes.

    A level has a plane of ``N_l x N_l`` vertices for every pair of axes: three planes in space,
    one for pictures. Each is convolved with a Gaussian of ``blur`` cells and looked up bilinearly;
    features of the planes of a level stand side by side (the paper leaves their order open). The
    resolutions ``N_l`` are spaced geometrically.

    In the first half of a run the levels open one after the other, coarsest first
    (:meth:`set_progress`); closed ones give 0.

    Args:
        in_features: coordinates of a point, 2 or 3.
        n_levels: number of levels.
        n_features: features of one plane.
        base_resolution: vertices per axis of the coarsest level.
        finest_resolution: vertices per axis of the finest level.
        blur: standard deviation of the Gaussian, in cells of each level; 0 for none.
        decay: initial k of :meth:`encode_frustum`, trained; 80 suits a scene in the unit sphere.
        init_scale: half-width of the uniform law of the planes' initial values.
        generator: source of the initial values.

    Raises:
        InputError: an argument out of range.

    Example:
        >>> planes = TriPlane(3, n_levels=2, n_features=4, base_resolution=8, finest_resolution=32)
        >>> planes(torch.zeros(5, 3)).shape, [tuple(p.shape) for p in planes.planes]
        (torch.Size([5, 27]), [(3, 4, 8, 8), (3, 4, 32, 32)])

    Reference: Zhuang et al., *Anti-Aliased Neural Implicit Surfaces with Encoding Level of Detail*
    (LoD-NeuS), SIGGRAPH Asia 2023, sec. 3.
    """

    def __init__(
        self,
        in_features: int,
        *,
        n_levels: int = 5,
        n_features: int = 4,
        base_resolution: int = 16,
        finest_resolution: int = 256,
        blur: float = 1.0,
        decay: float = 80.0,
        init_scale: float = 1e-2,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if in_features not in (2, 3):
            raise InputError(f"`in_features` (={in_features}) must be 2 or 3 for feature planes.")
        check_count("n_levels", n_levels)
        check_count("n_features", n_features)
        check_count("base_resolution", base_resolution, least=2)
        check_count("finest_resolution", finest_resolution, least=base_resolution)
        check_not_negative("blur", blur)
        check_positive("decay", decay)
        check_not_negative("init_scale", init_scale)
        self.in_features = in_features
        self.blur = blur
        self.axes = tuple(combinations(range(in_features), 2))
        growth = (finest_resolution / base_resolution) ** (1 / max(n_levels - 1, 1))
        self.resolutions = tuple(round(base_resolution * growth**k) for k in range(n_levels))
        self.out_features = in_features + n_levels * len(self.axes) * n_features
        device = generator.device if generator is not None else None
        self.planes = nn.ParameterList(
            torch.empty(len(self.axes), n_features, n, n, device=device).uniform_(
                -init_scale, init_scale, generator=generator
            )
            for n in self.resolutions
        )
        self.decay = nn.Parameter(torch.tensor(decay, device=device))
        self._open = n_levels

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """The coordinates ``x`` and the features of the filtered planes there."""
        return torch.cat((x, self._features(x)), dim=-1)

    def encode_frustum(
        self,
        vertices: Float[Tensor, "*batch v {self.in_features}"],
        centre: Float[Tensor, "*batch {self.in_features}"],
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """``[x, sum_v W_v F(x_v)]``: features of the vertices, those near the centre x most.

        ``W_v`` are :func:`frustum_weights` of the trained decay k. Where all vertices meet in the
        centre, this is :meth:`forward`.

        Args:
            vertices: of the frustum around each sample, such as :func:`frustum_vertices` gives.
            centre: the samples.
        """
        weights = frustum_weights(vertices, centre, self.decay.to(centre.dtype))
        blended = (weights[..., None] * self._features(vertices)).sum(dim=-2)
        return torch.cat((centre, blended), dim=-1)

    def set_progress(self, done: float) -> None:
        """Open the levels of a run of which ``done`` (0 to 1) is over."""
        levels = len(self.resolutions)
        self._open = min(levels, 1 + int(levels * done / _OPENING))

    def _features(self, x: Tensor) -> Tensor:
        points = x.reshape(-1, self.in_features)
        features = []
        for level, planes in enumerate(self.planes):
            width = planes.shape[0] * planes.shape[1]
            if level < self._open:
                features.append(self._level_features(points, gaussian_blur(planes, self.blur)))
            else:
                features.append(points.new_zeros(len(points), width))
        return torch.cat(features, dim=-1).reshape(
            *x.shape[:-1], self.out_features - self.in_features
        )

    def _level_features(self, points: Tensor, planes: Tensor) -> Tensor:
        pairs = zip(self.axes, planes.to(points.dtype), strict=True)
        return torch.cat([bilinear(points[:, axes], plane) for axes, plane in pairs], dim=-1)


def bilinear(
    points: Float[Tensor, "n 2"], plane: Float[Tensor, "features rows columns"]
) -> Float[Tensor, "n features"]:
    """Bilinear interpolation of a plane over [-1, 1]^2, its outermost vertices at the ends.

    Beyond the square the interpolation of the nearest cell goes on. Twice differentiable, and on a
    CPU its sums have one order, neither of which holds for ``grid_sample``.

    Args:
        points: coordinates along columns and rows, x before y.
        plane: values at the vertices.

    Example:
        >>> plane = torch.tensor([[[0.0, 1.0], [2.0, 3.0]]])
        >>> bilinear(torch.tensor([[-1.0, 0.0], [1.0, 1.0]]), plane)
        tensor([[1.],
                [3.]])
    """
    rows, columns = plane.shape[1:]
    table = plane.flatten(1).T
    size = points.new_tensor([columns, rows])
    position = (points + 1) / 2 * (size - 1)
    low = torch.minimum(position.detach().floor().clamp_min(0), (size - 2).clamp_min(0))
    (x, y), (i, j) = (position - low).unbind(-1), low.to(torch.int64).unbind(-1)
    at = j * columns + i
    right, down = min(1, columns - 1), columns * min(1, rows - 1)

    def corner(step: int, weight: Tensor) -> Tensor:
        # F.embedding and not table[...], whose backward on a CPU adds in no fixed order.
        return weight[:, None] * F.embedding(at + step, table)

    upper = corner(0, (1 - x) * (1 - y)) + corner(right, x * (1 - y))
    return upper + corner(down, (1 - x) * y) + corner(down + right, x * y)


def gaussian_blur(
    planes: Float[Tensor, "planes features rows columns"], sigma: float
) -> Float[Tensor, "planes features rows columns"]:
    """Convolution with a Gaussian, divided by the part of its weight that falls on the plane.

    Args:
        planes: what is filtered, along its last two axes.
        sigma: standard deviation in cells; the Gaussian ends at four of them. 0 changes nothing.

    Agrees with ``scipy.ndimage.gaussian_filter(mode="constant")`` of the planes over that of ones,
    to 1e-12 in float64.

    Example:
        >>> gaussian_blur(torch.ones(1, 1, 3, 5), 2.0).round(decimals=5).unique()
        tensor([1.])
    """
    radius = int(_TRUNCATE * sigma + 0.5)
    if radius == 0:
        return planes
    taps = torch.arange(-radius, radius + 1, dtype=planes.dtype, device=planes.device)
    taps = (-0.5 * (taps / sigma).square()).exp()
    filtered = planes.flatten(0, 1)[:, None]
    for shape in ((1, 1, 1, -1), (1, 1, -1, 1)):
        length = filtered.shape[shape.index(-1)]
        padding = (0, radius) if shape[-1] == -1 else (radius, 0)
        weight = F.conv1d(planes.new_ones(1, 1, length), taps.view(1, 1, -1), padding=radius)
        filtered = F.conv2d(filtered, taps.view(shape), padding=padding) / weight.view(shape)
    return filtered.reshape(planes.shape)
