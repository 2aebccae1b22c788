"""Every fault of a file: one readable line, early, without memory, and nothing printed."""

import os
import re
import resource
import struct
import time
import tracemalloc
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import soundfile
import tifffile
import torch
from PIL import Image as PillowImage

from passband.errors import InputError
from passband.media import probe, read_audio, read_image, write_audio, write_image

IMAGES = ("png", "jpg", "tif", "exr")
SOUNDS = ("wav", "flac", "ogg", "mp3")
PICTURE = torch.linspace(0, 1, 3 * 12 * 14).reshape(3, 12, 14)
SOUND = 0.3 * torch.sin(torch.arange(2 * 3000).reshape(2, 3000) / 9)


def sound_file(folder: Path, suffix: str) -> bytes:
    write_audio(folder / f"good.{suffix}", SOUND, 16000)
    return (folder / f"good.{suffix}").read_bytes()


def image_file(folder: Path, suffix: str) -> bytes:
    write_image(folder / f"good.{suffix}", PICTURE)
    return (folder / f"good.{suffix}").read_bytes()


def pillow_file(format_: str, size=(14, 12), **options) -> bytes:
    buffer = BytesIO()
    PillowImage.new("RGB", size, "teal").save(buffer, format_, **options)
    return buffer.getvalue()


def refused(path: Path, match: str) -> None:
    """The reader of its kind refuses the file in one line that names it, the other in some line."""
    messages = []
    for reader in (read_image, read_audio):
        with pytest.raises(InputError) as caught:
            reader(path)
        messages.append(str(caught.value))
        assert str(path) in messages[-1]
        assert "\n" not in messages[-1]
        assert messages[-1].endswith((".", "?"))
    ours = [m for m in messages if "), not audio. Pass" not in m and "), not an image." not in m]
    assert ours
    for message in ours:
        assert re.search(match, message), message


