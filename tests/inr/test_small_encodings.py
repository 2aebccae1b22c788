"""tiny-cuda-nn's encodings, against plain float64 loops and scipy."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from passband.errors import InputError
from passband.inr.encodings import (
    Composite,
    CoordinateDigits,
    Frequency,
    HashGrid,
    Identity,
    OneBlob,
    PanoramaHarmonics,
    SphericalHarmonics,
    TriangleWave,
    UnitIdentity,
)
from passband.inr.settings import PanoramaEncoding


def coordinates(*batch: int, d: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return 2 * torch.rand(*batch, d, generator=generator, dtype=dtype) - 1


ENCODINGS = {
    "frequency": Frequency(3, 4),
    "triangle wave": TriangleWave(3, 4),
    "one-blob": OneBlob(2, 8),
    "unit identity": UnitIdentity(3, scale=3.0, offset=-0.5),
    "harmonics": SphericalHarmonics(3, 5),
    "composite": Composite(4, [OneBlob(2, 4), TriangleWave(1, 3)], starts=[1, 3]),
    "digits": CoordinateDigits(2, 2),
    "panorama": PanoramaHarmonics(4),
    "sum": Composite(3, [UnitIdentity(2), Identity(2)], starts=[0, 1], reduction="Sum"),
    "product": Composite(4, [Frequency(2, 3), TriangleWave(2, 6)], reduction="Product"),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_shapes_types_and_batches(name: str) -> None:
    encoding = ENCODINGS[name]
    x = coordinates(4, 5, d=encoding.in_features, dtype=torch.float32)
    encoded = encoding(x)
    assert encoded.shape == (4, 5, encoding.out_features)
    assert encoded.dtype == torch.float32
    torch.testing.assert_close(encoding(x[2, 3]), encoded[2, 3])
    assert encoding(x[:0]).shape == (0, 5, encoding.out_features)
    assert not encoding.state_dict()


@pytest.mark.parametrize("name", [name for name in ENCODINGS if name != "digits"])
def test_derivatives(name: str) -> None:
    wide = deepcopy(ENCODINGS[name]).double()
    x = coordinates(3, d=wide.in_features).requires_grad_()
    assert torch.autograd.gradcheck(wide, x)
    assert torch.autograd.gradgradcheck(wide, x)


def test_frequency_matches_its_formula() -> None:
    x = coordinates(20, d=2)
    expected = [
        [
            wave(2**k * math.pi * (value + 1) / 2)
            for value in point
            for k in range(12)
            for wave in (math.sin, math.cos)
        ]
        for point in x.tolist()
    ]
    np.testing.assert_allclose(Frequency(2)(x), expected, atol=1e-11)


def test_triangle_wave_matches_its_formula() -> None:
    def wave(u: float, k: int) -> float:
        """Distance to the nearest trough, on a period of 2 / 2^k shifted by k quarters."""
        phase = (u * 2**k / 2 + k / 4) % 1.0
        return 1 - 4 * phase if phase < 0.5 else 4 * phase - 3

    x = coordinates(50, d=2)
    expected = [[wave((v + 1) / 2, k) for v in point for k in range(12)] for point in x.tolist()]
    np.testing.assert_allclose(TriangleWave(2)(x), expected, atol=1e-11)


def blob_share(u: float, left: float, right: float, radius: float) -> float:
    """The quartic blob at u integrated numerically over a bin, with its copies one period away."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    total = 0.0
    for copy in (u - 1, u, u + 1):
        low, high = max(left, copy - radius), min(right, copy + radius)
        if low < high:
            t = (0.5 * (high - low) * nodes + 0.5 * (high + low) - copy) / radius
            density = 15 / 16 * (1 - t**2) ** 2 / radius
            total += 0.5 * (high - low) * float(weights @ density)
    return total


