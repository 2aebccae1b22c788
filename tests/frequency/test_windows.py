import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from passband.frequency import nola_satisfied, window

NAMES = [
    "hann",
    "hamming",
    "blackman",
    "blackmanharris",
    "nuttall",
    "flattop",
    "bartlett",
    "cosine",
    "boxcar",
    ("kaiser", 8.6),
    ("gaussian", 12.0),
    ("tukey", 0.5),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [1, 2, 63, 64])
@pytest.mark.parametrize("periodic", [True, False])
def test_window_is_scipys(name, length: int, periodic: bool) -> None:
    ours = window(name, length, periodic=periodic, dtype=torch.float64)
    theirs = scipy.signal.get_window(name, length, fftbins=periodic)
    assert torch.equal(ours, torch.from_numpy(theirs))
    single = window(name, length, periodic=periodic)
    assert torch.equal(single, ours.to(torch.float32))


def test_sine_is_cosine() -> None:
    assert torch.equal(window("sine", 10), window("cosine", 10))


def test_hann_is_torchs() -> None:
    theirs = torch.hann_window(512, dtype=torch.float64)
    torch.testing.assert_close(window("hann", 512, dtype=torch.float64), theirs, rtol=0, atol=1e-15)


def test_a_window_is_the_callers_own() -> None:
    window("hann", 8, dtype=torch.float64).zero_()
    assert window("hann", 8, dtype=torch.float64).sum() == 4


@pytest.mark.parametrize("name", ["hanning", ("hann", 1.0), ("chebwin", 60.0)])
def test_unknown_window(name) -> None:
    with pytest.raises(ValueError, match=r"`name` \(=.*must be one of hann, hamming"):
        window(name, 16)


@pytest.mark.parametrize("length", [0, -3])
def test_length_must_be_positive(length: int) -> None:
    with pytest.raises(ValueError, match=rf"`length` \(={length}\) must be a positive integer"):
        window("hann", length)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from(NAMES),
    st.integers(2, 40),
    st.data(),
)
def test_nola_is_scipys(name, length: int, data: st.DataObject) -> None:
    hop = data.draw(st.integers(1, length))
    taper = window(name, length, dtype=torch.float64)
    assert nola_satisfied(taper, hop) == scipy.signal.check_NOLA(
        taper.numpy(), length, length - hop
    )


def test_a_hop_beyond_the_window_leaves_gaps() -> None:
    assert not nola_satisfied(window("boxcar", 8), 9)


def test_nola_hop_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"`hop_length` \(=0\) must be a positive integer"):
        nola_satisfied(window("hann", 8), 0)
