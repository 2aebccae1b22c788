import pytest
import scipy.sparse
import torch
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import accumulate_on_grid, reassigned_spectrogram, stft

RATE = 8000


def seconds(count: int = 4000) -> Tensor:
    return torch.arange(count, dtype=torch.float64) / RATE


@pytest.mark.parametrize("bins", [40.0, 40.3, 41.9])
def test_a_tone_stands_at_its_frequency(bins: float) -> None:
    tone = torch.sin(2 * torch.pi * bins * RATE / 256 * seconds())
    found = reassigned_spectrogram(tone, sample_rate=RATE, n_fft=256)
    inside = found.frequencies[round(bins) - 1 : round(bins) + 2, 10:-10] / (RATE / 256)
    torch.testing.assert_close(inside, torch.full_like(inside, bins), rtol=0, atol=3e-3)


@pytest.mark.parametrize(("n_fft", "late"), [(256, 0.5), (255, 0.0)])
def test_a_click_stands_at_its_time(n_fft: int, late: float) -> None:
    click = torch.zeros(4000, dtype=torch.float64)
    click[2010] = 1.0
    found = reassigned_spectrogram(
        click, sample_rate=RATE, n_fft=n_fft, ref_power=1e-4, fill_nan=False
    )
    places = found.times[~found.times.isnan()] * RATE
    assert places.numel() > 300
    torch.testing.assert_close(places, torch.full_like(places, 2010 + late), rtol=0, atol=1e-8)


def test_a_chirp_stands_on_its_line() -> None:
    t = seconds()
    chirp = torch.sin(2 * torch.pi * (500 * t + 0.5 * 4000 * t**2))
    found = reassigned_spectrogram(chirp, sample_rate=RATE, n_fft=512, hop_length=64)
    loud = found.magnitudes > 0.2 * found.magnitudes.amax()
    loud[:, :8], loud[:, -8:] = False, False
    line = 500 + 4000 * found.times[loud]
    assert (found.frequencies[loud] - line).abs().max() < 2.0


def test_what_is_too_quiet_to_place() -> None:
    x = torch.zeros(1000, dtype=torch.float64)
    found = reassigned_spectrogram(x, sample_rate=RATE, n_fft=64, hop_length=16)
    assert torch.equal(found.times, (torch.arange(63.0).double() * 16 / RATE).expand(33, 63))
    bins = torch.arange(33.0).double() * RATE / 64
    assert torch.equal(found.frequencies, bins[:, None].expand(33, 63))
    marked = reassigned_spectrogram(x, sample_rate=RATE, n_fft=64, fill_nan=False, ref_power=0)
    assert marked.times.isnan().all()
    assert marked.frequencies.isnan().all()


def test_clip_keeps_the_plane() -> None:
    x = torch.randn(3, 1000, dtype=torch.float64)
    free, clipped = (
        reassigned_spectrogram(x, sample_rate=RATE, n_fft=64, clip=clip) for clip in (False, True)
    )
    assert free.times.min() < 0
    torch.testing.assert_close(clipped.times, free.times.clamp(0, 1000 / RATE), rtol=0, atol=0)
    assert clipped.frequencies.min() >= 0
    assert clipped.frequencies.max() <= RATE / 2


def test_magnitudes_are_those_of_the_stft() -> None:
    x = torch.randn(500, dtype=torch.float64)
    found = reassigned_spectrogram(x, sample_rate=1, n_fft=64, hop_length=20, padding="valid")
    plain = stft(x, n_fft=64, hop_length=20, padding="valid").abs()
    torch.testing.assert_close(found.magnitudes, plain, rtol=0, atol=1e-12)


def test_gradients() -> None:
    x = torch.randn(40, dtype=torch.float64, requires_grad=True)

    def places(x: Tensor) -> tuple[Tensor, Tensor]:
        found = reassigned_spectrogram(x, sample_rate=2, n_fft=8, hop_length=8, clip=False)
        return found.times, found.frequencies

    assert gradcheck(places, (x,))
    silence = torch.zeros(100, requires_grad=True)
    torch.cat(reassigned_spectrogram(silence, sample_rate=2, n_fft=16)).sum().backward()
    assert torch.equal(silence.grad, torch.zeros(100))


