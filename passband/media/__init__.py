"""Read and write what people have: pictures, sounds, meshes, videos; one clear error per fault."""

from passband.media._audio import Audio as Audio
from passband.media._audio import read_audio as read_audio
from passband.media._audio import write_audio as write_audio
from passband.media._image import Image as Image
from passband.media._image import read_image as read_image
from passband.media._image import write_image as write_image
from passband.media._mesh import Mesh as Mesh
from passband.media._mesh import read_mesh as read_mesh
from passband.media._mesh import write_mesh as write_mesh
from passband.media._probe import MediaInfo as MediaInfo
from passband.media._probe import probe as probe
from passband.media._video import write_video as write_video

__all__ = [
    "Audio",
    "Image",
    "MediaInfo",
    "Mesh",
    "probe",
    "read_audio",
    "read_image",
    "read_mesh",
    "write_audio",
    "write_image",
    "write_mesh",
    "write_video",
]
