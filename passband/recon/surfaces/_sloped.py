"""A network of one hidden layer with its gradient by the point, and the way back through both."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable


def blended_relu(z: Float[Tensor, "*batch"], width: float) -> Float[Tensor, "*batch"]:
    """``max(0, z)`` with a parabola ``(z + w)^2 / (4 w)`` across ``|z| < w``: no jump in its slope.

    Args:
        z: any values.
        width: w, above 0.

    Example:
        >>> blended_relu(torch.tensor([-0.1, 0.0, 0.1, 0.5]), 0.1)
        tensor([0.0000, 0.0250, 0.1000, 0.5000])
    """
    part = blended_relu_slope(z, width)
    return width * part.square() + F.relu(z - width)


def blended_relu_slope(z: Float[Tensor, "*batch"], width: float) -> Float[Tensor, "*batch"]:
    """Derivative of :func:`blended_relu`: 0, ``(z + w) / (2 w)`` where ``|z| < w``, 1.

    Example:
        >>> blended_relu_slope(torch.tensor([-0.1, 0.0, 0.05, 0.5]), 0.1)
        tensor([0.0000, 0.5000, 0.7500, 1.0000])
    """
    return ((z + width) / (2 * width)).clamp(0, 1)


def sloped_network(
    x: Float[Tensor, "n d"],
    encoded: Float[Tensor, "n encoded"],
    jacobian: Float[Tensor, "n encoded d"],
    hidden: Float[Tensor, "units inputs"],
    hidden_bias: Float[Tensor, " units"],
    output: Float[Tensor, "outputs units"],
    output_bias: Float[Tensor, " outputs"],
    width: float,
) -> tuple[Float[Tensor, "n outputs"], Float[Tensor, "n d"]]:
    """``o = U s(a) + c`` with ``a = V [x, e(x)] + b``, and the gradient of ``o_0`` by x.

    ``d o_0 / dx = q_x + q_e de/dx`` with ``q = V^T (s'(a) U_0)``. Both results are differentiable
    once, by hand: with r the gradient of the second and ``r_q = [r, de/dx r]``,
    ``V`` gets ``(s'(a) U_0) r_q^T``, ``de/dx`` gets ``q_e r^T``, and ``a`` gets
    ``s''(a) U_0 (V r_q)``. What is stored is what the way forward made anyway.

    Args:
        x: points.
        encoded: features e.
        jacobian: ``de/dx``.
        hidden: V, for the coordinates first.
        hidden_bias: b.
        output: U.
        output_bias: c.
        width: of the :func:`blended_relu` s.

    Returns:
        ``o`` and ``d o_0 / dx``.

    Example:
        >>> x, e, j = torch.zeros(5, 3), torch.zeros(5, 8), torch.zeros(5, 8, 3)
        >>> v, b, u, c = torch.ones(4, 11), torch.ones(4), torch.ones(2, 4), torch.zeros(2)
        >>> outputs, gradient = sloped_network(x, e, j, v, b, u, c, 0.1)
        >>> outputs[0], gradient[0]
        (tensor([4., 4.]), tensor([4., 4., 4.]))

    Agrees with autograd twice over the same network, values and gradients, to 1e-10 in float64.
    """
    outputs, gradient = _Sloped.apply(
        x, encoded, jacobian, hidden, hidden_bias, output, output_bias, width
    )
    return outputs, gradient


class _Sloped(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        encoded: Tensor,
        jacobian: Tensor,
        hidden: Tensor,
        hidden_bias: Tensor,
        output: Tensor,
        output_bias: Tensor,
        width: float,
    ) -> tuple[Tensor, Tensor]:
        d = x.shape[1]
        inputs = torch.cat((x, encoded), dim=1)
        sums = torch.addmm(hidden_bias, inputs, hidden.T)
        outputs = torch.addmm(output_bias, blended_relu(sums, width), output.T)
        slopes = (blended_relu_slope(sums, width) * output[0]) @ hidden
        gradient = slopes[:, :d] + torch.bmm(slopes[:, None, d:], jacobian)[:, 0]
        ctx.save_for_backward(inputs, jacobian, hidden, output, sums, slopes)
        ctx.width = width
        return outputs, gradient

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        inputs, jacobian, hidden, output, sums, slopes = ctx.saved_tensors
        grad, turn = grads
        d = turn.shape[1]
        part = blended_relu_slope(sums, ctx.width)
        bent = ((part > 0) & (part < 1)).to(part.dtype).mul_(output[0] / (2 * ctx.width))
        slopes_grad = torch.cat((turn, torch.bmm(jacobian, turn[:, :, None])[:, :, 0]), dim=1)
        through = slopes_grad @ hidden.T
        sums_grad = (grad @ output).mul_(part).addcmul_(through, bent)
        hidden_grad = (part * output[0]).T @ slopes_grad
        output_grad = grad.T @ blended_relu(sums, ctx.width)
        output_grad[0] += (through * part).sum(dim=0)
        inputs_grad = sums_grad @ hidden
        return (
            inputs_grad[:, :d],
            inputs_grad[:, d:],
            slopes[:, d:, None] * turn[:, None, :],
            hidden_grad.addmm_(sums_grad.T, inputs),
            sums_grad.sum(dim=0),
            output_grad,
            grad.sum(dim=0),
            None,
        )
