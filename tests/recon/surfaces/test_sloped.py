"""The network with its gradient by the point: against autograd taken twice."""

import pytest
import torch
from torch import Tensor

from passband.inr.encodings import HashGrid
from passband.recon.surfaces import ColorNetwork, GridSurface, blended_relu, sloped_network

N, UNITS, ENCODED, OUTPUTS = 7, 6, 8, 4


def draw(*shape: int, seed: int = 0) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=draws)


def arguments() -> list[Tensor]:
    shapes = (
        (N, 3), (N, ENCODED), (N, ENCODED, 3), (UNITS, 3 + ENCODED), (UNITS,), (OUTPUTS, UNITS),
        (OUTPUTS,),
    )  # fmt: skip
    return [draw(*shape, seed=k).requires_grad_() for k, shape in enumerate(shapes)]


def test_gradients_of_every_input() -> None:
    # Wide enough that most sums lie on the parabola, where second derivatives are not 0.
    assert torch.autograd.gradcheck(lambda *args: sloped_network(*args, 3.0), arguments())


def surface() -> GridSurface:
    draws = torch.Generator().manual_seed(0)
    grid = HashGrid(
        3, n_levels=3, log2_hashmap_size=8, base_resolution=3, finest_resolution=9,
        init_scale=0.5, generator=draws,
    )  # fmt: skip
    found = GridSurface(
        grid, ColorNetwork(2, generator=draws), hidden_features=8, softness=0.3, generator=draws
    ).double()
    with torch.no_grad():
        found.hidden[:, 3:] = 0.5 * draw(8, grid.out_features)
        found.hidden_bias.copy_(0.1 * draw(8))
    return found


def trained(of: GridSurface) -> list[Tensor]:
    return [of.encoding.table, of.hidden, of.hidden_bias, of.output, of.output_bias]


def test_distance_gradient_and_features_agree_with_autograd_twice() -> None:
    shape, x = surface(), 0.6 * torch.tanh(draw(50, 3))
    weights = draw(50, seed=1), draw(50, 3, seed=2), draw(50, 2, seed=3)
    fast = shape.geometry(x)

    points = x.clone().requires_grad_()
    inputs = torch.cat((points, shape.encoding(points)), dim=1)
    sums = inputs @ shape.hidden.T + shape.hidden_bias
    outputs = blended_relu(sums, shape.softness) @ shape.output.T + shape.output_bias
    (slope,) = torch.autograd.grad(outputs[:, 0].sum(), points, create_graph=True)
    slow = (outputs[:, 0], slope, outputs[:, 1:])

    found = (fast.distance, fast.gradient, fast.features)
    for ours, theirs in zip(found, slow, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=1e-12)
    losses = [sum((w * v).sum() for w, v in zip(weights, vs, strict=True)) for vs in (found, slow)]
    ours, theirs = (torch.autograd.grad(loss, trained(shape)) for loss in losses)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-10)


def test_points_get_gradients_too() -> None:
    shape, x = surface(), (0.6 * torch.tanh(draw(4, 3))).requires_grad_()

    def results(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        found = shape.geometry(x)
        return found.distance, found.gradient, found.features

    assert torch.autograd.gradcheck(results, (x,), eps=1e-7, atol=1e-4)


@pytest.mark.parametrize("width", [0.02, 0.5])
def test_blended_relu_is_relu_with_a_continuous_slope(width: float) -> None:
    z = torch.linspace(-1, 1, 20001, dtype=torch.float64, requires_grad=True)
    value = blended_relu(z, width)
    (slope,) = torch.autograd.grad(value.sum(), z)
    away = z.abs() > width
    torch.testing.assert_close(value[away], z[away].relu())
    assert slope.diff().abs().max() < 1.01e-4 / (2 * width)
    assert value.min() >= 0