# Files that are not there, or not files


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("kodak01.png", r"does not exist\. Did you mean .*kodim01\.png\?"),
        ("other.wav", r"does not exist\. Check the path\."),
        ("none/a.png", r"does not exist\. Neither does its folder"),
        ("kodim01.png/a.png", "cannot be opened: .*Not a directory"),
        ("folder.png", "is a folder. Pass one file inside it."),
        ("pipe.wav", "is not a regular file"),
        ("ring.png", "cannot be opened: .*symbolic links"),
        ("x" * 300, "cannot be opened: .*File name too long"),
        ("empty.png", r"is empty \(0 bytes\)"),
    ],
)
@pytest.mark.parametrize("reader", [read_image, read_audio, probe])
def test_no_file(tmp_path, reader, name, match):
    (tmp_path / "kodim01.png").write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.png").touch()
    (tmp_path / "ring.png").symlink_to("ring.png")
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(InputError, match=match) as caught:
        reader(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_path_with_a_zero_byte():
    with pytest.raises(InputError, match="cannot be opened: embedded null byte"):
        read_image("a\0.png")


def test_no_permission(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(image_file(tmp_path, "png"))
    path.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # root may read everything; look as nobody
            os.seteuid(65534)
        with pytest.raises(InputError, match=r"a\.png may not be read \(permission denied\)"):
            read_image(path)
    finally:
        os.seteuid(user)


# Content that is something else


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.png", b"just some words\n", r"holds text, though it is named \.png\. Images \(PNG"),
        ("a.txt", b"just some words\n", r"a\.txt holds text\. Images"),
        ("a.png", "Grüße, ω = 30\n".encode(), "holds text, though"),
        ("a.wav", b"<!DOCTYPE html><html>404</html>", "holds a web page .* failed download"),
        ("a.png", b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer.* git lfs"),
        ("a.m4a", b"\0\0\0\x20ftypM4A \0\0\0\0", r"holds M4A.*ffmpeg -i in\.m4a out\.wav"),
        ("a.heic", b"\0\0\0\x20ftypheic\0\0\0\0", "holds a HEIC image.*Convert it to PNG"),
        ("a.mp4", b"\0\0\0\x20ftypisom\0\0\0\0", "holds an MP4"),
        ("a.aiff", b"FORM\0\0\0\x20AIFF", "holds AIFF audio"),
        ("a.hdr", b"#?RADIANCE\n", "holds a Radiance HDR"),
        ("a.bin", bytes(range(64)), "of no known format .it begins 00 01 02 03"),
        ("BM.png", b"BM is how this text begins, at length enough", "holds text"),
        ("a.aac", b"\xff\xf1\x50\x80" * 99, "of no known format"),
    ],
)
def test_unknown_content(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, match)


def test_the_wrong_kind(tmp_path):
    image_file(tmp_path, "png")
    sound_file(tmp_path, "ogg")
    with pytest.raises(InputError, match=r"good\.png holds an image .PNG., not audio"):
        read_audio(tmp_path / "good.png")
    with pytest.raises(InputError, match=r"good\.ogg holds audio .OGG., not an image"):
        read_image(tmp_path / "good.ogg")


@pytest.mark.parametrize("suffix", [*IMAGES, *SOUNDS])
def test_a_wrong_suffix_does_not_matter_but_is_told(tmp_path, suffix):
    make = image_file if suffix in IMAGES else sound_file
    content = make(tmp_path, suffix)
    wrong = "wav" if suffix in IMAGES else "png"
    path = tmp_path / f"bad.{wrong}"
    for name in (path, tmp_path / "bad", tmp_path / "bad.raw", tmp_path / "bäd ♫.MP3.tmp"):
        name.write_bytes(content)
        good, other = probe(tmp_path / f"good.{suffix}"), probe(name)
        assert (good.format, good.shape) == (other.format, other.shape)
        (read_image if suffix in IMAGES else read_audio)(name)
    path.write_bytes(content[: len(content) // 2])
    refused(path, rf"bad\.{wrong} \(a [A-Z0-9]+ file named \.{wrong}\) is ")


# Bodies cut short or damaged


@pytest.mark.parametrize("suffix", [*IMAGES, *SOUNDS])
def test_cut_anywhere(tmp_path, suffix):
    content = (image_file if suffix in IMAGES else sound_file)(tmp_path, suffix)
    path = tmp_path / f"a.{suffix}"
    lengths = {
        *range(12, len(content), max(1, len(content) // 60)),
        *(len(content) - n for n in (1, 2)),
    }
    for length in sorted(lengths):
        path.write_bytes(content[:length])
        refused(path, "is cut short: |is damaged: ")


@pytest.mark.parametrize(
    "content",
    [
        pillow_file("PNG"),
        pillow_file("JPEG", progressive=True),
        pillow_file("TIFF", compression="tiff_lzw"),
        pillow_file("WEBP"),
        pillow_file("BMP"),
    ],
)
def test_cut_in_the_middle_as_others_write_them(tmp_path, content):
    (tmp_path / "a").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "a", "is cut short: |is damaged: ")


def test_tiff_that_lost_its_last_byte(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 9), np.uint8), compression="lzw")
    (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:-1])
    refused(tmp_path / "a.tif", "is cut short: its pixels reach to byte")


def test_wav_says_how_much_is_missing(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(sound_file(tmp_path, "wav")[:-1000])
    refused(path, "its header promises 12,000 bytes of samples, 11,000 are there")


def test_ogg_that_lost_whole_pages(tmp_path):
    content = sound_file(tmp_path, "ogg")
    (tmp_path / "a.ogg").write_bytes(content[: content.rindex(b"OggS")])
    refused(tmp_path / "a.ogg", "is cut short: its last page is missing")


def test_flipped_bytes_are_read_or_refused_never_a_crash(tmp_path):
    """PNG, TIFF, WAV, FLAC and Ogg; libraries of the others print about damage inside."""
    rng = np.random.default_rng(0)
    for suffix in ("png", "jpg", "tif", "wav", "flac", "ogg"):
        content = (image_file if suffix in IMAGES else sound_file)(tmp_path, suffix)
        reader = read_image if suffix in IMAGES else read_audio
        for attempt in range(60):
            damaged = bytearray(content)
            reach = len(content) if attempt % 2 else min(120, len(content))
            for at in rng.integers(8, reach, 2):
                damaged[at] = rng.integers(256)
            (tmp_path / "a").write_bytes(damaged)
            with suppress(InputError):
                reader(tmp_path / "a")


def test_flac_that_lost_all_frames(tmp_path):
    content = sound_file(tmp_path, "flac")
    position, last = 4, False
    while not last:  # skip the metadata blocks
        last = bool(content[position] & 0x80)
        position += 4 + int.from_bytes(content[position + 1 : position + 4])
    (tmp_path / "a.flac").write_bytes(content[:position])
    refused(tmp_path / "a.flac", "is cut short: 0 of 3,000 samples per channel are there")


def test_mp3_with_a_gap(tmp_path):
    content = sound_file(tmp_path, "mp3")
    half = len(content) // 2
    (tmp_path / "a.mp3").write_bytes(content[:half] + bytes(range(1, 200)) * 20 + content[half:])
    refused(tmp_path / "a.mp3", "is damaged: no MPEG audio frame begins at byte")


@pytest.mark.parametrize("interlace", [False, True])
def test_png_with_too_few_pixels(tmp_path, interlace):
    header = struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, int(interlace))
    (tmp_path / "a.png").write_bytes(png_file(header, bytes(20)))
    refused(tmp_path / "a.png", "is damaged: ")


# Files without samples, or with too many pictures, or with samples not read here


def test_no_samples(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 2)), 8000)
    refused(tmp_path / "a.wav", r"holds no audio \(2 x 0\)")
    write_audio(tmp_path / "a.flac", SOUND, 8000)
    header = bytearray((tmp_path / "a.flac").read_bytes()[:42])
    header[4], header[21], header[22:26] = 0x80, header[21] & 0xF0, bytes(4)
    (tmp_path / "a.flac").write_bytes(header)
    refused(tmp_path / "a.flac", r"holds no audio \(2 x 0\)")


