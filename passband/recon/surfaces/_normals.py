"""Where a surface's normals come from: its derivative, or its values around a point."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_positive
from passband.recon.rendering import cell_step

Network = Callable[[Tensor], Tensor]
Sloped = tuple[Tensor, Tensor, Tensor | None]


@runtime_checkable
class Normals(Protocol):
    """Evaluates a network whose first output is a distance, and the distance's derivatives."""

    def __call__(self, network: Network, x: Tensor) -> Sloped:
        """Outputs (n, o) at points (n, 3), gradient (n, 3) and Laplacian (n,) where it is known."""


class AnalyticNormals(nn.Module):
    """The gradient of ``network(x)[:, 0]`` by autograd, differentiable by the weights.

    Example:
        >>> outputs, gradient, laplacian = AnalyticNormals()(lambda x: 2 * x, torch.zeros(4, 3))
        >>> gradient[0], laplacian is None
        (tensor([2., 0., 0.]), True)
    """

    def forward(self, network: Network, x: Tensor) -> Sloped:
        """Outputs, gradient and no Laplacian."""
        trained = torch.is_grad_enabled()
        with torch.enable_grad():
            x = x if x.requires_grad else x.detach().requires_grad_()
            outputs = network(x)
            (gradient,) = torch.autograd.grad(outputs[:, 0].sum(), x, create_graph=trained)
        return (outputs, gradient, None) if trained else (outputs.detach(), gradient, None)


class TapNormals(nn.Module):
    """Gradient and Laplacian from values around each point, at a step that shrinks with the levels.

    Args:
        taps: :func:`~passband.recon.rendering.numerical_gradient_4` or ``numerical_gradient_6``.
        resolutions: vertices per axis of the levels of a grid over [-1, 1], coarsest first: the
            step is a cell of the finest level that is open, falling geometrically while one opens.
            A single one keeps its step.
        coarse_to_fine: fraction of a run, 0 to 1, in which the levels open one after the other.

    Raises:
        InputError: no level, or a fraction out of range.

    Example:
        >>> from passband.recon.rendering import numerical_gradient_6
        >>> normals = TapNormals(numerical_gradient_6, [16, 64], coarse_to_fine=0.5)
        >>> normals.set_progress(0.25)
        >>> normals.step
        0.0625

    Reference: Li et al., *Neuralangelo*, CVPR 2023, sec. 3.2 and 3.3.
    """

    def __init__(
        self,
        taps: Callable[..., tuple[Tensor, Tensor]],
        resolutions: Sequence[int],
        *,
        coarse_to_fine: float = 0.0,
    ) -> None:
        super().__init__()
        if not resolutions:
            raise InputError("`resolutions` is empty. Pass at least that of one level.")
        for resolution in resolutions:
            check_positive("resolutions", resolution)
        if not 0 <= coarse_to_fine <= 1:
            raise InputError(
                f"`coarse_to_fine` (={coarse_to_fine}) must be a fraction of the run, 0 to 1."
            )
        self.taps = taps
        self.resolutions = tuple(resolutions)
        self.coarse_to_fine = coarse_to_fine
        self.set_progress(1.0)

    def set_progress(self, done: float) -> None:
        """Take the step of a run of which ``done`` (0 to 1) is over."""
        share = min(done / self.coarse_to_fine, 1.0) if self.coarse_to_fine > 0 else 1.0
        self.step = cell_step(self.resolutions, 1 + (len(self.resolutions) - 1) * share)

    def forward(self, network: Network, x: Tensor) -> Sloped:
        """Outputs, gradient and Laplacian."""
        outputs = network(x)
        gradient, laplacian = self.taps(
            lambda points: network(points)[:, 0], x, self.step, center=outputs[:, 0]
        )
        return outputs, gradient, laplacian
