import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import _median, running_median


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def loop(x: Tensor, size: int) -> Tensor:
    padded = np.pad(x.numpy(), (size // 2, (size - 1) // 2), mode="symmetric")
    windows = [sorted(padded[t : t + size]) for t in range(len(x))]
    return torch.tensor([values[size // 2] for values in windows], dtype=x.dtype)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(1, 90))
def test_is_the_sorted_middle(time: int, size: int) -> None:
    x = noise(time)
    assert torch.equal(running_median(x, size), loop(x, size))


def test_blocks_are_bounded_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(3, 5, 50)
    expected = running_median(x, 7)
    largest = 0
    kthvalue = Tensor.kthvalue

    def watched(self: Tensor, k: int):
        nonlocal largest
        largest = max(largest, self.numel())
        return kthvalue(self, k)

    monkeypatch.setattr(Tensor, "kthvalue", watched)
    for most in (7, 100, 1000):
        largest = 0
        monkeypatch.setattr(_median, "_MOST_VALUES", most)
        assert torch.equal(running_median(x, 7), expected)
        assert largest <= most


def test_gradient_goes_to_the_median() -> None:
    x = torch.tensor([1.0, 9.0, 2.0, 3.0, 0.0], dtype=torch.float64, requires_grad=True)
    running_median(x, 3)[2].backward()
    assert x.grad.tolist() == [0, 0, 0, 1, 0]
    assert gradcheck(lambda x: running_median(x, 5), noise(2, 12).requires_grad_())


def test_batch_vmap_and_monotone_maps() -> None:
    x = noise(3, 30)
    whole = running_median(x, 5)
    assert torch.equal(whole, torch.stack([running_median(row, 5) for row in x]))
    assert torch.equal(torch.func.vmap(lambda row: running_median(row, 5))(x), whole)
    torch.testing.assert_close(running_median(x.exp(), 5), whole.exp())
    assert torch.equal(running_median(x.flip(-1), 5), whole.flip(-1))


@pytest.mark.usefixtures("unchecked")
def test_errors() -> None:
    with pytest.raises(ValueError, match=r"`size` \(=0\) must be a positive integer"):
        running_median(torch.ones(5), 0)
    with pytest.raises(ValueError, match=r"`x` \(shape \(0,\)\) must have a last axis"):
        running_median(torch.ones(0), 3)
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int64\) must be float32 or float64"):
        running_median(torch.ones(5, dtype=torch.int64), 3)
