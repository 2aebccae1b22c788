"""What the renderer asks of surfaces, opacities, samplers and backgrounds, and what it gives."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from passband.recon.cameras import Rays


@dataclass(frozen=True, eq=False)
class Geometry:
    """What a surface knows of some points.

    Args:
        distance: signed distance f, negative inside, in scene units.
        gradient: its derivative by the point, differentiable by the weights.
        features: what the colour is computed from besides.
        laplacian: trace of f's second derivatives, where normals are numerical.
    """

    distance: Float[Tensor, " points"]
    gradient: Float[Tensor, "points 3"]
    features: Float[Tensor, "points _"]
    laplacian: Float[Tensor, " points"] | None = None


@runtime_checkable
class SignedDistance(Protocol):
    """A signed distance: all that samplers ask of a surface."""

    def distance(self, x: Tensor) -> Tensor:
        """Signed distance (n,) of points (n, 3), negative inside, in scene units."""


@runtime_checkable
class Surface(SignedDistance, Protocol):
    """A signed distance and a colour, usually an ``nn.Module``."""

    def geometry(self, x: Tensor) -> Geometry:
        """Distance, its gradient and features of points (n, 3)."""

    def color(self, x: Tensor, normal: Tensor, direction: Tensor, features: Tensor) -> Tensor:
        """Colour (n, 3) in [0, 1] of points with unit normals, seen along ``direction``."""


@runtime_checkable
class Opacity(Protocol):
    """Turns signed distances into the opacity of sections of a ray."""

    @property
    def sharpness(self) -> float:
        """Inverse width of the layer around the surface that is seen, in 1 / scene unit."""

    def alpha(self, distance: Tensor, slope: Tensor, length: Tensor) -> Tensor:
        """Share in [0, 1] of the light that a section stops; 0 where its length is 0.

        Args:
            distance: f at the middle of the section.
            slope: derivative of f along the ray, ``d . grad f``.
            length: of the section, of the same shape.
        """


@dataclass(frozen=True, eq=False)
class Samples:
    """Sections of rays, one evaluation of the surface in the middle of each.

    Args:
        depths: middles of the sections, increasing along the ray.
        lengths: at least 0; a section of length 0 is empty and costs nothing.
    """

    depths: Float[Tensor, "rays samples"]
    lengths: Float[Tensor, "rays samples"]


@runtime_checkable
class Sampler(Protocol):
    """Chooses the sections of rays between two depths, without gradients."""

    def __call__(
        self,
        rays: Rays,
        near: Tensor,
        far: Tensor,
        surface: SignedDistance,
        opacity: Opacity,
        *,
        generator: torch.Generator | None = None,
    ) -> Samples:
        """Sections of ``rays`` between ``near`` and ``far`` (n,); empty where far <= near.

        Without a generator nothing is drawn and the sections depend on the rays alone.
        """


@runtime_checkable
class Refreshed(Protocol):
    """A sampler that keeps something of the surface and is told when to look again."""

    def refresh(self, surface: SignedDistance, opacity: Opacity) -> None:
        """Evaluate the surface anew; called before the first ray and then every so many steps."""


@runtime_checkable
class Background(Protocol):
    """The colour of what lies behind the scene."""

    def __call__(self, rays: Rays) -> Tensor:
        """Colour (n, 3) in [0, 1] that each ray meets beyond the unit sphere."""


@dataclass(frozen=True, eq=False)
class Rendering:
    """What rays see.

    Args:
        color: with the background's share.
        opacity: sum of the weights, in [0, 1].
        depth: mean distance along the ray, weighted; 0 where the opacity is 0.
        normal: weighted sum of unit normals, as long as the surface is opaque and flat.
        weights: share of each section in what the ray sees; 0 for empty sections.
        points: middles of the sections that are not empty, ray after ray.
        geometry: of those points, for the losses on it.
    """

    color: Float[Tensor, "rays 3"]
    opacity: Float[Tensor, " rays"]
    depth: Float[Tensor, " rays"]
    normal: Float[Tensor, "rays 3"]
    weights: Float[Tensor, "rays samples"]
    points: Float[Tensor, "points 3"]
    geometry: Geometry
