"""``passband spectrogram``: pictures and arrays of a sound, and wrong ways to ask for them."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from passband.cli import main
from passband.cli._transforms import TransformName
from passband.media import write_audio
from passband.signal._analysis import analyse, plan_analysis
from passband.signal._choices import CHOICES
from passband.signal._sound_picture import analysis_figure


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr(sys, "argv", ["passband", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def tone(
    folder: Path,
    *,
    rate: int = 8000,
    hertz: float = 1000.0,
    seconds: float = 1.0,
    channels: int = 1,
) -> Path:
    t = torch.arange(round(rate * seconds)) / rate
    rows = [0.5 / (k + 1) * torch.sin(2 * torch.pi * hertz * (k + 1) * t) for k in range(channels)]
    write_audio(folder / "tone.wav", torch.stack(rows), rate)
    return folder / "tone.wav"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_picture_and_arrays_from_a_process_of_its_own(tmp_path: Path, passband) -> None:
    done = passband("spectrogram", tone(tmp_path), "-o", "a.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"stft: 257 bins x 63 frames at 8000 Hz: a.png\n", done.stdout)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size > (600, 300)


def test_arrays_load_without_pickle_and_equal_scipy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scipy.signal import ShortTimeFFT, get_window

    settings = ("--set", "n_fft=256", "--set", "hop_length=64", "--set", "pad_mode=constant")
    assert run(monkeypatch, "spectrogram", tone(tmp_path), "-o", "a.npz", *settings) == 0
    with np.load("a.npz", allow_pickle=False) as found:
        arrays = dict(found)
    signal, _ = soundfile.read("tone.wav")
    peer = ShortTimeFFT(get_window("hann", 256), 64, fs=8000)
    expected = peer.stft(signal, p0=0, p1=arrays["values"].shape[1], padding="zeros")
    # scipy counts the phase of a frame from its middle, torch and librosa from its beginning.
    expected *= (-1.0) ** np.arange(129)[:, None]
    assert arrays["values"].dtype == np.complex64
    assert np.abs(np.abs(arrays["values"]) - np.abs(expected)).max() < 1e-4
    np.testing.assert_allclose(arrays["times"], np.arange(126) * 64 / 8000)
    np.testing.assert_allclose(arrays["frequencies"], np.arange(129) * 8000 / 256)
    facts = [arrays[name].item() for name in ("sample_rate", "hop_length", "transform", "channel")]
    assert facts == [8000, 64, "stft", "mix"]
    stored = json.loads(arrays["settings"].item())
    assert (stored["transform"], stored["n_fft"], stored["window_fn"]) == (
        "stft", 256, "hann_window",
    )  # fmt: skip


SLOW = {"superlets", "ssq-cwt", "cwt"}  # at one rate only


@pytest.mark.parametrize(
    ("name", "rate"),
    [(name, 8000) for name in CHOICES] + [(name, 44100) for name in CHOICES if name not in SLOW],
)
def test_every_transform_has_finite_values_where_its_axes_say(
    name: str, rate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tone(tmp_path, rate=rate, seconds=0.2)
    assert run(monkeypatch, "spectrogram", file, "-t", name, "-o", "a.npz") == 0
    with np.load("a.npz", allow_pickle=False) as found:
        values, times = found["values"], found["times"]
        frequencies = found["frequencies"] if "frequencies" in found else None
    assert np.isfinite(values).all()
    assert values.ndim == 2
    assert values.shape[1] == len(times)
    assert -0.01 <= times[0] <= 0.05
    assert times[-1] == pytest.approx(0.2, abs=0.08)
    if frequencies is None or CHOICES[name].exponent is None:
        return  # levels of bins are not compared by coefficients, nor after normalisation
    assert values.shape[0] == len(frequencies)
    assert 0 <= frequencies.min() < frequencies.max() <= rate / 2
    middle = values[:, values.shape[1] // 4 : -values.shape[1] // 4]
    column = (middle if CHOICES[name].logarithmic else np.abs(middle)).mean(axis=1)
    assert frequencies[column.argmax()] == pytest.approx(1000, rel=0.12)


@pytest.mark.parametrize("name", CHOICES)
def test_every_transform_has_a_picture_with_labelled_axes(name: str) -> None:
    t = torch.arange(1600) / 16000
    plan = plan_analysis(name)
    analysis = analyse(torch.sin(2 * torch.pi * 1000 * t)[None], 16000, plan, fit_length=True)
    figure = analysis_figure(analysis, title="tone")
    axes, bar = figure.axes[:2]
    assert axes.get_xlabel() == "time (s)"
    assert axes.get_ylabel() in ("frequency (Hz)", "note", "coefficient", "pitch class")
    assert bar.get_ylabel() == (CHOICES[name].unit or "dB")
    assert len(axes.get_yticks()) >= 2
    assert axes.get_title().startswith("tone: ")


def test_the_names_on_the_command_line_are_those_there_are() -> None:
    assert [name.value for name in TransformName] == list(CHOICES)


def test_channels_are_mixed_or_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tone(tmp_path, channels=2)
    loudest = {}
    for channel in ("mix", "0", "1"):
        assert run(monkeypatch, "spectrogram", file, "-o", "a.npz", "--channel", channel) == 0
        with np.load("a.npz") as found:
            level = np.abs(found["values"]).mean(axis=1)
            loudest[channel] = found["frequencies"][level.argmax()], level.max()
    assert (loudest["0"][0], loudest["1"][0], loudest["mix"][0]) == (1000, 2000, 1000)
    assert loudest["mix"][1] == pytest.approx(loudest["0"][1] / 2, rel=1e-3)


def test_a_part_at_another_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tone(tmp_path)
    part = ("--start", "0.5", "--duration", "0.25", "--rate", "16000")
    assert run(monkeypatch, "spectrogram", file, "-o", "a.npz", *part) == 0
    with np.load("a.npz") as found:
        assert found["sample_rate"] == 16000
        assert found["frequencies"][-1] == 8000
        assert (found["times"][0], found["times"][-1]) == pytest.approx((0.5, 0.75), abs=0.02)


@pytest.mark.parametrize("rate", [100, 1000, 192000])
@pytest.mark.parametrize("name", ["stft", "mel", "cqt"])
def test_unusual_rates_and_short_sounds_work(
    rate: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name not in CHOICES:
        pytest.skip("not offered")
    file = tone(tmp_path, rate=rate, hertz=rate / 8, seconds=300 / rate)
    assert run(monkeypatch, "spectrogram", file, "-t", name, "-o", "a.png") == 0


def test_a_long_sound_goes_block_by_block_to_the_same_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from passband.signal import _apply

    file = tone(tmp_path, seconds=3)
    arguments = ("spectrogram", file, "-t", "mel", "-o")
    assert run(monkeypatch, *arguments, "whole.npz") == 0
    monkeypatch.setattr(_apply, "_BLOCK", 3000)
    assert run(monkeypatch, *arguments, "blocks.npz") == 0
    with np.load("whole.npz") as whole, np.load("blocks.npz") as blocks:
        assert whole["values"].shape == blocks["values"].shape
        np.testing.assert_allclose(whole["values"], blocks["values"], rtol=1e-3, atol=1e-4)


BAD = {
    "missing": (["nothing.wav"], r"nothing.wav does not exist"),
    "folder": (["folder"], r"folder is a folder. Pass one file inside it"),
    "no sound": (["text.wav"], r"text.wav holds text"),
    "cut short": (["short.wav"], r"short.wav is cut short"),
    "picture": (["picture.png"], r"picture.png holds an image \(PNG\), not audio"),
    "transform": (["tone.wav", "-t", "melody"], r"'melody' is not one of 'stft', 'mel'"),
    "unknown setting": (["tone.wav", "--set", "hop=3"], r"`hop` of stft. Allowed: n_fft, win_len"),
    "setting's type": (["tone.wav", "--set", "n_fft=a"], r"`n_fft` \(='a'\) of stft: it should be"),
    "setting's range": (["tone.wav", "--set", "hop_length=0"], r"tone.wav: `hop_length` \(=0\)"),
    "no setting": (["tone.wav", "--set", "n_fft"], r"`--set n_fft` must read name=value"),
    "above Nyquist": (
        ["tone.wav", "-t", "mel", "--set", "f_max=5000.0"], r"`f_max` \(=5000 Hz\) must be"
    ),
    "channel": (["tone.wav", "--channel", "2"], r"`--channel` \(=2\) must be mix or at most 0"),
    "channel's name": (["tone.wav", "--channel", "left"], r"`--channel` \(='left'\) must be mix"),
    "suffix": (["tone.wav", "-o", "a.jpg"], r"a.jpg ends in '.jpg'; .* .png \(picture\) or .npz"),
    "output folder": (["tone.wav", "-o", "none/a.png"], r"none/a.png cannot be written"),
    "rate": (["tone.wav", "--rate", "0"], r"`--rate` \(=0 Hz\) must be positive"),
    "part": (["tone.wav", "--start", "7"], r"tone.wav has 1 s; --start 7 leaves no sample"),
    "memory": (["tone.wav", "--set", "n_fft=1000000000000"], r"the memory is too small for `stft`"),
    "too large": (
        ["tone.wav", "--set", "n_fft=4096", "--set", "hop_length=1"],
        r"2049 bins gives 16,394,049 values; at most",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from passband.signal import _apply

    tone(tmp_path)
    Path("folder").mkdir()
    Path("text.wav").write_text("no sound at all\n")
    Path("short.wav").write_bytes(Path("tone.wav").read_bytes()[:9000])
    Image.new("RGB", (8, 8)).save("picture.png")
    before = sorted(tmp_path.rglob("*"))
    if case == "too large":
        monkeypatch.setattr(_apply, "_MOST_VALUES", 2**20)
    arguments, message = BAD[case]
    out = () if "-o" in arguments else ("-o", "a.png")
    assert run(monkeypatch, "spectrogram", *arguments, *out) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err)
    assert sorted(tmp_path.rglob("*")) == before