@pytest.mark.parametrize("bins", [1, 2, 16, 5])
def test_one_blob_matches_quadrature_and_sums_to_one(bins: int) -> None:
    x = torch.cat((coordinates(40, d=2), torch.tensor([[-1.0, 1.0], [0.0, 0.999]]).double()))
    expected = [
        [
            blob_share((v + 1) / 2, b / bins, (b + 1) / bins, 1 / bins)
            for v in point
            for b in range(bins)
        ]
        for point in x.tolist()
    ]
    encoded = OneBlob(2, bins)(x)
    np.testing.assert_allclose(encoded, expected, atol=1e-12)
    np.testing.assert_allclose(encoded.unflatten(-1, (2, bins)).sum(dim=-1), 1.0, atol=1e-12)


def test_one_blob_goes_round() -> None:
    ends = OneBlob(1, 8)(torch.tensor([[-1.0], [1.0]]))
    torch.testing.assert_close(ends[0], ends[1])
    torch.testing.assert_close(ends[0, 0], ends[0, 7])
    assert ends[0, 0].item() == pytest.approx(0.5)


def directions(count: int) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    v = rng.standard_normal((count, 3))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    return torch.from_numpy(v), np.arccos(v[:, 2]), np.arctan2(v[:, 1], v[:, 0])


def test_harmonics_match_scipy_with_condon_and_shortleys_phase() -> None:
    v, polar, azimuth = directions(100)
    encoded = SphericalHarmonics(3, 8)(v).numpy()
    for n in range(8):
        for m in range(-n, n + 1):
            whole = sph_harm_y(n, abs(m), polar, azimuth)
            part = whole.imag if m < 0 else whole.real
            expected = part * (math.sqrt(2) if m else 1)
            np.testing.assert_allclose(encoded[:, n * n + n + m], expected, atol=1e-12)


def test_harmonics_have_the_signs_and_order_that_tiny_cuda_nn_documents() -> None:
    x, y, z = 0.36, 0.48, 0.8
    band = [0.28209479, -0.48860251 * y, 0.48860251 * z, -0.48860251 * x, 1.09254843 * x * y,
            -1.09254843 * y * z, 0.94617470 * z * z - 0.31539157, -1.09254843 * x * z,
            0.54627422 * (x * x - y * y)]  # fmt: skip
    encoded = SphericalHarmonics(3, 3)(torch.tensor([x, y, z], dtype=torch.float64))
    np.testing.assert_allclose(encoded, band, atol=1e-8)


def test_harmonics_are_orthonormal() -> None:
    # Gauss-Legendre in z and equal angles integrate products of degree 14 exactly.
    z, weight = np.polynomial.legendre.leggauss(8)
    angle = 2 * np.pi * np.arange(16) / 16
    radius = np.sqrt(1 - z**2)[:, None]
    points = np.stack(
        (radius * np.cos(angle), radius * np.sin(angle), np.broadcast_to(z[:, None], (8, 16))), -1
    )
    encoded = SphericalHarmonics(3, 8)(torch.from_numpy(points.reshape(-1, 3))).numpy()
    weights = np.repeat(weight * 2 * np.pi / 16, 16)
    np.testing.assert_allclose(encoded.T @ (weights[:, None] * encoded), np.eye(64), atol=1e-12)


def test_unit_identity() -> None:
    x = coordinates(9, d=4)
    torch.testing.assert_close(UnitIdentity(4, scale=3.0, offset=-0.5)(x), 3 * (x + 1) / 2 - 0.5)


def test_composite_takes_its_coordinates_apart() -> None:
    x = coordinates(9, d=5)
    blob, wave = OneBlob(2, 4), TriangleWave(1, 3)
    encoded = Composite(5, [blob, wave])(x)
    torch.testing.assert_close(encoded, torch.cat((blob(x[:, :2]), wave(x[:, 2:3])), dim=-1))
    overlapping = Composite(5, [blob, wave], starts=[3, 4])(x)
    torch.testing.assert_close(overlapping, torch.cat((blob(x[:, 3:]), wave(x[:, 4:])), dim=-1))


def test_composite_reduces() -> None:
    x = coordinates(9, d=2)
    one, other = OneBlob(1, 4), TriangleWave(1, 4)
    for reduction, expected in (
        ("Sum", one(x[:, :1]) + other(x[:, 1:])),
        ("Product", one(x[:, :1]) * other(x[:, 1:])),
    ):
        encoding = Composite(2, [one, other], reduction=reduction)
        assert encoding.out_features == 4
        torch.testing.assert_close(encoding(x), expected)


