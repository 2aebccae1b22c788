"""``passband features``: a folder of sounds to a folder of arrays, whatever happens on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from passband.cli import main
from passband.media import write_audio
from passband.signal import _features
from passband.signal._analysis import plan_analysis
from passband.signal._features import FeatureJob, extract_features, list_sounds
from passband.signal._workers import Crash, run_in_workers

QUICK = ("-t", "stft", "--set", "n_fft=256")


def sounds(folder: Path, count: int = 4, *, seconds: float = 0.25) -> Path:
    """``count`` sounds in two folders, of differing pitch."""
    (folder / "in" / "deep" / "er").mkdir(parents=True)
    t = torch.arange(round(8000 * seconds)) / 8000
    for number in range(count):
        place = folder / "in" / ("deep/er" if number % 2 else ".")
        write_audio(place / f"s{number}.wav", torch.sin(500.0 * (number + 1) * t)[None] / 2, 8000)
    return folder / "in"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr(sys, "argv", ["passband", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Working processes import the package from here, wherever they start.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def test_a_folder_in_two_processes_equals_one(
    tmp_path: Path, passband, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = sounds(tmp_path)
    (folder / "notes.txt").write_text("not a sound")
    (folder / ".hidden.wav").write_text("not a sound")
    two = passband("features", folder, "-o", "two", "--jobs", 2, *QUICK)
    assert two.returncode == 0, two.stderr
    assert two.stdout == "4 sounds: 4 made, 0 kept, 0 failed: two\n"
    assert "4/4 files" in two.stderr
    assert run(monkeypatch, "features", folder, "-o", "one", "--jobs", 1, *QUICK) == 0
    assert capfd.readouterr().out == "4 sounds: 4 made, 0 kept, 0 failed: one\n"
    made = contents(tmp_path / "one")
    assert list(made) == [
        "deep/er/s1.wav.npz", "deep/er/s3.wav.npz", "s0.wav.npz", "s2.wav.npz",
    ]  # fmt: skip
    assert made == contents(tmp_path / "two")
    with np.load("one/deep/er/s1.wav.npz", allow_pickle=False) as arrays:
        assert arrays["values"].shape == (129, len(arrays["times"]))
        assert arrays["source"].item() == "deep/er/s1.wav"
        assert json.loads(arrays["settings"].item())["n_fft"] == 256


def test_bad_files_are_named_and_the_others_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = sounds(tmp_path)
    (folder / "bad.flac").write_bytes(b"not a sound")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "tiny.wav").symlink_to(folder / "gone.wav")
    assert run(monkeypatch, "features", folder, "-o", "out", "--jobs", 1, *QUICK) == 2
    captured = capfd.readouterr()
    assert captured.out == "7 sounds: 4 made, 0 kept, 3 failed: out\n"
    for name in ("bad.flac", "empty.wav", "tiny.wav"):
        assert f"{name} " in captured.err
    failures = json.loads(Path("out/failures.json").read_text())
    assert [failure["file"] for failure in failures] == ["bad.flac", "empty.wav", "tiny.wav"]
    assert "is empty (0 bytes)" in failures[1]["reason"]
    for name in ("bad.flac", "empty.wav", "tiny.wav"):
        (folder / name).unlink()
    assert run(monkeypatch, "features", folder, "-o", "out", "--jobs", 1, *QUICK) == 0
    assert capfd.readouterr().out == "4 sounds: 0 made, 4 kept, 0 failed: out\n"
    assert not Path("out/failures.json").exists()


def test_only_what_changed_is_made_again(tmp_path: Path) -> None:
    # In this process: what is made again is told by the outcomes.
    folder = sounds(tmp_path)
    job = FeatureJob(folder, tmp_path / "out", plan_analysis("stft", ["n_fft=256"]))
    names = list_sounds(folder)

    def kinds(job: FeatureJob) -> list[str]:
        return [_features._make(job, name).kind for name in names]

    assert kinds(job) == ["made"] * 4
    first = contents(tmp_path / "out")
    assert kinds(job) == ["kept"] * 4
    write_audio(folder / "s2.wav", torch.zeros(1, 3000), 8000)
    assert kinds(job) == ["kept", "kept", "kept", "made"]
    (tmp_path / "out" / "s0.wav.npz").write_bytes(first["s0.wav.npz"][:700])
    assert kinds(job) == ["kept", "kept", "made", "kept"]
    assert contents(tmp_path / "out")["s0.wav.npz"] == first["s0.wav.npz"]
    other = FeatureJob(folder, tmp_path / "out", plan_analysis("stft", ["n_fft=128"]))
    assert kinds(other) == ["made"] * 4


def test_interrupted_and_gone_on_with_gives_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = sounds(tmp_path, 24, seconds=20)
    slow = ("-t", "stft", "--set", "n_fft=4096", "--set", "hop_length=128")
    command = [sys.executable, "-m", "passband", "features", "in", "-o", "out", "--jobs", "2"]
    process = subprocess.Popen(
        [*command, *slow], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    give_up = time.monotonic() + 120
    while not list(Path("out").rglob("*.wav.npz")) and time.monotonic() < give_up:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the working processes too
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "run the same command again to go on" in errors
    assert "Traceback" not in errors
    begun = contents(tmp_path / "out")
    assert 0 < len(begun) < 24
    assert all(name.endswith(".wav.npz") for name in begun)
    for name in begun:
        with np.load(Path("out") / name, allow_pickle=False) as arrays:
            assert np.isfinite(arrays["values"]).all()

    assert run(monkeypatch, "features", folder, "-o", "out", "--jobs", 1, *slow) == 0
    made = f"{24 - len(begun)} made, {len(begun)} kept, 0 failed"
    assert made in capfd.readouterr().out
    ended = contents(tmp_path / "out")
    assert {name: ended[name] for name in begun} == begun
    plan = plan_analysis("stft", [slow[3], slow[5]])
    assert _features._make(FeatureJob(folder, tmp_path / "again", plan), "s2.wav").kind == "made"
    assert (tmp_path / "again" / "s2.wav.npz").read_bytes() == ended["s2.wav.npz"]


def crash_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_a_crash_costs_one_item() -> None:
    results = dict(run_in_workers(crash_at_three, range(6), jobs=2))
    assert results.pop(3) == Crash(-signal.SIGKILL)
    assert results == {0: 0, 1: 1, 2: 4, 4: 16, 5: 25}


def test_a_full_device_ends_the_job_in_one_line(tmp_path: Path) -> None:
    import errno

    from passband.errors import OutputError

    error = OutputError("no space")
    error.__cause__ = OSError(errno.ENOSPC, "no space")

    def full(*_: object) -> None:
        raise error

    job = FeatureJob(sounds(tmp_path), tmp_path / "out", plan_analysis("stft"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_features, "write_bytes_atomic", full)
        outcome = _features._make(job, "s0.wav")
    assert outcome.kind == "full"
    with pytest.raises(OutputError, match="no space"):
        _features._count(_features.FeatureSummary(1), "s0.wav", outcome)


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    folder = sounds(tmp_path)
    (folder / "deep" / "circle").symlink_to(folder)
    (tmp_path / "elsewhere").mkdir()
    write_audio(tmp_path / "elsewhere" / "far.WAV", torch.zeros(1, 100), 8000)
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    assert list_sounds(folder) == [
        "deep/er/s1.wav", "deep/er/s3.wav", "linked/far.WAV", "s0.wav", "s2.wav",
    ]  # fmt: skip


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    out = tmp_path / "out" / "deep"
    out.mkdir(parents=True)
    (out / ".passband-00.npz").write_bytes(b"half")
    (out / ".passband-11.npz").write_bytes(b"half, of a run still at work")
    long_ago = time.time() - 3600
    os.utime(out / ".passband-00.npz", (long_ago, long_ago))
    _features._prepare(tmp_path / "out")
    assert [path.name for path in out.iterdir()] == [".passband-11.npz"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "-o", "out"], "none does not exist. Pass a folder"),
        (["file.wav", "-o", "out"], "file.wav is a file. Pass its folder"),
        (["bare", "-o", "out"], "bare holds no sound files (.wav, .wave, .flac"),
        (["in", "-o", "file.wav"], "file.wav cannot be made"),
        (["in", "-o", "file.wav/out"], "file.wav/out cannot be made"),
        (["in", "-o", "out", "-t", "melody"], "'melody' is not one of 'stft', 'mel'"),
        (["in", "-o", "out", "--set", "hop=3"], "unknown setting `hop` of mel. Allowed: "),
        (["in", "-o", "out", "--jobs", "0"], "--jobs"),
        (["in"], "Missing option '--out'"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sounds(tmp_path)
    Path("bare").mkdir()
    Path("file.wav").write_bytes(b"RIFF")
    assert run(monkeypatch, "features", *arguments) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not Path("out").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    from passband.errors import OutputError

    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    job = FeatureJob(sounds(tmp_path), out, plan_analysis("stft"))
    with pytest.raises(OutputError, match="permission denied"):
        extract_features(job)


def test_a_device_without_room_for_writing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from passband.errors import OutputError

    def refuse(source: Path, target: Path) -> None:
        raise OSError(30, os.strerror(30), str(source))

    job = FeatureJob(sounds(tmp_path), tmp_path / "out", plan_analysis("stft"))
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OutputError, match="is read-only"):
        extract_features(job)
