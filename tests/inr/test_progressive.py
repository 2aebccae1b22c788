"""Progressive implicit networks, against a plain loop in numpy and what the paper promises."""

import numpy as np
import pytest
import torch

from passband.errors import InputError
from passband.inr.networks import Progressive
from passband.inr.settings import ProgressiveNetwork


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coordinates(count: int, d: int) -> torch.Tensor:
    return 2 * torch.rand(count, d, generator=seeded(7), dtype=torch.float64) - 1


def small(**changes: object) -> Progressive:
    arguments = {"hidden_features": 8, "levels": 3, "num_bands": 11, "sigma": 2.0,
                 "generator": seeded()}  # fmt: skip
    network = Progressive(2, 3, **{**arguments, **changes})
    network.draw_heads(generator=seeded(1))
    return network


def plain_outputs(network: Progressive, x: np.ndarray, ends: list[int]) -> list[np.ndarray]:
    """The definition, level by level, in float64."""
    bands = network.bands.double().numpy()
    outputs, h, y = [], np.zeros((len(x), 0)), 0.0
    for end, body, head in zip(ends, network.bodies, network.heads, strict=True):
        mine = 2 * np.pi * x @ bands[:, :end]
        h = np.concatenate((h, np.cos(mine), np.sin(mine)), axis=1)
        for layer in body:
            w, b = (p.detach().double().numpy() for p in (layer.weight, layer.bias))
            h = np.maximum(h @ w.T + b, 0)
        w, b = (p.detach().double().numpy() for p in (head.weight, head.bias))
        y = y + h @ w.T + b
        outputs.append(y)
    return outputs


@pytest.mark.parametrize("layers", [1, 2])
def test_levels_match_the_definition(layers: int) -> None:
    network = small(layers_per_level=layers).double()
    x = coordinates(20, 2)
    expected = plain_outputs(network, x.numpy(), [3, 7, 11])
    found = network.level_outputs(x)
    for given, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(given.detach(), wanted, atol=1e-12)
    assert torch.equal(found[-1], network(x))


def test_bands_are_normal_sorted_and_scale_with_sigma() -> None:
    network = Progressive(2, 1, num_bands=10_000, sigma=5.0, levels=2, generator=seeded(3))
    norms = network.bands.norm(dim=0)
    assert (norms.diff() >= 0).all()
    assert network.bands.std().item() == pytest.approx(5.0, rel=0.02)
    other = Progressive(2, 1, num_bands=10_000, sigma=0.5, levels=2, generator=seeded(3))
    torch.testing.assert_close(network.bands, 10 * other.bands)
    for a, b in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_level_that_opens_changes_nothing() -> None:
    network = Progressive(2, 3, levels=4, num_bands=16, generator=seeded())
    x = coordinates(20, 2).float()
    first, *others = network.level_outputs(x)
    assert first.abs().max() > 0
    assert all(torch.equal(first, y) for y in others)


@pytest.mark.parametrize(
    ("done", "open_levels"), [(0.0, 1), (0.09, 1), (0.11, 2), (0.21, 3), (0.3, 4), (1.0, 4)]
)
def test_progress_opens_levels(done: float, open_levels: int) -> None:
    network = small(levels=4, opened_by=0.3)
    x = coordinates(5, 2).float()
    everything = network.level_outputs(x)
    network.set_progress(1.0)  # what was before does not matter
    network.set_progress(done)
    outputs = network.level_outputs(x)
    assert len(outputs) == open_levels
    for given, wanted in zip(outputs, everything, strict=False):
        torch.testing.assert_close(given, wanted)
    torch.testing.assert_close(network(x), everything[open_levels - 1])


def test_all_open_at_once() -> None:
    network = small(opened_by=0.0)
    network.set_progress(0.0)
    assert network.active_levels == 3


def test_a_level_is_a_network_of_its_own() -> None:
    network = small()
    x = coordinates(5, 2).float()
    level = network.at_level(2)
    torch.testing.assert_close(level(x), network.level_outputs(x)[1])
    assert len(network.level_outputs(x)) == 3
    assert level.levels == 2
    assert network.levels == 3
    count = sum(p.numel() for p in level.parameters())
    assert count < sum(p.numel() for p in network.parameters())
    assert level.heads[0].weight is network.heads[0].weight
    again = Progressive(2, 3, hidden_features=8, levels=2, num_bands=7, generator=seeded(9))
    again.load_state_dict(level.state_dict())
    torch.testing.assert_close(again(x), level(x))


def test_a_level_has_none_of_the_higher_bands() -> None:
    network = small(levels=2, num_bands=8)
    x = coordinates(5, 2).float().requires_grad_()
    before = network.at_level(1)(x).clone()
    network.bands[:, 4:] *= 3
    assert torch.equal(network.at_level(1)(x), before)
    assert not torch.equal(network(x), before)


def test_lower_levels_learn_by_a_share_of_their_own_loss() -> None:
    network = small(lower_share=0.25)
    x = coordinates(5, 2).float()
    lower, *_, last = network.level_outputs(x)
    (gradient,) = torch.autograd.grad(lower.sum(), network.heads[0].bias, retain_graph=True)
    torch.testing.assert_close(gradient, torch.full((3,), 0.25 * 5))
    (gradient,) = torch.autograd.grad(last.sum(), network.heads[0].bias)
    torch.testing.assert_close(gradient, torch.full((3,), 5.0))


def test_derivatives() -> None:
    network = small().double()
    x = coordinates(3, 2).requires_grad_()
    assert torch.autograd.gradcheck(network, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(network, x, fast_mode=True)


def test_settings() -> None:
    settings = ProgressiveNetwork(sigma=3.0, hidden_features=16)
    network = settings.build(2, 3, generator=seeded())
    twin = settings.build(2, 3, generator=seeded())
    assert torch.equal(network.bands, twin.bands)
    with pytest.raises(ValueError, match=r"num_bands \(=2\) must be at least levels \(=4\)"):
        ProgressiveNetwork(num_bands=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": 0}, r"`levels` \(=0\)"),
        ({"num_bands": 2}, r"`num_bands` \(=2\) must be an integer of at least 3"),
        ({"sigma": -1.0}, r"`sigma` \(=-1.0\) must be a positive number"),
        ({"opened_by": 1.5}, r"`opened_by` \(=1.5\) must be from 0 to 1"),
        ({"lower_share": -0.5}, r"`lower_share` \(=-0.5\) must be from 0 to 1"),
        ({"layers_per_level": 0}, r"`layers_per_level` \(=0\)"),
    ],
)
def test_networks_that_cannot_be(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        small(**change)


@pytest.mark.parametrize("level", [0, 4])
def test_levels_that_are_not_there(level: int) -> None:
    with pytest.raises(InputError, match=rf"`level` \(={level}\) must be from 1 to 3"):
        small().at_level(level)
