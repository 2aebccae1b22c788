"""Filtered feature planes, against scipy and closed forms."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates
from torch import Tensor

from passband.errors import InputError
from passband.inr import FieldSettings, build_field
from passband.inr.encodings import TriPlane, frustum_vertices, frustum_weights
from passband.inr.encodings._triplane import bilinear, gaussian_blur


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(*shape: int) -> Tensor:
    return 2 * torch.rand(*shape, generator=seeded(7), dtype=torch.float64) - 1


def small(d: int = 3, **changes: object) -> TriPlane:
    arguments = {"n_levels": 3, "n_features": 2, "base_resolution": 4, "finest_resolution": 16,
                 "init_scale": 1.0, "generator": seeded()}  # fmt: skip
    return TriPlane(d, **{**arguments, **changes}).double()


def scipys(plane: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    rows, columns = plane.shape
    at = [(y + 1) / 2 * (rows - 1), (x + 1) / 2 * (columns - 1)]
    return map_coordinates(plane, at, order=1)


def blurred(plane: np.ndarray, sigma: float) -> np.ndarray:
    if sigma == 0:
        return plane
    weight = gaussian_filter(np.ones_like(plane), sigma, mode="constant")
    return gaussian_filter(plane, sigma, mode="constant") / weight


@pytest.mark.parametrize(("rows", "columns"), [(5, 9), (2, 2), (33, 7)])
def test_interpolation_matches_scipy(rows: int, columns: int) -> None:
    plane = torch.rand(3, rows, columns, generator=seeded(), dtype=torch.float64)
    x = torch.cat((points(200, 2), torch.tensor([[-1.0, -1], [1, 1], [1, -1]]).double()))
    expected = [scipys(layer, *x.numpy().T) for layer in plane.numpy()]
    np.testing.assert_allclose(bilinear(x, plane).T.numpy(), expected, atol=1e-12)


def test_interpolation_goes_on_beyond_the_square() -> None:
    plane = torch.arange(12.0, dtype=torch.float64).view(1, 3, 4)
    assert bilinear(torch.tensor([[2.0, 1.5]]).double(), plane).item() == pytest.approx(
        4 * 2.5 + 4.5
    )


@pytest.mark.parametrize("sigma", [0.0, 0.6, 1.0, 2.5])
def test_blur_matches_scipy(sigma: float) -> None:
    planes = torch.rand(2, 3, 12, 17, generator=seeded(), dtype=torch.float64)
    found = gaussian_blur(planes, sigma)
    for i in range(2):
        for k in range(3):
            expected = blurred(planes[i, k].numpy(), sigma)
            np.testing.assert_allclose(found[i, k].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("blur", [0.0, 1.0])
def test_features_match_scipys(d: int, blur: float) -> None:
    encoding, x = small(d, blur=blur), points(60, d)
    columns = [x[:, k].numpy() for k in range(d)]
    for planes in encoding.planes:
        for plane, (a, b) in zip(planes, encoding.axes, strict=True):
            for layer in plane.detach().numpy():
                columns.append(scipys(blurred(layer, blur), x[:, a].numpy(), x[:, b].numpy()))
    assert encoding.resolutions == (4, 8, 16)
    found = encoding(x).detach().numpy()
    np.testing.assert_allclose(found, np.stack(columns, axis=-1), atol=1e-12)


def test_batches() -> None:
    encoding, x = small(), points(4, 5, 3)
    assert encoding(x).shape == (4, 5, encoding.out_features)
    torch.testing.assert_close(encoding(x)[1, 2], encoding(x[1, 2]))
    assert encoding(x[:0]).shape == (0, 5, encoding.out_features)
    torch.testing.assert_close(deepcopy(encoding).float()(x.float()).double(), encoding(x),
                               atol=1e-5, rtol=0)  # fmt: skip


def test_derivatives() -> None:
    encoding = small(2, n_levels=1, n_features=1)
    x = points(2, 2).requires_grad_()
    assert torch.autograd.gradcheck(encoding, x)
    assert torch.autograd.gradgradcheck(encoding, x)

    def of_planes(*planes: Tensor) -> Tensor:
        named = {f"planes.{k}": plane for k, plane in enumerate(planes)}
        return torch.func.functional_call(encoding, named, x.detach())

    planes = [plane.detach().requires_grad_() for plane in encoding.planes]
    assert torch.autograd.gradcheck(of_planes, planes)


def test_levels_open_from_coarse_to_fine() -> None:
    encoding, x = small(), points(9, 3)
    whole = encoding(x)
    open_levels = []
    for done in (0.0, 0.1, 0.2, 0.34, 0.5, 1.0):
        encoding.set_progress(done)
        levels = encoding(x)[:, 3:].view(9, 3, 6)
        active = [level for level in range(3) if levels[:, level].any()]
        assert active == list(range(len(active)))
        torch.testing.assert_close(levels[:, active], whole[:, 3:].view(9, 3, 6)[:, active])
        open_levels.append(len(active))
    assert open_levels == [1, 1, 2, 3, 3, 3]


# Frusta


def test_frustum_weights_match_their_formula() -> None:
    vertices, centre = points(5, 8, 3), points(5, 3)
    found = frustum_weights(vertices, centre, torch.tensor(3.0).double())
    for n in range(5):
        raw = [math.exp(-3 * math.dist(v, centre[n].tolist())) for v in vertices[n].tolist()]
        expected = [value / sum(raw) for value in raw]
        assert found[n].tolist() == pytest.approx(expected, rel=1e-12)


def test_frustum_weights_survive_long_frusta() -> None:
    far = torch.full((8, 3), 100.0)
    assert frustum_weights(far, torch.zeros(3), torch.tensor(80.0)).tolist() == [0.125] * 8


def test_frustum_vertices_lie_on_the_corner_rays() -> None:
    origin, corners = points(6, 3), points(6, 4, 3)
    near, far = torch.rand(6, dtype=torch.float64), 1 + torch.rand(6, dtype=torch.float64)
    found = frustum_vertices(origin, corners, near, far)
    for corner in range(4):
        for at, depth in ((corner, near), (4 + corner, far)):
            expected = origin + depth[:, None] * corners[:, corner]
            torch.testing.assert_close(found[:, at], expected)


def test_a_frustum_blends_the_features_of_its_vertices() -> None:
    encoding = small(decay=5.0)
    centre = points(4, 3)
    vertices = centre[:, None] + 0.1 * points(4, 8, 3)
    weights = frustum_weights(vertices, centre, torch.tensor(5.0).double())
    features = (weights[..., None] * encoding(vertices)[..., 3:]).sum(dim=1)
    torch.testing.assert_close(
        encoding.encode_frustum(vertices, centre), torch.cat((centre, features), dim=-1)
    )
    shrunk = centre[:, None].expand(4, 8, 3)
    torch.testing.assert_close(encoding.encode_frustum(shrunk, centre), encoding(centre))


def test_the_decay_is_trained() -> None:
    encoding, centre = small(decay=5.0), points(4, 3)
    encoding.encode_frustum(centre[:, None] + 0.1 * points(4, 8, 3), centre).sum().backward()
    assert encoding.decay.grad.abs() > 0
    assert encoding.decay.item() == 5.0
    assert TriPlane(3).decay.item() == 80.0


def test_wide_frusta_see_less_detail() -> None:
    """A wave that a point sees whole is averaged away where a frustum spans its period."""
    encoding = small(
        n_levels=1, n_features=1, base_resolution=65, finest_resolution=65, blur=0.0, decay=1e-3
    )
    along = torch.linspace(-1, 1, 65, dtype=torch.float64)
    with torch.no_grad():
        encoding.planes[0].copy_((8 * math.pi * along).cos().expand(3, 1, 65, 65))
    centre = torch.stack((torch.linspace(-0.5, 0.5, 41).double(), *torch.zeros(2, 41).double()), -1)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0]).double()] * 3)
    amplitude = []
    for side in (1e-6, 0.03, 0.0625):  # half sides; the period is 1/4
        seen = encoding.encode_frustum(centre[:, None] + side * signs, centre)[:, 3]
        amplitude.append((seen.max() - seen.min()).item() / 2)
    assert amplitude[0] == pytest.approx(1.0, abs=0.02)
    expected = [math.cos(8 * math.pi * side) for side in (0.03, 0.0625)]
    assert amplitude[1:] == pytest.approx(expected, abs=0.03)


def test_blur_lowers_a_wave_as_a_gaussian_does() -> None:
    wave = (2 * math.pi * torch.arange(64, dtype=torch.float64) / 8).cos()
    lowered = gaussian_blur(wave.expand(1, 1, 64, 64), 1.5)[0, 0, 32]
    transfer = math.exp(-0.5 * (1.5 * 2 * math.pi / 8) ** 2)
    torch.testing.assert_close(lowered[8:-8], transfer * wave[8:-8], atol=1e-3, rtol=0)


def test_initial_values_settings_and_state() -> None:
    first, second = small(), small()
    assert all(torch.equal(a, b) for a, b in zip(first.planes, second.planes, strict=True))
    other = small(generator=seeded(1))
    other.load_state_dict(first.state_dict())
    assert torch.equal(other(points(3, 3)), first(points(3, 3)))
    plain = {"kind": "triplane", "n_levels": 2, "finest_resolution": 32}
    field = build_field(
        FieldSettings.model_validate({"encoding": plain, "network": {"kind": "relu"}}), 2, 3
    )
    assert field(torch.zeros(5, 2)).shape == (5, 3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: small(4), r"`in_features` \(=4\) must be 2 or 3"),
        (lambda: small(n_levels=0), r"`n_levels` \(=0\)"),
        (lambda: small(finest_resolution=3), r"`finest_resolution` \(=3\) must be an integer of"),
        (lambda: small(blur=-1.0), r"`blur` \(=-1.0\)"),
        (lambda: small(decay=0.0), r"`decay` \(=0.0\)"),
        (
            lambda: FieldSettings.model_validate(
                {"encoding": {"kind": "triplane", "finest_resolution": 8}}
            ),
            r"finest_resolution \(=8\) must be at least base_resolution \(=16\)",
        ),
    ],
)
def test_planes_that_cannot_be(build: object, message: str) -> None:
    with pytest.raises((InputError, ValueError), match=message):
        build()
