"""Images against pypng, Pillow, imageio, tifffile and OpenEXR."""

from inspect import unwrap
from io import BytesIO

import imageio.v3 as iio
import numpy as np
import OpenEXR
import pytest
import tifffile
import torch
from PIL import Image as PillowImage
from torch import Tensor

from passband.errors import InputError
from passband.media import probe, read_image, write_image

png = pytest.importorskip("png")
RNG = np.random.default_rng(0)


def integers(bits: int, *shape: int) -> np.ndarray:
    return RNG.integers(0, 2**bits, shape, dtype=np.uint16 if bits > 8 else np.uint8)


def planes(stored: np.ndarray, top: int) -> Tensor:
    """(height, width[, channels]) integers as (channels, height, width) on [0, 1]."""
    array = np.moveaxis(stored.reshape(*stored.shape[:2], -1), 2, 0).astype(np.float64)
    return torch.from_numpy((array / top).astype(np.float32))


def read_and_probe(path):
    image, info = read_image(path), probe(path)
    assert info.kind == "image"
    assert info.shape == tuple(image.pixels.shape)
    assert (info.format, info.bit_depth) == (image.format, image.bit_depth)
    assert info.sample_rate is None
    return image


# Round trips


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("suffix", "bits"), [("png", 8), ("png", 16), ("tif", 8), ("tiff", 16), ("PNG", 8)]
)
def test_integers_come_back_bit_for_bit(tmp_path, suffix, bits, channels):
    stored = integers(bits, 13, 7, channels)
    pixels = planes(stored, 2**bits - 1)
    write_image(tmp_path / f"a.{suffix}", pixels, bit_depth=bits)
    image = read_and_probe(tmp_path / f"a.{suffix}")
    assert image.bit_depth == bits
    assert torch.equal(image.pixels, pixels)


@pytest.mark.parametrize("bits", [8, 16])
def test_every_integer_survives(tmp_path, bits):
    every = torch.arange(2**bits).reshape(1, -1, 256) / (2**bits - 1)
    write_image(tmp_path / "a.png", every, bit_depth=bits)
    assert torch.equal(read_image(tmp_path / "a.png").pixels, every)
    with (tmp_path / "a.png").open("rb") as file:
        _, _, rows, _ = png.Reader(file=file).read()
        stored = np.concatenate([np.asarray(row) for row in rows])
    np.testing.assert_array_equal(stored, np.arange(2**bits))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("suffix", "bits"), [("exr", 16), ("exr", 32), ("tif", 32)])
def test_floats_come_back_unbounded(tmp_path, suffix, bits, channels):
    dtype = np.float16 if bits == 16 else np.float32
    pixels = torch.from_numpy((RNG.standard_normal((channels, 35, 18)) * 100).astype(dtype)).float()
    write_image(tmp_path / f"a.{suffix}", pixels, bit_depth=bits)
    image = read_and_probe(tmp_path / f"a.{suffix}")
    assert image.bit_depth == bits
    assert torch.equal(image.pixels, pixels)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (16, 16), (17, 3)])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "exr"])
def test_any_size(tmp_path, suffix, size):
    write_image(tmp_path / f"a.{suffix}", torch.full((3, *size), 0.5))
    image = read_and_probe(tmp_path / f"a.{suffix}")
    assert image.pixels.shape == (3, *size)
    assert (image.pixels - 0.5).abs().max() < 0.01


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_near(tmp_path, channels):
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 48), indexing="ij")
    pixels = torch.stack([y, x, (x + y) / 2])[:channels]
    write_image(tmp_path / "a.jpg", pixels)
    assert (read_and_probe(tmp_path / "a.jpg").pixels - pixels).abs().max() < 0.02


