import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from passband.frequency import erb_filters, erb_frequencies, erb_to_hz, hz_to_erb


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.floats(0, 40000))
def test_scale_and_its_inverse(hertz: float) -> None:
    assert math.isclose(erb_to_hz(hz_to_erb(hertz)), hertz, abs_tol=1e-9)
    as_tensor = torch.tensor(hertz, dtype=torch.float64)
    assert math.isclose(float(hz_to_erb(as_tensor)), hz_to_erb(hertz), abs_tol=1e-12)
    # One step on the scale is one filter width.
    width = 24.7 * (1 + hertz / (24.7 * 9.265))
    slope = (hz_to_erb(hertz + 1e-3) - hz_to_erb(hertz)) / 1e-3
    assert math.isclose(slope, 1 / width, rel_tol=1e-4)


@pytest.mark.parametrize(
    ("n", "low", "high", "factor"),
    [(50, 50.0, 10000.0, 4), (7, 20.0, 4000.0, 1), (1, 0.0, 900.0, 2)],
)
def test_squares_add_up_to_one(n: int, low: float, high: float, factor: int) -> None:
    frequencies = torch.linspace(0, 10000, 4001, dtype=torch.float64)
    filters = erb_filters(frequencies, n, low, high, factor)
    assert filters.shape == (factor * (n + 3) - 1, 4001)
    torch.testing.assert_close(
        filters.square().sum(0), torch.ones(4001, dtype=torch.float64), rtol=0, atol=1e-12
    )


def recipe(hertz: list[float], n: int, low: float, high: float, s: int) -> torch.Tensor:
    """Filter by filter, bin by bin."""

    def scale(f: float) -> float:
        return 9.265 * math.log(1 + f / (24.7 * 9.265))

    count = s * (n + 1) - 1
    step = (scale(high) - scale(low)) / (count + 1)
    centres = [scale(low) + (i + 1) * step for i in range(count)]

    def band(f: float, centre: float) -> float:
        away = scale(f) - centre
        return math.cos(away / (2 * s * step) * math.pi) if abs(away) < s * step else 0.0

    rows = []
    for centre in centres[:s]:
        rows.append([math.sqrt(1 - band(f, centre) ** 2) * (scale(f) < centre) for f in hertz])
    for centre in centres:
        rows.append([band(f, centre) for f in hertz])
    for centre in centres[-s:]:
        rows.append([math.sqrt(1 - band(f, centre) ** 2) * (scale(f) > centre) for f in hertz])
    return torch.tensor(rows, dtype=torch.float64) / math.sqrt(s)


@pytest.mark.parametrize(("n", "factor"), [(50, 4), (6, 1), (6, 2)])
def test_is_its_recipe(n: int, factor: int) -> None:
    frequencies = torch.linspace(0, 10000, 233, dtype=torch.float64)
    ours = erb_filters(frequencies, n, 50.0, 9000.0, factor)
    expected = recipe(frequencies.tolist(), n, 50.0, 9000.0, factor)
    # Near its centre the high-pass filter is the root of a rounding error.
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-7)
    single = erb_filters(frequencies.float(), n, 50.0, 9000.0, factor)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), ours, rtol=0, atol=1e-4)


def test_filters_stand_at_their_frequencies() -> None:
    centres = erb_frequencies(10, 100.0, 4000.0, 2)
    assert len(centres) == 25
    filters = erb_filters(centres[2:-2], 10, 100.0, 4000.0, 2)
    assert filters[2:-2].argmax(dim=1).tolist() == list(range(21))
    assert (centres.diff() > 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_filters": 0}, r"`n_filters` \(=0\) must be a positive integer"),
        ({"sample_factor": 0}, r"`sample_factor` \(=0\) must be a positive integer"),
        ({"f_min": -1.0}, r"`f_min` \(=-1 Hz\) must be at least 0 Hz and below"),
        ({"f_min": 10000.0}, r"`f_min` \(=10000 Hz\) must be .* below `f_max` \(=10000 Hz\)"),
        ({"f_max": math.nan}, r"`f_max` \(=nan Hz\)"),
    ],
)
def test_errors(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        erb_filters(torch.linspace(0, 10000, 11), **settings)
