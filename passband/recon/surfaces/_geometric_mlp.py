"""The multilayer perceptron of neural surfaces, which starts as a sphere."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from passband.errors import InputError
from passband.inr.encodings._arguments import check_count, check_positive
from passband.recon.surfaces._grid_surface import fibonacci_sphere


class GeometricMLP(nn.Module):
    """Softplus layers over an encoding that begins with the coordinates; starts near ``|x| - r``.

    Weights are drawn so that every layer hands on a multiple of ``|x|``: ``N(0, 2 / out)`` without
    biases, the columns of all features but the coordinates zero, the last layer
    ``N(sqrt(pi / in), 1e-4)`` with the bias -r. At the layer ``skip`` the inputs are appended to
    the features, both over the square root of two. Weights are kept as a length times a direction.

    Two things are ours: the rows of the first layer are evenly spread instead of drawn, and the
    last layer is scaled so that the multiple, off by a fifth after eight random layers of 256, is
    1 on average.

    Args:
        in_features: of the encoding; the first three are the coordinates.
        out_features: values per point, the distance first.
        hidden_features: width of a layer.
        hidden_layers: softplus layers.
        skip: layer, counted from 0, that sees the inputs again, or None.
        radius: r, of the first sphere, in scene units.
        beta: of the softplus ``log(1 + exp(beta z)) / beta``.
        generator: source of the initial values.

    Raises:
        InputError: a size out of range.

    Example:
        >>> draws = torch.Generator().manual_seed(0)
        >>> network = GeometricMLP(3, 1, generator=draws)
        >>> bool(network(torch.tensor([[0.0, 0.0, 1.0]])) > network(torch.zeros(1, 3)))
        True

    Reference: Atzmon & Lipman, *SAL*, CVPR 2020, theorem 1; Yariv et al., *Multiview Neural Surface
    Reconstruction* (IDR), NeurIPS 2020, sec. 3; sizes and radius: Wang et al., *NeuS*, 2021.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        hidden_features: int = 256,
        hidden_layers: int = 8,
        skip: int | None = 4,
        radius: float = 0.5,
        beta: float = 100.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("in_features", in_features, least=3)
        check_count("out_features", out_features)
        check_count("hidden_layers", hidden_layers)
        check_count("hidden_features", hidden_features)
        check_positive("radius", radius)
        check_positive("beta", beta)
        if skip is not None and not (0 < skip <= hidden_layers and hidden_features > in_features):
            raise InputError(
                f"`skip` (={skip}) must be a layer from 1 to {hidden_layers}, and "
                f"`hidden_features` (={hidden_features}) more than the {in_features} inputs. "
                "Pass skip=None."
            )
        self.in_features, self.out_features, self.skip = in_features, out_features, skip
        self.activation = nn.Softplus(beta=beta)
        widths = [in_features, *[hidden_features] * hidden_layers, out_features]
        layers = []
        for number, (a, b) in enumerate(pairwise(widths)):
            narrow = in_features if number + 1 == skip else 0  # room for the inputs
            layers.append(nn.Linear(a, b - narrow))
            first = 0 if number == 0 else a - in_features if number == skip else a
            last = number == hidden_layers
            _start(layers[-1], first, radius=radius if last else None, generator=generator)
        directions = fibonacci_sphere(layers[0].out_features)
        with torch.no_grad():
            layers[0].weight[:, :3] = math.sqrt(6 / len(directions)) * directions
        self.layers = nn.ModuleList(layers)
        self._round(radius, generator)
        self.layers = nn.ModuleList(weight_norm(layer) for layer in layers)

    def forward(
        self, x: Float[Tensor, "n {self.in_features}"]
    ) -> Float[Tensor, "n {self.out_features}"]:
        """Values at the encoded points ``x``."""
        *hidden, last = self.layers
        h = x
        for number, layer in enumerate(hidden):
            h = self.activation(layer(self._joined(h, x, number)))
        values: Tensor = last(self._joined(h, x, len(hidden)))
        return values

    @torch.no_grad()
    def _round(self, radius: float, generator: torch.Generator | None) -> None:
        """Scales the last layer so that the norm comes out on average."""
        x = torch.zeros(512, self.in_features)
        x[:, :3] = 2 * torch.rand(512, 3, generator=generator) - 1
        norm = x.norm(dim=1)
        found = self(x)[:, 0] + radius
        self.layers[-1].get_parameter("weight").mul_(norm.square().sum() / (norm * found).sum())

    def _joined(self, h: Tensor, x: Tensor, number: int) -> Tensor:
        return torch.cat((h, x), dim=-1) / math.sqrt(2) if number == self.skip else h


@torch.no_grad()
def _start(
    layer: nn.Linear, first: int, *, radius: float | None, generator: torch.Generator | None
) -> None:
    """Draws a layer; its inputs from ``first`` on are the encoding's, the last has a ``radius``."""
    outputs, inputs = layer.weight.shape
    deviation = math.sqrt(2 / outputs) if radius is None else 1e-4
    draws = deviation * torch.randn(outputs, inputs, generator=generator)
    if radius is not None:
        draws += math.sqrt(math.pi / inputs)
    draws[:, first + 3 :] = 0
    layer.weight.copy_(draws)
    layer.bias.fill_(0.0 if radius is None else -radius)
