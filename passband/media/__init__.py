"""Read and write what people have: images and audio, with one clear error per fault."""

from passband.media._atomic import atomic_path as atomic_path
from passband.media._atomic import write_bytes_atomic as write_bytes_atomic
from passband.media._atomic import write_text_atomic as write_text_atomic
from passband.media._audio import Audio as Audio
from passband.media._audio import read_audio as read_audio
from passband.media._audio import write_audio as write_audio
from passband.media._image import Image as Image
from passband.media._image import read_image as read_image
from passband.media._image import write_image as write_image
from passband.media._probe import MediaInfo as MediaInfo
from passband.media._probe import probe as probe

__all__ = [
    "Audio",
    "Image",
    "MediaInfo",
    "atomic_path",
    "probe",
    "read_audio",
    "read_image",
    "write_audio",
    "write_bytes_atomic",
    "write_image",
    "write_text_atomic",
]
