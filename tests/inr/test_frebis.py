"""Frequency-banded encoders, against their definition in plain numpy and known geometry."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from passband.errors import InputError
from passband.inr.encodings import (
    BandEncoder,
    FreBIS,
    LearnedSoftmax,
    Positional,
    RedundancySoftmax,
    geometric_frebis,
    matched_single_encoder,
)
from passband.inr.networks import SphereHead
from passband.inr.settings import FrebisEncoding, LearnedFrebisEncoding, SphereNetwork


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coordinates(*batch: int, d: int) -> torch.Tensor:
    return 2 * torch.rand(*batch, d, generator=seeded(7), dtype=torch.float64) - 1


def small(d: int = 2, octaves: int = 6, **changes: object) -> FreBIS:
    arguments = {"out_features": 7, "hidden_features": 9, "generator": seeded()}
    return FreBIS(d, octaves, **{**arguments, **changes})


def smooth_relu(z: np.ndarray) -> np.ndarray:
    return np.where(np.abs(z) < 0.01, (z + 0.01) ** 2 / 0.04, np.maximum(z, 0))


def plain_features(encoding: FreBIS, x: np.ndarray, shares: list[range]) -> np.ndarray:
    """Features of the three encoders, ``(3, n, features)``, in float64."""
    found = []
    for encoder, share in zip(encoding.encoders, shares, strict=True):
        sines = [np.sin(2**k * math.pi * x[:, a]) for a in range(x.shape[1]) for k in share]
        cosines = [np.cos(2**k * math.pi * x[:, a]) for a in range(x.shape[1]) for k in share]
        h = np.stack([*x.T, *sines, *cosines], axis=-1)
        for layer in encoder.layers:
            w, b = (p.detach().double().numpy() for p in (layer.weight, layer.bias))
            h = smooth_relu(h @ w.T + b)
        found.append(h)
    return np.stack(found)


def plain_redundancy(features: np.ndarray) -> np.ndarray:
    """``(n, 3)``, from the Gram matrix of normalised features."""
    unit = features / np.linalg.norm(features, axis=-1, keepdims=True)
    gram = np.einsum("knf,jnf->nkj", unit, unit)
    return np.abs(gram).sum(axis=-1) - 1


@pytest.mark.parametrize(
    ("octaves", "shares"),
    [
        (6, [range(2), range(2, 4), range(4, 6)]),
        (7, [range(3), range(3, 5), range(5, 7)]),
        (2, [range(1), range(1, 2), range(2, 2)]),
    ],
)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_features_match_the_definition(d: int, octaves: int, shares: list[range]) -> None:
    encoding = small(d, octaves, weighting=RedundancySoftmax(0.3)).double()
    x = coordinates(20, d=d)
    features = plain_features(encoding, x.numpy(), shares)
    scores = np.exp(-plain_redundancy(features) / 0.3)
    weights = scores / scores.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(encoding.weights(x).detach(), weights, atol=1e-12)
    expected = np.einsum("nk,knf->nf", weights, features)
    np.testing.assert_allclose(encoding(x).detach(), expected, atol=1e-12)


def test_bands_see_what_positional_has() -> None:
    octaves = Positional(2, 5)
    encoder = BandEncoder(2, 3, octaves=5, hidden_layers=0, generator=seeded()).double()
    x = coordinates(9, d=2)
    weight = encoder.layers[0].weight.detach()
    # Ours has all sines first; there sines and cosines alternate.
    waves = weight[:, 2:].reshape(3, 2, 10).transpose(1, 2).reshape(3, 20)
    other = torch.cat((weight[:, :2], waves), dim=1)
    given = (octaves(x) @ other.T + encoder.layers[0].bias).detach().numpy()
    np.testing.assert_allclose(encoder(x).detach(), smooth_relu(given), atol=1e-12)


def test_shapes_and_batches() -> None:
    encoding = small(3)
    x = coordinates(4, 5, d=3).float()
    encoded = encoding(x)
    assert encoded.shape == (4, 5, encoding.out_features)
    torch.testing.assert_close(encoding(x[2, 3]), encoded[2, 3])
    assert encoding(x[:0]).shape == (0, 5, encoding.out_features)


def test_derivatives() -> None:
    encoding = small().double()
    x = coordinates(3, d=2).requires_grad_()
    assert torch.autograd.gradcheck(encoding, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(encoding, x, fast_mode=True)


def test_unlike_features_count_more() -> None:
    even = RedundancySoftmax()(torch.zeros(3))
    torch.testing.assert_close(even, torch.full((3,), 1 / 3))
    alone = RedundancySoftmax(0.01)(torch.tensor([0.9, 0.1, 0.2]))
    torch.testing.assert_close(alone, torch.tensor([0.0, 0.0, 1.0]), atol=1e-6, rtol=0)


def test_learned_weights_start_even_and_learn() -> None:
    encoding = small(weighting=LearnedSoftmax(generator=seeded(1)))
    x = coordinates(20, d=2).float()
    torch.testing.assert_close(encoding.weights(x), torch.full((20, 3), 1 / 3))
    (-encoding.weights(x)[:, 0].log().mean()).backward()
    optimizer = torch.optim.Adam(encoding.weighting.parameters(), lr=0.1)
    optimizer.step()
    assert (encoding.weights(x)[:, 0] > 0.34).all()


def test_penalty_is_the_mean_redundancy_once() -> None:
    encoding = small(penalty_weight=0.5).double()
    x = coordinates(20, d=2)
    assert encoding.penalty().item() == 0
    encoding(x)
    features = plain_features(encoding, x.numpy(), [range(2), range(2, 4), range(4, 6)])
    penalty = encoding.penalty()
    assert penalty.item() == pytest.approx(0.5 * plain_redundancy(features).mean(), rel=1e-12)
    penalty.backward()
    assert encoding.encoders[2].layers[0].weight.grad.abs().max() > 0
    assert encoding.penalty().item() == 0
    with torch.no_grad():
        encoding(x)
    assert encoding.penalty().item() == 0
    deepcopy(encoding)


def test_penalty_makes_features_unlike() -> None:
    encoding = small(penalty_weight=1.0)
    x = coordinates(50, d=2).float()
    optimizer = torch.optim.Adam(encoding.parameters(), lr=0.01)
    penalties = []
    for _ in range(25):
        optimizer.zero_grad()
        encoding(x)
        penalties.append(encoding.penalty())
        penalties[-1].backward()
        optimizer.step()
    assert penalties[-1] < 0.7 * penalties[0]


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize(("width", "allowed"), [(64, 0.12), (256, 0.06)])
@pytest.mark.parametrize("seed", [0, 1])
def test_shapes_start_as_spheres(d: int, width: int, allowed: float, seed: int) -> None:
    encoding = geometric_frebis(
        d, 6, out_features=width, hidden_features=width, generator=seeded(seed)
    )
    shape = nn.Sequential(encoding, SphereHead(width, 1, radius=0.5, generator=seeded(seed)))
    x = coordinates(2000, d=d).float()
    error = shape(x)[:, 0] - (x.norm(dim=-1) - 0.5)
    assert error.abs().max() < allowed
    assert error.square().mean().sqrt() < allowed / 3


def test_normals_of_the_first_sphere_point_outwards() -> None:
    shape = nn.Sequential(geometric_frebis(3, 6, generator=seeded()), SphereHead(64, 1))
    x = coordinates(500, d=3).float().requires_grad_()
    (normal,) = torch.autograd.grad(shape(x).sum(), x)
    along = torch.cosine_similarity(normal, x.detach(), dim=-1)
    assert along.mean() > 0.97
    assert normal.norm(dim=-1).mean().item() == pytest.approx(1, abs=0.05)


def test_all_encoders_of_a_sphere_learn() -> None:
    shape = nn.Sequential(geometric_frebis(3, 6, generator=seeded()), SphereHead(64, 1))
    shape(coordinates(50, d=3).float()).square().mean().backward()
    assert all(e.layers[-1].weight.grad.abs().max() > 0 for e in shape[0].encoders)
    assert shape[0].encoders[0].layers[0].weight.grad[:, 3:].abs().max() > 0


@pytest.mark.parametrize("sizes", [(2, 6, 32, 48, 2), (3, 9, 64, 64, 3), (1, 4, 16, 40, 1)])
def test_the_baseline_has_as_many_parameters(sizes: tuple[int, int, int, int, int]) -> None:
    d, octaves, out_features, width, depth = sizes
    encoding = FreBIS(d, octaves, out_features=out_features, hidden_features=width,
                      hidden_layers=depth)  # fmt: skip
    single = matched_single_encoder(encoding, generator=seeded())
    counts = [sum(p.numel() for p in m.parameters()) for m in (encoding, single)]
    assert counts[1] == pytest.approx(counts[0], rel=0.02)
    assert single(torch.zeros(4, d)).shape == (4, out_features)
    assert len(single.scales) == octaves
    assert len(single.layers) == depth + 1


def test_seeds_and_settings() -> None:
    x = coordinates(9, d=2).float()
    for settings in (FrebisEncoding(octaves=5, start="sphere"), LearnedFrebisEncoding(octaves=5)):
        one, two, other = (settings.build(2, generator=seeded(s)) for s in (3, 3, 4))
        assert torch.equal(one(x), two(x))
        assert not torch.equal(one(x), other(x))
        assert one.octaves == 5
    before = torch.random.get_rng_state()
    FrebisEncoding(octaves=5, tau=0.5).build(2, generator=seeded())
    assert torch.equal(before, torch.random.get_rng_state())
    head = SphereNetwork(radius=0.25).build(64, 1, generator=seeded())
    assert head.bias.item() == -0.25


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: small(octaves=0), r"`octaves` \(=0\) must be an integer of at least 1"),
        (lambda: small(0), r"`in_features` \(=0\)"),
        (lambda: small(out_features=0), r"`out_features` \(=0\)"),
        (lambda: small(penalty_weight=-1.0), r"`penalty_weight` \(=-1.0\) must be zero or"),
        (lambda: RedundancySoftmax(0.0), r"`tau` \(=0.0\) must be a positive number"),
        (lambda: LearnedSoftmax(0), r"`hidden_features` \(=0\)"),
        (lambda: SphereHead(4, 1, radius=-1.0), r"`radius` \(=-1.0\)"),
    ],
)
def test_encodings_that_cannot_be(build: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build()
