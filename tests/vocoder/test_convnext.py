"""The ConvNeXt backbone against a plain loop, and its reach."""

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.vocoder import AdaLayerNorm, ConvNeXtBackbone, ConvNeXtBlock
from passband.vocoder._adaptive_norm import check_condition


def depthwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Frame by frame and tap by tap, ``x`` ``(frames, dim)``."""
    out = bias.expand_as(x).clone()
    for frame in range(len(x)):
        for tap in range(7):
            if 0 <= frame + tap - 3 < len(x):
                out[frame] += weight[:, 0, tap] * x[frame + tap - 3]
    return out


def test_block_is_the_formula() -> None:
    block = ConvNeXtBlock(6, 10, 0.3).double()
    with torch.no_grad():
        for value in block.parameters():
            value.copy_(torch.randn_like(value))
    x = torch.randn(9, 6, dtype=torch.float64)
    y = depthwise(x, block.dwconv.weight, block.dwconv.bias)
    y = (y - y.mean(1, keepdim=True)) / (y.var(1, correction=0, keepdim=True) + 1e-6).sqrt()
    y = y * block.norm.weight + block.norm.bias
    y = y @ block.pwconv1.weight.mT + block.pwconv1.bias
    y = 0.5 * y * (1 + torch.erf(y / 2**0.5))
    y = block.gamma * (y @ block.pwconv2.weight.mT + block.pwconv2.bias)
    torch.testing.assert_close(block(x[None])[0], x + y, atol=1e-12, rtol=1e-12)


def test_a_hidden_frame_depends_on_its_context_and_no_more() -> None:
    backbone = ConvNeXtBackbone(5, 8, 12, 2).double()
    assert backbone.context == 9
    x = torch.randn(1, 5, 40, dtype=torch.float64, requires_grad=True)
    backbone(x)[0, 20].square().sum().backward()
    reached = x.grad[0].abs().sum(0).nonzero().flatten()
    assert (int(reached[0]), int(reached[-1])) == (11, 29)


def test_masked_items_are_as_they_are_alone() -> None:
    backbone = ConvNeXtBackbone(5, 8, 12, 2, conditions=3).double()
    x = torch.randn(2, 5, 20, dtype=torch.float64)
    mask = (torch.arange(20) < torch.tensor([[20], [7]]))[..., None]
    together = backbone(x, torch.tensor([2, 0]), mask)
    torch.testing.assert_close(together[1, :7], backbone(x[1:, :, :7], 0)[0], atol=1e-12, rtol=0)
    torch.testing.assert_close(together[:1], backbone(x[:1], 2), atol=1e-12, rtol=0)


def test_first_values() -> None:
    torch.manual_seed(0)
    backbone = ConvNeXtBackbone(20, 64, 128, 4)
    assert all((block.gamma == 0.25).all() for block in backbone.convnext)
    assert abs(float(backbone.convnext[0].pwconv1.weight.detach().std()) - 0.02) < 1e-3
    assert all(not m.bias.any() for m in backbone.modules() if isinstance(m, torch.nn.Conv1d))


def test_adaptive_norm_scales_and_shifts_by_condition() -> None:
    norm = AdaLayerNorm(3, 4).double()
    with torch.no_grad():
        norm.scale.weight[2] = 5.0
        norm.shift.weight[2] = 1.0
    x = torch.randn(2, 3, 4, dtype=torch.float64)
    torch.testing.assert_close(norm(x, 2), 5 * norm(x, 0) + 1)
    assert torch.equal(norm(x, torch.tensor([0, 2]))[1], norm(x, 2)[1])


@pytest.mark.parametrize(
    ("condition", "conditions", "match"),
    [
        (None, 4, "must be given, 0 to 3"),
        (1, None, "must be left out"),
        (4, 4, "from 0 to 3"),
        (torch.tensor([0, 1]), 4, "each of the 3 items"),
        (torch.tensor([0.5]), 4, "whole number"),
    ],
)
def test_bad_conditions(condition: object, conditions: int | None, match: str) -> None:
    with pytest.raises(InputError, match=match):
        check_condition(condition, conditions, 3)


def test_gradients() -> None:
    backbone = ConvNeXtBackbone(3, 4, 6, 1).double()
    x = torch.randn(1, 3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(backbone, (x,))
