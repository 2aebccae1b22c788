"""Sounds against scipy.io.wavfile and soundfile."""

import os
import struct
from inspect import unwrap
from io import BytesIO

import numpy as np
import pytest
import soundfile
import torch
from scipy.io import wavfile
from torch import Tensor

from passband.errors import InputError
from passband.media import probe, read_audio, write_audio

RNG = np.random.default_rng(0)


def tone(channels: int, time: int, sample_rate: int) -> Tensor:
    seconds = torch.arange(time) / sample_rate
    hertz = 200 * torch.arange(1, channels + 1)[:, None]
    return 0.5 * torch.sin(2 * torch.pi * hertz * seconds)


def read_and_probe(path):
    audio, info = read_audio(path), probe(path)
    assert info.kind == "audio"
    assert info.shape == tuple(audio.samples.shape)
    assert (info.format, info.bit_depth) == (audio.format, audio.bit_depth)
    assert info.sample_rate == audio.sample_rate
    return audio


# Round trips


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize(("suffix", "bits"), [("wav", 16), ("wav", 24), ("flac", 16), ("flac", 24)])
def test_integers_come_back_bit_for_bit(tmp_path, suffix, bits, channels):
    scale = 2 ** (bits - 1)
    stored = RNG.integers(-scale, scale, (channels, 701))
    stored[:, :2] = -scale, scale - 1
    samples = torch.from_numpy((stored / scale).astype(np.float32))
    write_audio(tmp_path / f"a.{suffix}", samples, 22050, bit_depth=bits)
    audio = read_and_probe(tmp_path / f"a.{suffix}")
    assert (audio.sample_rate, audio.bit_depth) == (22050, bits)
    assert torch.equal(audio.samples, samples)


def test_every_16_bit_integer_survives(tmp_path):
    every = torch.arange(-32768, 32768)[None] / 32768
    write_audio(tmp_path / "a.wav", every, 8000)
    assert torch.equal(read_audio(tmp_path / "a.wav").samples, every)
    np.testing.assert_array_equal(wavfile.read(tmp_path / "a.wav")[1], np.arange(-32768, 32768))


@pytest.mark.parametrize("channels", [1, 3])
def test_float_wav_is_unbounded(tmp_path, channels):
    samples = 10 * torch.randn(channels, 333)
    write_audio(tmp_path / "a.wav", samples, 44100, bit_depth=32)
    audio = read_and_probe(tmp_path / "a.wav")
    assert audio.bit_depth == 32
    assert torch.equal(audio.samples, samples)
    rate, theirs = wavfile.read(tmp_path / "a.wav")
    assert (rate, theirs.dtype) == (44100, np.float32)
    np.testing.assert_array_equal(theirs.reshape(-1, channels).T, samples.numpy())


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("bits", [16, 24])
def test_integers_are_clipped_and_rounded_to_nearest(tmp_path, suffix, bits):
    scale = 2 ** (bits - 1)
    samples = torch.tensor([[-3.0, -1.0, 0.4 / scale, 0.6 / scale, 1.0, 3.0]])
    write_audio(tmp_path / f"a.{suffix}", samples, 8000, bit_depth=bits)
    expected = torch.tensor([[-scale, -scale, 0, 1, scale - 1, scale - 1]]) / scale
    assert torch.equal(read_audio(tmp_path / f"a.{suffix}").samples, expected)


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_lossy_formats_are_near(tmp_path, suffix, channels, sample_rate):
    samples = tone(channels, sample_rate, sample_rate)
    write_audio(tmp_path / f"a.{suffix}", samples, sample_rate)
    audio = read_and_probe(tmp_path / f"a.{suffix}")
    assert audio.samples.shape == samples.shape
    assert audio.bit_depth is None
    error = (audio.samples - samples)[:, 2000:-2000].square().mean().sqrt()
    assert error < 0.02


def test_a_long_ogg_is_written(tmp_path):
    samples = 0.1 * torch.randn(1, 2_000_000)  # in one call, libsndfile's encoder overflows
    write_audio(tmp_path / "a.ogg", samples, 48000)
    assert read_and_probe(tmp_path / "a.ogg").samples.shape == samples.shape


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_one_sample(tmp_path, suffix):
    write_audio(tmp_path / f"a.{suffix}", torch.zeros(1, 1), 16000)
    assert read_and_probe(tmp_path / f"a.{suffix}").samples.shape == (1, 1)


def test_same_bytes_every_time(tmp_path):
    for bits in (16, 24, 32):
        write_audio(tmp_path / "a.wav", tone(2, 50, 8000), 8000, bit_depth=bits)
        first = (tmp_path / "a.wav").read_bytes()
        write_audio(tmp_path / "a.wav", tone(2, 50, 8000).double().numpy(), 8000, bit_depth=bits)
        assert (tmp_path / "a.wav").read_bytes() == first