class Recorder(Identity):
    """Remembers what it is told."""

    def set_progress(self, done: float) -> None:
        self.done = done

    def adapt(self, points: torch.Tensor, weights: torch.Tensor, *, generator: object) -> None:
        self.points = points


def test_composite_passes_on_what_its_parts_are_to_know() -> None:
    part = Recorder(1)
    encoding = Composite(3, [Identity(2), part])
    encoding.set_progress(0.25)
    points = coordinates(6, d=3)
    encoding.adapt(points, torch.ones(6, dtype=torch.float64), generator=None)
    assert part.done == 0.25
    assert torch.equal(part.points, points[:, 2:])


def test_composite_trains_and_saves_its_parts() -> None:
    grid = HashGrid(2, n_levels=2, log2_hashmap_size=6, finest_resolution=32)
    encoding = Composite(3, [grid, OneBlob(1, 4)])
    assert list(encoding.state_dict()) == ["nested.0.table"]
    encoding(coordinates(7, d=3, dtype=torch.float32)).sum().backward()
    assert grid.table.grad is not None


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Frequency(2, 0), r"`n_frequencies` \(=0\) must be an integer of at least 1"),
        (lambda: TriangleWave(0), r"`in_features` \(=0\)"),
        (lambda: OneBlob(2, 0), r"`n_bins` \(=0\)"),
        (lambda: UnitIdentity(2, scale=math.inf), r"`scale` \(=inf\) must be a finite number"),
        (lambda: SphericalHarmonics(2), r"`in_features` \(=2\) must be 3"),
        (lambda: SphericalHarmonics(3, 9), r"`degree` \(=9\) must be an integer from 1 to 8"),
        (lambda: Composite(2, []), "`nested` is empty"),
        (lambda: Composite(2, [Identity(3)]), "coordinates 0 to 2 must stay within the 2"),
        (lambda: Composite(3, [Identity(1)], starts=[0, 1]), r"`starts` \(=\[0, 1\]\) must have"),
        (
            lambda: Composite(3, [OneBlob(1, 4), Identity(2)], reduction="Sum"),
            r"`reduction` \(=Sum\) needs nested encodings of as many features.* 4, 2",
        ),
    ],
)
def test_encodings_that_cannot_be(build: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build()


def test_digits_of_a_coordinate() -> None:
    # u = 0.25 to two digits: 25 hundredths, periods of 10, 100 and 1000 of them.
    features = CoordinateDigits(1, 2)(torch.tensor([-0.5], dtype=torch.float64))
    expected = []
    for period in (10, 100, 1000):
        angle = 2 * math.pi * 25 / period
        expected += [math.cos(angle), math.sin(angle)]
    np.testing.assert_allclose(features, expected, atol=1e-12)


def test_digits_tell_a_thousand_samples_apart_and_hold_beyond_the_ends() -> None:
    encode = CoordinateDigits(1, 3)
    features = encode(torch.linspace(-1, 1, 1001, dtype=torch.float64)[:, None])
    assert len(features.unique(dim=0)) == 1001
    outside = encode(torch.tensor([[-3.0], [3.0]], dtype=torch.float64))
    torch.testing.assert_close(outside, features[[0, -1]])


def test_a_panorama_closes_over_the_seam_and_meets_at_the_poles() -> None:
    encode = PanoramaHarmonics(5)
    row = torch.linspace(-1, 1, 7, dtype=torch.float64)
    left = encode(torch.stack((row, torch.full_like(row, -1)), dim=-1))
    right = encode(torch.stack((row, torch.full_like(row, 1)), dim=-1))
    torch.testing.assert_close(left, right)
    pole = encode(torch.stack((torch.full_like(row, -1), row), dim=-1))
    zenith = SphericalHarmonics(3, 5)(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(pole, zenith.expand_as(pole))


def test_panoramas_are_pictures() -> None:
    with pytest.raises(InputError, match=r"`in_features` \(=3\) must be 2 for a panorama"):
        PanoramaEncoding(degree=3).build(3)
