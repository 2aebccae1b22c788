"""``passband enhance``: sounds, folders, long files, pictures, and faults."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from passband.cli import main
from passband.errors import InputError
from passband.media import _audio_blocks, read_audio, write_audio
from passband.media._audio_blocks import create_audio, open_audio
from passband.signal.tasks.enhancement import GTCRN, enhance, enhance_file, load_enhancer
from passband.signal.tasks.enhancement import _sound_files as sound_files

Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command line in this process, in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["passband", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return ended.value.code, said.out, said.err

    return call


@pytest.fixture(scope="module")
def weights(data: Path) -> Path:
    return data / "weights" / "gtcrn" / "model_trained_on_vctk.tar"


@pytest.fixture(scope="module")
def model(weights: Path) -> torch.nn.Module:
    return load_enhancer(weights)


def noise(rate: int = 16000, seconds: float = 0.4, channels: int = 1) -> torch.Tensor:
    return torch.randn(channels, round(rate * seconds)) / 10


def expected(model: torch.nn.Module, path: Path) -> torch.Tensor:
    audio = read_audio(path)
    with torch.no_grad():
        return enhance(model, audio.samples, audio.sample_rate).clamp(-1, 1)  # type: ignore[arg-type]


def test_a_file_with_its_picture(
    run: Run, model: torch.nn.Module, weights: Path, data: Path
) -> None:
    source = data / "audio" / "noisy_speech" / "noisy" / "p287_001.wav"
    code, out, err = run(
        "enhance", source, "-o", "new/out.wav", "--model", weights, "--picture", "both.png"
    )
    assert (code, err) == (0, "")
    assert out == (
        "new/out.wav: 1 channels, 31367 samples at 16000 Hz\nboth.png: before and after\n"
    )
    made = read_audio("new/out.wav")
    torch.testing.assert_close(made.samples, expected(model, source), atol=2e-5, rtol=0)
    assert Path("both.png").read_bytes()[1:4] == b"PNG"


def test_rate_channels_and_depth_stay(run: Run, model: torch.nn.Module, weights: Path) -> None:
    write_audio("in.flac", noise(44100, channels=2), 44100, bit_depth=24)
    code, out, err = run("enhance", "in.flac", "-o", "out.flac", "--model", weights)
    assert (code, err) == (0, "")
    assert out == (
        "out.flac: 2 channels, 17640 samples at 44100 Hz, enhanced at 16000 Hz: nothing above "
        "8000 Hz is left\n"
    )
    made = read_audio("out.flac")
    assert (made.sample_rate, made.bit_depth) == (44100, 24)
    torch.testing.assert_close(made.samples, expected(model, Path("in.flac")), atol=1e-5, rtol=0)


def test_a_folder_is_gone_through_and_gone_on_with(run: Run, weights: Path) -> None:
    for place in ("in/deep/a.flac", "in/b.wav"):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        write_audio(place, noise(), 16000)
    Path("in/c.wav").write_bytes(b"no sound")
    Path("in/d.wav").touch()
    code, out, err = run("enhance", "in", "-o", "out", "--model", weights)
    assert (code, out) == (2, "4 files: 2 made, 0 kept, 2 failed: out\n")
    assert err.count("passband: in/") == 2
    assert "in/d.wav is empty (0 bytes)" in err
    assert sorted(path.as_posix() for path in Path("out").rglob("*.wav")) == [
        "out/b.wav", "out/deep/a.wav",
    ]  # fmt: skip
    code, out, _ = run("enhance", "in", "-o", "out", "--model", weights)
    assert (code, out) == (2, "4 files: 0 made, 2 kept, 2 failed: out\n")


def test_what_is_clipped_is_said(run: Run, weights: Path, data: Path) -> None:
    speech = read_audio(data / "audio" / "noisy_speech" / "noisy" / "p287_001.wav").samples
    write_audio("loud.wav", 4 * speech, 16000, bit_depth=32)
    code, _, err = run("enhance", "loud.wav", "-o", "out.wav", "--model", weights)
    assert code == 0
    assert err.startswith("passband: out.wav: ")
    assert "beyond full scale were clipped (peak" in err
    assert err.count("\n") == 1
    assert float(read_audio("out.wav").samples.abs().max()) <= 1


def test_silence_stays_silent(run: Run, weights: Path) -> None:
    write_audio("in.wav", torch.zeros(1, 100), 8000)
    assert run("enhance", "in.wav", "-o", "out.wav", "--model", weights)[0] == 0
    made = read_audio("out.wav").samples
    assert made.shape == (1, 100)
    assert not made.any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("absent.wav", "-o", "out.wav", "--model", "WEIGHTS"), "absent.wav does not exist"),
        (("in.wav", "-o", "out.txt", "--model", "WEIGHTS"), "ends in '.txt'"),
        (("in.wav", "-o", "in.wav", "--model", "WEIGHTS"), "another file than IN"),
        (("in.wav", "-o", "out.wav", "--model", "absent"), r"`--model` (=absent) does not exist"),
        (("in.wav", "-o", "out.wav", "--model", "in.wav"), "no weights that torch can read"),
        (("empty.wav", "-o", "out.wav", "--model", "WEIGHTS"), "empty.wav is empty"),
        (("cut.wav", "-o", "out.wav", "--model", "WEIGHTS"), "cut.wav is cut short"),
        (("nan.wav", "-o", "out.wav", "--model", "WEIGHTS"), "NaN or infinite"),
        (("in.wav", "-o", "out.wav", "--model", "WEIGHTS", "--picture", "a.jpg"), "end in .png"),
        (("in", "-o", "out", "--model", "WEIGHTS", "--picture", "a.png"), "a single sound"),
        (("in", "-o", "in", "--model", "WEIGHTS"), "another folder than IN"),
        (("in.wav", "-o", "out.wav", "--model", "WEIGHTS", "--device", "abacus"), "not available"),
        (("in.wav", "-o", "out.wav"), "--model"),
    ],
)
def test_faults_are_one_line(
    run: Run, weights: Path, arguments: tuple[str, ...], said: str
) -> None:
    write_audio("in.wav", noise(), 16000)
    Path("in").mkdir()
    write_audio("in/in.wav", noise(), 16000)
    Path("empty.wav").touch()
    Path("cut.wav").write_bytes(Path("in.wav").read_bytes()[:-100])
    bad = noise()
    bad[0, 100] = torch.nan
    _float_wav(Path("nan.wav"), bad)
    code, out, err = run("enhance", *(weights if a == "WEIGHTS" else a for a in arguments))
    assert (code, out) == (2, "")
    assert err.startswith("passband: ")
    assert err.count("\n") == 1
    assert said in err
    assert not Path("out.wav").exists()


def _float_wav(path: Path, samples: torch.Tensor) -> None:
    import soundfile

    soundfile.write(path, samples.T.numpy(), 16000, subtype="FLOAT")


def test_a_long_file_is_read_and_written_in_blocks(
    tmp_path: Path, model: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "long.wav"
    write_audio(source, noise(48000, 3.0, channels=2), 48000)
    monkeypatch.setattr(_audio_blocks, "_NUMBERS", 20000)
    monkeypatch.delattr(sound_files, "read_audio")
    said: list[tuple[int, int]] = []
    done = enhance_file(model, source, tmp_path / "out.wav", report=lambda *now: said.append(now))
    assert (done.samples, done.sample_rate, done.model_rate) == (144000, 48000, 16000)
    assert len(said) == 16
    assert said[-1] == (144000, 144000)
    found = read_audio(tmp_path / "out.wav").samples
    torch.testing.assert_close(found, expected(model, source), atol=3e-5, rtol=0)


def test_an_enhancer_without_a_stream_takes_the_whole(tmp_path: Path) -> None:
    class Halved(torch.nn.Module):
        sample_rate = 16000

        def __init__(self) -> None:
            super().__init__()
            self.gain = torch.nn.Parameter(torch.tensor(0.5))

        def forward(self, audio: torch.Tensor) -> torch.Tensor:
            return self.gain * audio

    write_audio(tmp_path / "in.wav", noise(channels=2), 16000)
    enhance_file(Halved(), tmp_path / "in.wav", tmp_path / "out.wav")
    one, other = (read_audio(tmp_path / f"{name}.wav").samples for name in ("in", "out"))
    torch.testing.assert_close(other, one / 2, atol=2e-5, rtol=0)


@pytest.mark.parametrize(
    ("suffix", "depth"),
    [("wav", 16), ("wav", 24), ("flac", 16), ("flac", 24), ("ogg", 16), ("mp3", 16)],
)
def test_blocks_are_what_is_written_at_once(tmp_path: Path, suffix: str, depth: int) -> None:
    sound = (3 * noise(44100, 0.5, channels=2)).clamp(-0.9, 0.9)
    whole, parts = tmp_path / f"whole.{suffix}", tmp_path / f"parts.{suffix}"
    write_audio(whole, sound, 44100, bit_depth=depth)
    with create_audio(parts, channels=2, sample_rate=44100, bit_depth=depth) as write:
        for block in sound.split(5000, dim=1):
            write(block)
    one, other = read_audio(whole), read_audio(parts)
    assert (one.sample_rate, one.bit_depth) == (other.sample_rate, other.bit_depth)
    # Vorbis encodes the beginning by how much of the sound it was handed at first.
    within = 0.2 if suffix == "ogg" else 1e-6
    torch.testing.assert_close(other.samples, one.samples, atol=within, rtol=0)
    with open_audio(parts) as read:
        assert (read.channels, read.sample_rate, read.bit_depth) == (2, 44100, one.bit_depth)
        assert torch.equal(torch.cat(list(read.blocks), dim=1), other.samples)


def test_a_file_that_fails_leaves_none(tmp_path: Path) -> None:
    def failing() -> None:
        with create_audio(tmp_path / "a.wav", channels=1, sample_rate=8000) as write:
            write(torch.zeros(1, 10))
            raise InputError("stop")

    with pytest.raises(InputError, match="stop"):
        failing()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "rate", "said"), [("a.xyz", 8000, "ends in '.xyz'"), ("a.mp3", 9000, "of MP3 must be")]
)
def test_what_cannot_be_written_is_said(tmp_path: Path, name: str, rate: int, said: str) -> None:
    with (
        pytest.raises(InputError, match=said),
        create_audio(tmp_path / name, channels=1, sample_rate=rate),
    ):
        pass


def test_an_untrained_model_runs_too(tmp_path: Path) -> None:
    write_audio(tmp_path / "in.wav", noise(), 16000)
    done = enhance_file(GTCRN().eval(), tmp_path / "in.wav", tmp_path / "out.wav")
    assert done.samples == 6400
