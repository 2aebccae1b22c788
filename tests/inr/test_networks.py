"""Networks, against their formulas in plain numpy and float64 on their own weights."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from passband.errors import InputError
from passband.inr.networks import Finer, Gauss, ReluMLP, Siren, Wire


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coordinates(count: int, d: int) -> torch.Tensor:
    return 2 * torch.rand(count, d, generator=seeded(7), dtype=torch.float64) - 1


def maps(network: nn.Module) -> list[tuple[np.ndarray, np.ndarray]]:
    """(W, b) of each layer in float64, complex where a layer is."""
    found = []
    for layer in network.layers:
        weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
        if weight.dim() == 3:
            weight, bias = torch.view_as_complex(weight), torch.view_as_complex(bias)
        found.append((weight.numpy(), bias.numpy()))
    return found


def plain(network: nn.Module, x: np.ndarray, activations: list[Callable]) -> np.ndarray:
    *hidden, (weight, bias) = maps(network)
    for (w, b), activation in zip(hidden, activations, strict=True):
        x = activation(x @ w.T + b)
    return (x @ weight.T + bias).real


def sines(*omegas: float) -> list[Callable]:
    return [lambda z, omega=omega: np.sin(omega * z) for omega in omegas]


def finer_sines(*omegas: float) -> list[Callable]:
    return [lambda z, omega=omega: np.sin(omega * (np.abs(z) + 1) * z) for omega in omegas]


CASES = {
    "relu": (
        ReluMLP(5, 3, hidden_features=16, hidden_layers=2, generator=seeded()),
        [lambda z: np.maximum(z, 0)] * 2,
    ),
    "linear": (ReluMLP(5, 3, hidden_layers=0, generator=seeded()), []),
    "siren": (
        Siren(2, 3, hidden_features=16, hidden_layers=2, first_omega=50, hidden_omega=20,
              generator=seeded()),
        sines(50, 20, 20),
    ),
    "shallow siren": (Siren(1, 1, hidden_features=8, hidden_layers=0), sines(30)),
    "finer": (
        Finer(2, 3, hidden_features=16, hidden_layers=2, first_omega=5, hidden_omega=4,
              first_bias_scale=2.0, generator=seeded()),
        finer_sines(5, 4, 4),
    ),
    "wire": (
        Wire(2, 3, hidden_features=16, hidden_layers=2, omega=9.0, scale=6.0, generator=seeded()),
        [lambda z: np.exp(1j * 9 * z - np.abs(6 * z) ** 2)] * 3,
    ),
    "gauss": (
        Gauss(2, 3, hidden_features=16, hidden_layers=2, scale=7.0, generator=seeded()),
        [lambda z: np.exp(-((7 * z) ** 2))] * 3,
    ),
}  # fmt: skip
TRUE_GRADIENTS = ["relu", "linear", "siren", "wire", "gauss"]


@pytest.mark.parametrize("name", CASES)
def test_values_match_the_formula(name: str) -> None:
    network, activations = CASES[name]
    x = coordinates(60, network.in_features)
    expected = plain(network, x.numpy(), activations)
    # Float32 angles of a few tens of radians.
    np.testing.assert_allclose(network(x.float()).detach(), expected, atol=5e-5, rtol=0)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    wide = network.double()
    np.testing.assert_allclose(wide(x).detach(), expected, atol=1e-11, rtol=0)
    network.float()
    assert all(torch.equal(state[key], value) for key, value in network.state_dict().items())


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_batches(name: str) -> None:
    network = CASES[name][0]
    x = coordinates(20, network.in_features).float().reshape(4, 5, -1)
    values = network(x)
    assert values.shape == (4, 5, network.out_features)
    torch.testing.assert_close(network(x[1, 2]), values[1, 2], atol=1e-5, rtol=1e-4)
    assert network(x[:0]).shape == (0, 5, network.out_features)


@pytest.mark.parametrize("name", TRUE_GRADIENTS)
def test_derivatives(name: str) -> None:
    network = CASES[name][0].double()
    x = coordinates(2, network.in_features).requires_grad_()
    inputs = (x, *network.parameters())

    def values(x: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        return network(x)

    try:
        assert torch.autograd.gradcheck(values, inputs, fast_mode=True)
        assert torch.autograd.gradgradcheck(values, inputs, fast_mode=True)
    finally:
        network.float()


def test_finer_gradients_hold_the_factor_constant() -> None:
    network = Finer(1, 1, hidden_features=4, hidden_layers=0, first_omega=3.0, generator=seeded())
    network.double()
    x = coordinates(10, 1).requires_grad_()
    (found,) = torch.autograd.grad(network(x).sum(), x)
    (w, b), (last, _) = maps(network)
    z = x.detach().numpy() @ w.T + b
    factor = 3.0 * (np.abs(z) + 1)
    expected = (np.cos(factor * z) * factor * last) @ w
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_state_goes_into_another_network(name: str) -> None:
    network = CASES[name][0]
    keywords = {"hidden_features": 16, "hidden_layers": 2}
    if name == "linear":
        keywords = {"hidden_layers": 0}
    elif name == "shallow siren":
        keywords = {"hidden_features": 8, "hidden_layers": 0}
    knobs = {
        "siren": {"first_omega": 50, "hidden_omega": 20},
        "finer": {"first_omega": 5, "hidden_omega": 4},
        "wire": {"omega": 9.0, "scale": 6.0},
        "gauss": {"scale": 7.0},
    }.get(name, {})
    keywords["generator"] = torch.Generator().manual_seed(1)
    other = type(network)(network.in_features, network.out_features, **keywords, **knobs)
    x = coordinates(5, network.in_features).float()
    assert not torch.equal(network(x), other(x))
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(x), other(x))


def spread(values: torch.Tensor, bound: float) -> None:
    """Uniform within ``bound``: reaches near it, stays inside, and has the standard deviation."""
    values = values.detach()
    assert 0.99 * bound < values.abs().max() <= bound * (1 + 1e-6)
    assert values.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)


@pytest.mark.parametrize("kind", [Siren, Finer])
def test_periodic_networks_start_within_their_bounds(kind: type[nn.Module]) -> None:
    network = kind(3, 4, hidden_features=400, hidden_layers=2, first_omega=70.0, hidden_omega=15.0,
                   generator=seeded())  # fmt: skip
    first, *others = network.layers
    spread(first.weight, 1 / 3)
    spread(first.bias, 1 / math.sqrt(3))
    for layer in others:
        spread(layer.weight, math.sqrt(6 / 400) / 15)
    spread(others[0].bias, 1 / 20)
    assert [tuple(layer.weight.shape) for layer in others] == [(400, 400), (400, 400), (4, 400)]
    assert network.omegas == (70.0, 15.0, 15.0)


def test_other_networks_start_within_their_bounds() -> None:
    relu = ReluMLP(32, 16, hidden_features=400, generator=seeded())
    spread(relu.layers[0].weight, math.sqrt(1 / 32))
    spread(relu.layers[1].weight, math.sqrt(1 / 400))
    spread(relu.layers[2].weight, math.sqrt(1 / 400))
    spread(relu.layers[1].bias, 1 / 20)
    gauss = Gauss(2, 1, hidden_features=400, generator=seeded())
    assert len(gauss.layers) == 5
    spread(gauss.layers[0].weight, 1 / math.sqrt(2))
    spread(gauss.layers[3].weight, 1 / 20)
    wire = Wire(2, 1, hidden_features=400, hidden_layers=1, generator=seeded())
    assert tuple(wire.layers[1].weight.shape) == (282, 282, 2)
    spread(wire.layers[0].weight, 1 / math.sqrt(2))
    spread(wire.layers[1].weight, 1 / math.sqrt(282))


def test_siren_activations_keep_their_spread_through_depth() -> None:
    network = Siren(2, 1, hidden_features=256, hidden_layers=6, generator=seeded())
    x = coordinates(4000, 2).float()
    *hidden, _ = network.layers
    with torch.no_grad():
        for layer, omega in zip(hidden, network.omegas, strict=True):
            x = torch.sin(omega * layer(x))
            # The arcsine law of the sine of a wide normal: 1 / sqrt 2.
            assert x.std().item() == pytest.approx(math.sqrt(0.5), abs=0.03)


KNOBS = [
    (Siren, {"first_omega": 30.0}, {"first_omega": 90.0}, []),
    (Siren, {"hidden_omega": 30.0}, {"hidden_omega": 10.0}, ["layers.1.weight", "layers.2.weight"]),
    (Finer, {"first_bias_scale": 1.0}, {"first_bias_scale": 3.0}, ["layers.0.bias"]),
    (Finer, {"first_omega": 30.0}, {"first_omega": 90.0}, []),
    (Wire, {"omega": 20.0}, {"omega": 5.0}, []),
    (Wire, {"scale": 10.0}, {"scale": 30.0}, []),
    (Gauss, {"scale": 10.0}, {"scale": 30.0}, []),
]


@pytest.mark.parametrize(("kind", "one", "other", "scaled"), KNOBS)
def test_a_seed_gives_the_same_draws_whatever_the_knob(
    kind: type[nn.Module], one: dict, other: dict, scaled: list[str]
) -> None:
    size = {"hidden_features": 16, "hidden_layers": 1}
    first, second = (
        kind(2, 3, **size, **k, generator=seeded(4)).state_dict() for k in (one, other)
    )
    for key, value in first.items():
        factor = 3.0 if key in scaled else 1.0
        torch.testing.assert_close(factor * value, second[key])


def test_generators_leave_the_global_one_alone() -> None:
    before = torch.random.get_rng_state()
    for kind in (ReluMLP, Siren, Finer, Wire, Gauss):
        kind(2, 3, generator=seeded())
    assert torch.equal(before, torch.random.get_rng_state())
    first, second = Siren(2, 3), Siren(2, 3)
    assert not torch.equal(first.layers[0].weight, second.layers[0].weight)


def test_without_biases() -> None:
    network = ReluMLP(4, 2, bias=False)
    assert list(network.state_dict()) == [f"layers.{n}.weight" for n in range(3)]
    assert not network(torch.zeros(3, 4)).any()


@pytest.mark.parametrize("kind", [ReluMLP, Siren, Finer, Wire, Gauss])
@pytest.mark.parametrize(
    ("sizes", "name"),
    [
        ((0, 1, 8, 1), "in_features"),
        ((1, 0, 8, 1), "out_features"),
        ((1, 1, 0, 1), "hidden_features"),
        ((1, 1, 8, -1), "hidden_layers"),
    ],
)
def test_sizes_that_cannot_be(kind: type[nn.Module], sizes: tuple, name: str) -> None:
    with pytest.raises(InputError, match=f"`{name}` .* must be an integer of at least"):
        kind(sizes[0], sizes[1], hidden_features=sizes[2], hidden_layers=sizes[3])


@pytest.mark.parametrize(
    ("kind", "knob", "value"),
    [
        (Siren, "first_omega", 0.0),
        (Siren, "hidden_omega", -30.0),
        (Finer, "first_omega", math.nan),
        (Finer, "hidden_omega", 0.0),
        (Finer, "first_bias_scale", -1.0),
        (Wire, "omega", 0.0),
        (Wire, "scale", math.inf),
        (Gauss, "scale", 0.0),
    ],
)
def test_knobs_that_cannot_be(kind: type[nn.Module], knob: str, value: float) -> None:
    with pytest.raises(InputError, match=f"`{knob}`"):
        kind(2, 3, **{knob: value})