def test_integers_are_clipped_and_rounded_to_nearest(tmp_path):
    pixels = torch.tensor([[[-0.5, 0.0, 1.4 / 255, 1.6 / 255, 1.0, 7.0]]])
    write_image(tmp_path / "a.png", pixels)
    expected = torch.tensor([[[0, 0, 1, 2, 255, 255]]]) / 255
    assert torch.equal(read_image(tmp_path / "a.png").pixels, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_float_type_and_gradients_are_taken(tmp_path, dtype):
    pixels = torch.full((1, 2, 2), 0.5, dtype=dtype, requires_grad=True)
    write_image(tmp_path / "a.exr", pixels, bit_depth=32)
    write_image(tmp_path / "b.exr", pixels.detach().double().numpy(), bit_depth=32)
    for name in ("a", "b"):
        assert torch.equal(read_image(tmp_path / f"{name}.exr").pixels, torch.full((1, 2, 2), 0.5))


def test_a_view_is_written_as_it_looks(tmp_path):
    pixels = torch.rand(6, 5, 3).permute(2, 0, 1)[:, ::2]
    write_image(tmp_path / "a.tif", pixels, bit_depth=32)
    assert torch.equal(read_image(tmp_path / "a.tif").pixels, pixels)


# PNG of every kind, made and read by pypng


def write_png(path, stored: np.ndarray, **options) -> None:
    height, width = stored.shape[:2]
    with path.open("wb") as file:
        png.Writer(width, height, **options).write(file, stored.reshape(height, -1).tolist())


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize(
    ("channels", "bits"),
    [(1, 1), (1, 2), (1, 4), (1, 8), (1, 16), (2, 8), (2, 16), (3, 8), (3, 16), (4, 8), (4, 16)],
)
@pytest.mark.parametrize("size", [(11, 13), (1, 1), (2, 5)])
def test_png_of_pypng(tmp_path, channels, bits, interlace, size):
    stored = RNG.integers(0, 2**bits, (*size, channels))
    write_png(
        tmp_path / "a.png",
        stored,
        greyscale=channels < 3,
        alpha=channels in (2, 4),
        bitdepth=bits,
        interlace=interlace,
    )
    image = read_and_probe(tmp_path / "a.png")
    assert image.bit_depth == bits
    assert torch.equal(image.pixels, planes(stored, 2**bits - 1))


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("channels", [3, 4])
def test_png_palette(tmp_path, bits, interlace, channels):
    palette = integers(8, 2**bits, channels)
    stored = integers(bits, 9, 10)
    write_png(
        tmp_path / "a.png",
        stored,
        palette=[tuple(int(v) for v in colour) for colour in palette],
        bitdepth=bits,
        interlace=interlace,
    )
    image = read_and_probe(tmp_path / "a.png")
    assert torch.equal(image.pixels, planes(palette[stored], 255))


@pytest.mark.parametrize("bits", [8, 16])
def test_png_transparent_colour_becomes_alpha(tmp_path, bits):
    stored = integers(bits, 4, 5, 3)
    key = tuple(int(v) for v in stored[1, 2])
    write_png(tmp_path / "a.png", stored, greyscale=False, bitdepth=bits, transparent=key)
    alpha = read_and_probe(tmp_path / "a.png").pixels[3]
    assert alpha[1, 2] == 0
    assert alpha.sum() == alpha.numel() - 1


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pypng_reads_our_png(tmp_path, channels, bits):
    stored = integers(bits, 6, 5, channels)
    write_image(tmp_path / "a.png", planes(stored, 2**bits - 1), bit_depth=bits)
    with (tmp_path / "a.png").open("rb") as file:
        _, _, rows, info = png.Reader(file=file).read()
        theirs = np.array([list(row) for row in rows]).reshape(6, 5, channels)
    assert info["bitdepth"] == bits
    np.testing.assert_array_equal(theirs, stored)


# Other formats against their own libraries

TURNS = (
    None,
    PillowImage.Transpose.FLIP_LEFT_RIGHT,
    PillowImage.Transpose.ROTATE_180,
    PillowImage.Transpose.FLIP_TOP_BOTTOM,
    PillowImage.Transpose.TRANSPOSE,
    PillowImage.Transpose.ROTATE_270,
    PillowImage.Transpose.TRANSVERSE,
    PillowImage.Transpose.ROTATE_90,
)


@pytest.mark.parametrize(("orientation", "turn"), [*enumerate(TURNS, start=1)])
@pytest.mark.parametrize("suffix", ["jpg", "tif", "png"])
def test_orientation_is_applied(tmp_path, suffix, orientation, turn):
    # Blocks of 8 x 8 so that JPEG keeps the levels apart.
    levels = np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40, np.ones((8, 8), np.uint8))
    image = PillowImage.fromarray(levels)
    exif = image.getexif()
    exif[274] = orientation
    image.save(tmp_path / f"a.{suffix}", exif=exif)
    expected = planes(np.asarray(image if turn is None else image.transpose(turn)), 255)
    assert torch.equal(read_and_probe(tmp_path / f"a.{suffix}").pixels, expected)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 2}])
