"""Fourier-reparameterised layers, against their definition and the networks they merge into."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from passband.errors import InputError
from passband.inr.encodings import Positional
from passband.inr.networks import ReluMLP, ReparameterizedRelu, ReparameterizedSiren, Siren
from passband.inr.networks._fourier_reparameterized import ReparameterizedAffine, fourier_basis
from passband.inr.settings import ReparameterizedReluNetwork, ReparameterizedSirenNetwork


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(count: int, d: int) -> torch.Tensor:
    return 2 * torch.rand(count, d, generator=seeded(7), dtype=torch.float64) - 1


def relu(**changes: object) -> ReparameterizedRelu:
    arguments = {"hidden_features": 16, "hidden_layers": 3, "generator": seeded()}
    return ReparameterizedRelu(5, 3, **{**arguments, **changes})


def siren(**changes: object) -> ReparameterizedSiren:
    arguments = {"hidden_features": 16, "hidden_layers": 2, "first_omega": 12.0,
                 "hidden_omega": 20.0, "generator": seeded()}  # fmt: skip
    return ReparameterizedSiren(2, 3, **{**arguments, **changes})


def test_basis_matches_the_definition() -> None:
    rows = []
    z = np.linspace(-4 * math.pi, 4 * math.pi, 8)
    for omega in [1 / 4, 2 / 4, 3 / 4, 1, 1, 2, 3, 4]:
        for phase in [0, math.pi / 3, 2 * math.pi / 3]:
            rows.append(np.cos(omega * z + phase))
    np.testing.assert_allclose(fourier_basis(8, 3), np.stack(rows), atol=1e-12)


@pytest.mark.parametrize("length", [2, 7, 16, 63, 128])
@pytest.mark.parametrize("phases", [2, 5])
def test_bases_span_almost_all_weights(length: int, phases: int) -> None:
    basis = fourier_basis(length, phases)
    assert torch.linalg.matrix_rank(basis, rtol=1e-6) >= length - 2


@pytest.mark.parametrize("network", [relu(), siren()], ids=["relu", "siren"])
def test_merged_is_the_plain_network_of_the_same_values(network: nn.Module) -> None:
    x = points(60, network.in_features).float()
    plain = network.merged()
    assert type(plain) is (Siren if isinstance(network, Siren) else ReluMLP)
    torch.testing.assert_close(plain(x), network(x), atol=1e-5, rtol=0)
    with torch.no_grad():
        network.layers[1].bias += 1
    assert (plain(x) - network(x)).abs().max() > 1e-3
    ours = sum(p.numel() for p in network.layers[1].parameters())
    theirs = sum(p.numel() for p in plain.layers[1].parameters())
    assert ours == 16 * 32 + 16
    assert theirs == 16 * 16 + 16


def test_values_match_the_definition() -> None:
    network = relu().double()
    x = points(20, 5)
    basis = 0.3 * fourier_basis(16, 2).numpy()
    h = x.numpy()
    for index, layer in enumerate(network.layers):
        bias = layer.bias.detach().numpy()
        inner = isinstance(layer, ReparameterizedAffine)
        assert inner == (index in (1, 2))
        weight = layer.coefficients.detach().numpy() @ basis if inner else layer.weight.detach()
        h = h @ np.asarray(weight).T + bias
        h = np.maximum(h, 0) if index < 3 else h
    # The basis was rounded to float32.
    np.testing.assert_allclose(network(x).detach(), h, atol=1e-6)


def test_weights_start_by_the_laws_of_he_and_siren() -> None:
    wide = relu(hidden_features=256, hidden_layers=2).layers[1].weight
    assert wide.std().item() == pytest.approx(math.sqrt(2 / 256), rel=0.03)
    wide = siren(hidden_features=256, hidden_layers=1).layers[1].weight
    assert wide.std().item() == pytest.approx(math.sqrt(2 / 256) / 20, rel=0.03)


def test_basis_scale_is_a_factor_on_the_rate_alone() -> None:
    small, large = (relu(basis_scale=s) for s in (0.1, 0.4))
    x = points(20, 5).float()
    torch.testing.assert_close(small(x), large(x), atol=1e-5, rtol=0)
    weights = []
    for network in (small, large):
        network(x).square().mean().backward()
        before = network.layers[1].weight.detach()
        torch.optim.Adam(network.layers[1].parameters(), lr=1e-4, eps=1e-15).step()
        weights.append(network.layers[1].weight.detach() - before)
    torch.testing.assert_close(weights[1], 4 * weights[0], atol=1e-5, rtol=0.02)


@pytest.mark.parametrize(
    "network", [relu(hidden_features=5), siren(hidden_features=5)], ids=["relu", "siren"]
)
def test_derivatives(network: nn.Module) -> None:
    wide = deepcopy(network).double()
    x = points(2, network.in_features).requires_grad_()
    inputs = (x, *wide.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: wide(x), inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x, *_: wide(x), inputs, fast_mode=True)


@torch.no_grad()
def test_merged_weights_are_kept_in_evaluation_and_no_longer() -> None:
    network = relu()
    layer = network.layers[1]
    assert layer.weight is not layer.weight
    network.eval()
    kept = layer.weight
    assert layer.weight is kept
    network.load_state_dict(relu(generator=seeded(5)).state_dict())
    torch.testing.assert_close(layer.weight, layer.coefficients @ layer.basis)
    assert not torch.equal(layer.weight, kept)
    assert network.double().layers[1].weight.dtype == torch.float64
    deepcopy(network)


def test_training_after_an_evaluation_is_seen_by_the_next() -> None:
    network = relu()
    x = points(9, 5).float()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01, fused=True)
    network(x).square().mean().backward()
    with torch.no_grad():
        before = network.eval()(x)
    assert network(x).requires_grad
    network.train()
    optimizer.step()
    with torch.no_grad():
        after = network.eval()(x)
    torch.testing.assert_close(after, network.merged()(x))
    assert not torch.allclose(after, before, atol=1e-3)


def test_the_basis_is_neither_trained_nor_saved() -> None:
    assert not any("basis" in name for name in relu().state_dict())
    assert not any("basis" in name for name, _ in relu().named_parameters())


def test_noise_is_learned_sooner() -> None:
    encoding = Positional(1, 6)
    x = encoding(torch.linspace(-1, 1, 64)[:, None])
    target = torch.randn(64, 1, generator=seeded(2))
    errors = []
    for build in (ReluMLP, ReparameterizedRelu):
        network = build(13, 1, hidden_features=32, hidden_layers=4, generator=seeded())
        optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
        for _ in range(60):
            optimizer.zero_grad()
            loss = (network(x) - target).square().mean()
            loss.backward()
            optimizer.step()
        errors.append(loss.item())
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("kind", [
    ReparameterizedReluNetwork(hidden_features=16),
    ReparameterizedSirenNetwork(hidden_features=16, first_omega=30.0),
], ids=lambda s: s.kind)  # fmt: skip
def test_settings_and_seeds(
    kind: ReparameterizedReluNetwork | ReparameterizedSirenNetwork,
) -> None:
    x = points(9, 2).float()
    before = torch.random.get_rng_state()
    one, two, other = (kind.build(2, 3, generator=seeded(s)) for s in (3, 3, 4))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(one(x), two(x))
    assert not torch.equal(one(x), other(x))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: relu(phases=1), r"`phases` \(=1\) must be an integer of at least 2"),
        (lambda: siren(basis_scale=0.0), r"`basis_scale` \(=0.0\) must be a positive number"),
        (lambda: relu(hidden_features=0), r"`hidden_features` \(=0\)"),
        (lambda: siren(first_omega=-1.0), r"`first_omega` \(=-1.0\)"),
    ],
)
def test_networks_that_cannot_be(build: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build()