def test_no_samples_but_other_chunks(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 1)), 8000)
    content = bytearray((tmp_path / "a.wav").read_bytes() + b"LIST\x04\0\0\0abcd")
    content[4:8] = struct.pack("<I", len(content) - 8)
    (tmp_path / "a.wav").write_bytes(content)
    refused(tmp_path / "a.wav", "holds no audio")


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (0, 0)])
def test_no_pixels(tmp_path, width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(png_file(header, b""))
    refused(tmp_path / "a.png", rf"holds no pixels \(3 x {height} x {width}\)")


def test_one_pixel_and_one_sample_are_fine(tmp_path):
    write_image(tmp_path / "a.png", torch.ones(1, 1, 1))
    assert read_image(tmp_path / "a.png").pixels.item() == 1


def test_several_pictures(tmp_path):
    frames = [PillowImage.new("RGB", (5, 5), colour) for colour in ("red", "green", "blue")]
    for name, noun in (
        ("a.tif", "pages"),
        ("a.gif", "animation frames"),
        ("a.png", "animation frames"),
    ):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        refused(tmp_path / name, f"holds 3 {noun}; exactly one is read. Pass a file with one.")
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
    refused(tmp_path / "a.webp", "is an animation, which is not read here")
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((4, 8, 8), np.uint8), photometric="minisblack")
    refused(tmp_path / "b.tif", "holds 4 pages")
    parts = [
        OpenEXR.Part({}, {"Y": np.zeros((3, 3), np.float32)}, name) for name in ("left", "right")
    ]
    OpenEXR.File(parts).write(str(tmp_path / "a.exr"))
    refused(tmp_path / "a.exr", "holds 2 parts")


@pytest.mark.parametrize(
    ("stored", "options", "match"),
    [
        (np.zeros((4, 4), np.int16), {}, "holds 16-bit signed samples.*Convert it to 16-bit or"),
        (np.zeros((4, 4), np.uint32), {}, "holds 32-bit unsigned samples"),
        (np.zeros((4, 4, 6), np.uint8), {"planarconfig": "contig"}, "holds 6 samples per pixel"),
        (np.zeros((4, 4, 3), np.uint8), {"photometric": "cielab"}, "3 samples per pixel as CIELAB"),
    ],
)
def test_tiff_not_read_here(tmp_path, stored, options, match):
    tifffile.imwrite(tmp_path / "a.tif", stored, **{"photometric": "minisblack", **options})
    refused(tmp_path / "a.tif", match)


@pytest.mark.parametrize(
    ("channels", "match"),
    [
        (
            {f"layer{i}": np.zeros((3, 3), np.float32) for i in range(5)},
            r"holds 5 channels \(layer0",
        ),
        ({"Y": np.zeros((3, 3), np.uint32)}, r"holds integer \(UINT\) channels"),
    ],
)
def test_exr_not_read_here(tmp_path, channels, match):
    OpenEXR.File({}, channels).write(str(tmp_path / "a.exr"))
    refused(tmp_path / "a.exr", match)


# NaN and infinity


def test_samples_that_are_no_numbers(tmp_path):
    samples = np.zeros((900, 2), np.float32)
    samples[500, 1] = np.nan
    samples[600:, 0] = np.inf
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    refused(tmp_path / "a.wav", "holds 301 NaN or infinite samples of 1,800; the first is at")
    refused(tmp_path / "a.wav", "at channel 0, sample 600")
    soundfile.write(tmp_path / "a.wav", np.full(5, 1e300), 8000, subtype="DOUBLE")
    refused(tmp_path / "a.wav", "holds 5 NaN or infinite")


def test_pixels_that_are_no_numbers(tmp_path):
    pixels = np.zeros((6, 7, 3), np.float32)
    pixels[4, 5, 1] = -np.inf
    pixels[5, 0, 2] = np.nan
    OpenEXR.File({}, {"RGB": pixels}).write(str(tmp_path / "a.exr"))
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    for suffix in ("exr", "tif"):
        refused(tmp_path / f"a.{suffix}", "holds 2 NaN or infinite samples of 126; the first is at")
        refused(tmp_path / f"a.{suffix}", "channel 1, row 4, column 5")


# Headers that promise more than memory holds


