"""Fourier analysis networks, against their formula and the paper's periodicity test."""

import math

import numpy as np
import pytest
import torch
from scipy.special import erf
from torch import nn

from passband.errors import InputError
from passband.inr.networks import Fan, GatedFan, ReluMLP


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coordinates(count: int, d: int) -> torch.Tensor:
    return 2 * torch.rand(count, d, generator=seeded(7), dtype=torch.float64) - 1


def numbers(layer: nn.Module) -> tuple[np.ndarray, np.ndarray]:
    weight = layer.weight.detach().double().numpy()
    bias = 0 if layer.bias is None else layer.bias.detach().double().numpy()
    return weight, bias


def plain(network: nn.Module, x: np.ndarray, omegas: tuple[float, ...]) -> np.ndarray:
    def affine(layer: nn.Module, x: np.ndarray) -> np.ndarray:
        weight, bias = numbers(layer)
        return x @ weight.T + bias

    x = affine(network.embedding, x)
    for layer, omega in zip(network.layers, omegas, strict=True):
        angle, z = omega * affine(layer.waves, x), affine(layer.rest, x)
        gelu = 0.5 * z * (1 + erf(z / math.sqrt(2)))
        share = rest = 1.0
        if hasattr(layer, "gate"):
            share = 1 / (1 + math.exp(-layer.gate.item()))
            rest = 1 - share
        x = np.concatenate((share * np.cos(angle), share * np.sin(angle), rest * gelu), axis=-1)
    return affine(network.last, x)


CASES = {
    "fan": Fan(2, 3, hidden_features=16, hidden_layers=3, first_omega=9.0, generator=seeded()),
    "gated": GatedFan(2, 3, hidden_features=16, hidden_layers=3, first_omega=9.0,
                      generator=seeded()),
    "odd": Fan(1, 1, hidden_features=11, hidden_layers=1, p_ratio=0.4, first_omega=9.0,
               generator=seeded()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_match_the_formula(name: str) -> None:
    network = CASES[name]
    x = coordinates(60, network.in_features)
    omegas = (9.0, *[1.0] * (len(network.layers) - 1))
    expected = plain(network, x.numpy(), omegas)
    np.testing.assert_allclose(network(x.float()).detach(), expected, atol=2e-5, rtol=0)
    try:
        np.testing.assert_allclose(network.double()(x).detach(), expected, atol=1e-12, rtol=0)
    finally:
        network.float()


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name: str) -> None:
    network = CASES[name].double()
    x = coordinates(2, network.in_features).requires_grad_()
    inputs = (x, *network.parameters())
    try:
        assert torch.autograd.gradcheck(lambda x, *_: network(x), inputs, fast_mode=True)
        assert torch.autograd.gradgradcheck(lambda x, *_: network(x), inputs, fast_mode=True)
    finally:
        network.float()


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_batches(name: str) -> None:
    network = CASES[name]
    x = coordinates(20, network.in_features).float().reshape(4, 5, -1)
    values = network(x)
    assert values.shape == (4, 5, network.out_features)
    torch.testing.assert_close(network(x[1, 2]), values[1, 2], atol=1e-5, rtol=1e-4)
    assert network(x[:0]).shape == (0, 5, network.out_features)


def test_a_quarter_of_a_layer_are_cosines_and_a_quarter_sines() -> None:
    layer = Fan(2, 1, hidden_features=64).layers[1]
    assert tuple(layer.waves.weight.shape) == (16, 64)
    assert tuple(layer.rest.weight.shape) == (32, 64)
    # The paper's count: a layer has (1 - p) of the parameters of a plain one with 64 biases.
    count = sum(p.numel() for p in layer.parameters())
    assert count == (1 - 0.25) * 64 * 64 + 32


def test_omega_scales_the_first_angle_and_leaves_the_draws() -> None:
    slow, fast = (Fan(2, 1, hidden_features=16, first_omega=o, generator=seeded(3)) for o in (1, 7))
    for key, value in slow.state_dict().items():
        assert torch.equal(value, fast.state_dict()[key])
    assert fast.omegas == (7, 1.0)


def test_a_fan_of_higher_omega_varies_faster() -> None:
    x = torch.linspace(-1, 1, 400)[:, None]
    slopes = [
        Fan(1, 1, hidden_features=64, first_omega=o, generator=seeded())(x).diff(dim=0).std().item()
        for o in (5.0, 40.0)
    ]
    assert slopes[1] > 4 * slopes[0]


def periodic(x: torch.Tensor) -> torch.Tensor:
    return torch.sin(3 * math.pi * x) + 0.5 * torch.cos(6 * math.pi * x)


def error_beyond(network: nn.Module) -> tuple[float, float]:
    """Mean squared error after training within [-1, 1]: there, and from there to 3 from 0."""
    x = 2 * torch.rand(128, 1, generator=seeded()) - 1
    beyond = torch.cat((torch.linspace(-3, -1, 400), torch.linspace(1, 3, 400)))[:, None]
    optimizer = torch.optim.Adam(network.parameters())
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / 300)
        optimizer.zero_grad()
        (network(x) - periodic(x)).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        within, outside = ((network(p) - periodic(p)).square().mean() for p in (x, beyond))
    return within.item(), outside.item()


def test_periods_go_on_beyond_the_training_range() -> None:
    fans = [
        error_beyond(
            Fan(1, 1, hidden_features=64, hidden_layers=1, first_omega=30.0, generator=seeded(seed))
        )
        for seed in (0, 1)
    ]
    _, plain = error_beyond(ReluMLP(1, 1, hidden_layers=2, generator=seeded()))
    assert all(within < 1e-3 for within, _ in fans)
    # The signal's own variance is 0.625; a ReLU network goes on in straight lines.
    assert all(outside < 0.625 for _, outside in fans)
    assert all(outside < 0.05 * plain for _, outside in fans)


def test_seeds() -> None:
    for kind in (Fan, GatedFan):
        before = torch.random.get_rng_state()
        same = [kind(2, 3, hidden_features=8, generator=seeded(s)).state_dict() for s in (1, 1, 2)]
        assert torch.equal(before, torch.random.get_rng_state())
        assert all(torch.equal(same[0][key], same[1][key]) for key in same[0])
        assert not torch.equal(same[0]["embedding.weight"], same[2]["embedding.weight"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p_ratio": 0.5}, r"`p_ratio` \(=0.5\) must be above 0 and below 0.5"),
        ({"p_ratio": math.nan}, "`p_ratio`"),
        ({"hidden_features": 3}, r"`hidden_features` \(=3\) must be at least 4"),
        ({"hidden_layers": 0}, r"`hidden_layers` \(=0\) must be an integer of at least 1"),
        ({"first_omega": 0.0}, r"`first_omega` \(=0.0\) must be a positive number"),
    ],
)
@pytest.mark.parametrize("kind", [Fan, GatedFan])
def test_networks_that_cannot_be(kind: type[nn.Module], changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        kind(2, 3, **changes)
