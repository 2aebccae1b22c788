"""Encodings, against their formulas in plain numpy and float64."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from passband.errors import InputError
from passband.inr.encodings import HashGrid, Identity, Positional, RandomFourier
from passband.inr.kernels.hashgrid import hashgrid_encode


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coordinates(*batch: int, d: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return 2 * torch.rand(*batch, d, generator=seeded(7), dtype=dtype) - 1


def small_grid(d: int = 2, **changes: object) -> HashGrid:
    arguments = {"n_levels": 3, "log2_hashmap_size": 5, "base_resolution": 4,
                 "finest_resolution": 20, "generator": seeded()}  # fmt: skip
    return HashGrid(d, **{**arguments, **changes})


ENCODINGS = [
    Identity(3),
    Positional(3, 4),
    Positional(2, 1, include_input=False),
    RandomFourier(2, 5, 3.0, generator=seeded()),
    small_grid(3, n_features_per_level=4),
]


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda e: type(e).__name__)
def test_shapes_types_and_batches(encoding: nn.Module) -> None:
    x = coordinates(4, 5, d=encoding.in_features, dtype=torch.float32)
    encoded = encoding(x)
    assert encoded.shape == (4, 5, encoding.out_features)
    assert encoded.dtype == torch.float32
    torch.testing.assert_close(encoding(x[2, 3]), encoded[2, 3])
    assert encoding(x[:0]).shape == (0, 5, encoding.out_features)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda e: type(e).__name__)
def test_derivatives(encoding: nn.Module) -> None:
    wide = deepcopy(encoding).double()
    x = coordinates(3, d=encoding.in_features).requires_grad_()
    assert torch.autograd.gradcheck(wide, x)
    assert torch.autograd.gradgradcheck(wide, x)


def test_identity() -> None:
    x = coordinates(9, d=4)
    assert torch.equal(Identity(4)(x), x)


@pytest.mark.parametrize("include_input", [True, False])
def test_positional_matches_its_formula(include_input: bool) -> None:
    encoding = Positional(2, 6, include_input=include_input)
    x = coordinates(50, d=2)
    columns = [x[:, k].numpy() for k in range(2)] if include_input else []
    for axis in range(2):
        for k in range(6):
            angle = 2**k * math.pi * x[:, axis].numpy()
            columns += [np.sin(angle), np.cos(angle)]
    np.testing.assert_allclose(encoding(x).numpy(), np.stack(columns, axis=-1), atol=1e-12)


def test_positional_has_no_state_to_load() -> None:
    assert not Positional(2, 6).state_dict()


def test_fourier_matches_its_formula() -> None:
    encoding = RandomFourier(3, 7, 2.5, generator=seeded())
    x = coordinates(50, d=3)
    angle = 2 * np.pi * x.numpy() @ encoding.bands.double().numpy()
    expected = np.concatenate((np.cos(angle), np.sin(angle)), axis=-1)
    np.testing.assert_allclose(encoding(x).numpy(), expected, atol=1e-12)


def test_fourier_bands_are_normal_in_cycles_per_unit() -> None:
    bands = RandomFourier(2, 20_000, 5.0, generator=seeded()).bands
    assert abs(bands.mean().item()) < 0.1
    assert bands.std().item() == pytest.approx(5.0, rel=0.02)
    # A share of erf(1 / sqrt 2) within one standard deviation tells a normal law from a uniform.
    assert (bands.abs() < 5).float().mean().item() == pytest.approx(0.6827, abs=0.01)


def test_fourier_bands_scale_with_sigma_under_one_seed() -> None:
    slow = RandomFourier(2, 16, 1.0, generator=seeded(3))
    fast = RandomFourier(2, 16, 12.0, generator=seeded(3))
    torch.testing.assert_close(fast.bands, 12 * slow.bands)
    assert not torch.equal(slow.bands, RandomFourier(2, 16, 1.0, generator=seeded(4)).bands)


def test_fourier_bands_are_saved_and_not_trained() -> None:
    source, target = (RandomFourier(2, 4, 1.0, generator=seeded(s)) for s in (0, 1))
    target.load_state_dict(source.state_dict())
    assert torch.equal(source.bands, target.bands)
    assert not list(source.parameters())


def test_grid_maps_the_cube_of_side_two_to_the_unit_cube() -> None:
    grid = small_grid(3, init_scale=1.0)
    x = coordinates(40, d=3, dtype=torch.float32)
    expected = hashgrid_encode((x + 1) / 2, grid.table, grid.layout, backend="reference")
    torch.testing.assert_close(grid(x), expected, atol=1e-4, rtol=0)
    assert grid(-torch.ones(3)).isfinite().all()


def test_grid_table_is_uniform_and_scales_under_one_seed() -> None:
    small, large = (small_grid(log2_hashmap_size=16, base_resolution=64, finest_resolution=128,
                               init_scale=s, generator=seeded(5)) for s in (1e-4, 0.5))  # fmt: skip
    torch.testing.assert_close(large.table, 5000 * small.table)
    values = large.table.detach()
    assert values.abs().max() <= 0.5
    assert values.std().item() == pytest.approx(1 / math.sqrt(12), rel=0.02)
    assert not small_grid(init_scale=0.0).table.any()


def test_grid_state_and_backends() -> None:
    source, target = small_grid(init_scale=1.0), small_grid(generator=seeded(1))
    target.load_state_dict(source.state_dict())
    assert list(source.state_dict()) == ["table"]
    x = coordinates(30, d=2, dtype=torch.float32)
    assert torch.equal(source(x), target(x))
    plain = small_grid(init_scale=1.0, backend="reference")
    torch.testing.assert_close(plain(x), source(x), atol=1e-6, rtol=0)


def test_a_grid_learns() -> None:
    grid = small_grid(1, n_levels=5, log2_hashmap_size=8, finest_resolution=128)
    x = torch.linspace(-1, 1, 400)[:, None]
    target = torch.sin(9 * x[:, 0])
    optimizer = torch.optim.Adam(grid.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (grid(x).sum(dim=-1) - target).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-3


def test_generators_leave_the_global_one_alone() -> None:
    before = torch.random.get_rng_state()
    RandomFourier(2, 4, 1.0, generator=seeded())
    small_grid()
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Identity(0), r"`in_features` \(=0\)"),
        (lambda: Positional(2, 0), r"`octaves` \(=0\) must be an integer of at least 1"),
        (lambda: Positional(-1, 2), r"`in_features` \(=-1\)"),
        (lambda: RandomFourier(2, 0, 1.0), r"`num_bands` \(=0\)"),
        (lambda: RandomFourier(2, 4, 0.0), r"`sigma` \(=0.0\) must be a positive number"),
        (lambda: RandomFourier(2, 4, math.inf), r"`sigma` \(=inf\)"),
        (lambda: small_grid(init_scale=-1.0), r"`init_scale` \(=-1.0\)"),
        (lambda: small_grid(8), r"`in_features` \(=8\)"),
    ],
)
def test_encodings_that_cannot_be(build: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build()
