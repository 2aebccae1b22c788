"""FINER++'s Gaussian and wavelet networks, against their formulas in plain numpy."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from passband.errors import InputError
from passband.inr.networks import Finer, FinerGauss, FinerWavelet


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coordinates(count: int, d: int) -> torch.Tensor:
    return 2 * torch.rand(count, d, generator=seeded(7), dtype=torch.float64) - 1


def maps(network: nn.Module) -> list[tuple[np.ndarray, np.ndarray]]:
    found = []
    for layer in network.layers:
        weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
        if weight.dim() == 3:
            weight, bias = torch.view_as_complex(weight), torch.view_as_complex(bias)
        found.append((weight.numpy(), bias.numpy()))
    return found


def finer(z: np.ndarray, omega: float) -> np.ndarray:
    """FINER's sine; of complex numbers, each part stretched on its own."""
    stretched = (np.abs(z.real) + 1) * z.real
    if np.iscomplexobj(z):
        stretched = stretched + 1j * (np.abs(z.imag) + 1) * z.imag
    return np.sin(omega * stretched)


def plain(network: nn.Module, x: np.ndarray) -> np.ndarray:
    *hidden, (weight, bias) = maps(network)
    for w, b in hidden:
        y = finer(x @ w.T + b, network.omega)
        if isinstance(network, FinerGauss):
            x = np.exp(-((network.scale * y) ** 2))
        else:
            x = np.exp(1j * network.omega_w * y - np.abs(network.scale * y) ** 2)
    return (x @ weight.T + bias).real


