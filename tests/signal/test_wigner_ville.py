import pytest
import torch

from passband.frequency import analytic_signal, pseudo_wigner_ville
from passband.signal import PseudoWignerVille, SmoothedPseudoWignerVille, WignerVille


def test_the_window_is_the_longest_that_fits() -> None:
    x = torch.randn(300, dtype=torch.float64)
    for n_fft, length in ((32, 31), (33, 33)):
        window = torch.hann_window(length, periodic=False, dtype=torch.float64)
        expected = pseudo_wigner_ville(analytic_signal(x), window, n_fft=n_fft, hop_length=8)
        torch.testing.assert_close(PseudoWignerVille(n_fft, 8)(x), expected, rtol=0, atol=1e-12)


def test_smoothing_keeps_the_energy() -> None:
    x = torch.randn(600, dtype=torch.float64)
    x[:100], x[-100:] = 0, 0
    pseudo = PseudoWignerVille(64, 1)(x)
    smoothed = SmoothedPseudoWignerVille(64, 1, time_length=21)(x)
    torch.testing.assert_close(smoothed.sum(), pseudo.sum(), rtol=1e-3, atol=0)
    assert smoothed.square().sum() < 0.5 * pseudo.square().sum()


def test_trainable_windows() -> None:
    transform = SmoothedPseudoWignerVille(32, 16, time_length=9, trainable=True)
    assert transform.state_dict().keys() == {"lag_window", "time_window"}
    transform(torch.randn(2, 300)).square().mean().backward()
    assert all(part.grad.abs().sum() > 0 for part in transform.parameters())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WignerVille(0), r"`hop_length` \(=0\) must be a positive integer"),
        (lambda: PseudoWignerVille(0), r"`n_fft` \(=0\) must be a positive integer"),
        (lambda: PseudoWignerVille(64, 0), r"`hop_length` \(=0\) must be a positive integer"),
        (lambda: PseudoWignerVille(64, win_length=65), r"`n_fft` \(=64\) must be at least the 65"),
        (lambda: PseudoWignerVille(64, win_length=32), r"`win_length` \(of 32 samples\) must have"),
        (lambda: PseudoWignerVille(64, window="x"), r"`name` \(='x'\) must be one of hann"),
        (
            lambda: SmoothedPseudoWignerVille(64, time_length=8),
            r"`time_window` \(of 8 samples\) must have an odd number",
        ),
        (
            lambda: SmoothedPseudoWignerVille(64, time_length=0),
            r"`time_length` \(=0\) must be a positive integer",
        ),
    ],
)
def test_errors(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
