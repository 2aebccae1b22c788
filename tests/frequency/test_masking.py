import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from passband.frequency import mask_along_axis, mask_along_axis_iid

EXAMPLES = {"deadline": None, "derandomize": True, "max_examples": 60}


def stretch(masked: torch.Tensor) -> int:
    """Length of the one stretch of ``masked``, which must have no holes."""
    places = masked.nonzero().flatten()
    assert len(places) == 0 or int(places[-1] - places[0]) == len(places) - 1
    return len(places)


@settings(**EXAMPLES)
@given(st.integers(0, 50), st.sampled_from([-2, -1, 1, 2]), st.floats(0, 1), st.integers(0, 99))
def test_one_stretch_is_masked(param: int, axis: int, p: float, seed: int) -> None:
    torch.manual_seed(seed)
    x = torch.ones(3, 20, 30)
    masked = mask_along_axis(x, param, 7.0, axis, p) == 7
    size = x.shape[axis]
    assert torch.equal(x, torch.ones(3, 20, 30))
    lines = masked.all((0, 2 if axis in (-2, 1) else 1))
    assert int(masked.sum()) == int(lines.sum()) * x.numel() // size
    longest = param if p == 1 else min(param, int(p * size))
    assert stretch(lines) <= min(size, longest)


def test_each_of_a_batch_has_its_own() -> None:
    torch.manual_seed(0)
    masked = mask_along_axis_iid(torch.ones(4, 5, 20, 30), 15, 0.0, -1) == 0
    assert all(stretch(lines) < 15 for lines in masked.all(-2).flatten(0, 1))
    assert len(masked.all(-2).flatten(0, 1).unique(dim=0)) > 10


def test_every_length_and_place_comes_up() -> None:
    torch.manual_seed(0)
    masked = mask_along_axis_iid(torch.ones(5000, 1, 8), 5, 0.0, -1)[:, 0] == 0
    counts = masked.sum(-1).bincount(minlength=5)
    assert len(counts) == 5
    assert counts.min() > 850  # a fifth of 5000, less five deviations
    assert masked[:, :-1].float().mean(0).min() > 0.05  # the last is never reached


def test_gradient_stops_at_the_mask() -> None:
    torch.manual_seed(1)
    x = torch.ones(20, 30, requires_grad=True)
    y = mask_along_axis(x, 20, x.mean(), -1)
    assert (y == x.detach()).all()
    (mask_along_axis(x, 20, 0.0, -1) * 2).sum().backward()
    assert set(x.grad.unique().tolist()) == {0.0, 2.0}


@pytest.mark.usefixtures("unchecked")
def test_bad_arguments() -> None:
    x = torch.ones(3, 20, 30)
    with pytest.raises(ValueError, match=r"`axis` \(=0\) must be one of the last two of `x`"):
        mask_along_axis(x, 5, 0.0, 0)
    with pytest.raises(ValueError, match=r"`mask_param` \(=-1\) must be an integer of at least 0"):
        mask_along_axis(x, -1, 0.0, -1)
    with pytest.raises(ValueError, match=r"`p` \(=1.5\) must be 0 to 1"):
        mask_along_axis(x, 5, 0.0, -1, 1.5)
    with pytest.raises(
        ValueError, match=r"`x` \(shape \(20, 30\)\) must be \(\*batch, freq, frames"
    ):
        mask_along_axis_iid(x[0], 5, 0.0, -1)
