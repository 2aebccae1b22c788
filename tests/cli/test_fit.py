"""The commands as a person runs them: each in a process of its own."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from passband.inr import load_field
from passband.media import write_audio, write_image
from passband.training import load_tensors

QUICK = ("--set", "training.steps=30", "--set", "training.batch_size=4096", "--device", "cpu")


def checker(folder: Path, *, side: int = 48) -> Path:
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    pixels = torch.stack([0.5 + 0.5 * torch.sin(x / 3), 0.5 + 0.5 * torch.cos(y / 5), x / side])
    write_image(folder / "checker.png", pixels)
    return folder / "checker.png"


def chirp(folder: Path, *, channels: int = 1) -> Path:
    t = torch.arange(8000) / 8000
    samples = torch.sin(2 * torch.pi * (200 * t + 400 * t**2))[None].repeat(channels, 1)
    write_audio(folder / "chirp.wav", 0.5 * samples, 8000)
    return folder / "chirp.wav"


class Page(HTMLParser):
    """Collects what a page refers to and says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.captions: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href"):
                self.sources.append(value or "")
            if name == "alt":
                self.captions.append(value or "")


def test_a_bare_picture_becomes_a_complete_run(tmp_path: Path, passband) -> None:
    done = passband("fit", checker(tmp_path), *QUICK)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "checker"
    assert "result: runs/checker/rendering.png" in done.stdout
    assert "report: runs/checker/report.html" in done.stdout
    assert re.search(r"step 30/30 .*PSNR .* dB .*steps/s", done.stderr)
    for name in ("scene.toml", "field.safetensors", "metrics.json", "rendering.png", "report.html"):
        assert (run / name).stat().st_size > 0

    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["knob"] == "encoding.finest_resolution"
    assert metrics["knob_value"] == metrics["matching"]["rows"][0]["value"]
    assert metrics["steps"] == 30
    assert metrics["bits_per_sample"] == 32 * metrics["parameters"] / 48**2
    assert len(metrics["band_edges"]) == len(metrics["band_error_db"]) + 1
    rendering = np.asarray(Image.open(run / "rendering.png"), dtype=float)
    target = np.asarray(Image.open(tmp_path / "checker.png"), dtype=float)
    mse = ((rendering - target) ** 2).mean()
    assert 10 * np.log10(255**2 / mse) == pytest.approx(metrics["psnr"], abs=0.1)
    weights, _ = load_tensors(run / "field.safetensors")
    assert sum(value.numel() for value in weights.values()) == metrics["parameters"]

    page = Page((run / "report.html").read_text())
    assert all(source.startswith("data:") for source in page.sources)
    for caption in ("Target", "Rendering", "Absolute error × 8", "Lower is nearer"):
        assert caption in page.captions


def test_a_second_run_takes_another_folder_and_gives_the_same_bits(
    tmp_path: Path, passband
) -> None:
    file = checker(tmp_path)
    assert passband("fit", file, *QUICK).returncode == 0
    second = passband("fit", file, *QUICK)
    assert "runs/checker-2/report.html" in second.stdout
    first = (tmp_path / "runs/checker/field.safetensors").read_bytes()
    assert (tmp_path / "runs/checker-2/field.safetensors").read_bytes() == first


def test_a_bare_sound_becomes_a_run_that_renders_at_any_rate(tmp_path: Path, passband) -> None:
    done = passband("fit", chirp(tmp_path, channels=2), *QUICK, "--out", "run")
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (metrics["kind"], metrics["channels"], metrics["ssim"]) == ("audio", 2, None)
    samples, rate = soundfile.read(tmp_path / "run" / "rendering.wav")
    assert (samples.shape, rate) == ((8000, 2), 8000)
    page = Page((tmp_path / "run" / "report.html").read_text())
    assert sum(source.startswith("data:audio/wav") for source in page.sources) == 2

    done = passband("render", "run", "--rate", 16000, "-o", "up.wav")
    assert done.returncode == 0, done.stderr
    samples, rate = soundfile.read(tmp_path / "up.wav")
    assert (samples.shape, rate) == ((15999, 2), 16000)
    fitted = load_field(tmp_path / "run")
    torch.testing.assert_close(fitted.sound(16000)[:, ::2], fitted.sound(), rtol=0, atol=2e-3)


