import math

import pytest
import torch

from passband.frequency import bin_frequencies


@pytest.mark.parametrize("scale", ["log", "log2"])
def test_logarithmic_bins_have_one_ratio(scale: str) -> None:
    hertz = bin_frequencies(22050, 50.0, 6000.0, 512, scale)
    assert hertz[0] == 50
    ratio = math.exp(math.log(6000 / 50) / 512)
    torch.testing.assert_close(hertz[1:] / hertz[:-1], torch.full((511,), ratio).double())


def test_linear_bins_have_one_step() -> None:
    hertz = bin_frequencies(22050, 0.0, 6000.0, 60, "linear")
    torch.testing.assert_close(hertz, torch.arange(60).double() * 100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((22050, 50.0, 12000.0, 8, "log"), r"`f_max` \(=12000 Hz\) must be at most the Nyquist"),
        ((22050, 0.0, 6000.0, 8, "log"), r"`f_min` \(=0 Hz\) must be above 0 Hz"),
        ((22050, -1.0, 6000.0, 8, "linear"), r"`f_min` \(=-1 Hz\) must be at least 0 Hz"),
        ((22050, 7000.0, 6000.0, 8, "log"), r"`f_min` \(=7000 Hz\) must be .* below `f_max`"),
        ((22050, math.nan, 6000.0, 8, "linear"), r"`f_min` \(=nan Hz\)"),
        ((22050, 50.0, math.nan, 8, "linear"), r"`f_max` \(=nan Hz\)"),
        ((22050, 50.0, 6000.0, 0, "log"), r"`n_bins` \(=0\) must be a positive integer"),
        ((0, 50.0, 6000.0, 8, "log"), r"`sample_rate` \(=0 Hz\) must be above 0"),
    ],
)
def test_errors(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bin_frequencies(*arguments)


@pytest.mark.usefixtures("unchecked")
def test_unknown_scale() -> None:
    with pytest.raises(ValueError, match=r"`freq_scale` \(='mel'\) must be one of linear, log"):
        bin_frequencies(22050, 50.0, 6000.0, 8, "mel")
