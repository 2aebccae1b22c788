"""Radial features of the nearest kernels, composed with sines: one operation, two implementations.

``reference`` is the definition in plain torch: any device and dtype, twice differentiable.
``cpu`` gives the same values from compiled loops, for float32 on the processor.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from passband.errors import InputError, MissingDependencyError
from passband.inr.kernels.neurbf import _reference
from passband.inr.kernels.neurbf._shapes import InverseQuadratic as InverseQuadratic
from passband.inr.kernels.neurbf._shapes import RadialKernel as RadialKernel
from passband.inr.kernels.neurbf._shapes import Tent as Tent

__all__ = ["InverseQuadratic", "RadialBackend", "RadialKernel", "Tent", "radial_features"]

RadialBackend = Literal["auto", "reference", "cpu"]


def radial_features(
    x: Float[Tensor, "points d"],
    nearest: Int[Tensor, "points k"],
    centres: Float[Tensor, "kernels d"],
    shapes: Float[Tensor, "kernels size"],
    weights: Float[Tensor, "kernels features"],
    multipliers: Float[Tensor, " features"],
    kernel: RadialKernel,
    *,
    backend: RadialBackend = "auto",
) -> Float[Tensor, "points features"]:
    """``sum_i w[i, f] sin(m_f phi_i / (c + sum_j phi_j))`` over the kernels i, j near each point.

    The paper stops the gradient through the sum, for kernels that are trained; here they are not,
    and the gradient of the coordinates is that of the formula.

    Args:
        x: points.
        nearest: kernels of each point.
        centres: of the kernels; no gradient reaches them.
        shapes: of the kernels, as ``kernel.shapes`` gives them; no gradient reaches them.
        weights: of the kernels' features.
        multipliers: m, in radians.
        kernel: phi, and c, its ``softening``.
        backend: ``auto`` takes ``cpu`` for float32 on the processor where numba is installed, else
            ``reference``. The others run or raise.

    Raises:
        InputError: a backend that lacks the dtype or device.
        MissingDependencyError: ``backend="cpu"`` without numba.

    Example:
        >>> at, sharp = torch.tensor([[-0.5], [0.5]]), torch.tensor([[0.5], [0.5]])
        >>> radial_features(torch.zeros(1, 1), torch.tensor([[0, 1]]), at, sharp,
        ...                 torch.ones(2, 1), torch.tensor([torch.pi]), Tent())
        tensor([[1.9904]])

    Reference: Chen et al., *NeuRBF: A Neural Fields Representation with Adaptive Radial Basis
    Functions*, ICCV 2023, sec. 3.
    """
    implementation: Any = _reference
    if _runs_compiled(backend, x) and len(x) > 0:
        # Imported here: numba takes half a second, and other fields have no use for it.
        implementation = import_module(f"{__name__}._cpu")
    centres, shapes = centres.detach(), shapes.detach()
    values = implementation.normalised_values(x, nearest, centres, shapes, kernel)
    features: Tensor = implementation.compose(values, nearest, weights, multipliers)
    return features


def _runs_compiled(backend: str, x: Tensor) -> bool:
    if backend == "reference":
        return False
    able = x.device.type == "cpu" and x.dtype == torch.float32
    installed = find_spec("numba") is not None
    if backend == "cpu" and not able:
        raise InputError(
            f"`backend` (='cpu') needs float32 tensors on the processor; got {x.dtype} on "
            f"{x.device}. Use backend='reference'."
        )
    if backend == "cpu" and not installed:
        raise MissingDependencyError(
            "`backend` (='cpu') needs numba, which is not installed. Run: pip install numba"
        )
    return able and installed