def test_a_run_renders_at_any_size(tmp_path: Path, passband) -> None:
    assert passband("fit", checker(tmp_path), *QUICK, "--out", "run").returncode == 0
    for arguments, size in [
        (("--scale", "2"), (96, 96)),
        (("--size", "30x20"), (30, 20)),
        ((), (48, 48)),
    ]:
        done = passband("render", "run", *arguments, "-o", "out.png")
        assert done.returncode == 0, done.stderr
        with Image.open(tmp_path / "out.png") as picture:
            assert picture.size == size
    done = passband("render", "run", "-o", "out.exr")
    assert done.returncode == 0, done.stderr
    info = passband("info", "run")
    assert "hashgrid + relu" in info.stdout
    assert "48x48" in info.stdout


def test_info_says_what_a_file_is(tmp_path: Path, passband) -> None:
    picture = json.loads(passband("info", checker(tmp_path), "--json").stdout)
    assert (picture["kind"], picture["size"], picture["bit depth"]) == ("image", "48x48", 8)
    sound = passband("info", chirp(tmp_path)).stdout
    assert "8000 Hz" in sound
    assert "1.000 s" in sound


@pytest.mark.parametrize("field", ["siren", "hashgrid", "positional"])
def test_match_ranks_candidates(tmp_path: Path, passband, field: str) -> None:
    file = checker(tmp_path)
    options = ("--field", field, "--initialisations", "2")
    table = json.loads(passband("match", file, *options, "--json").stdout)
    distances = [row["distance"] for row in table["rows"]]
    assert distances == sorted(distances)
    assert table["value"] == table["rows"][0]["value"]
    text = passband("match", file, *options).stdout
    assert text.splitlines()[1].startswith("* ")
    assert ("WINNER" in text) == (field == "siren")


def test_match_takes_sounds_and_the_faithful_procedure_pictures(tmp_path: Path, passband) -> None:
    done = passband("match", chirp(tmp_path), "--field", "siren", "--initialisations", "2")
    assert done.returncode == 0, done.stderr
    done = passband(
        "match", checker(tmp_path), "--field", "fourier", "--faithful", "--initialisations", "1"
    )
    assert "fresh reduction" in done.stdout
    done = passband("match", chirp(tmp_path), "--faithful")
    assert done.returncode == 2
    assert "defined for pictures and volumes" in done.stderr


def start(tmp_path: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "passband", *map(str, arguments)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < limit
        time.sleep(0.02)


LONG = (
    "--set", "training.steps=400", "--set", "training.batch_size=8192",
    "--set", "training.checkpoint_seconds=0.2", "--device", "cpu",
)  # fmt: skip


def test_killed_runs_resume_to_the_same_bits(tmp_path: Path, passband) -> None:
    file = checker(tmp_path)
    assert passband("fit", file, *LONG, "--out", "whole").returncode == 0
    for _ in range(2):
        process = start(tmp_path, "fit", file, *LONG, "--out", "run", "--resume")
        wait_for(tmp_path / "run" / "checkpoint.safetensors", process)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = passband("fit", file, *LONG, "--out", "run", "--resume")
    assert done.returncode == 0, done.stderr
    names = ("field.safetensors", "rendering.png", "events.jsonl", "match.json")
    for name in names[:3]:
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    losses = [
        json.loads((tmp_path / r / "metrics.json").read_text())["loss"] for r in ("run", "whole")
    ]
    assert losses[0] == losses[1]
    assert not list((tmp_path / "run").glob(".passband-*"))


def test_ctrl_c_keeps_a_checkpoint_and_says_how_to_go_on(tmp_path: Path, passband) -> None:
    file = checker(tmp_path)
    process = start(tmp_path, "fit", file, *LONG, "--out", "run")
    wait_for(tmp_path / "run" / "checkpoint.safetensors", process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    command = shlex.join(["passband", "fit", str(file), *LONG, "--out", "run", "--resume"])
    assert f"go on with: {command}" in errors
    assert "Traceback" not in errors
    assert passband("fit", file, *LONG, "--out", "run", "--resume").returncode == 0


def test_version_and_help(passband) -> None:
    assert re.fullmatch(r"passband \d+\.\d+\.\d+\n", passband("--version").stdout)
    for command in ("fit", "match", "render", "info"):
        assert command in passband("--help").stdout
        assert passband(command, "--help").returncode == 0
