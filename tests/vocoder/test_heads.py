"""Heads: formulas against plain loops and torch's own inverse, lengths, clipping."""

import math

import pytest
import torch

from passband.frequency import stft
from passband.vocoder import IMDCTCosHead, IMDCTSymExpHead, InverseMDCT, ISTFTHead, LinearHead


def polar_values(spectrum: torch.Tensor) -> torch.Tensor:
    """What a projection would have to give for ``spectrum`` ``(batch, bins, frames)``."""
    parts = (spectrum.abs().clamp(min=1e-30).log(), spectrum.angle())
    return torch.cat(parts, dim=1).mT


@pytest.mark.parametrize(("n_fft", "hop"), [(64, 16), (64, 24), (50, 20), (32, 16)])
@pytest.mark.parametrize("padding", ["center", "same"])
def test_istft_head_gives_a_signal_back_from_its_spectrum(
    n_fft: int, hop: int, padding: str
) -> None:
    head = ISTFTHead(4, n_fft, hop, padding).double()
    x = 0.5 * torch.randn(2, 20 * hop, dtype=torch.float64)
    spectrum = stft(x, n_fft=n_fft, hop_length=hop, padding=padding)
    frames = head.framed(polar_values(spectrum))
    from passband.frequency import overlap_add

    again = head.joined(overlap_add(frames, hop), frames.shape[1])
    assert again.shape == x.shape
    # The window is kept in float32, as published weights have it.
    torch.testing.assert_close(again, x, atol=1e-6, rtol=0)


@pytest.mark.parametrize("length", [None, 100, 145, 159])
def test_istft_head_agrees_with_torch(length: int | None) -> None:
    torch.manual_seed(0)
    head = ISTFTHead(8, 64, 16).double()
    hidden = torch.randn(2, 10, 8, dtype=torch.float64)
    spectrum = head.spectrum(hidden).mT
    expected = torch.istft(spectrum, 64, 16, window=head.istft.window, length=length)
    torch.testing.assert_close(head(hidden, length=length), expected, atol=1e-10, rtol=0)


def test_beyond_one_hop_after_the_last_frame_there_is_silence() -> None:
    head = ISTFTHead(8, 64, 16)
    audio = head(torch.randn(1, 10, 8), length=400)
    assert audio.shape == (1, 400)
    assert audio[0, :160].abs().min() > 0
    assert not audio[0, 160:].any()


def test_magnitudes_are_clipped_at_a_hundred() -> None:
    head = ISTFTHead(2, 64, 16)
    with torch.no_grad():
        head.out.weight.zero_()
        head.out.bias.fill_(10.0)
    assert head.spectrum(torch.randn(1, 3, 2)).abs().max() < 100.001
    with torch.no_grad():
        head.out.bias.fill_(-3.0)
    expected = torch.full((1, 3, 33), math.exp(-3))
    torch.testing.assert_close(head.spectrum(torch.randn(1, 3, 2)).abs(), expected)


def test_inverse_mdct_is_the_sum() -> None:
    torch.manual_seed(0)
    bins = 12
    coefficients = torch.randn(1, 2, bins, dtype=torch.float64)
    ours = InverseMDCT(2 * bins)(coefficients.float()).double()
    n, k = torch.arange(2 * bins).double()[:, None], torch.arange(bins).double()[None]
    basis = torch.cos(math.pi / bins * (n + (bins + 1) / 2) * (k + 0.5))
    window = torch.sin(math.pi * (n[:, 0] + 0.5) / (2 * bins))
    expected = window * math.sqrt(2 / bins) * (coefficients @ basis.mT)
    torch.testing.assert_close(ours, expected, atol=3e-6, rtol=0)


@pytest.mark.parametrize("head", [IMDCTSymExpHead, IMDCTCosHead])
def test_what_is_clipped_is_the_audio(head: type) -> None:
    torch.manual_seed(0)
    free = head(8, 64)
    clipped = head(8, 64, clip_audio=True)
    with torch.no_grad():
        free.out.bias.fill_(2.0)
    clipped.load_state_dict(free.state_dict())
    hidden = torch.randn(2, 10, 8)
    audio = free(hidden)
    assert audio.abs().max() > 1
    assert torch.equal(clipped(hidden), audio.clamp(-1, 1))


def test_coefficients_of_the_two_heads() -> None:
    x = torch.tensor([[[-9.0, -1.0, 0.0, 2.0]]])
    expected = torch.tensor([[[-100.0, 1 - math.e, 0.0, math.e**2 - 1]]])
    torch.testing.assert_close(IMDCTSymExpHead(2, 8).coefficients(x), expected)
    values = torch.tensor([[[1.0, 9.0, 0.5, 0.0]]])
    expected = torch.tensor([[[math.e * math.cos(0.5), 100.0]]])
    torch.testing.assert_close(IMDCTCosHead(2, 4).coefficients(values), expected)


def test_high_bands_begin_quiet() -> None:
    head = IMDCTSymExpHead(64, 128, sample_rate=24000)
    size = head.out.weight.detach().norm(dim=1)
    assert size[-1] == 0
    assert size[0] > 2 * size[55] > 0


def test_linear_head_lays_hops_side_by_side() -> None:
    head = LinearHead(8, 32, 16)
    hidden = torch.randn(2, 5, 8)
    expected = head.linear_2(head.linear_1(hidden)).flatten(1)
    torch.testing.assert_close(head(hidden), expected.clamp(-1, 1))
    with torch.no_grad():
        head.linear_2.weight.mul_(1e4)
    assert head(hidden).abs().max() == 1


@pytest.mark.parametrize("head", [ISTFTHead, IMDCTCosHead, IMDCTSymExpHead])
@pytest.mark.parametrize("padding", ["center", "same"])
def test_natural_lengths(head: type, padding: str) -> None:
    sized = head(8, 64, 32, padding) if head is ISTFTHead else head(8, 64, padding)
    audio = sized(torch.randn(1, 7, 8))
    assert audio.shape[-1] == sized.samples(7) == (6 if padding == "center" else 7) * 32


def test_a_hop_too_long_for_the_window() -> None:
    with pytest.raises(ValueError, match=r"`hop_length` \(=64\)"):
        ISTFTHead(8, 64, 64)


def test_gradients() -> None:
    head = ISTFTHead(2, 16, 4).double()
    hidden = torch.randn(1, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(head, (hidden,))
