import pytest
import torch

from passband.frequency import superlets
from passband.signal import Superlets


def test_is_its_function() -> None:
    x = torch.randn(2, 400, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    transform = Superlets(1000, [50, 100, 200], c1=2.0, order_min=2, order_max=4.5)
    given = {"c1": 2.0, "order_min": 2, "order_max": 4.5}
    expected = superlets(x, torch.tensor([0.05, 0.1, 0.2], dtype=torch.float64), **given)
    torch.testing.assert_close(transform(x), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(transform(x.float()).double(), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.func.vmap(transform)(x), expected, rtol=0, atol=1e-10)
    assert transform.frequencies.tolist() == [50, 100, 200]
    grid = Superlets(1000, f_min=10, f_max=160, n_bins=5).frequencies
    torch.testing.assert_close(grid, torch.tensor([10, 20, 40, 80, 160], dtype=torch.float64))


@pytest.mark.usefixtures("unchecked")
def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`waveform` \(shape \(9,\), 9 of its values NaN or inf"):
        Superlets(1000, [100])(torch.full((9,), torch.nan))
    with pytest.raises(ValueError, match=r"`frequencies` \(up to 600 Hz\) must be at most half"):
        Superlets(1000, [100, 600])
    with pytest.raises(ValueError, match=r"`frequencies` \(none cycles per sample\) must be above"):
        Superlets(1000, [])
    with pytest.raises(
        ValueError, match=r"`f_min` \(=300 Hz\) and `f_max` \(=200 Hz\) must ascend"
    ):
        Superlets(1000, f_min=300, f_max=200)
    with pytest.raises(ValueError, match=r"`n_bins` \(=0\) must be a positive integer"):
        Superlets(1000, n_bins=0)
    with pytest.raises(ValueError, match=r"`order_max` \(=0.5\) must be at least 1"):
        Superlets(1000, order_max=0.5)
    with pytest.raises(ValueError, match=r"`sample_rate` \(=-1 Hz\) must be above 0"):
        Superlets(-1)