def test_jpeg_of_pillow(tmp_path, mode, options):
    source = PillowImage.fromarray(integers(8, 33, 21, 3)).convert(mode)
    source.save(tmp_path / "a.jpg", quality=90, **options)
    with PillowImage.open(tmp_path / "a.jpg") as opened:
        expected = planes(np.asarray(opened.convert("RGB" if mode == "CMYK" else mode)), 255)
    pixels = read_and_probe(tmp_path / "a.jpg").pixels
    tolerance = 1 / 255 if mode == "CMYK" else 0  # Pillow rounds (1 - C)(1 - K) to bytes
    torch.testing.assert_close(pixels, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_tiff_of_pillow(tmp_path, mode):
    if mode == "I;16":
        source, top = PillowImage.fromarray(integers(16, 9, 11)), 65535
    elif mode == "F":
        source, top = PillowImage.fromarray(RNG.standard_normal((9, 11)).astype(np.float32)), 1
    else:
        source, top = PillowImage.fromarray(integers(8, 9, 11, 3)).convert(mode), 255
    source.save(tmp_path / "a.tif")
    plain = source.convert({"1": "L", "P": "RGB", "CMYK": "RGB"}.get(mode, mode))
    torch.testing.assert_close(
        read_and_probe(tmp_path / "a.tif").pixels,
        planes(np.asarray(plain), top),
        rtol=0,
        atol=1 / 255 if mode == "CMYK" else 0,
    )


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib", "tile": (16, 16)},
        {"compression": "packbits", "rowsperstrip": 3},
        {"compression": "zstd", "bigtiff": True},
        {"planarconfig": "separate"},
        {"byteorder": ">"},
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float16, np.float64])
def test_tiff_of_tifffile(tmp_path, options, dtype):
    integer = np.issubdtype(dtype, np.integer)
    stored = (RNG.random((20, 37, 3)) * (np.iinfo(dtype).max if integer else 10)).astype(dtype)
    separate = options.get("planarconfig") == "separate"
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.moveaxis(stored, 2, 0) if separate else stored,
        photometric="rgb",
        **options,
    )
    top = np.iinfo(dtype).max if integer else 1
    image = read_and_probe(tmp_path / "a.tif")
    assert image.bit_depth == np.dtype(dtype).itemsize * 8
    assert torch.equal(image.pixels, planes(stored, top))


