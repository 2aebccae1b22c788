"""Multiplicative filter networks and BACON, against their formulas and their promised bands."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from passband.errors import InputError
from passband.inr.networks import Bacon, FourierNet, GaborNet
from passband.inr.networks._bandlimited import QuantizedSines
from passband.inr.networks._multiplicative import GaborFilter
from passband.inr.settings import BaconNetwork, FourierFilterNetwork, GaborFilterNetwork

ROUNDING = 1e-5  # of float32 sines of angles of up to a hundred radians, against the largest bin


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coordinates(count: int, d: int) -> torch.Tensor:
    return 2 * torch.rand(count, d, generator=seeded(7), dtype=torch.float64) - 1


def array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def plain(network: nn.Module, filters: list[np.ndarray]) -> list[np.ndarray]:
    """The products of ``filters``, in float64."""
    z = [filters[0]]
    for layer, values in zip(network.layers, filters[1:], strict=True):
        z.append((z[-1] @ array(layer.weight).T + array(layer.bias)) * values)
    return z


def sines(network: FourierNet, x: np.ndarray) -> list[np.ndarray]:
    return [np.sin(x @ array(f.omega).T + array(f.phase)) for f in network.filters]


def test_fourier_net_matches_the_formula() -> None:
    network = FourierNet(2, 3, hidden_features=16, input_scale=2.0, generator=seeded()).double()
    x = coordinates(50, 2)
    z = plain(network, sines(network, x.numpy()))[-1]
    expected = z @ array(network.head.weight).T + array(network.head.bias)
    np.testing.assert_allclose(network(x).detach(), expected, atol=1e-11)


def test_gabor_net_matches_the_formula() -> None:
    network = GaborNet(3, 2, hidden_features=16, input_scale=2.0, generator=seeded()).double()
    x = coordinates(50, 3)
    filters = []
    for sine, f in zip(sines(network, x.numpy()), network.filters, strict=True):
        distance = ((x.numpy()[:, None, :] - array(f.mu)) ** 2).sum(axis=-1)
        filters.append(sine * np.exp(-0.5 * np.exp(array(f.log_gamma)) * distance))
    z = plain(network, filters)[-1]
    expected = z @ array(network.head.weight).T + array(network.head.bias)
    np.testing.assert_allclose(network(x).detach(), expected, atol=1e-11)


def test_bacon_matches_the_formula() -> None:
    network = Bacon(2, 3, hidden_features=16, max_frequency=16, generator=seeded()).double()
    x = coordinates(50, 2)
    filters = [
        np.sin(2 * np.pi / 2.5 * (x.numpy() @ array(f.cycles).T) + array(f.phase))
        for f in network.filters
    ]
    outputs = network.level_outputs(x)
    for given, z, head in zip(outputs, plain(network, filters), network.heads, strict=True):
        expected = z @ array(head.weight).T + array(head.bias)
        np.testing.assert_allclose(given.detach(), expected, atol=1e-11)
    assert torch.equal(network(x), outputs[-1])


def period_grid(d: int, side: int, period: float) -> torch.Tensor:
    axis = torch.arange(side, dtype=torch.float64) * period / side - 1
    return torch.stack(torch.meshgrid(*[axis] * d, indexing="ij"), dim=-1)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("d", "side", "period"), [(1, 255, 3.0), (2, 96, 2.0), (3, 24, 2.5)])
def test_outputs_have_nothing_beyond_their_bands(
    d: int, side: int, period: float, dtype: torch.dtype, trained: bool
) -> None:
    top = (side // 2 - 1) * 2 / period
    network = Bacon(d, 2, hidden_features=24, max_frequency=top, period=period, generator=seeded())
    if trained:  # any weights at all
        for parameter in network.parameters():
            nn.init.normal_(parameter, generator=seeded(5))
    assert network.band_limits[-1] == side // 2 - 1
    x = period_grid(d, side, period).to(dtype)
    cycles = torch.fft.fftfreq(side, 1 / side).abs()
    rounding = ROUNDING if dtype == torch.float32 else 1e-12
    for limit, values in zip(network.band_limits, network.to(dtype).level_outputs(x), strict=True):
        spectrum = torch.fft.fftn(values.detach().double(), dim=tuple(range(d))).abs()
        for axis in range(d):
            beyond = spectrum.movedim(axis, 0)[cycles > limit]
            assert beyond.max() < rounding * spectrum.max()
            # And the band is used: its upper half is not empty.
            within = spectrum.movedim(axis, 0)[(cycles > limit / 2) & (cycles <= limit)]
            assert within.numel() == 0 or within.max() > 1e-3 * spectrum.max()


def test_band_limits_halve_and_respect_the_period() -> None:
    assert Bacon(1, 1, max_frequency=40.0, period=2.5).band_limits == [6, 12, 25, 50]
    assert Bacon(1, 1, max_frequency=64.0, period=2.0, hidden_layers=0).band_limits == [64]


def test_frequencies_fill_their_band_and_stay() -> None:
    cycles = QuantizedSines(2, 4000, 5, 2.0, seeded()).cycles
    assert sorted(set(cycles.flatten().int().tolist())) == list(range(-5, 6))
    counts = (cycles[..., None] == torch.arange(-5, 6)).float().mean(dim=(0, 1))
    torch.testing.assert_close(counts, torch.full((11,), 1 / 11), atol=0.01, rtol=0)
    network = Bacon(2, 1, hidden_features=4)
    assert not any("cycles" in name for name, _ in network.named_parameters())
    assert "filters.0.cycles" in network.state_dict()


def test_products_keep_their_variance() -> None:
    network = FourierNet(2, 1, hidden_features=256, hidden_layers=5, input_scale=6.0,
                         generator=seeded())  # fmt: skip
    x = coordinates(500, 2)
    z = plain(network, sines(network, x.numpy()))
    for values in z:
        assert 0.4 < values.std() < 1.1


def test_input_scale_is_that_of_the_product() -> None:
    network = FourierNet(1, 1, hidden_features=1000, hidden_layers=3, input_scale=5.0,
                         generator=seeded())  # fmt: skip
    frequencies = [f.omega.detach() / (2 * torch.pi) for f in network.filters]
    assert sum(frequencies).std().item() == pytest.approx(5.0, rel=0.1)
    slow = FourierNet(1, 1, hidden_features=1000, input_scale=0.5, generator=seeded())
    for a, b in zip(network.filters, slow.filters, strict=True):
        torch.testing.assert_close(a.omega, 10 * b.omega)
        assert torch.equal(a.phase, b.phase)


def test_gabor_precisions() -> None:
    gamma = GaborFilter(torch.zeros(20_000, 2), 2.0, seeded()).log_gamma.exp()
    assert gamma.mean().item() == pytest.approx(2.0, rel=0.05)
    assert gamma.var().item() == pytest.approx(2.0, rel=0.1)  # mean^2 / shape


NETWORKS = [
    FourierNet(2, 3, hidden_features=8, input_scale=1.0, generator=seeded()),
    GaborNet(2, 3, hidden_features=8, input_scale=1.0, generator=seeded()),
    Bacon(2, 3, hidden_features=8, max_frequency=8, generator=seeded()),
    FourierNet(2, 3, hidden_features=8, hidden_layers=0, generator=seeded()),
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: type(n).__name__)
def test_shapes_batches_and_derivatives(network: nn.Module) -> None:
    x = coordinates(20, 2).float().reshape(4, 5, 2)
    values = network(x)
    assert values.shape == (4, 5, 3)
    torch.testing.assert_close(network(x[1, 2]), values[1, 2], atol=1e-5, rtol=1e-4)
    assert network(x[:0]).shape == (0, 5, 3)
    wide = deepcopy(network).double()
    points = coordinates(2, 2).requires_grad_()
    inputs = (points, *wide.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: wide(x), inputs, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x, *_: wide(x), inputs, fast_mode=True)


def test_every_level_of_bacon_learns() -> None:
    network = Bacon(1, 1, hidden_features=32, max_frequency=16, generator=seeded())
    x = torch.linspace(-1, 1, 100)[:, None]
    target = torch.sin(5 * x) + 0.3 * torch.sin(20 * x)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(80):
        optimizer.zero_grad()
        losses = [(y - target).square().mean() for y in network.level_outputs(x)]
        sum(losses).backward()
        optimizer.step()
    # The waves have 2 and 8 cycles a period: the second is beyond the first two bands.
    assert network.band_limits == [2, 5, 10, 20]
    assert losses[1].item() > 0.02
    assert losses[3].item() < 5e-3


@pytest.mark.parametrize("kind", [
    FourierFilterNetwork(input_scale=3.0),
    GaborFilterNetwork(input_scale=3.0),
    BaconNetwork(max_frequency=20.0),
], ids=lambda s: s.kind)  # fmt: skip
def test_settings_and_seeds(kind: FourierFilterNetwork | BaconNetwork) -> None:
    x = coordinates(9, 2).float()
    one, two, other = (kind.build(2, 3, generator=seeded(s)) for s in (3, 3, 4))
    assert torch.equal(one(x), two(x))
    assert not torch.equal(one(x), other(x))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Bacon(2, 1, max_frequency=0.5), r"`max_frequency` is below one cycle per"),
        (lambda: Bacon(2, 1, max_frequency=-1.0), r"`max_frequency` \(=-1.0\) must be a positive"),
        (lambda: Bacon(2, 1, period=1.5), r"`period` \(=1.5\) must be at least 2 units"),
        (lambda: FourierNet(2, 1, input_scale=0.0), r"`input_scale` \(=0.0\)"),
        (lambda: GaborNet(2, 0), r"`out_features` \(=0\)"),
        (lambda: FourierNet(2, 1, hidden_layers=-1), r"`hidden_layers` \(=-1\)"),
    ],
)
def test_networks_that_cannot_be(build: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build()
