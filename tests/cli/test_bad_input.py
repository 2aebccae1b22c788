"""Everything a person can get wrong: one line that names it and the cure, exit code 2."""

import errno
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from passband.cli import main
from passband.media import write_audio, write_image
from passband.training import CHECKPOINT

Make = Callable[[Path], list[object]]


def picture(folder: Path, name: str = "a.png") -> Path:
    write_image(folder / name, torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0)))
    return folder / name


def scene(folder: Path, extra: str = "") -> Path:
    picture(folder)
    file = folder / "scene.toml"
    file.write_text(f'kind = "image"\n{extra}\n[target]\npath = "a.png"\n')
    return file


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk


def write(folder: Path, name: str, content: bytes) -> list[object]:
    (folder / name).write_bytes(content)
    return ["fit", name]


def truncated(folder: Path, name: str) -> list[object]:
    if name.endswith(".png"):
        picture(folder, name)
    else:
        write_audio(folder / name, torch.rand(1, 4000) - 0.5, 8000)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) * 2 // 3])
    return ["fit", name]


def not_finite(folder: Path, value: float) -> list[object]:
    samples = np.zeros(100, dtype=np.float32)
    samples[7] = value
    soundfile.write(folder / "a.wav", samples, 8000, subtype="FLOAT")
    return ["fit", "a.wav"]


def one_pixel(folder: Path) -> list[object]:
    Image.new("RGB", (1, 1)).save(folder / "a.png")
    return ["fit", "a.png"]


def silent(folder: Path) -> list[object]:
    soundfile.write(folder / "a.wav", np.zeros(0), 8000)
    return ["fit", "a.wav"]


def uniform(folder: Path) -> list[object]:
    write_image(folder / "a.png", torch.full((3, 16, 16), 0.5))
    return ["fit", "a.png"]


def used_folder(folder: Path) -> list[object]:
    (folder / "out").mkdir()
    (folder / "out" / "thesis.tex").write_text("mine")
    return ["fit", picture(folder), "--out", "out"]


def resumed_stranger(folder: Path) -> list[object]:
    return [*used_folder(folder), "--resume"]


def file_as_folder(folder: Path) -> list[object]:
    (folder / "out").write_text("a file")
    return ["fit", picture(folder), "--out", "out"]


CASES: dict[str, tuple[Make, str]] = {
    "missing file": (lambda f: ["fit", "no.png"], "no.png"),
    "directory": (lambda f: ["fit", f], "folder"),
    "empty file": (lambda f: write(f, "a.png", b""), "empty"),
    "truncated png": (lambda f: truncated(f, "a.png"), "cut short"),
    "truncated wav": (lambda f: truncated(f, "a.wav"), "cut short"),
    "text named png": (lambda f: write(f, "a.png", b"hello there, this is text\n"), "a.png"),
    "zero-length audio": (silent, "holds no audio"),
    "nan samples": (lambda f: not_finite(f, np.nan), "NaN"),
    "inf samples": (lambda f: not_finite(f, np.inf), "inf"),
    "1x1 image": (one_pixel, "at least 2 samples along each axis"),
    "constant image": (uniform, "does not vary"),
    "huge header": (lambda f: write(f, "a.png", png_header(30000, 30000)), "max_samples"),
    "unknown key": (lambda f: ["fit", scene(f, "colour = 1")], "unknown key `colour`"),
    "wrong type": (
        lambda f: ["fit", scene(f), "--set", "training.steps=ten"],
        "`training.steps` (='ten')",
    ),
    "no toml": (lambda f: write(f, "a.toml", b"kind ="), "is not TOML"),
    "missing scene": (lambda f: ["fit", "no.toml"], "no.toml cannot be read"),
    "knob out of range": (
        lambda f: [
            "fit", scene(f), "--set", "field.encoding.kind=fourier",
            "--set", "field.encoding.sigma=0",
        ],
        "`field.encoding.sigma` (=0): it should be greater than 0",
    ),
    "unknown encoding": (
        lambda f: ["fit", scene(f), "--set", "field.encoding.kind=wavelets"],
        "Allowed: 'identity'",
    ),
    "bad override": (lambda f: ["fit", picture(f), "--set", "steps"], "must read key.path=value"),
    "unknown device": (lambda f: ["fit", picture(f), "--device", "tpu"], "`device` (=tpu)"),
    "half precision on the processor": (
        lambda f: [
            "fit", picture(f), "--device", "cpu", "--set", "training.precision=bfloat16",
        ],
        "needs a CUDA device",
    ),
    "folder in use": (used_folder, "is not empty. Pass --resume"),
    "resume in a stranger's folder": (resumed_stranger, "holds other things than a run"),
    "folder that cannot be written": (
        lambda f: ["fit", picture(f), "--out", "/proc/passband"],
        "/proc/passband cannot be made a run folder",
    ),
    "file as folder": (file_as_folder, "out"),
    "folder below a file": (
        lambda f: ["fit", picture(f), "--out", picture(f, "b.png") / "run"],
        "cannot be made a run folder",
    ),
    "unknown option": (lambda f: ["fit", picture(f), "--fast"], "--fast"),
    "unknown command": (lambda f: ["paint"], "paint"),
    "unknown family": (lambda f: ["match", picture(f), "--field", "mlp"], "mlp"),
    "render of no run": (lambda f: ["render", f, "-o", "b.png"], "holds no field.safetensors"),
    "render of a missing run": (lambda f: ["render", "no", "-o", "b.png"], "no does not exist"),
    "info of no run": (lambda f: ["info", f], "no run"),
    "match of a missing file": (lambda f: ["match", "no.png"], "no.png"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path,
    case: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    make, message = CASES[case]
    monkeypatch.setattr(sys, "argv", ["passband", *map(str, make(tmp_path))])
    before = set(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capfd.readouterr()
    assert ended.value.code == 2, (out, err)
    assert err.count("\n") == 1, err
    assert message in err
    made = {path.name for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    assert made <= {"scene.toml"}


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr(sys, "argv", ["passband", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


SMALL = ("--device", "cpu", "--set", "training.steps=6", "--set", "training.batch_size=64")


def test_resuming_the_run_of_another_scene_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = picture(tmp_path)
    assert run_main(monkeypatch, "fit", file, *SMALL, "--out", "run") == 0
    before = {path: path.read_bytes() for path in Path("run").iterdir() if path.is_file()}
    capfd.readouterr()
    other = ("--set", "training.seed=1")
    assert run_main(monkeypatch, "fit", file, *SMALL, *other, "--out", "run", "--resume") == 2
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "run is another run" in err
    assert before == {path: path.read_bytes() for path in Path("run").iterdir() if path.is_file()}


def test_a_disk_that_fills_up_at_a_checkpoint_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).name == CHECKPOINT:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert run_main(monkeypatch, "fit", picture(tmp_path), *SMALL, "--out", "run") == 2
    last = capfd.readouterr().err.splitlines()[-1]
    assert "no space left on the device" in last
    assert "--out" in last
    assert not (tmp_path / "run" / CHECKPOINT).exists()
    assert not list((tmp_path / "run").glob(".passband-*"))
