import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from passband.frequency import wasserstein_distance


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 80), st.integers(0, 10_000))
def test_scipy(bins: int, seed: int) -> None:
    p, q = np.random.default_rng(seed).random((2, bins)) + 1e-3
    expected = scipy.stats.wasserstein_distance(np.arange(bins), np.arange(bins), p, q)
    ours = wasserstein_distance(torch.from_numpy(p), torch.from_numpy(q))
    assert ours.item() == pytest.approx(expected, abs=1e-12)


def test_a_shift_of_one_bin_costs_one_and_scale_nothing() -> None:
    p = torch.tensor([0.0, 1.0, 2.0, 1.0, 0.0])
    assert wasserstein_distance(p, torch.roll(p, 1)).item() == pytest.approx(1, abs=1e-6)
    assert wasserstein_distance(p, 7 * p).item() == 0


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(2, 20))
def test_metric(bins: int) -> None:
    p, q, r = torch.rand(3, bins, dtype=torch.float64) + 1e-3
    assert wasserstein_distance(p, p) == 0
    torch.testing.assert_close(wasserstein_distance(p, q), wasserstein_distance(q, p))
    through = wasserstein_distance(p, r) + wasserstein_distance(r, q)
    assert wasserstein_distance(p, q) <= through + 1e-12


def test_batches_broadcast() -> None:
    p, q = torch.rand(4, 1, 9, dtype=torch.float64), torch.rand(3, 9, dtype=torch.float64)
    distances = wasserstein_distance(p, q)
    assert distances.shape == (4, 3)
    for i in range(4):
        for j in range(3):
            one = wasserstein_distance(p[i, 0], q[j])
            torch.testing.assert_close(distances[i, j], one, rtol=0, atol=1e-14)


def test_gradients() -> None:
    p, q = (torch.rand(2, 6, dtype=torch.float64).add(0.1).requires_grad_() for _ in range(2))
    assert gradcheck(wasserstein_distance, (p, q))


@pytest.mark.parametrize(
    "weights",
    [
        [1.0, -0.1, 1.0],
        [0.0, 0.0, 0.0],
        [1.0, torch.nan, 1.0],
        [1.0, torch.inf, 1.0],
    ],
)
def test_weights_must_be_weights(weights: list[float]) -> None:
    bad, good = torch.tensor([[1.0, 1.0, 1.0], weights]), torch.ones(3)
    with pytest.raises(ValueError, match=r"`p` \(from .*must hold finite weights of at least 0"):
        wasserstein_distance(bad, good)
    with pytest.raises(ValueError, match=r"`q` \(from .*must hold finite weights of at least 0"):
        wasserstein_distance(good, bad)


@pytest.mark.usefixtures("unchecked")
def test_bins_and_types() -> None:
    with pytest.raises(ValueError, match=r"`p` \(3 bins\) must have as many bins as `q` \(4 bins"):
        wasserstein_distance(torch.ones(3), torch.ones(4))
    with pytest.raises(TypeError, match=r"`q` \(dtype torch.int64\) must be float32 or float64"):
        wasserstein_distance(torch.ones(3), torch.ones(3, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"`p` \(shape \(0,\)\) must have a last axis"):
        wasserstein_distance(torch.ones(0), torch.ones(0))
