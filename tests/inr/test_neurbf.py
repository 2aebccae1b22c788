"""Adaptive radial basis functions, against float64 loops, scipy and the paper's comparisons."""

import math
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree
from torch import Tensor

from passband.errors import InputError
from passband.inr import FieldSettings, build_field
from passband.inr.encodings import HashGrid, NeuRBF, kernels_for_budget
from passband.inr.encodings._neurbf_clusters import weighted_clusters
from passband.inr.kernels.nearest import NearestIndex
from passband.inr.kernels.neurbf import InverseQuadratic, RadialKernel, Tent
from passband.inr.kernels.neurbf._cpu import compose
from passband.inr.networks import NeuRBFMLP
from passband.inr.targets import grid_coordinates, image_target

KERNELS = [InverseQuadratic(), Tent()]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(n: int, d: int, seed: int = 7, dtype: torch.dtype = torch.float32) -> Tensor:
    return 2 * torch.rand(n, d, generator=seeded(seed), dtype=dtype) - 1


def clustered(n: int, d: int) -> Tensor:
    """Centres as near each other as a fiftieth of the others."""
    spread = points(n, d, 1)
    return torch.cat((spread[: n // 2] * 0.02 + 0.3, spread[n // 2 :]))


def small(d: int = 2, **changes: object) -> NeuRBF:
    arguments = {"n_kernels": 30, "n_features": 6, "generator": seeded(), "multipliers": (0.5, 9.0)}
    encoding = NeuRBF(d, **{**arguments, **changes})
    with torch.no_grad():
        encoding.weights.uniform_(-1, 1, generator=seeded(2))
        encoding.bias.uniform_(-1, 1, generator=seeded(3))
    return encoding


# Nearest centres


@pytest.mark.parametrize(("d", "n", "count"), [(1, 50, 3), (2, 600, 4), (3, 900, 8), (3, 9, 9)])
@pytest.mark.parametrize("arranged", [points, clustered])
def test_nearest_centres_match_scipy(d: int, n: int, count: int, arranged: object) -> None:
    centres = arranged(n, d)
    x = torch.cat((1.5 * points(2000, d), centres + 1e-3))  # some of them outside the cube
    expected, _ = cKDTree(centres.double().numpy()).query(x.double().numpy(), count)
    found = NearestIndex(centres, count)(x)
    distances = (x[:, None] - centres[found]).double().norm(dim=-1).numpy()
    np.testing.assert_allclose(distances, expected.reshape(len(x), -1), atol=1e-6)
    assert all(len(set(row)) == count for row in found.tolist())


def test_nearest_centres_by_brute_force_are_the_same() -> None:
    centres, x = points(80, 2), points(300, 2, 3)
    assert torch.equal(NearestIndex(centres.double(), 5)(x.double()), NearestIndex(centres, 5)(x))


def test_nearest_of_equal_centres() -> None:
    centres = torch.zeros(40, 3)
    found = NearestIndex(centres, 4)(points(10, 3))
    assert all(len(set(row)) == 4 for row in found.tolist())


def test_nearest_of_no_points() -> None:
    for dtype in (torch.float32, torch.float64):
        assert NearestIndex(points(9, 2, dtype=dtype), 2)(torch.zeros(0, 2).to(dtype)).shape == (
            0,
            2,
        )


# Clusters


def test_clusters_match_scipys_where_all_weights_are_one() -> None:
    x = points(500, 2, dtype=torch.float64)
    first = weighted_clusters(x, torch.ones(500), 12, rounds=0, generator=seeded())[0]
    centres, _ = weighted_clusters(x, torch.ones(500), 12, generator=seeded())
    expected, _ = kmeans2(x.numpy(), first.numpy(), iter=10, minit="matrix")
    np.testing.assert_allclose(centres.numpy(), expected, atol=1e-12)


def test_clusters_of_weights_are_those_of_repeated_points() -> None:
    x = points(60, 2, dtype=torch.float64)
    weights = torch.randint(1, 5, (60,), generator=seeded())
    first, _ = weighted_clusters(x, weights.double(), 5, rounds=0, generator=seeded(1))
    repeated = x.repeat_interleave(weights, dim=0).numpy()
    expected, label = kmeans2(repeated, first.numpy(), iter=10, minit="matrix")
    centres, covariances = weighted_clusters(x, weights.double(), 5, generator=seeded(1))
    np.testing.assert_allclose(centres.numpy(), expected, atol=1e-12)
    label = cKDTree(expected).query(repeated)[1]
    for k in range(5):
        own = repeated[label == k] - expected[k]
        np.testing.assert_allclose(covariances[k].numpy(), 2 * own.T @ own / len(own), atol=1e-12)


def test_first_centres_are_drawn_in_proportion_to_the_weights() -> None:
    line = torch.linspace(-1, 1, 1000)[:, None]
    weights = torch.where(line[:, 0] > 0, 3.0, 1.0)
    drawn = torch.cat(
        [weighted_clusters(line, weights, 20, rounds=0, generator=seeded(k))[0] for k in range(50)]
    )
    assert (drawn > 0).float().mean().item() == pytest.approx(0.75, abs=0.05)


def test_clusters_without_weight_keep_their_centre() -> None:
    x = torch.tensor([[-1.0], [-0.9], [0.9]])
    centres, covariances = weighted_clusters(x, torch.tensor([1.0, 0.0, 0.0]), 3)
    assert sorted(centres[:, 0].tolist()) == pytest.approx([-1.0, -0.9, 0.9])
    assert covariances.abs().max() == 0
    assert weighted_clusters(x, torch.zeros(3), 2)[0].isfinite().all()


# Kernels


def test_inverse_quadratic_is_half_at_one_deviation_of_its_ellipse() -> None:
    turn = torch.tensor([[0.8, -0.6], [0.6, 0.8]], dtype=torch.float64)
    covariance = turn @ torch.diag(torch.tensor([0.09, 0.01]).double()) @ turn.T
    shape = InverseQuadratic().shapes(covariance[None], 1e-3, 1.0)
    for offset in (0.3 * turn[:, 0], 0.1 * turn[:, 1]):
        assert InverseQuadratic().values(offset, shape[0]).item() == pytest.approx(0.5)


def test_widths_and_correlations_are_clipped() -> None:
    flat = torch.tensor([[1.0, 1.0], [1.0, 1.0]]).double()[None]  # a line along the diagonal
    xx, xy, yy = InverseQuadratic().shapes(flat, 0.005, 0.2)[0].tolist()
    assert abs(xy) <= 0.9991 * math.sqrt(xx * yy)
    assert xx == pytest.approx((1 / 0.005**2 + 1 / 0.2**2) / 2)
    empty = torch.zeros(1, 2, 2).double()
    assert InverseQuadratic().shapes(empty, 0.01, 0.2)[0].tolist() == pytest.approx([1e4, 0, 1e4])
    assert Tent().shapes(empty, 0.01, 0.2)[0].item() == pytest.approx(50)
    assert Tent().shapes(9 * torch.eye(2)[None], 0.01, 0.2)[0].item() == pytest.approx(2.5)


def loop(encoding: NeuRBF, x: Tensor, nearest: list[list[int]]) -> np.ndarray:
    """The formula, number by number."""
    wide = {name: value.double().numpy() for name, value in encoding.state_dict().items()}
    d = x.shape[1]
    out = np.zeros((len(x), encoding.weights.shape[1]))
    for n, point in enumerate(x.double().numpy()):
        values = []
        for i in nearest[n]:
            offset = point - wide["centres"][i]
            if isinstance(encoding.kernel, Tent):
                sides = [max(0.0, 1 - wide["shapes"][i, 0] * abs(o)) for o in offset]
                values.append(math.prod(sides))
            else:
                matrix = np.zeros((d, d))
                matrix[np.triu_indices(d)] = wide["shapes"][i]
                matrix = matrix + matrix.T - np.diag(matrix.diagonal())
                values.append(1 / (1 + offset @ matrix @ offset))
        total = sum(values) + (0.1 if isinstance(encoding.kernel, Tent) else 1e-8)
        for i, value in zip(nearest[n], values, strict=True):
            out[n] += wide["weights"][i] * np.sin(wide["multipliers"] * value / total)
    return out + wide["bias"]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: type(k).__name__)
@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_all_kernels_match_a_plain_loop(kernel: RadialKernel, d: int, backend: str) -> None:
    encoding = small(d, kernel=kernel, neighbours=30, backend=backend)
    encoding.adapt(points(400, d), torch.rand(400, generator=seeded()), generator=seeded())
    x = points(40, d, 11)
    expected = loop(encoding, x, [list(range(30))] * 40)
    np.testing.assert_allclose(encoding(x).detach().numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: type(k).__name__)
def test_compiled_loops_match_the_reference(kernel: RadialKernel) -> None:
    encoding = small(3, kernel=kernel, n_features=5)
    plain = deepcopy(encoding)
    plain.backend = "reference"
    x, upstream = points(5000, 3), points(5000, 5, 1)
    values = encoding(x), plain(x)
    torch.testing.assert_close(*values, atol=5e-6, rtol=0)
    for value in values:
        value.backward(upstream)
    for name in ("weights", "bias"):
        pair = getattr(encoding, name).grad, getattr(plain, name).grad
        torch.testing.assert_close(*pair, atol=1e-3, rtol=1e-4)


def test_fast_waves_match_float64() -> None:
    values = torch.linspace(0, 1, 4001)[:, None]
    multipliers = torch.tensor([0.125, 30.0, 4096.0])
    found = compose(values, torch.zeros(4001, 1, dtype=torch.int64), torch.ones(1, 3), multipliers)
    error = (found - (values.double() * multipliers.double()).sin()).abs().amax(dim=0)
    # A phase of 4096 rad is rounded to within 2.4e-4 of it.
    assert (error < torch.tensor([1e-6, 6e-6, 6e-4])).all(), error


def test_gradients_come_out_the_same_every_time() -> None:
    encoding, x, upstream = small(2), points(30000, 2), points(30000, 6, 1)
    found = []
    for _ in range(3):
        encoding.weights.grad = None
        encoding(x).backward(upstream)
        found.append(encoding.weights.grad)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: type(k).__name__)
def test_derivatives(kernel: RadialKernel) -> None:
    encoding = small(2, kernel=kernel).double()
    x = points(4, 2, 5, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(encoding, x)
    assert torch.autograd.gradgradcheck(encoding, x)


def test_derivatives_of_compiled_features() -> None:
    encoding, plain = small(2), small(2, backend="reference")
    found = []
    for module in (encoding, plain):
        x = points(50, 2).requires_grad_()
        (slope,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
        slope.square().sum().backward()
        first = points(50, 2).requires_grad_()
        module(first).sum().backward()
        found.append((slope, module.weights.grad, first.grad))
    for pair in zip(*found, strict=True):
        torch.testing.assert_close(*pair, atol=1e-3, rtol=1e-4)


def test_features_fade_at_the_edge_of_the_last_tent() -> None:
    encoding = NeuRBF(1, n_kernels=1, neighbours=1, multipliers=(1.0, 8.0), kernel=Tent())
    encoding.place(torch.zeros(1, 1), torch.full((1, 1, 1), 0.01).double())  # zero beyond 0.2
    with torch.no_grad():
        encoding.weights.fill_(1.0)
        inside, edge = encoding(torch.tensor([[0.1], [0.2 - 1e-6]]))
    assert float(inside.abs().max()) > 0.5
    assert float(edge.abs().max()) < 1e-2


# The encoding


def test_batches_and_the_grid_in_front() -> None:
    grid = HashGrid(2, n_levels=2, log2_hashmap_size=8, finest_resolution=32, init_scale=1.0)
    encoding = small(grid=grid)
    x = points(20, 2)
    expected = torch.cat((grid(x), small()(x) - small().bias), dim=-1) + encoding.bias
    torch.testing.assert_close(encoding(x), expected)
    torch.testing.assert_close(encoding(x.view(4, 5, 2)), expected.view(4, 5, 10))
    assert encoding(x[:0]).shape == (0, 10)
    assert encoding(x[3]).shape == (10,)


def test_adapted_kernels_are_saved_and_loaded() -> None:
    source, target = small(), small(generator=seeded(9))
    x = points(500, 2)
    target(x)  # builds the index of the kernels that are about to be replaced
    source.adapt(x, x[:, 0].clamp_min(0), generator=seeded())
    target.load_state_dict(source.state_dict())
    assert torch.equal(source(x), target(x))
    assert {"centres", "shapes"} <= source.state_dict().keys()
    assert {name for name, _ in source.named_parameters()} == {"weights", "bias"}
    assert source.centres[:, 0].min() > -0.05


def test_same_seed_same_kernels() -> None:
    x, weights = points(500, 2), torch.rand(500, generator=seeded())
    first, second = small(), small()
    for encoding in (first, second):
        encoding.adapt(x, weights, generator=seeded(4))
    assert torch.equal(first.centres, second.centres)
    second.adapt(x, weights, generator=seeded(5))
    assert not torch.equal(first.centres, second.centres)


def test_the_network_matches_its_formula() -> None:
    network = NeuRBFMLP(5, 2, hidden_features=7, hidden_layers=2, generator=seeded()).double()
    x = points(9, 5, dtype=torch.float64)
    w = [p.detach().numpy() for layer in network.layers for p in (layer.weight, layer.bias)]
    h = x.numpy() @ w[0].T + w[1]
    h = h + np.sin(10.0 ** (1 + np.arange(7) / 6) * h)
    h = np.maximum(h @ w[2].T + w[3], 0)
    np.testing.assert_allclose(network(x).detach().numpy(), h @ w[4].T + w[5], atol=1e-5)


def test_settings_build_the_field() -> None:
    plain = {"kind": "neurbf", "n_kernels": 20, "kernel": "tent", "grid": False, "neighbours": 8}
    field = build_field(
        FieldSettings.model_validate({"encoding": plain, "network": {"kind": "neurbf"}}), 3, 1
    )
    assert isinstance(field.encoding, NeuRBF)
    assert isinstance(field.encoding.kernel, Tent)
    assert field.encoding.grid is None
    assert isinstance(field.network, NeuRBFMLP)
    assert field(torch.zeros(5, 3)).shape == (5, 1)


def test_budget() -> None:
    each = 3 + 1 + 16
    assert kernels_for_budget(each * 100 + 1, 3, n_features=16, kernel=Tent()) == 100


# The paper's comparison


def fitted_psnr(encoding: NeuRBF, x: Tensor, y: Tensor, steps: int = 60) -> float:
    network = NeuRBFMLP(encoding.out_features, 3, generator=seeded(1))
    groups = [
        {"params": encoding.parameters(), "lr": 5e-3},
        {"params": network.parameters(), "lr": 1e-2},
    ]
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (network(encoding(x)) - y).square().mean()
        loss.backward()
        optimizer.step()
        schedule.step()
    return 10 * math.log10(4 / loss.item())


def test_adapted_kernels_beat_scattered_ones_on_photographs(data: Path) -> None:
    gains = []
    for name, top, left in (("kodim03", 150, 300), ("kodim04", 250, 150)):
        signal = image_target(str(data / "images" / "kodak" / f"{name}.png")).signal
        crop = signal[:, top : top + 96, left : left + 96]
        x, y = grid_coordinates(torch.arange(96 * 96), (96, 96)), crop.flatten(1).T
        squares = sum(slope.square().sum(dim=0) for slope in torch.gradient(crop, dim=(1, 2)))
        adapted, scattered = (
            NeuRBF(2, n_kernels=256, n_features=16, generator=seeded()) for _ in range(2)
        )
        adapted.adapt(x, squares.sqrt().flatten(), generator=seeded())
        gains.append(fitted_psnr(adapted, x, y) - fitted_psnr(scattered, x, y))
    assert sum(gains) / 2 > 0.7, gains


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: small(n_kernels=3), r"`n_kernels` \(=3\) must be an integer of at least 4"),
        (lambda: small(neighbours=0), r"`neighbours` \(=0\)"),
        (lambda: small(multipliers=(0.0, 1.0)), r"`low` \(=0.0\) must be a positive"),
        (lambda: small().adapt(points(9, 2), torch.ones(9)), r"`count` \(=30\) must be between"),
        (lambda: small().adapt(points(50, 2), -torch.ones(50)), "`weights` must be finite"),
        (lambda: small().place(points(9, 2), torch.eye(2).expand(9, 2, 2)), r"shape \(30, 2\)"),
        (lambda: kernels_for_budget(30, 2), r"`budget` \(=30\) must be at least 37"),
        (lambda: NeuRBFMLP(4, 1, hidden_layers=0), r"`hidden_layers` \(=0\)"),
        (lambda: small(backend="cpu").double()(points(3, 2).double()), "float32 tensors"),
        (lambda: NearestIndex(points(3, 2), 4), r"`count` \(=4\) must be between 1 and"),
        (lambda: NearestIndex(points(3, 2) * math.nan, 1), "`centres` must be finite"),
        (
            lambda: FieldSettings.model_validate({"encoding": {"kind": "neurbf", "n_kernels": 2}}),
            r"n_kernels \(=2\) must be at least neighbours \(=4\)",
        ),
    ],
)
def test_what_cannot_be(build: object, message: str) -> None:
    with pytest.raises((InputError, ValueError), match=message):
        build()
