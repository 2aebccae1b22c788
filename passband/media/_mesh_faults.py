"""What can be wrong with a triangle mesh, and what is put right in silence."""

import numpy as np

from passband.errors import InputError
from passband.media._faults import damaged

LARGEST = 1e9
"""Largest coordinate that is read; beyond it single precision tells no two points apart."""
_SMALLEST_EXTENT = 1e-9  # of the largest coordinate: a few steps of double precision


def check_geometry(name: str, vertices: np.ndarray, faces: np.ndarray) -> None:
    """Raise `InputError` unless this is a mesh with finite coordinates and some extent.

    Args:
        name: the file, for the message.
        vertices: ``(n, 3)`` floats.
        faces: ``(m, 3)`` indices into them.
    """
    if vertices.size == 0 or faces.size == 0:
        points = f" ({len(vertices):,} points)" if vertices.size else ""
        raise InputError(
            f"{name} holds no faces{points}. Pass a mesh of triangles; points alone have no inside."
        )
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise damaged(name, f"its vertices have {vertices.shape[-1]} coordinates, not 3")
    if faces.min() < 0 or faces.max() >= len(vertices):
        worst = int(faces.max() if faces.max() >= len(vertices) else faces.min())
        raise damaged(name, f"a face names vertex {worst:,} of {len(vertices):,} (counted from 0)")
    _check_coordinates(name, vertices)


def _check_coordinates(name: str, vertices: np.ndarray) -> None:
    bad = ~np.isfinite(vertices).all(axis=1)
    if bad.any():
        raise InputError(
            f"{name} holds {int(bad.sum()):,} vertices with NaN or infinite coordinates of "
            f"{len(vertices):,}; the first is vertex {int(bad.argmax())}. Repair the mesh."
        )
    largest = float(np.abs(vertices).max())
    if largest > LARGEST:
        raise InputError(
            f"{name} holds coordinates up to {largest:.3g}, larger than {LARGEST:g}. "
            "Scale or move the mesh towards the origin."
        )
    extent = float(np.ptp(vertices, axis=0).max())
    if extent <= _SMALLEST_EXTENT * largest:
        raise InputError(
            f"{name} spans {extent:.3g} at coordinates up to {largest:.3g}: its vertices cannot "
            "be told apart. Move the mesh towards the origin, at double precision."
        )


def tidy(
    vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, int]:
    """Weld equal vertices, leave out unusable faces, then vertices that no face names.

    Textures, hard edges and STL give a point several vertices, which would look like open seams.
    A face that names a vertex twice has no area; one that repeats another, in whatever direction,
    would cancel it or count it twice.

    Returns:
        Vertices and faces in the order they had, colours of the first vertex welded, and the
        number of faces left out.
    """
    _, first, place = np.unique(vertices + 0.0, axis=0, return_index=True, return_inverse=True)
    faces = first[place.reshape(-1)][faces]
    a, b, c = faces.T
    proper = np.flatnonzero((a != b) & (b != c) & (c != a))
    _, unique = np.unique(np.sort(faces[proper], axis=1), axis=0, return_index=True)
    kept = faces[proper[np.sort(unique)]]
    used, numbered = np.unique(kept, return_inverse=True)
    shown = None if colors is None else colors[used]
    return vertices[used], numbered.reshape(kept.shape), shown, len(faces) - len(kept)