def test_tiff_beside_its_thumbnail(tmp_path):
    stored = integers(8, 32, 32, 3)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(stored, photometric="rgb")
        writer.write(stored[::4, ::4], photometric="rgb", subfiletype=1)
    assert torch.equal(read_image(tmp_path / "a.tif").pixels, planes(stored, 255))


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tifffile_and_pillow_read_our_tiff(tmp_path, bits, channels):
    pixels = torch.from_numpy(RNG.random((channels, 6, 5)).astype(np.float32))
    write_image(tmp_path / "a.tif", pixels, bit_depth=bits)
    theirs = tifffile.imread(tmp_path / "a.tif").reshape(6, 5, channels)
    assert theirs.dtype == {8: np.uint8, 16: np.uint16, 32: np.float32}[bits]
    top = 2**bits - 1 if bits < 32 else 1
    torch.testing.assert_close(planes(theirs, top), pixels, rtol=0, atol=0.5001 / (2**bits - 1))
    if bits == 8:
        with PillowImage.open(tmp_path / "a.tif") as opened:
            assert opened.mode == ["L", "LA", "RGB", "RGBA"][channels - 1]
            np.testing.assert_array_equal(np.asarray(opened).reshape(theirs.shape), theirs)


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("smooth", [False, True])
def test_openexr_reads_our_exr(tmp_path, bits, channels, smooth):
    values = np.linspace(0, 9, 37 * 20) if smooth else RNG.standard_normal(37 * 20)
    pixels = torch.from_numpy(values.reshape(1, 37, 20).astype(np.float32)).repeat(channels, 1, 1)
    pixels = pixels * torch.arange(1, channels + 1)[:, None, None]
    write_image(tmp_path / "a.exr", pixels, bit_depth=bits)
    with OpenEXR.File(str(tmp_path / "a.exr"), separate_channels=True) as file:
        stored = file.channels()
        names = ["Y", "YA", "RGB", "RGBA"][channels - 1]
        assert set(stored) == set(names)
        theirs = np.stack([stored[name].pixels for name in names])
    assert theirs.dtype == (np.float16 if bits == 16 else np.float32)
    np.testing.assert_array_equal(theirs, pixels.numpy().astype(theirs.dtype))


@pytest.mark.parametrize("compression", ["NO", "RLE", "ZIPS", "ZIP", "PIZ"])
def test_exr_of_openexr(tmp_path, compression):
    values = RNG.standard_normal((40, 70, 4)).astype(np.float16)
    header = {"compression": getattr(OpenEXR, f"{compression}_COMPRESSION")}
    OpenEXR.File(header, {"RGBA": values}).write(str(tmp_path / "a.exr"))
    image = read_and_probe(tmp_path / "a.exr")
    assert torch.equal(image.pixels, planes(values, 1))


@pytest.mark.parametrize(
    ("names", "read"),
    [
        (["B", "G", "R"], ["R", "G", "B"]),
        (["A", "Y"], ["Y", "A"]),
        (["A", "B", "G", "R", "Z"], ["R", "G", "B", "A"]),
        (["Z"], ["Z"]),
        (["right", "left"], ["left", "right"]),
        (["G", "R"], ["R", "G"]),
    ],
)
def test_exr_channel_order(tmp_path, names, read):
    values = {name: np.full((3, 4), index, np.float32) for index, name in enumerate(names)}
    OpenEXR.File({}, dict(values)).write(str(tmp_path / "a.exr"))
    pixels = read_and_probe(tmp_path / "a.exr").pixels
    assert pixels[:, 0, 0].tolist() == [names.index(name) for name in read]


@pytest.mark.parametrize(
    ("format_", "mode", "options"),
    [
        ("GIF", "P", {}),
        ("BMP", "RGB", {}),
        ("BMP", "L", {}),
        ("BMP", "1", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"lossless": True, "exact": True}),
        ("WEBP", "RGB", {"quality": 80}),
    ],
)
def test_other_formats_of_pillow(tmp_path, format_, mode, options):
    source = PillowImage.fromarray(integers(8, 17, 23, 4)).convert("RGB" if mode == "P" else mode)
    source.convert(mode).save(tmp_path / "a.bin", format_, **options)
    with PillowImage.open(tmp_path / "a.bin") as opened:
        plain = {"P": "RGB", "1": "L"}.get(mode, mode)
        expected = planes(np.asarray(opened.convert(plain)), 255)
    image = read_and_probe(tmp_path / "a.bin")
    assert image.format == format_
    assert torch.equal(image.pixels, expected)


