"""A colour network on the processor: compiled, from tensors to tensors."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from passband.recon.surfaces import _cpu_color_kernels
from passband.recon.surfaces._cpu_shape import BLOCK, new_tiles, over_blocks, padded

_LAYERS = 3


def rectified_network(x: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    """``W_3 r(W_2 r(W_1 x + b_1) + b_2) + b_3`` with ``r(z) = max(0, z)``, for three values.

    Args:
        x: float32 points (n, features) on the processor, at least one.
        layers: weight and bias of each of three layers, the hidden ones equally wide.
    """
    matrices = [torch.cat((weight, bias[:, None]), dim=1) for weight, bias in layers]
    values: Tensor = _Rectified.apply(x, *matrices)
    return values


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, *layers: Tensor) -> Tensor:
        matrices = [padded(layer) for layer in layers]
        units, points = len(layers[0]), x.detach().contiguous().numpy()
        inputs = new_tiles(len(x), matrices[0].shape[1])
        hidden = new_tiles(len(x), 2 * matrices[1].shape[1])
        hidden = hidden.reshape(len(hidden), 2, -1, hidden.shape[2])
        out = np.empty((len(x), _LAYERS), np.float32)

        def block(begin: int, end: int) -> None:
            _cpu_color_kernels.forward(points, *matrices, units, begin, end, inputs, hidden, out)

        over_blocks(block, len(x))
        # As tensors, which autograd drops after the way back: the next step takes their memory.
        ctx.save_for_backward(torch.from_numpy(inputs), torch.from_numpy(hidden))
        ctx.matrices, ctx.units = matrices, units
        ctx.shapes = [layer.shape for layer in layers]
        ctx.features = x.shape[1]
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        given, count = grads[0].contiguous().numpy(), len(grads[0])
        kept = [tensor.numpy() for tensor in ctx.saved_tensors]
        turned = [np.ascontiguousarray(matrix.T) for matrix in ctx.matrices]
        x_grad = np.empty((count, ctx.features), np.float32)
        # One sum per task, added up in their order: the same values every time.
        tasks = -(-count // BLOCK)
        sums = [np.zeros((tasks, *matrix.shape), np.float32) for matrix in ctx.matrices]

        def block(begin: int, end: int) -> None:
            parts = [total[begin // BLOCK] for total in sums]
            _cpu_color_kernels.backward(
                given, *turned, ctx.units, begin, end, *kept, x_grad, *parts
            )

        over_blocks(block, count)
        found = [
            torch.from_numpy(total.sum(axis=0)[:rows, :columns])
            for total, (rows, columns) in zip(sums, ctx.shapes, strict=True)
        ]
        return torch.from_numpy(x_grad), *found