def test_the_grid_is_a_sparse_matrix() -> None:
    times, frequencies = torch.rand(2, 5, 7, dtype=torch.float64) * 9 - 1
    values = torch.rand(5, 7, dtype=torch.float64)
    ours = accumulate_on_grid(
        times, frequencies, values, n_freqs=6, n_times=9, freq_step=1.5, time_step=0.75
    )
    row, column = frequencies.flatten().numpy() / 1.5, times.flatten().numpy() / 0.75
    keep = (row >= 0) & (row <= 5) & (column >= 0) & (column <= 8)
    row, column, weights = row[keep], column[keep], values.flatten().numpy()[keep]
    low, left = row.astype(int), column.astype(int)
    expected = sum(
        scipy.sparse.coo_matrix(
            (
                weights * abs(1 - i - (row - low)) * abs(1 - j - (column - left)),
                (low + i, left + j),
            ),
            shape=(7, 10),
        ).toarray()
        for i in (0, 1)
        for j in (0, 1)
    )
    assert not keep.all()
    torch.testing.assert_close(ours, torch.from_numpy(expected)[:6, :9], rtol=0, atol=1e-12)


def test_the_grid_keeps_the_sum_and_is_differentiable() -> None:
    times, frequencies = torch.rand(2, 2, 3, 4, dtype=torch.float64) * 2.9 + 0.05
    values = torch.rand(2, 3, 4, dtype=torch.float64)
    inputs = [x.requires_grad_() for x in (times.clone(), frequencies.clone(), values)]

    def grid(times: Tensor, frequencies: Tensor, values: Tensor) -> Tensor:
        return accumulate_on_grid(
            times, frequencies, values, n_freqs=4, n_times=4, freq_step=1, time_step=1
        )

    torch.testing.assert_close(grid(*inputs).sum((-2, -1)), values.sum((-2, -1)))
    assert gradcheck(grid, inputs)
    one_by_one = torch.stack([grid(*(x[i] for x in inputs)) for i in range(2)])
    torch.testing.assert_close(grid(*inputs), one_by_one, rtol=0, atol=0)


def test_nan_and_far_places_are_left_out() -> None:
    times = torch.tensor([[torch.nan, 1.0, -5.0, torch.inf]])
    grid = accumulate_on_grid(
        times, torch.ones(1, 4), torch.ones(1, 4), n_freqs=3, n_times=3, freq_step=1, time_step=1
    )
    assert grid[1, 1] == 1
    assert grid.sum() == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample_rate": 0}, r"`sample_rate` \(=0 Hz\) must be above 0"),
        ({"ref_power": -1.0}, r"`ref_power` \(=-1\) must be at least 0"),
        ({"hop_length": 0}, r"`hop_length` \(=0\) must be a positive integer"),
        ({"win_length": 65}, r"`win_length` \(=65\) must be at most `n_fft` \(=64\)"),
        ({"n_fft": 0}, r"`n_fft` \(=0\) must be a positive integer"),
        ({"padding": "same"}, r"`padding` \(='same'\) must be one of center, valid"),
    ],
)
def test_errors(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reassigned_spectrogram(torch.zeros(100), **{"sample_rate": 1, "n_fft": 64, **settings})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_freqs": 0}, r"`n_freqs` \(=0\) must be a positive integer"),
        ({"time_step": 0}, r"`time_step` \(=0\) must be above 0"),
        ({"freq_step": -1}, r"`freq_step` \(=-1\) must be above 0"),
    ],
)
def test_grid_errors(settings: dict[str, object], message: str) -> None:
    plane = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=message):
        accumulate_on_grid(
            plane,
            plane,
            plane,
            **{"n_freqs": 2, "n_times": 2, "freq_step": 1, "time_step": 1, **settings},
        )
