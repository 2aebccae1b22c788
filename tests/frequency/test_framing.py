import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import fold

from passband.frequency import frame, overlap_add

SIZES = [(8, 2), (8, 3), (7, 4), (5, 5), (4, 7), (6, 1)]


@pytest.mark.parametrize(("length", "hop"), SIZES)
def test_frame_is_slices_of_the_signal(length: int, hop: int) -> None:
    x = torch.randn(2, 3, 31)
    frames = frame(x, length, hop)
    starts = range(0, 31 - length + 1, hop)
    expected = torch.stack([x[..., s : s + length] for s in starts], dim=-2)
    assert torch.equal(frames, expected)


def test_frame_copies_nothing() -> None:
    x = torch.zeros(20)
    frames = frame(x, 8, 4)
    assert frames.data_ptr() == x.data_ptr()
    x[5] = 1
    assert frames[0, 5] == frames[1, 1] == 1


@pytest.mark.parametrize(("length", "hop"), SIZES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_overlap_add_is_fold(length: int, hop: int, dtype: torch.dtype) -> None:
    frames = torch.randn(3, 9, length, dtype=dtype)
    time = 8 * hop + length
    theirs = fold(frames.mT, (1, time), (1, length), stride=(1, hop))[:, 0, 0]
    ours = overlap_add(frames, hop)
    assert ours.shape == (3, time)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5 if dtype == torch.float32 else 1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 12), st.integers(1, 14), st.integers(1, 6))
def test_overlap_add_is_the_adjoint_of_frame(length: int, hop: int, count: int) -> None:
    generator = torch.Generator().manual_seed(length * 1000 + hop * 10 + count)
    time = (count - 1) * hop + length
    x = torch.randn(2, time, dtype=torch.float64, generator=generator)
    y = torch.randn(2, count, length, dtype=torch.float64, generator=generator)
    left = (frame(x, length, hop) * y).sum()
    right = (x * overlap_add(y, hop)).sum()
    torch.testing.assert_close(left, right, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("length", "hop"), SIZES)
def test_gradients(length: int, hop: int) -> None:
    frames = torch.randn(2, 3, length, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda f: overlap_add(f, hop), frames, check_batched_grad=True)
    assert gradgradcheck(lambda f: overlap_add(f, hop).square(), frames)
    x = torch.randn(2, 2 * hop + length, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: frame(x, length, hop), x)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # torch's own
def test_forward_mode_is_the_map_itself() -> None:
    frames, tangent = torch.randn(2, 2, 3, 8)
    _, derivative = torch.func.jvp(lambda f: overlap_add(f, 3), (frames,), (tangent,))
    assert torch.equal(derivative, overlap_add(tangent, 3))


def test_vmap_is_the_batch() -> None:
    frames = torch.randn(4, 3, 8)
    mapped = torch.func.vmap(lambda f: overlap_add(f, 3))(frames)
    assert torch.equal(mapped, overlap_add(frames, 3))


def test_errors() -> None:
    x = torch.zeros(10)
    with pytest.raises(ValueError, match=r"`frame_length` \(=11\) must be at most the 10 samples"):
        frame(x, 11, 2)
    with pytest.raises(ValueError, match=r"`frame_length` \(=0\) must be a positive integer"):
        frame(x, 0, 2)
    with pytest.raises(ValueError, match=r"`hop_length` \(=0\) must be a positive integer"):
        frame(x, 4, 0)
    with pytest.raises(ValueError, match=r"`hop_length` \(=0\) must be a positive integer"):
        overlap_add(torch.zeros(2, 4), 0)
    with pytest.raises(ValueError, match=r"`frames` \(shape \(0, 4\)\) must be"):
        overlap_add(torch.zeros(0, 4), 2)