# WAV made by others


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_wav_of_scipy(tmp_path, dtype, channels):
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        stored = RNG.integers(limits.min, limits.max, (99, channels), dtype, endpoint=True)
        expected = (stored.astype(np.float64) - (128 if dtype == np.uint8 else 0)) / (
            2 ** (limits.bits - 1)
        )
    else:
        stored = expected = RNG.standard_normal((99, channels)).astype(dtype)
    wavfile.write(tmp_path / "a.wav", 12345, stored)
    audio = read_and_probe(tmp_path / "a.wav")
    assert audio.bit_depth == np.dtype(dtype).itemsize * 8
    assert torch.equal(audio.samples, torch.from_numpy(expected.T.astype(np.float32)))


@pytest.mark.parametrize(
    ("format_", "subtype", "bits", "tolerance"),
    [
        ("WAV", "PCM_24", 24, 0),
        ("WAVEX", "PCM_16", 16, 0),
        ("RF64", "PCM_24", 24, 0),
        ("WAV", "ULAW", 8, 0),
        ("WAV", "IMA_ADPCM", None, 0),
        ("OGG", "OPUS", None, 0),
        ("FLAC", "PCM_S8", 8, 0),
    ],
)
def test_formats_of_soundfile(tmp_path, format_, subtype, bits, tolerance):
    samples = tone(2, 4040, 48000).T.numpy()
    soundfile.write(tmp_path / "a.bin", samples, 48000, format=format_, subtype=subtype)
    audio = read_and_probe(tmp_path / "a.bin")
    assert audio.bit_depth == bits
    theirs, _ = soundfile.read(tmp_path / "a.bin", dtype="float32")
    np.testing.assert_array_equal(audio.samples.numpy(), theirs.T)


def test_big_endian_wav(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(1, 99, 8000)[0].numpy(), 8000, endian="BIG")
    assert (tmp_path / "a.wav").read_bytes()[:4] == b"RIFX"
    assert read_and_probe(tmp_path / "a.wav").samples.shape == (1, 99)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_streamed_wav_is_read_as_far_as_it_goes(tmp_path, size):
    samples = tone(2, 500, 8000)
    write_audio(tmp_path / "a.wav", samples, 8000, bit_depth=32)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = content[4:8] = struct.pack("<I", size)
    (tmp_path / "a.wav").write_bytes(content)
    assert torch.equal(read_and_probe(tmp_path / "a.wav").samples, samples)
    (tmp_path / "a.wav").write_bytes(content[:-808])
    assert torch.equal(read_and_probe(tmp_path / "a.wav").samples, samples[:, :-101])


def test_wav_with_chunks_before_and_after(tmp_path):
    samples = tone(1, 7, 8000)
    write_audio(tmp_path / "a.wav", samples, 8000, bit_depth=32)
    content = (tmp_path / "a.wav").read_bytes()
    at = content.index(b"data")
    odd = b"LIST\x03\0\0\0abc\0"
    (tmp_path / "a.wav").write_bytes(content[:at] + odd + content[at:] + odd)
    assert torch.equal(read_and_probe(tmp_path / "a.wav").samples, samples)


# FLAC, Ogg and MP3 made by others


def test_flac_of_unstated_length(tmp_path):
    samples = tone(2, 70_000, 44100)
    write_audio(tmp_path / "a.flac", samples, 44100, bit_depth=24)
    expected = read_audio(tmp_path / "a.flac").samples
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(content)
    assert torch.equal(read_audio(tmp_path / "a.flac").samples, expected)
    assert probe(tmp_path / "a.flac").shape == (2, 0)
    with pytest.raises(InputError, match=r"more than `max_samples` \(=139,999\)"):
        read_audio(tmp_path / "a.flac", max_samples=139_999)


@pytest.mark.parametrize("suffix", ["flac", "mp3"])
def test_an_id3_tag_in_front(tmp_path, suffix):
    write_audio(tmp_path / f"a.{suffix}", tone(1, 9000, 44100), 44100)
    expected = read_and_probe(tmp_path / f"a.{suffix}").samples
    content = (tmp_path / f"a.{suffix}").read_bytes()
    tag = b"ID3\x04\0\0\0\0\x01\x02" + b"\xff" * 10 + bytes(120)  # 130 bytes, sync-like inside
    (tmp_path / "a.bin").write_bytes(tag + content)
    assert torch.equal(read_and_probe(tmp_path / "a.bin").samples, expected)


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), bytes(5000), b"APETAGEX" + bytes(9000)])
def test_mp3_tags_behind(tmp_path, tail):
    write_audio(tmp_path / "a.mp3", tone(1, 9000, 44100), 44100)
    expected = read_and_probe(tmp_path / "a.mp3").samples
    (tmp_path / "a.mp3").write_bytes((tmp_path / "a.mp3").read_bytes() + tail)
    assert torch.equal(read_and_probe(tmp_path / "a.mp3").samples, expected)


