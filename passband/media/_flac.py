"""FLAC: what the header promises."""

from io import BufferedReader

from passband.media._faults import Header, cut_short, damaged
from passband.media._sniff import id3_size


def read_header(file: BufferedReader, name: str) -> Header:
    """Shape, rate and depth from the first block; time is 0 where the stream leaves it open."""
    file.seek(0)
    file.seek(id3_size(file.read(10)) + 4)
    block = file.read(38)
    if len(block) < 38:
        raise cut_short(name, "the file ends inside its header")
    if block[0] & 0x7F != 0:
        raise damaged(name, "its first block is not STREAMINFO")
    return stream_info(block[4:], name)


def stream_info(block: bytes, name: str) -> Header:
    """The header a STREAMINFO block of 34 bytes gives."""
    packed = int.from_bytes(block[10:18])  # 20 bits rate, 3 channels - 1, 5 depth - 1, 36 samples
    sample_rate = packed >> 44
    if sample_rate == 0:
        raise damaged(name, "a sample rate of 0 Hz")
    channels = (packed >> 41 & 0x7) + 1
    return Header((channels, packed & (1 << 36) - 1), (packed >> 36 & 0x1F) + 1, sample_rate)
