"""A signed distance in a hash grid: the fast surface."""

import math
from importlib.util import find_spec

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings import HashGrid
from passband.inr.encodings._arguments import check_count, check_positive
from passband.inr.kernels.hashgrid import HashGridLayout
from passband.recon.rendering import Geometry
from passband.recon.surfaces._color import ColorNetwork
from passband.recon.surfaces._sloped import blended_relu, sloped_network


class GridSurface(nn.Module):
    """``[f, features] = U s(V [x, e(x)] + b) + c`` over a hash grid e, with f's gradient for free.

    One evaluation of the grid gives features and their derivatives, and the network has one hidden
    layer, so normals cost two small products (:func:`sloped_network`) instead of four or six more
    evaluations. s is a ReLU with a parabola across its corner.

    It starts as a sphere: the rows of V look in the directions of a Fibonacci lattice, whose
    rectified cosines add up to a multiple of ``|x|``, and the grid has no effect.

    Float32 on the processor runs compiled where numba is installed: grid and network tile by tile,
    nothing of the Jacobian stored. It gives no gradient by the points; points that require one
    take the general way.

    Args:
        encoding: of three coordinates.
        color: what is seen, of ``color.features`` features.
        hidden_features: units of the hidden layer.
        softness: half the width of the parabola, above 0.
        radius: of the first sphere, in scene units.
        generator: source of the initial values.

    Raises:
        InputError: a size out of range, or an encoding of another number of coordinates.

    Example:
        >>> grid = HashGrid(3, n_levels=4, log2_hashmap_size=10, finest_resolution=64)
        >>> surface = GridSurface(grid, ColorNetwork(15))
        >>> found = surface.geometry(torch.tensor([[0.0, 0.6, 0.8], [0.0, 0.0, 0.3]]))
        >>> found.distance.round(decimals=1).tolist(), found.gradient[0].norm() > 0.95
        ([0.5, -0.20000000298023224], tensor(True))

    Reference: the grid: Müller et al., *Instant Neural Graphics Primitives*, 2022; gradient by
    hand: as in Wang et al., *NeuS2*, ICCV 2023. Sphere and activation are ours.
    """

    def __init__(
        self,
        encoding: HashGrid,
        color: ColorNetwork,
        *,
        hidden_features: int = 64,
        softness: float = 0.1,
        radius: float = 0.5,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("hidden_features", hidden_features, least=4)
        check_positive("softness", softness)
        check_positive("radius", radius)
        if encoding.in_features != 3:
            raise InputError(
                f"`encoding` has {encoding.in_features} coordinates; a surface has 3. "
                "Build it with in_features=3."
            )
        self.encoding = encoding
        self.colors = color
        self.softness = softness
        device = encoding.table.device
        hidden = torch.zeros(hidden_features, 3 + encoding.out_features, device=device)
        hidden[:, :3] = fibonacci_sphere(hidden_features)
        bound = hidden_features**-0.5
        output = torch.empty(1 + color.features, hidden_features, device=device)
        output.uniform_(-bound, bound, generator=generator)
        output[0] = 4 / hidden_features  # a rectified cosine is a quarter on the average
        shift = torch.zeros(1 + color.features, device=device)
        shift[0] = -radius - softness**2 / (3 * radius)  # the parabola lifts the sphere's surface
        self.hidden = nn.Parameter(hidden)
        self.hidden_bias = nn.Parameter(torch.zeros(hidden_features, device=device))
        self.output = nn.Parameter(output)
        self.output_bias = nn.Parameter(shift)

    def distance(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Signed distance f of points ``x``, negative inside."""
        if self._compiled(x) and not torch.is_grad_enabled():
            from passband.recon.surfaces import _cpu_shape  # noqa: PLC0415  loads numba

            return _cpu_shape.distances(*self._raw(x), self.softness)
        inputs = torch.cat((x, self.encoding(x)), dim=1)
        sums = torch.addmm(self.hidden_bias, inputs, self.hidden.T)
        distance: Tensor = blended_relu(sums, self.softness) @ self.output[0]
        return distance + self.output_bias[0]

    def geometry(self, x: Float[Tensor, "n 3"]) -> Geometry:
        """Distance, its gradient and features of points ``x``, differentiable once."""
        if self._compiled(x):
            from passband.recon.surfaces import _cpu_shape  # noqa: PLC0415  loads numba

            return Geometry(*_cpu_shape.geometry(*self._raw(x), self.softness))
        outputs, gradient = sloped_network(
            x,
            *self.encoding.with_jacobian(x),
            *(self.hidden, self.hidden_bias, self.output, self.output_bias),
            self.softness,
        )
        return Geometry(outputs[:, 0], gradient, outputs[:, 1:])

    def color(
        self,
        x: Float[Tensor, "n 3"],
        normal: Float[Tensor, "n 3"],
        direction: Float[Tensor, "n 3"],
        features: Float[Tensor, "n _"],
    ) -> Float[Tensor, "n 3"]:
        """Red, green and blue in [0, 1] of points with unit normals, seen along ``direction``."""
        color: Tensor = self.colors(x, normal, direction, features)
        return color

    def set_progress(self, done: float) -> None:
        """Open the levels of a run of which ``done`` (0 to 1) is over."""
        self.encoding.set_progress(done)

    def _compiled(self, x: Tensor) -> bool:
        """Whether the compiled loops take this."""
        grid = self.encoding
        wanted = len(x) > 0 and not (x.requires_grad and torch.is_grad_enabled())
        plain = x.dtype == grid.table.dtype == torch.float32 and x.device.type == "cpu"
        fits = grid.layout.n_features_per_level == 2 and grid.table.numel() < 2**32
        allowed = grid.backend in ("auto", "cpu") and find_spec("numba") is not None
        return wanted and plain and fits and allowed

    def _raw(self, x: Tensor) -> tuple[Tensor, Tensor, HashGridLayout, Tensor, Tensor, Tensor]:
        """What the compiled loops take: raw features of open levels, their weights in V."""
        table, layout = self.encoding._open_levels()
        opened = self.hidden.new_tensor(self.encoding.level_weights[: len(layout.levels)])
        features = self.hidden[:, 3 : 3 + layout.out_features] * opened.repeat_interleave(2)
        hidden = torch.cat((features, self.hidden[:, :3], self.hidden_bias[:, None]), dim=1)
        return 0.5 * x + 0.5, table, layout, hidden, self.output, self.output_bias


def fibonacci_sphere(count: int) -> Float[Tensor, "count 3"]:
    """Evenly spread unit vectors: ``z_k = 1 - (2 k + 1) / n`` at angles ``k pi (3 - sqrt 5)``.

    Args:
        count: n, at least 1.

    Example:
        >>> fibonacci_sphere(1000).mean(dim=0).abs().max() < 1e-3
        tensor(True)

    Reference: Keinert et al., *Spherical Fibonacci Mapping*, ACM Trans. Graph. 34(6), 2015, eq. 1.
    """
    k = torch.arange(count, dtype=torch.float64)
    z = 1 - (2 * k + 1) / count
    ring = (1 - z.square()).sqrt()
    angle = k * math.pi * (3 - math.sqrt(5))
    return torch.stack((ring * angle.cos(), ring * angle.sin(), z), dim=1).float()