def test_ogg_flac(tmp_path):
    """FLAC inside Ogg, built page by page (the mapping's version 1.0)."""
    samples = tone(1, 4000, 16000)
    write_audio(tmp_path / "a.flac", samples, 16000)
    flac = (tmp_path / "a.flac").read_bytes()
    position, last = 4, False
    while not last:  # skip the metadata blocks
        last = bool(flac[position] & 0x80)
        position += 4 + int.from_bytes(flac[position + 1 : position + 4])
    packets = [
        b"\x7fFLAC\x01\x00\x00\x01fLaC" + flac[4:42],
        b"\x84\0\0\x08" + bytes(8),
        flac[position:],
    ]
    if len(packets[2]) > 255 * 254:
        pytest.fail("the sound must fit one page")
    pages = b"".join(
        _page(packet, flags, granule, index)
        for index, (packet, flags, granule) in enumerate(
            zip(packets, (2, 0, 4), (0, 0, 4000), strict=True)
        )
    )
    (tmp_path / "a.oga").write_bytes(pages)
    info = probe(tmp_path / "a.oga")
    assert (info.shape, info.sample_rate, info.bit_depth) == ((1, 4000), 16000, 16)


def _page(packet: bytes, flags: int, granule: int, index: int) -> bytes:
    lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    head = b"OggS\0" + struct.pack("<BqIIIB", flags, granule, 1, index, 0, len(lacing))
    return head + lacing + packet


# Real sounds


def test_music(data):
    paths = sorted((data / "audio" / "music").glob("*.ogg"))
    assert paths
    for path in paths[:3]:
        theirs, rate = soundfile.read(path, dtype="float32", always_2d=True)
        audio = read_and_probe(path)
        assert (audio.format, audio.sample_rate) == ("OGG", rate)
        np.testing.assert_array_equal(audio.samples.numpy(), theirs.T)


def test_environmental_sounds(data):
    paths = sorted((data / "audio" / "esc10").rglob("*.ogg"))
    assert len(paths) == 400
    for path in paths[::40]:
        audio = read_and_probe(path)
        assert audio.sample_rate == 44100
        assert audio.samples.shape[1] > 44100


@pytest.mark.filterwarnings("ignore::scipy.io.wavfile.WavFileWarning")  # a chunk of XMP
def test_speech(data):
    paths = sorted((data / "audio" / "speech").rglob("*.wav"))
    assert paths
    for path in paths[:8]:
        audio = read_and_probe(path)
        rate, theirs = wavfile.read(path)
        assert audio.sample_rate == rate
        assert theirs.dtype == np.int16
        expected = theirs.reshape(len(theirs), -1).T / np.float32(32768)
        np.testing.assert_array_equal(audio.samples.numpy(), expected)


def test_notes(data):
    """MP3 headers promise the very length the decoder gives."""
    paths = sorted((data / "audio" / "notes").rglob("*.mp3"))
    assert paths
    for path in paths[::12]:
        assert read_and_probe(path).format == "MP3"


# What cannot be written


@pytest.mark.parametrize(
    ("name", "samples", "rate", "bits", "match"),
    [
        ("a.aac", torch.zeros(1, 9), 8000, 16, r"ends in '\.aac'; sound is written as \.wav"),
        ("a.opus", torch.zeros(1, 9), 8000, 16, r"ends in '\.opus'"),
        ("a.png", torch.zeros(1, 9), 8000, 16, r"ends in '\.png'"),
        ("a.wav", torch.zeros(1, 9), 8000, 8, r"`bit_depth` \(=8\) of WAV must be 16 or 24 or 32"),
        ("a.flac", torch.zeros(1, 9), 8000, 32, r"`bit_depth` \(=32\) of FLAC must be 16 or 24"),
        ("a.wav", torch.zeros(1, 9), 0, 16, r"`sample_rate` \(=0 Hz\) must be positive"),
        ("a.mp3", torch.zeros(1, 9), 96000, 16, r"`sample_rate` \(=96000 Hz\) of MP3 must be one"),
        ("a.mp3", torch.zeros(3, 9), 8000, 16, r"\(of 3 channels\) must have at most 2 in MP3"),
        ("a.flac", torch.zeros(9, 1), 8000, 16, r"\(of 9 channels\) must have at most 8 in FLAC"),
        ("a.flac", torch.zeros(1, 9), 2**21, 16, r"`sample_rate` \(=2097152 Hz\).*as FLAC"),
        ("a.wav", torch.zeros(9), 8000, 16, r"must be \(channels, time\)"),
        ("a.wav", torch.zeros(1, 0), 8000, 16, "none of them 0"),
        ("a.wav", torch.zeros(1, 9, dtype=torch.int16), 8000, 16, "must be floating point"),
        ("a.wav", torch.tensor([[0, torch.inf, 0]]), 8000, 16, "`samples` holds 1 NaN or infinite"),
    ],
)
def test_refused_samples(tmp_path, name, samples, rate, bits, match):
    # Without the shape checks of the test run, which would refuse some of these before.
    with pytest.raises(InputError, match=match):
        unwrap(write_audio)(tmp_path / name, samples, rate, bit_depth=bits)
    assert os.listdir(tmp_path) == []


def test_libsndfile_reads_our_wav(tmp_path):
    samples = tone(2, 77, 8000)
    for bits, subtype in ((16, "PCM_16"), (24, "PCM_24"), (32, "FLOAT")):
        write_audio(tmp_path / "a.wav", samples, 8000, bit_depth=bits)
        info = soundfile.info(BytesIO((tmp_path / "a.wav").read_bytes()))
        assert (info.subtype, info.frames, info.channels) == (subtype, 77, 2)
