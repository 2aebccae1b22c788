"""One call for every format."""

import os
from pathlib import Path

from passband.errors import InputError
from passband.recon.data._assemble import assemble
from passband.recon.data._formats import list_pictures
from passband.recon.data._photographs import Photographs, held_out

Sphere = tuple[float, float, float, float]


def load_photographs(
    path: str | os.PathLike[str],
    *,
    max_side: int | None = None,
    sphere: Sphere | None = None,
) -> Photographs:
    """Pictures, masks and cameras of a data set, its object brought into the unit sphere.

    The format is told by the files: NeuS (``cameras_sphere.npz``), IDR and VolSDF
    (``cameras.npz``), sdfstudio (``meta_data.json``), NeRF and nerfstudio (``transforms.json``
    or ``transforms_train.json`` and ``transforms_test.json``), BlendedMVS (``cams``), COLMAP
    (``sparse/0``, or a model beside ``images``).

    Where the data has no sphere, the object's is found from the masks' visual hull; without masks
    from COLMAP's points; without those from where the optical axes meet. ``notes`` tells which,
    and which pictures were left out for want of a file or of a pose.

    Args:
        path: the folder, or a transforms.json in it.
        max_side: pixels the longer side of a picture is to have at most; larger ones are shrunk
            by averaging, and the cameras with them.
        sphere: x, y, z of the centre and radius, in the world of the data, of a sphere around the
            object; by default found as above.

    Returns:
        `Photographs` in float32.

    Raises:
        InputError: no known format, no picture that can be used, or a file that is damaged.

    Example:
        >>> import json, tempfile, torch
        >>> from passband.media import write_image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_image(Path(folder) / "a.png", torch.zeros(3, 4, 6))
        ...     frame = {"file_path": "a", "transform_matrix": torch.eye(4).tolist()}
        ...     text = json.dumps({"camera_angle_x": 0.8, "frames": [frame]})
        ...     _ = (Path(folder) / "transforms.json").write_text(text)
        ...     found = load_photographs(folder, sphere=(0, 0, -4, 2))
        >>> found.names, found.images[0].shape, found.cameras.centers.tolist()
        (('a.png',), torch.Size([4, 6, 3]), [[0.0, 0.0, 2.0]])
    """
    return assemble(list_pictures(Path(path)), max_side, sphere)[0]


def load_train_test(
    path: str | os.PathLike[str],
    *,
    every: int = 10,
    max_side: int | None = None,
    sphere: Sphere | None = None,
) -> tuple[Photographs, Photographs]:
    """Pictures to learn from and to judge by: the data set's own split, else `held_out`.

    Args:
        path: as in `load_photographs`.
        every: of `held_out`, where the data set has no split.
        max_side: as in `load_photographs`.
        sphere: as in `load_photographs`.

    Returns:
        (train, test), in one scene frame.

    Raises:
        InputError: as in `load_photographs` and `held_out`.
    """
    photographs, test = assemble(list_pictures(Path(path)), max_side, sphere)
    if not test.any():
        return held_out(photographs, every)
    if test.all():
        raise InputError(f"{path} holds test pictures only. Pass the folder of all.")
    return photographs.select((~test).nonzero()[:, 0]), photographs.select(test.nonzero()[:, 0])
