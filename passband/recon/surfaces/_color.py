"""The colour of a point on a surface."""

from importlib.util import find_spec

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings import SphericalHarmonics
from passband.inr.encodings._arguments import check_count
from passband.inr.networks import ReluMLP

_COMPILED_LAYERS = 3


class ColorNetwork(nn.Module):
    """``sigmoid(MLP([features, x, n, Y(d)]))``: colour of points with unit normals n.

    Without ``degree`` the direction d that a point is seen along plays no part: the colour is that
    of a matte surface, and can be baked into a mesh.

    Float32 on the processor with two hidden layers runs compiled where numba is installed,
    differentiable once.

    Args:
        features: of the surface, per point.
        hidden_features: width of a layer.
        hidden_layers: ReLU layers.
        degree: of the spherical harmonics Y of the direction, 1 to 8, or None for matte colours.
        generator: source of the initial values.

    Raises:
        InputError: a size or the degree out of range.

    Example:
        >>> colors = ColorNetwork(15, hidden_features=16)
        >>> point, normal = torch.zeros(4, 3), torch.ones(4, 3)
        >>> colors(point, normal, normal, torch.zeros(4, 15)).shape
        torch.Size([4, 3])

    Reference: Yariv et al., *Multiview Neural Surface Reconstruction by Disentangling Geometry and
    Appearance* (IDR), NeurIPS 2020, sec. 3.2.
    """

    def __init__(
        self,
        features: int,
        *,
        hidden_features: int = 64,
        hidden_layers: int = 2,
        degree: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_count("features", features, least=0)
        self.features = features
        self.direction = None if degree is None else SphericalHarmonics(3, degree)
        width = features + 6 + (0 if degree is None else degree**2)
        self.network = ReluMLP(
            width,
            3,
            hidden_features=hidden_features,
            hidden_layers=hidden_layers,
            generator=generator,
        )

    def forward(
        self,
        x: Float[Tensor, "n 3"],
        normal: Float[Tensor, "n 3"],
        direction: Float[Tensor, "n 3"],
        features: Float[Tensor, "n {self.features}"],
    ) -> Float[Tensor, "n 3"]:
        """Red, green and blue in [0, 1]."""
        parts = [features, x, normal]
        if self.direction is not None:
            parts.append(self.direction(direction))
        inputs = torch.cat(parts, dim=-1)
        values = self._compiled(inputs) if self._fits(inputs) else self.network(inputs)
        color: Tensor = values.sigmoid()
        return color

    def _fits(self, inputs: Tensor) -> bool:
        """Whether the compiled loops take this."""
        plain = inputs.dtype == torch.float32 and inputs.device.type == "cpu" and len(inputs) > 0
        known = len(self.network.layers) == _COMPILED_LAYERS and find_spec("numba") is not None
        return plain and known and next(self.network.parameters()).dtype == torch.float32

    def _compiled(self, inputs: Tensor) -> Tensor:
        from passband.recon.surfaces._cpu_color import rectified_network  # noqa: PLC0415  numba

        values = [*self.network.parameters()]
        return rectified_network(inputs, [*zip(values[::2], values[1::2], strict=True)])
