"""Numerical gradients and Laplacians against closed forms."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.recon.rendering import cell_step, numerical_gradient_4, numerical_gradient_6


def points(count: int = 30) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return x * (0.5 + 0.2 / x.norm(dim=-1, keepdim=True))


def diagonal(x: Tensor) -> Tensor:
    return (x.square() * x.new_tensor([1.0, -2.0, 3.0])).sum(-1) + x @ x.new_tensor([0.1, 0.2, 4.0])


def full(x: Tensor) -> Tensor:
    return diagonal(x) + x[:, 0] * x[:, 1] - 2 * x[:, 1] * x[:, 2]


def radius(x: Tensor) -> Tensor:
    return x.norm(dim=-1) - 0.5


@pytest.mark.parametrize(
    ("gradient", "f"),
    [(numerical_gradient_4, diagonal), (numerical_gradient_6, full)],
)
@pytest.mark.parametrize("step", [0.5, 1e-3])
def test_quadratics_have_exact_gradients(
    gradient: Callable[..., tuple[Tensor, Tensor]], f: Callable[[Tensor], Tensor], step: float
) -> None:
    x = points().requires_grad_()
    (expected,) = torch.autograd.grad(f(x).sum(), x)
    found, laplacian = gradient(f, x.detach(), step)
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=0)
    torch.testing.assert_close(laplacian, torch.full_like(laplacian, 4.0), atol=1e-7, rtol=0)


def test_four_points_are_off_by_the_mixed_derivatives() -> None:
    x, step = points(), 0.3
    exact, _ = numerical_gradient_6(full, x, step)
    found, laplacian = numerical_gradient_4(full, x, step)
    mixed = torch.tensor([-2.0, 0.0, 1.0], dtype=torch.float64)  # f_yz, f_xz, f_xy
    torch.testing.assert_close(found, exact + step / 3**0.5 * mixed)
    torch.testing.assert_close(laplacian, torch.full_like(laplacian, 4.0))


@pytest.mark.parametrize(
    ("gradient", "order", "constant"), [(numerical_gradient_4, 1, 2), (numerical_gradient_6, 2, 3)]
)
def test_errors_fall_with_the_step(
    gradient: Callable[..., tuple[Tensor, Tensor]], order: int, constant: float
) -> None:
    x = points()
    normal = torch.nn.functional.normalize(x, dim=-1)
    for step in (0.04, 0.02, 0.01):
        found, laplacian = gradient(radius, x, step)
        assert (found - normal).norm(dim=-1).amax() < constant * step**order
        assert (laplacian - 2 / x.norm(dim=-1)).abs().amax() < 20 * step**order


@pytest.mark.parametrize(
    ("gradient", "taps"), [(numerical_gradient_4, 4), (numerical_gradient_6, 6)]
)
def test_a_known_center_is_not_asked_for_again(
    gradient: Callable[..., tuple[Tensor, Tensor]], taps: int
) -> None:
    x, asked = points(10), []

    def f(x: Tensor) -> Tensor:
        asked.append(len(x))
        return radius(x)

    known = gradient(f, x, 0.01, center=radius(x))
    assert asked == [10 * taps]
    torch.testing.assert_close(gradient(f, x, 0.01), known)
    assert asked == [10 * taps, 10 * taps, 10]


@pytest.mark.parametrize("gradient", [numerical_gradient_4, numerical_gradient_6])
def test_weights_of_the_distance_have_gradients(
    gradient: Callable[..., tuple[Tensor, Tensor]],
) -> None:
    x = points(5)
    weight = torch.tensor([0.3, -1.2, 0.7], dtype=torch.float64, requires_grad=True)

    def found(weight: Tensor) -> tuple[Tensor, Tensor]:
        return gradient(lambda x: torch.sin(x @ weight), x, 0.1)

    assert torch.autograd.gradcheck(found, weight)


def test_the_step_is_a_cell_of_the_finest_open_level() -> None:
    resolutions = [16, 32, 64, 256]
    steps = [cell_step(resolutions, opened) for opened in (1, 2, 3, 4)]
    assert steps == [2 / 16, 2 / 32, 2 / 64, 2 / 256]
    assert cell_step(resolutions, 3.5) == pytest.approx(2 / 128)
    assert cell_step(resolutions, 4, extent=4.0) == 4 / 256


def test_arguments_out_of_range() -> None:
    with pytest.raises(InputError, match="`step`"):
        numerical_gradient_4(radius, points(), 0.0)
    with pytest.raises(InputError, match="`step`"):
        numerical_gradient_6(radius, points(), float("nan"))
    for opened in (0, 3, float("nan")):
        with pytest.raises(InputError, match="`opened`"):
            cell_step([16, 32], opened)


def test_no_points() -> None:
    found, laplacian = numerical_gradient_4(radius, torch.zeros(0, 3), 0.1)
    assert (found.shape, laplacian.shape) == ((0, 3), (0,))