def test_gif_transparency_becomes_alpha(tmp_path):
    stored = np.arange(12, dtype=np.uint8).reshape(3, 4) % 4
    palette = integers(8, 4, 3)
    source = PillowImage.fromarray(stored)
    source.putpalette(palette.tobytes())
    source.save(tmp_path / "a.gif", transparency=2, optimize=False)
    pixels = read_and_probe(tmp_path / "a.gif").pixels
    assert torch.equal(pixels[:3], planes(palette[stored], 255))
    assert torch.equal(pixels[3], torch.from_numpy((stored != 2).astype(np.float32)))


# Real pictures


def test_kodak(data):
    paths = sorted((data / "images" / "kodak").glob("*.png"))
    assert paths
    for path in paths[:4]:
        image = read_and_probe(path)
        assert (image.format, image.bit_depth) == ("PNG", 8)
        with PillowImage.open(path) as opened:
            assert torch.equal(image.pixels, planes(np.asarray(opened), 255))
        assert torch.equal(image.pixels, planes(iio.imread(path), 255))


def test_high_dynamic_range(data):
    path = data / "images" / "hdr" / "albert.exr"
    image = read_and_probe(path)
    with OpenEXR.File(str(path), separate_channels=True) as file:
        theirs = np.stack([file.channels()[name].pixels for name in "RGBA"])
    assert image.pixels.shape == (4, 1024, 1024)
    assert np.array_equal(image.pixels.numpy(), theirs)


# What cannot be written


@pytest.mark.parametrize(
    ("name", "pixels", "bit_depth", "match"),
    [
        ("a.gif", torch.zeros(3, 2, 2), None, r"ends in '\.gif'; images are written as \.png"),
        ("a", torch.zeros(3, 2, 2), None, "ends in 'no suffix'"),
        ("a.png", torch.zeros(3, 2, 2), 32, r"`bit_depth` \(=32\) of PNG must be 8 or 16"),
        ("a.jpg", torch.zeros(3, 2, 2), 16, r"`bit_depth` \(=16\) of JPEG must be 8\."),
        ("a.exr", torch.zeros(3, 2, 2), 8, r"`bit_depth` \(=8\) of EXR must be 16 or 32"),
        ("a.jpg", torch.zeros(4, 2, 2), 8, "JPEG holds no alpha"),
        ("a.png", torch.zeros(5, 2, 2), 8, r"must have 1 to 4 channels, first.*permute"),
        ("a.png", torch.zeros(2, 2), 8, r"must be \(channels, height, width\)"),
        ("a.png", torch.zeros(3, 0, 2), 8, "none of them 0"),
        ("a.png", torch.zeros(3, 2, 2, dtype=torch.uint8), 8, "must be floating point"),
        ("a.png", torch.full((1, 2, 2), torch.nan), 8, "`pixels` holds 4 NaN or infinite"),
        ("a.exr", torch.full((1, 2, 2), 1e5), 16, r"up to 100000\) must be at most 65504"),
        ("a.tif", torch.full((1, 2, 2), 1e50, dtype=torch.float64), 32, "in 32-bit floats"),
    ],
)
def test_refused_pixels(tmp_path, name, pixels, bit_depth, match):
    # Without the shape checks of the test run, which would refuse some of these before.
    with pytest.raises(InputError, match=match):
        unwrap(write_image)(tmp_path / name, pixels, bit_depth=bit_depth)
    assert list(tmp_path.iterdir()) == []


def test_pillows_limit_is_neither_used_nor_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 10)
    buffer = BytesIO()
    PillowImage.new("RGB", (40, 40)).save(buffer, "BMP")
    (tmp_path / "a.bmp").write_bytes(buffer.getvalue())
    for suffix in ("png", "jpg", "tif"):
        write_image(tmp_path / f"a.{suffix}", torch.zeros(3, 40, 40))
    for path in tmp_path.iterdir():
        assert read_image(path).pixels.shape == (3, 40, 40)
    assert PillowImage.MAX_IMAGE_PIXELS == 10
