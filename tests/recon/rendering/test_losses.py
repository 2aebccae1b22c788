"""Losses against numpy and closed forms."""

import numpy as np
import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.recon.rendering import (
    curvature_loss,
    eikonal_loss,
    mask_loss,
    masked_rgb_l1,
    outside_loss,
    rgb_l1,
)
from passband.recon.rendering._losses import plain_eikonal_loss


def drawn(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_losses_match_numpy() -> None:
    color, target, mask = drawn(2, 9, 3)[0], drawn(2, 9, 3)[1], drawn(9) > 0.4
    c, t, m = color.numpy(), target.numpy(), mask.numpy()
    gradient, laplacian, opacity = drawn(20, 3) - 0.5, drawn(20) - 0.5, 1.2 * drawn(9) - 0.1
    o = np.clip(opacity.numpy(), 1e-3, 1 - 1e-3)
    pairs = [
        (rgb_l1(color, target), np.mean(np.abs(c - t))),
        (masked_rgb_l1(color, target, mask), np.mean(np.abs(c - t)[m])),
        (eikonal_loss(gradient), np.mean((np.linalg.norm(gradient.numpy(), axis=-1) - 1) ** 2)),
        (curvature_loss(laplacian), np.mean(np.abs(laplacian.numpy()))),
        (mask_loss(opacity, mask), -np.mean(np.where(m, np.log(o), np.log(1 - o)))),
        (outside_loss(opacity, drawn(9)), np.mean(np.maximum((drawn(9) - opacity).numpy(), 0))),
    ]
    for found, expected in pairs:
        assert found.item() == pytest.approx(expected, abs=1e-14)


def test_gradients_match_finite_differences() -> None:
    color, gradient, opacity = (x.requires_grad_() for x in (drawn(6, 3), drawn(6, 3), drawn(6)))
    mask = torch.tensor([True, False] * 3)
    check = torch.autograd.gradcheck
    assert check(lambda c: masked_rgb_l1(c, torch.full((6, 3), 0.5).double(), mask), color)
    assert check(eikonal_loss, gradient)
    assert check(lambda o: mask_loss(o, mask), opacity)
    assert check(lambda o: outside_loss(o, torch.full((6,), 0.4).double()), opacity)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_compiled_eikonal_loss_equals_the_plain_one(dtype: torch.dtype) -> None:
    gradient = (drawn(50, 3) - 0.5).to(dtype)
    gradient[7] = 0
    gradient.requires_grad_()
    ours, plain = eikonal_loss(gradient), plain_eikonal_loss(gradient)
    torch.testing.assert_close(ours, plain)
    found = torch.autograd.grad(3 * ours, gradient)
    torch.testing.assert_close(found, torch.autograd.grad(3 * plain, gradient))


def test_nothing_to_lose() -> None:
    none = torch.zeros(0)
    assert eikonal_loss(torch.zeros(0, 3)) == curvature_loss(none) == outside_loss(none, none) == 0
    color = torch.rand(4, 3, requires_grad=True)
    loss = masked_rgb_l1(color, torch.zeros(4, 3), torch.zeros(4, dtype=torch.bool))
    loss.backward()
    assert loss == 0
    assert not color.grad.any()


def test_flat_gradients_and_certain_opacities_are_no_trouble() -> None:
    gradient = torch.zeros(3, 3, requires_grad=True)
    eikonal_loss(gradient).backward()
    assert gradient.grad.isfinite().all()
    opacity = torch.tensor([0.0, 1.0 + 1e-6, 1.0], requires_grad=True)
    loss = mask_loss(opacity, torch.tensor([True, True, False]))
    loss.backward()
    assert loss.isfinite()
    assert opacity.grad.isfinite().all()


def test_known_distances_belong_to_points() -> None:
    with pytest.raises((InputError, TypeError), match="known"):
        outside_loss(torch.zeros(3), torch.zeros(4))
