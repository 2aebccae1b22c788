"""The backbone of residual blocks."""

import torch

from passband.vocoder import ResidualBlock, ResNetBackbone
from passband.vocoder._resnet import WeightNormConv1d


def test_weight_norm_is_length_times_direction() -> None:
    torch.manual_seed(0)
    conv = WeightNormConv1d(3, 5, 3, dilation=2).double()
    torch.manual_seed(0)
    plain = torch.nn.Conv1d(3, 5, 3, dilation=2, padding=2).double()
    x = torch.randn(2, 3, 11, dtype=torch.float64)
    torch.testing.assert_close(conv(x), plain(x))
    with torch.no_grad():
        conv.weight_v.mul_(7.0)  # a direction has no length
    torch.testing.assert_close(conv(x), plain(x))


def test_weight_norm_agrees_with_torch() -> None:
    plain = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(3, 5, 3, padding=1))
    ours = WeightNormConv1d(3, 5, 3)
    weight = plain.parametrizations.weight
    with torch.no_grad():
        weight.original0.mul_(1.7)
        ours.weight_g.copy_(weight.original0)
        ours.weight_v.copy_(weight.original1)
        ours.bias.copy_(plain.bias)
    x = torch.randn(1, 3, 8)
    torch.testing.assert_close(ours(x), plain(x))


def test_block_adds_nothing_at_scale_zero() -> None:
    x = torch.randn(1, 4, 9)
    assert torch.equal(ResidualBlock(4, 0.0)(x), x)


def test_a_hidden_frame_depends_on_its_context_and_no_more() -> None:
    backbone = ResNetBackbone(5, 8, 1).double()
    assert backbone.context == 13
    x = torch.randn(1, 5, 60, dtype=torch.float64, requires_grad=True)
    backbone(x)[0, 30].square().sum().backward()
    reached = x.grad[0].abs().sum(0).nonzero().flatten()
    assert (int(reached[0]), int(reached[-1])) == (17, 43)


def test_masked_items_are_as_they_are_alone() -> None:
    backbone = ResNetBackbone(5, 8, 2, conditions=2).double()
    x = torch.randn(2, 5, 20, dtype=torch.float64)
    mask = (torch.arange(20) < torch.tensor([[20], [7]]))[..., None]
    together = backbone(x, 1, mask)
    torch.testing.assert_close(together[1, :7], backbone(x[1:, :, :7], 1)[0], atol=1e-12, rtol=0)


def test_published_names() -> None:
    names = set(ResNetBackbone(5, 8, 1).state_dict())
    assert {"embed.weight_g", "embed.weight_v", "resnet.0.convs2.2.bias"} <= names
    assert {"resnet.0.gamma.0", "resnet.0.convs1.1.weight_v"} <= names
    assert len(names) == 3 + 6 * 3 + 3