def png_file(header: bytes, pixels: bytes | None) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    body = b"" if pixels is None else chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


def huge_png() -> bytes:
    return png_file(struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0), None)


def huge_jpeg() -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 65500, 65500, 3) + bytes(9)
    return b"\xff\xd8" + frame + b"\xff\xda\0\x0c" + bytes(10)


def huge_tiff() -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, np.zeros((5, 7), np.uint16))
    content = buffer.getvalue()
    for tag, old in ((256, 7), (257, 5), (278, 5)):
        at = content.index(struct.pack("<HHI", tag, {256: 4, 257: 4, 278: 4}[tag], 1)) + 8
        assert content[at : at + 4] == struct.pack("<I", old)
        content = content[:at] + struct.pack("<I", 60000) + content[at + 4 :]
    return content


def huge_exr() -> bytes:
    parts = [b"v/1\x01", struct.pack("<I", 2)]
    for name, kind, value in (
        ("channels", "chlist", b"Y\0" + struct.pack("<iB3xii", 1, 0, 1, 1) + b"\0"),
        ("dataWindow", "box2i", struct.pack("<4i", 0, 0, 99_999, 99_999)),
    ):
        parts += [
            name.encode() + b"\0" + kind.encode() + b"\0",
            struct.pack("<i", len(value)),
            value,
        ]
    return b"".join(parts) + b"\0"


def huge_bmp() -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


def huge_gif() -> bytes:
    frame = b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x08\0;"
    return b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0x80, 0, 0) + bytes(6) + frame


def huge_webp() -> bytes:
    size = (16_383 - 1).to_bytes(3, "little")
    return (
        b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size * 2
    )


def huge_wav() -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    return b"RIFF\0\0\0\xf0WAVEfmt \x10\0\0\0" + form + b"data\xf0\xff\xff\xff"


def huge_flac() -> bytes:
    packed = (44100 << 44) | (1 << 41) | (15 << 36) | (2**36 - 1)
    return (
        b"fLaC\x80\0\0\x22"
        + struct.pack(">HH", 4096, 4096)
        + bytes(6)
        + packed.to_bytes(8)
        + bytes(16)
    )


def huge_ogg() -> bytes:
    first = b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, 2, 44100, 0, 0, 0, 0xB8, 1)
    pages = ((2, 0, first), (4, 2**40, b"x"))
    return b"".join(
        b"OggS\0" + struct.pack("<BqIIIBB", flags, granule, 1, n, 0, 1, len(data)) + data
        for n, (flags, granule, data) in enumerate(pages)
    )


HUGE = {
    "png": (huge_png, "3 x 30,000 x 30,000 = 2,700,000,000"),
    "jpg": (huge_jpeg, "3 x 65,500 x 65,500 = 12,870,750,000"),
    "tif": (huge_tiff, "1 x 60,000 x 60,000 = 3,600,000,000"),
    "exr": (huge_exr, "1 x 100,000 x 100,000 = 10,000,000,000"),
    "bmp": (huge_bmp, "3 x 50,000 x 50,000 = 7,500,000,000"),
    "gif": (huge_gif, "3 x 60,000 x 60,000 = 10,800,000,000"),
    "webp": (huge_webp, "3 x 16,383 x 16,383 = 805,208,067"),
    "wav": (huge_wav, "1 x 2,147,483,640 = 2,147,483,640"),
    "flac": (huge_flac, "2 x 68,719,476,735 = 137,438,953,470"),
    "ogg": (huge_ogg, "2 x 1,099,511,627,776 = 2,199,023,255,552"),
}


@pytest.mark.parametrize("suffix", HUGE)
def test_a_huge_header_takes_neither_memory_nor_time(tmp_path, suffix):
    make, size = HUGE[suffix]
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(make())
    reader = read_image if probe(path).kind == "image" else read_audio  # imports what is needed
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        reader(path)
    seconds = time.perf_counter() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert f"holds {size} samples, more than `max_samples` (=134,217,728)" in str(caught.value)
    assert "--set target.max_samples=" in str(caught.value)
    assert seconds < 1
    assert peak < 2**20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**15  # KiB


def test_the_limit_itself(tmp_path):
    image_file(tmp_path, "png")
    sound_file(tmp_path, "wav")
    assert read_image(tmp_path / "good.png", max_samples=504).pixels.numel() == 504
    assert read_audio(tmp_path / "good.wav", max_samples=6000).samples.numel() == 6000
    with pytest.raises(
        InputError, match=r"3 x 12 x 14 = 504 samples, more than `max_samples` \(=503\)"
    ):
        read_image(tmp_path / "good.png", max_samples=503)
    with pytest.raises(InputError, match=r"2 x 3,000 = 6,000 samples, more than `max_samples`"):
        read_audio(tmp_path / "good.wav", max_samples=5999)
