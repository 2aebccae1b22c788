"""`probe` tells what a file holds from its headers."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import passband
from passband.media import MediaInfo, probe, write_audio, write_image


@pytest.mark.parametrize(
    ("suffix", "bits", "format_", "depth"),
    [
        ("png", 16, "PNG", 16),
        ("jpg", 8, "JPEG", 8),
        ("tif", 32, "TIFF", 32),
        ("exr", 16, "EXR", 16),
    ],
)
def test_images(tmp_path, suffix, bits, format_, depth):
    path = tmp_path / f"a.{suffix}"
    write_image(path, torch.zeros(3, 20, 30), bit_depth=bits)
    assert probe(path) == MediaInfo(path, "image", format_, (3, 20, 30), None, depth)
    assert probe(str(path)) == probe(path)


@pytest.mark.parametrize(
    ("suffix", "bits", "format_", "depth"),
    [
        ("wav", 24, "WAV", 24),
        ("wav", 32, "WAV", 32),
        ("flac", 24, "FLAC", 24),
        ("ogg", 16, "OGG", None),
        ("mp3", 16, "MP3", None),
    ],
)
def test_sounds(tmp_path, suffix, bits, format_, depth):
    path = tmp_path / f"a.{suffix}"
    write_audio(path, torch.zeros(2, 5000), 22050, bit_depth=bits)
    assert probe(path) == MediaInfo(path, "audio", format_, (2, 5000), 22050, depth)


def test_the_answer_is_frozen(tmp_path):
    write_image(tmp_path / "a.png", torch.zeros(1, 1, 1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        probe(tmp_path / "a.png").format = "JPEG"  # type: ignore[misc]


def test_slow_libraries_are_imported_when_needed_and_stay_quiet(tmp_path):
    """In a process of its own, since the test run imports everything and takes all logs."""
    (tmp_path / "a.tif").write_bytes(b"II*\0" + bytes(8))
    write_image(tmp_path / "a.png", torch.zeros(1, 1, 1))
    content = (tmp_path / "a.png").read_bytes()
    odd = b"\0\0\0\1gAMA?\0\0\0\0"  # libpng warns of its length and its checksum
    (tmp_path / "a.png").write_bytes(content[:33] + odd + content[33:])
    code = (
        "import sys, passband.media; "
        "print([name for name in ('OpenEXR', 'PIL', 'tifffile') if name in sys.modules])\n"
        "passband.media.read_image('a.png')\n"
        "try: passband.media.read_image('a.tif')\n"
        "except passband.errors.InputError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(passband.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    modules, message = done.stdout.splitlines()
    assert modules == "[]"
    assert "a.tif is cut short: its directory of pages lies beyond its end" in message
    assert done.stderr == ""
