"""The picture of a spectrogram: everything stands where its axes say, and nothing thin is lost."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from passband.frequency import mel_to_hz
from passband.signal import spectrogram_figure


def pixels(figure) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Image.open(buffer).convert("L"), dtype=float)


def shown(figure) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    image = figure.axes[0].get_images()[0]
    return np.asarray(image.get_array()), tuple(image.get_extent())


def height_of_line(figure) -> float:
    """Where on the vertical axis the loudest row is, in the axis's own units."""
    rows, (_, _, bottom, top) = shown(figure)
    return bottom + (rows.max(axis=1).argmax() + 0.5) / len(rows) * (top - bottom)


def hertz_at(figure, height: float) -> float:
    """What the labels of the axis say of ``height``."""
    axes = figure.axes[0]
    labels = [float(label.get_text().replace("−", "-")) for label in axes.get_yticklabels()]
    return float(np.interp(height, axes.get_yticks(), labels))


GRIDS = {
    "linear": torch.linspace(0, 8000, 1025),
    "log": 50 * 2 ** (torch.arange(160) / 22),
    "notes": 32.7032 * 2 ** (torch.arange(96) / 12),
    "bins": mel_to_hz(torch.linspace(0, 2840, 80)),
}


@pytest.mark.parametrize("scale", GRIDS)
@pytest.mark.parametrize("falling", [False, True])
def test_a_line_stands_where_the_labels_say(scale: str, falling: bool) -> None:
    frequencies = GRIDS[scale].flip(0) if falling else GRIDS[scale]
    index = int((frequencies - 1000).abs().argmin())
    levels = torch.full((len(frequencies), 50), -60.0)
    levels[index] = 0
    figure = spectrogram_figure(
        levels, times=torch.arange(50) / 50, frequencies=frequencies, scale=scale
    )
    pixels(figure)  # ticks are settled by drawing
    height = height_of_line(figure)
    if scale == "notes":
        assert 2**height == pytest.approx(1000, rel=0.06)
        notes = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert notes == [f"C{octave}" for octave in range(1, 9)]
        (hertz,) = figure.axes[0].child_axes
        assert "1000" in [label.get_text() for label in hertz.get_yticklabels()]
    else:
        assert hertz_at(figure, height) == pytest.approx(1000, rel=0.06)


def test_uneven_bins_of_a_log_axis_stand_where_they_belong() -> None:
    frequencies = torch.linspace(0, 8000, 257)
    levels = torch.full((257, 20), -60.0)
    levels[8] = 0  # 250 Hz
    figure = spectrogram_figure(
        levels, times=torch.arange(20) / 20, frequencies=frequencies, scale="log"
    )
    rows, (_, _, bottom, top) = shown(figure)
    lit = bottom + (np.flatnonzero(rows[:, 0] == 0) + 0.5) / len(rows) * (top - bottom)
    assert 2 ** lit.min() == pytest.approx(250 - 16, rel=0.02)
    assert 2 ** lit.max() == pytest.approx(250 + 16, rel=0.02)


def test_a_click_and_a_thin_line_survive_reduction() -> None:
    levels = torch.full((3001, 20000), -70.0)
    levels[:, 12345] = 0
    levels[2000] = -5
    frequencies, times = torch.linspace(0, 3000, 3001), torch.arange(20000) / 1000
    figure = spectrogram_figure(levels, times=times, frequencies=frequencies)
    rows, (left, right, bottom, top) = shown(figure)
    assert rows.size < 2e6
    column = rows.min(axis=0).argmax()
    assert left + (column + 0.5) / rows.shape[1] * (right - left) == pytest.approx(12.345, abs=0.02)
    row = np.where(rows == -5, 1, 0).sum(axis=1).argmax()
    assert bottom + (row + 0.5) / len(rows) * (top - bottom) == pytest.approx(2000, abs=5)


def test_low_frequencies_are_at_the_bottom_of_the_picture() -> None:
    levels = torch.full((129, 40), -80.0)
    levels[:10] = 0
    figure = spectrogram_figure(
        levels, times=torch.arange(40) / 40, frequencies=torch.linspace(0, 4000, 129)
    )
    picture = pixels(figure)
    middle = picture[:, picture.shape[1] // 2]
    inside = middle[40:-60]
    assert inside[: len(inside) // 2].mean() < 30 < inside[-15:].mean()


def test_colours_span_what_is_asked_for_and_signed_values_have_two() -> None:
    times = torch.arange(30) / 30
    levels = 100 * torch.rand(20, 30, generator=torch.Generator().manual_seed(0)) - 90
    image = spectrogram_figure(levels, times=times, top_db=60).axes[0].get_images()[0]
    low, high = image.get_clim()
    assert (high, high - low) == pytest.approx((float(levels.max()), 60))
    figure = spectrogram_figure(levels, times=times, top_db=None, unit="coefficient")
    low, high = figure.axes[0].get_images()[0].get_clim()
    assert low == -high
    assert figure.axes[1].get_ylabel() == "coefficient"


@pytest.mark.parametrize("levels", [torch.full((20, 1), -200.0), torch.zeros(1, 7)])
def test_silence_and_single_frames_or_bins_are_drawn(levels: torch.Tensor) -> None:
    bins, frames = levels.shape
    for scale in ("linear", "log", "notes", "bins"):
        figure = spectrogram_figure(
            levels,
            times=torch.arange(frames) / 10,
            frequencies=100.0 * torch.arange(1, bins + 1),
            scale=scale,
        )
        assert pixels(figure).size


def test_names_label_bins_and_a_given_axes_is_drawn_in() -> None:
    from matplotlib.figure import Figure

    outer = Figure(layout="constrained")
    left, right = outer.subplots(1, 2)
    found = spectrogram_figure(
        torch.rand(3, 5), times=torch.arange(5.0), names=("C", "E", "G"), axes=right, title="chord"
    )
    assert found is outer
    assert [label.get_text() for label in right.get_yticklabels()] == ["C", "E", "G"]
    assert right.get_title() == "chord"
    assert not left.get_images()


def test_what_does_not_match_is_named() -> None:
    levels, times = torch.rand(4, 6), torch.arange(6.0)
    with pytest.raises(ValueError, match=r"`levels` \(shape \(4, 6\)\) must be .* 5 frequencies"):
        spectrogram_figure(levels, times=times, frequencies=torch.arange(5.0))
