"""`probe` tells what a file holds from its headers."""

import dataclasses
import subprocess
import sys

import pytest
import torch

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


def test_slow_libraries_are_imported_when_needed():
    code = (
        "import sys, passband.media; "
        "print([name for name in ('OpenEXR', 'PIL', 'tifffile') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