SIZE = {"hidden_features": 16, "hidden_layers": 2}
CASES = {
    "gauss": FinerGauss(2, 3, **SIZE, generator=seeded()),
    "narrow gauss": FinerGauss(1, 1, **SIZE, scale=5.0, omega=3.0, first_bias_scale=None,
                               generator=seeded()),
    "wavelet": FinerWavelet(2, 3, **SIZE, generator=seeded()),
    "fast wavelet": FinerWavelet(3, 1, **SIZE, scale=3.0, omega_w=9.0, omega=2.0,
                                 generator=seeded()),
    "shallow wavelet": FinerWavelet(1, 2, hidden_features=8, hidden_layers=0, generator=seeded()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_match_the_formula(name: str) -> None:
    network = CASES[name]
    x = coordinates(60, network.in_features)
    expected = plain(network, x.numpy())
    # Float32 angles of tens of radians, layer behind layer.
    np.testing.assert_allclose(network(x.float()).detach(), expected, atol=2e-3, rtol=0)
    try:
        np.testing.assert_allclose(network.double()(x).detach(), expected, atol=1e-11, rtol=0)
    finally:
        network.float()


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_batches(name: str) -> None:
    network = CASES[name]
    x = coordinates(20, network.in_features).float().reshape(4, 5, -1)
    values = network(x)
    assert values.shape == (4, 5, network.out_features)
    torch.testing.assert_close(network(x[1, 2]), values[1, 2], atol=2e-3, rtol=0)
    assert network(x[:0]).shape == (0, 5, network.out_features)


def test_gradients_hold_the_factor_constant() -> None:
    network = FinerGauss(1, 1, hidden_features=4, hidden_layers=0, generator=seeded()).double()
    x = coordinates(10, 1).requires_grad_()
    (found,) = torch.autograd.grad(network(x).sum(), x)
    (w, b), (last, _) = maps(network)
    z = x.detach().numpy() @ w.T + b
    factor = 10.0 * (np.abs(z) + 1)
    y = np.sin(factor * z)
    slope = np.exp(-((3 * y) ** 2)) * -2 * 9 * y * np.cos(factor * z) * factor
    np.testing.assert_allclose(found.numpy(), (slope * last) @ w, atol=1e-12)


@pytest.mark.parametrize("name", ["gauss", "wavelet"])
def test_gradients_of_all_but_the_first_layer_are_derivatives(name: str) -> None:
    # Of the last layer's parameters there is no factor behind, so they are exact.
    network = CASES[name].double()
    x = coordinates(4, network.in_features)
    last = list(network.layers[-1].parameters())
    try:
        assert torch.autograd.gradcheck(lambda *_: network(x), tuple(last), fast_mode=True)
    finally:
        network.float()


def spread(values: torch.Tensor, bound: float) -> None:
    values = values.detach()
    assert 0.99 * bound < values.abs().max() <= bound * (1 + 1e-6)
    assert values.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)


@pytest.mark.parametrize("kind", [FinerGauss, FinerWavelet])
def test_initial_values_within_their_bounds(kind: type[nn.Module]) -> None:
    network = kind(3, 4, hidden_features=400, hidden_layers=1, first_bias_scale=2.0,
                   generator=seeded())  # fmt: skip
    first, second, last = network.layers
    width = 400 if kind is FinerGauss else 282
    assert first.weight.shape == (width, 3)
    spread(first.weight, 1 / math.sqrt(3))
    spread(first.bias, 2.0)
    spread(second.weight, width**-0.5)
    spread(last.weight, width**-0.5)
    unset = kind(3, 4, hidden_features=400, first_bias_scale=None, generator=seeded())
    spread(unset.layers[0].bias, 1 / math.sqrt(3))


def test_defaults_are_the_released_ones() -> None:
    gauss, wavelet = FinerGauss(2, 3), FinerWavelet(2, 3)
    assert (gauss.scale, gauss.omega) == (3.0, 10.0)
    assert (wavelet.scale, wavelet.omega_w, wavelet.omega) == (2.0, 4.0, 5.0)
    assert 0.9 < gauss.layers[0].bias.abs().max().item() <= 1.0


@pytest.mark.parametrize("kind", [FinerGauss, FinerWavelet, Finer])
def test_a_wider_first_bias_brings_higher_frequencies(kind: type[nn.Module]) -> None:
    x = torch.linspace(-1, 1, 2000)[:, None]
    slopes = []
    for k in (0.0, 3.0):
        network = kind(1, 3, hidden_features=128, hidden_layers=0, first_bias_scale=k,
                       generator=seeded())  # fmt: skip
        with torch.no_grad():
            values = network(x)
        slopes.append((values.diff(dim=0).square().mean() / values.var()).sqrt())
    assert slopes[1] > 1.5 * slopes[0]


def test_far_from_zero_a_wavelet_is_zero_and_not_nan() -> None:
    network = FinerWavelet(1, 1, hidden_features=16, hidden_layers=1, generator=seeded())
    with torch.no_grad():
        network.layers[1].bias[:, 1] = 1e6
    x = torch.linspace(-1, 1, 9)[:, None].requires_grad_()
    values = network(x)
    torch.testing.assert_close(values, network.layers[2].bias[:, :1].T.expand(9, 1))
    values.sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("kind", [FinerGauss, FinerWavelet])
def test_seeds_and_training(kind: type[nn.Module]) -> None:
    before = torch.random.get_rng_state()
    size = {"hidden_features": 32, "hidden_layers": 1}
    network, same = (kind(1, 1, **size, generator=seeded(4)) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    for key, value in network.state_dict().items():
        assert torch.equal(value, same.state_dict()[key])
    x = torch.linspace(-1, 1, 200)[:, None]
    target = torch.sin(12 * x)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(100):
        optimizer.zero_grad()
        loss = (network(x) - target).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (FinerGauss, {"scale": 0.0}, r"`scale` \(=0.0\) must be a positive number"),
        (FinerGauss, {"omega": math.nan}, "`omega`"),
        (FinerGauss, {"first_bias_scale": -1.0}, r"`first_bias_scale` \(=-1.0\)"),
        (FinerGauss, {"hidden_features": 0}, "`hidden_features`"),
        (FinerWavelet, {"omega_w": -4.0}, r"`omega_w` \(=-4.0\)"),
        (FinerWavelet, {"hidden_features": 1}, r"`hidden_features` \(=1\) must be an integer of"),
        (FinerWavelet, {"hidden_layers": -1}, "`hidden_layers`"),
    ],
)
def test_networks_that_cannot_be(kind: type[nn.Module], changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        kind(2, 3, **changes)
