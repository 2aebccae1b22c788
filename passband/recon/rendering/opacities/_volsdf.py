"""Opacity from a density that is the Laplace distribution of the signed distance, after VolSDF."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError

_NARROWEST = 1e-4  # scene units


def laplace_density(
    distance: Float[Tensor, "*shape"], beta: Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """``Psi(-f) / b``, Psi the distribution of the Laplace law of scale b.

    ``Psi(-f)`` is ``exp(-f / b) / 2`` outside and ``1 - exp(f / b) / 2`` inside.

    Args:
        distance: f, scene units.
        beta: b, scene units, above 0; of the same number of dimensions, or a scalar.

    Returns:
        Density in 1 / scene unit: 0 far outside, 1 / b far inside, half of that on the surface.

    Example:
        >>> laplace_density(torch.tensor([1.0, 0.0, -1.0]), torch.tensor(0.1))
        tensor([2.2700e-04, 5.0000e+00, 9.9998e+00])

    Reference: Yariv, Gu, Kasten & Lipman, *Volume Rendering of Neural Implicit Surfaces*, NeurIPS
    2021, eq. 2, 3.
    """
    outside = distance >= 0
    # Not by abs(), whose derivative on the surface is 0.
    tail = 0.5 * torch.exp(torch.where(outside, -distance, distance) / beta)
    return torch.where(outside, tail, 1 - tail) / beta


def volsdf_alpha(
    distance: Float[Tensor, "rays samples"],
    length: Float[Tensor, "rays samples"],
    beta: Float[Tensor, ""],
) -> Float[Tensor, "rays samples"]:
    """``1 - exp(-density length)`` with :func:`laplace_density` in the middle of each section.

    Args:
        distance: f in the middle of each section, scene units.
        length: of the sections, scene units, at least 0.
        beta: width b of the layer around the surface, scene units, above 0.

    Returns:
        Opacities (rays, samples) in [0, 1].

    Example:
        >>> volsdf_alpha(torch.zeros(1, 1), torch.full((1, 1), 0.1), torch.tensor(0.05))
        tensor([[0.6321]])

    Reference: see :func:`laplace_density`; eq. 4 to 6 there.
    """
    return -torch.expm1(-laplace_density(distance, beta) * length)


class VolsdfOpacity(nn.Module):
    """:func:`volsdf_alpha` with a learned width ``|b| + 1e-4``.

    Args:
        b: initial value of the parameter, scene units.

    Example:
        >>> round(VolsdfOpacity().sharpness, 2)
        9.99

    Reference: see :func:`laplace_density`.
    """

    def __init__(self, b: float = 0.1) -> None:
        super().__init__()
        self.b = nn.Parameter(torch.tensor(float(b)))

    @property
    def beta(self) -> Float[Tensor, ""]:
        """Width of the layer around the surface, scene units."""
        return self.b.abs() + _NARROWEST

    @property
    def sharpness(self) -> float:
        """Inverse of the width, in 1 / scene unit."""
        return 1 / float(self.beta.detach())

    def alpha(
        self,
        distance: Float[Tensor, "rays samples"],
        slope: Float[Tensor, "rays samples"],
        length: Float[Tensor, "rays samples"],
    ) -> Float[Tensor, "rays samples"]:
        """Opacity of sections: see :func:`volsdf_alpha`; the slope changes nothing."""
        return volsdf_alpha(distance, length, self.beta.to(distance.dtype))


class ScheduledVolsdfOpacity(nn.Module):
    """:func:`volsdf_alpha` whose width falls along a run, ``b0 / (1 + (b0 / b1 - 1) done^0.8)``.

    Args:
        first: b0, the width at the start of the run, scene units, above 0.
        last: b1, the width at its end; a module that was never told of a run has this.

    Raises:
        InputError: a width that is not above 0.

    Example:
        >>> opacity = ScheduledVolsdfOpacity()
        >>> opacity.set_progress(0.0)
        >>> round(opacity.sharpness)
        10

    Reference: Yariv, Hedman, Reiser, Verbin, Srinivasan, Szeliski, Barron & Mildenhall, *BakedSDF:
    Meshing Neural SDFs for Real-Time View Synthesis*, SIGGRAPH 2023.
    """

    def __init__(self, first: float = 0.1, last: float = 0.001) -> None:
        super().__init__()
        if not (first > 0 and last > 0):
            raise InputError(
                f"`first` and `last` (={first:g}, {last:g}) must be above 0. Pass e.g. 0.1, 0.001."
            )
        self.first, self.last, self._width = first, last, float(last)

    @property
    def beta(self) -> Float[Tensor, ""]:
        """Width of the layer around the surface, scene units."""
        return torch.tensor(self._width)

    @property
    def sharpness(self) -> float:
        """Inverse of the width, in 1 / scene unit."""
        return 1 / self._width

    def set_progress(self, done: float) -> None:
        """Take the width of a run of which ``done`` (0 to 1) is over."""
        self._width = self.first / (1 + (self.first / self.last - 1) * done**0.8)

    def alpha(
        self,
        distance: Float[Tensor, "rays samples"],
        slope: Float[Tensor, "rays samples"],
        length: Float[Tensor, "rays samples"],
    ) -> Float[Tensor, "rays samples"]:
        """Opacity of sections: see :func:`volsdf_alpha`; the slope changes nothing."""
        return volsdf_alpha(distance, length, distance.new_tensor(self._width))
