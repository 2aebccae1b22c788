import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.functional import pad

from passband.frequency import istft, magnitude, nola_satisfied, stft, window

EXACT = {torch.float32: 1e-6, torch.float64: 1e-12}
WINDOWS = ["hann", "hamming", "blackman", "boxcar", "cosine", ("kaiser", 6.0), ("tukey", 0.3)]


def noise(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed)) - 0.5


def round_trip(x: Tensor, **settings: object) -> Tensor:
    pad_mode = settings.pop("pad_mode", "reflect")
    spectrum = stft(x, pad_mode=pad_mode, **settings)
    return istft(spectrum, length=x.shape[-1], **settings)


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize(
    ("n_fft", "hop", "win"), [(16, 4, 16), (16, 5, 11), (15, 4, 15), (8, 11, 8)]
)
def test_stft_is_its_definition(n_fft: int, hop: int, win: int, normalized: bool) -> None:
    x = noise(2, 50)
    taper = torch.zeros(n_fft, dtype=torch.float64)
    taper[(n_fft - win) // 2 :][:win] = torch.hann_window(win, dtype=torch.float64)
    f = torch.arange(n_fft // 2 + 1, dtype=torch.float64)[:, None]
    kernel = torch.exp(-2j * torch.pi * f * torch.arange(n_fft) / n_fft) * taper
    if normalized:
        kernel = kernel / n_fft**0.5
    starts = range(0, 50 - n_fft + 1, hop)
    expected = torch.stack([(x[:, s : s + n_fft] + 0j) @ kernel.mT for s in starts], dim=-1)
    ours = stft(
        x, n_fft=n_fft, hop_length=hop, win_length=win, padding="valid", normalized=normalized
    )
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("pad_mode", ["reflect", "constant", "replicate", "circular"])
@pytest.mark.parametrize("n_fft", [16, 15])
def test_center_pads_half_a_frame(n_fft: int, pad_mode: str) -> None:
    x = noise(2, 3, 40)
    padded = pad(x, (n_fft // 2, n_fft // 2), mode=pad_mode)
    ours = stft(x, n_fft=n_fft, hop_length=4, pad_mode=pad_mode)
    assert torch.equal(ours, stft(padded, n_fft=n_fft, hop_length=4, padding="valid"))


@pytest.mark.parametrize(("n_fft", "hop"), [(16, 4), (1024, 256), (20, 20), (15, 5)])
def test_same_is_the_vocoders_stft(n_fft: int, hop: int) -> None:
    x = noise(2, hop * 12)
    margin = (n_fft - hop) // 2
    padded = pad(x, (margin, n_fft - hop - margin), mode="reflect")
    ours = stft(x, n_fft=n_fft, hop_length=hop, padding="same")
    assert ours.shape == (2, n_fft // 2 + 1, 12)
    assert torch.equal(ours, stft(padded, n_fft=n_fft, hop_length=hop, padding="valid"))


@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (64, 16), (64, 63), (64, 64)])
def test_same_istft_is_the_vocoders_synthesis(n_fft: int, hop: int) -> None:
    """The frames folded, trimmed and divided by the folded squared window."""
    name = "boxcar" if hop >= n_fft - 1 else "hann"
    spectrum = torch.randn(2, n_fft // 2 + 1, 9, dtype=torch.complex128)
    taper = window(name, n_fft, dtype=torch.float64)
    frames = torch.fft.irfft(spectrum, n=n_fft, dim=1) * taper[:, None]
    total = 8 * hop + n_fft

    def fold(columns: Tensor) -> Tensor:
        folded = torch.nn.functional.fold(columns, (1, total), (1, n_fft), stride=(1, hop))
        return folded[:, 0, 0, (n_fft - hop) // 2 :][:, : 9 * hop]

    expected = fold(frames) / fold(taper.square()[None, :, None].expand(1, n_fft, 9))
    ours = istft(spectrum, n_fft=n_fft, hop_length=hop, window=name, padding="same")
    assert ours.shape == (2, 9 * hop)  # also where the trim is 0
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("padding", ["center", "same"])
@pytest.mark.parametrize("time", [1, 5, 63, 64, 65, 100, 999, 1000, 1023])
@pytest.mark.parametrize(("n_fft", "hop", "win"), [(64, 16, 64), (64, 17, 64), (63, 15, 50)])
def test_round_trip(
    dtype: torch.dtype, padding: str, time: int, n_fft: int, hop: int, win: int
) -> None:
    x = noise(2, time, dtype=dtype)
    y = round_trip(
        x, n_fft=n_fft, hop_length=hop, win_length=win, padding=padding, pad_mode="constant"
    )
    assert y.shape == x.shape
    assert y.dtype == dtype
    torch.testing.assert_close(y, x, rtol=0, atol=EXACT[dtype])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(8, 40), st.sampled_from(WINDOWS), st.sampled_from(["center", "same"]), st.data())
def test_every_window_and_hop_round_trips(n_fft: int, name, padding: str, data) -> None:
    # Beyond half a frame, `center` has samples after its last frame, as torch has.
    hop = data.draw(st.integers(1, max(1, n_fft // 2)))
    time = data.draw(st.integers(1, 200))
    taper = window(name, n_fft, dtype=torch.float64)
    assume(nola_satisfied(taper, hop, tol=1e-3))
    # The least weight with which the window still sees the last samples of `center`.
    reach = taper[n_fft // 2 :][: (time - n_fft % 2) % hop + 1].min() if padding == "center" else 1
    x = noise(time)
    y = round_trip(
        x, n_fft=n_fft, hop_length=hop, window=name, padding=padding, pad_mode="constant"
    )
    torch.testing.assert_close(y, x, rtol=0, atol=max(1e-12, 1e-14 / float(reach)))


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("hop", [1, 24, 33, 48])
def test_same_round_trips_at_any_covering_hop(name, hop: int) -> None:
    x = noise(3, 500)
    y = round_trip(x, n_fft=48, hop_length=hop, window="boxcar", padding="same")
    torch.testing.assert_close(y, x, rtol=0, atol=1e-12)
    if hop < 48:
        y = round_trip(x, n_fft=48, hop_length=hop, window=name, padding="same")
        torch.testing.assert_close(y, x, rtol=0, atol=1e-12)


def test_valid_reconstructs_what_its_frames_see() -> None:
    x = noise(101)
    y = istft(
        stft(x, n_fft=16, hop_length=4, padding="valid"), n_fft=16, hop_length=4, padding="valid"
    )
    assert y.shape == (100,)
    assert y[0] == 0  # the Hann window is 0 there
    torch.testing.assert_close(y[1:], x[1:100], rtol=0, atol=1e-12)


@pytest.mark.parametrize("padding", ["center", "same", "valid"])
@pytest.mark.parametrize("length", [1, 50, 97, 128, 1000])
def test_length_is_honoured(padding: str, length: int) -> None:
    x = noise(2, 128)
    spectrum = stft(x, n_fft=32, hop_length=8, padding=padding, pad_mode="constant")
    y = istft(spectrum, n_fft=32, hop_length=8, padding=padding, length=length)
    assert y.shape == (2, length)
    shared = min(length, 128)
    first = 1 if padding == "valid" else 0
    torch.testing.assert_close(y[:, first:shared], x[:, first:shared], rtol=0, atol=1e-12)
    assert not y[:, 200:].any()


def test_natural_lengths() -> None:
    for n_fft, extra in ((16, 0), (15, 1)):
        spectrum = torch.randn(n_fft // 2 + 1, 7, dtype=torch.complex64)
        assert istft(spectrum, n_fft=n_fft, hop_length=4).shape == (6 * 4 + extra,)
        assert istft(spectrum, n_fft=n_fft, hop_length=4, padding="same").shape == (7 * 4,)
        assert istft(spectrum, n_fft=n_fft, hop_length=4, padding="valid").shape == (6 * 4 + n_fft,)


def test_hop_and_window_defaults() -> None:
    x = noise(100)
    given = stft(x, n_fft=32, hop_length=8, win_length=32, window=torch.hann_window(32))
    torch.testing.assert_close(stft(x, n_fft=32), given, rtol=0, atol=1e-5)
    short = torch.hann_window(20, dtype=torch.float64)
    by_name = stft(x, n_fft=32, win_length=20)
    torch.testing.assert_close(stft(x, n_fft=32, window=short), by_name, rtol=0, atol=1e-14)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.floats(-3, 3), st.floats(-3, 3), st.sampled_from(["center", "same", "valid"]))
def test_linear(a: float, b: float, padding: str) -> None:
    x, y = noise(2, 80)
    spectra = [stft(z, n_fft=16, padding=padding) for z in (a * x + b * y, x, y)]
    torch.testing.assert_close(spectra[0], a * spectra[1] + b * spectra[2], rtol=0, atol=1e-12)


def test_frames_of_a_boxcar_keep_the_energy() -> None:
    x = noise(160)
    spectrum = stft(x, n_fft=16, hop_length=16, window="boxcar", padding="valid", normalized=True)
    both = 2 * spectrum.abs().square().sum(0)
    both -= spectrum[0].abs().square() + spectrum[-1].abs().square()
    torch.testing.assert_close(both.sum(), x.square().sum(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("padding", ["center", "same", "valid"])
def test_a_batch_is_its_elements(padding: str) -> None:
    x = noise(2, 3, 100, dtype=torch.float32)
    spectrum = stft(x, n_fft=32, hop_length=8, padding=padding)
    y = istft(spectrum, n_fft=32, hop_length=8, padding=padding)
    for i in range(2):
        for j in range(3):
            one = stft(x[i, j], n_fft=32, hop_length=8, padding=padding)
            torch.testing.assert_close(spectrum[i, j], one, rtol=0, atol=1e-6)
            back = istft(one, n_fft=32, hop_length=8, padding=padding)
            torch.testing.assert_close(y[i, j], back, rtol=0, atol=1e-6)


@pytest.mark.parametrize("padding", ["center", "same"])
@pytest.mark.parametrize(("n_fft", "hop"), [(8, 2), (8, 3), (7, 2)])
def test_gradients(padding: str, n_fft: int, hop: int) -> None:
    x = noise(11).requires_grad_()
    taper = (window("hamming", n_fft, dtype=torch.float64)).requires_grad_()

    def forward(x: Tensor, taper: Tensor) -> Tensor:
        return stft(x, n_fft=n_fft, hop_length=hop, window=taper, padding=padding)

    def inverse(s: Tensor, taper: Tensor) -> Tensor:
        return istft(s, n_fft=n_fft, hop_length=hop, window=taper, padding=padding, length=9)

    assert gradcheck(forward, (x, taper))
    spectrum = torch.randn(n_fft // 2 + 1, 3, dtype=torch.complex128, requires_grad=True)
    assert gradcheck(inverse, (spectrum, taper))
    assert gradgradcheck(inverse, (spectrum, taper), fast_mode=True)
    assert gradcheck(lambda x: magnitude(forward(x, taper.detach())), x)


def test_nan_passes_through() -> None:
    x = noise(100)
    x[50] = torch.nan
    assert stft(x, n_fft=16).isnan().any()


def spectrum_of(n_fft: int, frames: int = 5) -> Tensor:
    return torch.ones(n_fft // 2 + 1, frames, dtype=torch.complex64)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_fft": 0}, r"`n_fft` \(=0\) must be a positive integer"),
        ({"n_fft": 16, "hop_length": 0}, r"`hop_length` \(=0\) must be a positive integer"),
        ({"n_fft": 16, "win_length": 17}, r"`win_length` \(=17\) must be at most `n_fft` \(=16\)"),
        ({"n_fft": 16, "win_length": 0}, r"`win_length` \(=0\) must be a positive integer"),
        ({"n_fft": 16, "window": torch.ones(17)}, r"`win_length` \(=17\) must be at most `n_fft`"),
        (
            {"n_fft": 16, "window": torch.ones(12), "win_length": 16},
            r"`window` \(shape \(12,\)\) must have `win_length` \(=16\)",
        ),
        ({"n_fft": 16, "window": "hanning"}, r"`name` \(='hanning'\) must be one of"),
        (
            {"n_fft": 16, "hop_length": 17, "padding": "same"},
            r"`hop_length` \(=17\) must be at most `n_fft` \(=16\) under padding='same'",
        ),
    ],
)
def test_errors_of_both_directions(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stft(torch.zeros(100), **settings)
    with pytest.raises(ValueError, match=message):
        istft(spectrum_of(settings["n_fft"]), **settings)


def test_too_short_for_its_padding() -> None:
    with pytest.raises(ValueError, match=r"`x` \(time 8\) must have at least 9 .*'constant'"):
        stft(torch.zeros(8), n_fft=16)
    with pytest.raises(ValueError, match=r"`x` \(time 7\) must have at least 8 .*'constant'"):
        stft(torch.zeros(7), n_fft=16, pad_mode="circular")
    with pytest.raises(ValueError, match=r"`x` \(time 6\) must have at least 9"):
        stft(torch.zeros(6), n_fft=16, hop_length=4, padding="same")
    with pytest.raises(ValueError, match=r"`n_fft` \(=16\) must be at most the 15 samples"):
        stft(torch.zeros(15), n_fft=16, padding="valid")
    with pytest.raises(ValueError, match=r"`x` \(shape \(2, 0\)\) must have a last axis"):
        stft(torch.zeros(2, 0), n_fft=16)


@pytest.mark.parametrize(
    ("name", "hop", "padding"),
    [("hann", 16, "center"), ("boxcar", 17, "valid"), ("hann", 16, "same"), ("hann", 15, "same")],
)
def test_nola(name: str, hop: int, padding: str) -> None:
    with pytest.raises(ValueError, match=rf"`hop_length` \(={hop}\) must be small enough .*NOLA"):
        istft(spectrum_of(16), n_fft=16, hop_length=hop, window=name, padding=padding)


def test_istft_shape_errors() -> None:
    with pytest.raises(ValueError, match=r"`spectrum` \(shape \(8, 5\)\) must be \(\*batch, 9, f"):
        istft(torch.zeros(8, 5, dtype=torch.complex64), n_fft=16)
    with pytest.raises(ValueError, match=r"`spectrum` \(shape \(9, 0\)\) must be"):
        istft(torch.zeros(9, 0, dtype=torch.complex64), n_fft=16)
    with pytest.raises(ValueError, match=r"`length` \(=0\) must be a positive integer"):
        istft(spectrum_of(16), n_fft=16, length=0)


@pytest.mark.usefixtures("unchecked")
def test_type_errors() -> None:
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int64\) must be float32 or float64"):
        stft(torch.zeros(100, dtype=torch.int64), n_fft=16)
    with pytest.raises(TypeError, match=r"`spectrum` \(dtype torch.float32\) must be complex64"):
        istft(torch.zeros(9, 5), n_fft=16)
    with pytest.raises(ValueError, match=r"`padding` \(='full'\) must be one of center, same"):
        stft(torch.zeros(100), n_fft=16, padding="full")
    with pytest.raises(ValueError, match=r"`pad_mode` \(='zeros'\) must be one of reflect"):
        stft(torch.zeros(100), n_fft=16, pad_mode="zeros")
    with pytest.raises(ValueError, match=r"`hop_length` \(=2.5\) must be a positive integer"):
        stft(torch.zeros(100), n_fft=16, hop_length=2.5)
