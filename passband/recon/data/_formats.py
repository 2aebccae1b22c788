"""Which format a folder is in."""

from pathlib import Path

from passband.errors import InputError
from passband.recon.data._blendedmvs import CAMS, IMAGES, list_blendedmvs
from passband.recon.data._colmap import find_model, list_colmap
from passband.recon.data._listing import Listing
from passband.recon.data._neus import IDR, NEUS, list_neus
from passband.recon.data._sdfstudio import META, list_sdfstudio
from passband.recon.data._transforms import TRAIN, WHOLE, list_transforms

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".exr", ".bmp"})


def list_pictures(path: Path) -> Listing:
    """The pictures and cameras of a data set, whatever its format."""
    if not path.exists():
        raise InputError(f"{path} does not exist. Pass the folder of a data set.")
    if path.is_file():
        return _list_file(path)
    if (path / NEUS).is_file() or (path / IDR).is_file():
        return list_neus(path)
    if (path / META).is_file():
        return list_sdfstudio(path)
    if (path / WHOLE).is_file() or (path / TRAIN).is_file():
        return list_transforms(path)
    if (path / CAMS).is_dir() and (path / IMAGES).is_dir():
        return list_blendedmvs(path)
    model = find_model(path)
    if model is not None:
        return list_colmap(path, model)
    raise _unposed(path)


def _list_file(path: Path) -> Listing:
    if path.name == META or path.suffix != ".json":
        return list_pictures(path.parent)
    return list_transforms(path)


def _unposed(path: Path) -> InputError:
    count = sum(file.suffix.lower() in PICTURES for file in path.rglob("*"))
    held = (
        f"holds {count} pictures but no cameras" if count else "holds neither pictures nor cameras"
    )
    return InputError(
        f"{path} {held}: none of {NEUS}, {IDR}, {META}, {WHOLE}, {TRAIN}, {CAMS}/, sparse/0. "
        f"Find the poses with COLMAP and put its sparse folder there."
    )
