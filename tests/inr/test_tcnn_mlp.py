"""tiny-cuda-nn's network, against its formulas in float64."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit

from passband.errors import InputError
from passband.inr.networks import TcnnMLP


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


ACTIVATIONS = {
    "None": lambda z: z,
    "ReLU": lambda z: np.maximum(z, 0),
    "LeakyReLU": lambda z: np.where(z > 0, z, 0.01 * z),
    "SiLU": lambda z: z * expit(z),
    "Exponential": np.exp,
    "Sine": np.sin,
    "Sigmoid": expit,
    "Squareplus": lambda z: 0.5 * (10 * z + np.sqrt(100 * z**2 + 4)) / 10,
    "Softplus": lambda z: np.log(np.exp(10 * z) + 1) / 10,
    "Tanh": np.tanh,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_match_the_formula(name: str) -> None:
    network = TcnnMLP(5, 3, hidden_features=8, hidden_layers=2, activation=name,
                      output_activation=name, generator=seeded()).double()  # fmt: skip
    x = 2 * torch.rand(40, 5, generator=seeded(1), dtype=torch.float64) - 1
    values = np.concatenate((x.numpy(), np.ones((40, 11))), axis=-1)
    for layer in network.layers:
        values = ACTIVATIONS[name](values @ layer.weight.detach().numpy().T)
    np.testing.assert_allclose(network(x).detach(), values, atol=1e-11)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"ReLU", "LeakyReLU"}))
def test_networks_are_twice_differentiable(name: str) -> None:
    network = TcnnMLP(2, 2, hidden_features=4, hidden_layers=1, activation=name,
                      constant_inputs=3, generator=seeded()).double()  # fmt: skip
    x = (0.5 * torch.rand(3, 2, generator=seeded(1), dtype=torch.float64)).requires_grad_()
    inputs = (x, *network.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: network(x), inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x, *_: network(x), inputs, fast_mode=True)


def spread(values: torch.Tensor, bound: float) -> None:
    values = values.detach()
    assert 0.98 * bound < values.abs().max() <= bound * (1 + 1e-6)
    assert values.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)


def test_initial_values_within_their_bounds() -> None:
    network = TcnnMLP(20, 3, hidden_features=256, hidden_layers=2, generator=seeded())
    spread(network.layers[0].weight, math.sqrt(6 / (32 + 256)))
    spread(network.layers[1].weight, math.sqrt(6 / 512))
    # The 3 values are filled up to 16.
    spread(network.layers[2].weight, math.sqrt(6 / (256 + 16)))
    sine = TcnnMLP(20, 3, hidden_features=256, hidden_layers=2, activation="Sine",
                   generator=seeded())  # fmt: skip
    spread(sine.layers[0].weight, 30 / 32)
    spread(sine.layers[1].weight, math.sqrt(6 / 256))
    same = TcnnMLP(20, 3, hidden_features=256, hidden_layers=2, generator=seeded())
    assert torch.equal(same.layers[1].weight, network.layers[1].weight)


def test_l2_reg_has_the_gradient_of_adams() -> None:
    network = TcnnMLP(4, 2, hidden_features=8, hidden_layers=1, l2_reg=0.3)
    network.penalty().backward()
    for weight in network.parameters():
        torch.testing.assert_close(weight.grad, 0.3 * weight.detach())
    assert TcnnMLP(4, 2).penalty().item() == 0.0


def test_no_hidden_layer_is_a_linear_map() -> None:
    network = TcnnMLP(16, 2, hidden_layers=0)
    assert [tuple(layer.weight.shape) for layer in network.layers] == [(2, 16)]
    x = torch.rand(5, 16)
    torch.testing.assert_close(network(x), x @ network.layers[0].weight.T)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activation": "GELU"}, "activation"),
        ({"output_activation": "x"}, "output_activation"),
        ({"hidden_features": 0}, "`hidden_features`"),
        ({"constant_inputs": -1}, "`constant_inputs`"),
        ({"l2_reg": -1.0}, "`l2_reg`"),
    ],
)
def test_networks_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises((InputError, TypeError), match=message):
        TcnnMLP(4, 2, **changes)
