"""Rows of tensors taken out and put back, where each row is named at most once."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from passband.recon.rendering._arrays import arrays, compiles, loops


def take_rows(
    x: Float[Tensor, "rows *rest"], index: Int[Tensor, " taken"]
) -> Float[Tensor, "taken *rest"]:
    """``x[index]`` for indices that differ: the gradient is assigned, not accumulated.

    Args:
        x: any rows.
        index: rows to take, none twice.

    Example:
        >>> take_rows(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2, 0]))
        tensor([3., 1.])
    """
    taken: Tensor = _Take.apply(x, index)
    return taken


def place_rows(
    x: Float[Tensor, "taken *rest"], index: Int[Tensor, " taken"], rows: int
) -> Float[Tensor, "rows *rest"]:
    """Zeros with ``x`` at the rows ``index``, which differ: the transpose of :func:`take_rows`.

    Args:
        x: rows to place.
        index: where each goes.
        rows: number of rows of the result.

    Example:
        >>> place_rows(torch.tensor([3.0, 1.0]), torch.tensor([2, 0]), 3)
        tensor([1., 0., 3.])
    """
    placed: Tensor = _Place.apply(x, index, rows)
    return placed


def take_normals(
    gradient: Float[Tensor, "rows 3"], index: Int[Tensor, " taken"]
) -> Float[Tensor, "taken 3"]:
    """``g / |g|`` of the rows ``index``, which differ; 0 where g is.

    On the processor a compiled loop computes it and its gradient, once differentiable; elsewhere
    plain torch does.

    Args:
        gradient: rows g.
        index: rows to take, none twice.

    Example:
        >>> take_normals(torch.tensor([[0.0, 0.0, 0.0], [0.0, 3.0, 4.0]]), torch.tensor([1]))
        tensor([[0.0000, 0.6000, 0.8000]])
    """
    if not compiles(gradient):
        return plain_normals(gradient, index)
    normals: Tensor = _Normals.apply(gradient, index)
    return normals


def plain_normals(gradient: Tensor, index: Tensor) -> Tensor:
    """The same in plain torch: the definition the compiled loops are tested against."""
    return F.normalize(take_rows(gradient, index), dim=-1)


class _Take(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.rows = len(x)
        return x.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        return place_rows(grad, index, ctx.rows), None


class _Place(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor, rows: int) -> Tensor:
        ctx.save_for_backward(index)
        placed = x.new_zeros((rows, *x.shape[1:]))
        if compiles(x) and x.dim() == 2:
            loops().place(*arrays(x, index), placed.numpy())
        else:
            placed[index] = x
        return placed

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (index,) = ctx.saved_tensors
        return take_rows(grad, index), None, None


class _Normals(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, index: Tensor) -> Tensor:
        normals, lengths = gradient.new_empty(len(index), 3), gradient.new_empty(len(index))
        loops().normals(*arrays(gradient, index, normals, lengths))
        ctx.save_for_backward(index, normals, lengths)
        ctx.rows = len(gradient)
        return normals

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        index, normals, lengths = ctx.saved_tensors
        found = grad.new_zeros(ctx.rows, 3)
        loops().normals_gradient(*arrays(grad, index, normals, lengths, found))
        return found, None
