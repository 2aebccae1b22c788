"""Surfaces of any encoding and network, and what can be put around them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr._protocols import Penalized, Staged
from passband.inr.encodings._arguments import check_positive
from passband.recon.rendering import Geometry
from passband.recon.surfaces._color import ColorNetwork
from passband.recon.surfaces._grid_surface import GridSurface
from passband.recon.surfaces._normals import AnalyticNormals, Normals


class EncodedSurface(nn.Module):
    """Distance and features ``network(x)``, their derivatives from ``normals``.

    Args:
        network: (n, 3) to (n, 1 + color.features), the distance first.
        color: what is seen.
        normals: how gradients are found; by autograd where not given.

    Example:
        >>> from passband.recon.surfaces import GeometricMLP
        >>> network = GeometricMLP(3, 1 + 8, hidden_features=32, hidden_layers=2, skip=None)
        >>> surface = EncodedSurface(network, ColorNetwork(8))
        >>> surface.geometry(torch.rand(5, 3)).gradient.shape
        torch.Size([5, 3])

    Reference: Wang et al., *NeuS*, NeurIPS 2021; Yariv et al., *VolSDF*, NeurIPS 2021.
    """

    def __init__(
        self, network: nn.Module, color: ColorNetwork, *, normals: Normals | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.colors = color
        self.normals = AnalyticNormals() if normals is None else normals

    def distance(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Signed distance of points ``x``, negative inside."""
        distance: Tensor = self.network(x)[:, 0]
        return distance

    def geometry(self, x: Float[Tensor, "n 3"]) -> Geometry:
        """Distance, its gradient, features and, of numerical normals, Laplacian of points ``x``."""
        outputs, gradient, laplacian = self.normals(self.network, x)
        return Geometry(outputs[:, 0], gradient, outputs[:, 1:], laplacian)

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
        """Tell the parts that open in the course of a run how much of it is over, 0 to 1."""
        for part in (self.network, self.normals):
            if isinstance(part, Staged):
                part.set_progress(done)

    def penalty(self) -> Float[Tensor, ""]:
        """What the network asks to add to the loss; 0 where it asks nothing."""
        asked = self.network.penalty() if isinstance(self.network, Penalized) else None
        return torch.zeros(()) if asked is None else asked


class BoundedSurface(nn.Module):
    """``min(f, scale (radius - |x|))``: whatever f is, rays that leave the sphere end in a surface.

    Args:
        surface: f and its colour.
        radius: of the bounding sphere, scene units; 3 in the paper, whose objects are as large as
            the unit sphere too but whose cameras are inside.
        scale: slope of the wall.

    Raises:
        InputError: a number that is not above 0.

    Example:
        >>> from passband.recon.surfaces import GeometricMLP
        >>> network = GeometricMLP(3, 1, hidden_features=32, hidden_layers=2, skip=None)
        >>> walled = BoundedSurface(EncodedSurface(network, ColorNetwork(0)), radius=2.0)
        >>> walled.distance(torch.tensor([[0.0, 2.1, 0.0]])).round(decimals=4)
        tensor([-2.], grad_fn=...)

    Reference: Yariv et al., *Volume Rendering of Neural Implicit Surfaces* (VolSDF), NeurIPS 2021.
    """

    def __init__(
        self, surface: EncodedSurface | GridSurface, *, radius: float = 3.0, scale: float = 20.0
    ) -> None:
        super().__init__()
        check_positive("radius", radius)
        check_positive("scale", scale)
        self.surface = surface
        self.radius, self.scale = radius, scale

    def distance(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Signed distance of points ``x``, negative inside and beyond the wall."""
        return torch.minimum(self.surface.distance(x), self._wall(x))

    def geometry(self, x: Float[Tensor, "n 3"]) -> Geometry:
        """Geometry of points ``x``; where the wall is nearer, its distance and gradient."""
        found = self.surface.geometry(x)
        wall = self._wall(x)
        inner = found.distance <= wall
        norm = x.norm(dim=1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
        laplacian = found.laplacian
        if laplacian is not None:
            laplacian = torch.where(inner, laplacian, -2 * self.scale / norm[:, 0])
        return Geometry(
            torch.minimum(found.distance, wall),
            torch.where(inner[:, None], found.gradient, -self.scale * x / norm),
            found.features,
            laplacian,
        )

    def color(
        self,
        x: Float[Tensor, "n 3"],
        normal: Float[Tensor, "n 3"],
        direction: Float[Tensor, "n 3"],
        features: Float[Tensor, "n _"],
    ) -> Float[Tensor, "n 3"]:
        """The colour of the surface inside."""
        color: Tensor = self.surface.color(x, normal, direction, features)
        return color

    def set_progress(self, done: float) -> None:
        """Pass the progress of a run on to the surface inside."""
        if isinstance(self.surface, Staged):
            self.surface.set_progress(done)

    def penalty(self) -> Float[Tensor, ""]:
        """What the surface inside asks to add to the loss; 0 where it asks nothing."""
        inner = self.surface
        asked: Tensor = inner.penalty() if isinstance(inner, Penalized) else torch.zeros(())
        return asked

    def _wall(self, x: Tensor) -> Tensor:
        wall: Tensor = self.scale * (self.radius - x.norm(dim=1))
        return wall
