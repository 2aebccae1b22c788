import numpy as np
import pytest
import scipy.signal
import torch

from passband.signal import AdaptiveMultitaper, Multitaper, MultitaperSpectrogram


def test_a_real_length_of_noise() -> None:
    """The level of `scipy.signal.welch`, with a seventh of a periodogram's variance."""
    x = np.random.default_rng(0).standard_normal(8192)
    _, welch = scipy.signal.welch(x, 8000, nperseg=1024)
    for transform in (Multitaper(8192, 8000), AdaptiveMultitaper(8192, 8000)):
        density = transform(torch.from_numpy(x))
        assert abs(float(density[20:-20].mean()) / welch[5:-5].mean() - 1) < 0.05
    frames = MultitaperSpectrogram(8000, 1024)(torch.from_numpy(x))
    assert abs(float(frames[5:-5].mean()) / welch[5:-5].mean() - 1) < 0.05


def test_trainable_tapers() -> None:
    transform = MultitaperSpectrogram(8000, 64, trainable=True)
    assert transform.state_dict().keys() == {"tapers"}
    transform(torch.randn(2, 500)).log().mean().backward()
    assert transform.tapers.grad.isfinite().all()
    assert not MultitaperSpectrogram(8000, 64).state_dict()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Multitaper(0), r"`win_length` \(=0\) must be a positive integer"),
        (lambda: Multitaper(100, 0), r"`sample_rate` \(=0 Hz\) must be above 0"),
        (
            lambda: Multitaper(100, n_fft=99),
            r"`win_length` \(=100\) must be at most `n_fft` \(=99\)",
        ),
        (lambda: Multitaper(6), r"`bandwidth` \(=4\) must be above 0 and below half the length 3"),
        (lambda: Multitaper(100, n_tapers=101), r"`n_tapers` \(=101\) must be 1 to the 100"),
        (lambda: Multitaper(100, weighting="x"), r"`weighting` \(='x'\) must be one of unity"),
        (lambda: AdaptiveMultitaper(100, n_iter=0), r"`n_iter` \(=0\) must be at least 1"),
        (lambda: MultitaperSpectrogram(hop_length=0), r"`hop_length` \(=0\) must be a positive"),
        (lambda: MultitaperSpectrogram(n_fft=0), r"`n_fft` \(=0\) must be a positive integer"),
        (lambda: MultitaperSpectrogram(win_length=4096), r"`win_length` \(=4096\) must be at most"),
        (lambda: MultitaperSpectrogram(pad_mode="x"), r"`pad_mode` \(='x'\) must be one of"),
        (lambda: Multitaper(100)(torch.zeros(99)), r"`tapers` \(of 100 samples\) must be as long"),
    ],
)
def test_errors(make, message: str) -> None:
    import jaxtyping

    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        with pytest.raises(ValueError, match=message):
            make()
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
