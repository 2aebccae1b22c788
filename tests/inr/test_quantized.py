"""Quantised coordinates, against a float64 loop over the definition."""

import math

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.inr import FieldSettings, build_field, matched_knobs
from passband.inr.encodings import (
    HashGrid,
    Identity,
    NeuRBF,
    Positional,
    QuantizedCoordinates,
    TriPlane,
)


def points(n: int, d: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return 2 * torch.rand(n, d, generator=torch.Generator().manual_seed(7), dtype=dtype) - 1


def snapped(x: float, resolution: int, extent: float) -> float:
    cell = 1 / (resolution - 1)
    u = (x + extent) / (2 * extent)
    return 2 * extent * (math.floor(u / cell) + 0.5) * cell - extent


@pytest.mark.parametrize(("resolution", "extent"), [(2, 1.0), (9, 1.0), (25600, 2.5), (100, 0.7)])
def test_snapping_matches_a_loop(resolution: int, extent: float) -> None:
    x = 2 * points(300, 2)
    found = QuantizedCoordinates(Identity(2), resolution=resolution, extent=extent)(x)
    expected = [[snapped(value, resolution, extent) for value in row] for row in x.tolist()]
    torch.testing.assert_close(
        found, torch.tensor(expected, dtype=torch.float64), atol=1e-12, rtol=0
    )


def test_float32_moves_points_by_half_a_cell_at_most() -> None:
    x = points(5000, 3, torch.float32)
    moved = (QuantizedCoordinates(Identity(3), resolution=25600)(x) - x).abs()
    assert moved.max() <= 1 / 25599 + 2**-22  # and the rounding of positions
    assert moved.mean().item() == pytest.approx(0.5 / 25599, rel=0.05)


def test_the_cube_stays_inside_itself() -> None:
    corners = torch.tensor([[-1.0, 1.0], [1.0, -1.0]])
    found = QuantizedCoordinates(Identity(2), resolution=5)(corners)
    assert found.tolist() == [[-0.75, 0.75], [0.75, -0.75]]


@pytest.mark.parametrize("inner", [Positional(2, 5), Positional(3, 2, include_input=False)])
def test_derivatives_are_those_of_the_inner_encoding_at_the_snapped_point(
    inner: Positional,
) -> None:
    encoding = QuantizedCoordinates(inner, resolution=21)
    x = points(6, inner.in_features).requires_grad_()
    leaf = encoding.snap(x).detach().requires_grad_()
    found = []
    for module, at in ((encoding, x), (inner, leaf)):
        (first,) = torch.autograd.grad(module(at).pow(3).sum(), at, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), at)
        found.append((first.detach(), second))
    for pair in zip(*found, strict=True):
        torch.testing.assert_close(*pair, atol=0, rtol=1e-12)
    assert found[0][0].abs().min() > 0


def test_weights_learn_through_it() -> None:
    encoding = QuantizedCoordinates(HashGrid(2, n_levels=2, finest_resolution=32), resolution=9)
    assert list(encoding.state_dict()) == ["inner.table"]
    encoding(points(9, 2, torch.float32)).sum().backward()
    assert encoding.inner.table.grad.abs().sum() > 0


def test_what_the_inner_encoding_offers_reaches_it() -> None:
    radial = QuantizedCoordinates(NeuRBF(2, n_kernels=9))
    before = radial.inner.centres.clone()
    radial.adapt(points(40, 2, torch.float32), torch.ones(40))
    assert not torch.equal(before, radial.inner.centres)
    planes = QuantizedCoordinates(TriPlane(2, n_levels=2))
    planes.set_progress(0.0)
    assert not planes(torch.zeros(2))[6:].any()
    plain = QuantizedCoordinates(Identity(2))
    plain.set_progress(0.5)
    plain.adapt(points(4, 2, torch.float32), torch.ones(4))


def test_settings_hold_another_encoding() -> None:
    encoding = {"kind": "quantized", "resolution": 100, "inner": {"kind": "positional"}}
    settings = FieldSettings.model_validate({"encoding": encoding, "network": {"kind": "relu"}})
    assert matched_knobs(settings) == ["encoding.inner.octaves"]
    encoding["inner"]["octaves"] = 3
    settings = FieldSettings.model_validate({"encoding": encoding, "network": {"kind": "relu"}})
    field = build_field(settings, 2, 3)
    assert isinstance(field.encoding.inner, Positional)
    assert field(torch.zeros(5, 2)).shape == (5, 3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: QuantizedCoordinates(Identity(1), resolution=1), r"`resolution` \(=1\)"),
        (lambda: QuantizedCoordinates(Identity(1), extent=0.0), r"`extent` \(=0.0\)"),
        (
            lambda: QuantizedCoordinates(Identity(1), resolution=2**20 + 1)(torch.zeros(1)),
            r"`resolution` \(=1048577\) must be at most 1048576 for coordinates of torch.float32",
        ),
    ],
)
def test_lattices_that_cannot_be(build: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build()


def test_float64_tells_finer_lattices_apart() -> None:
    fine = QuantizedCoordinates(Identity(1), resolution=2**24)
    assert fine(points(9, 1)).shape == (9, 1)
