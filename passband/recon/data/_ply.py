"""Points of a PLY cloud."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from passband.errors import InputError
from passband.recon.data._listing import Floats

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2",
    "ushort": "u2", "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">"}


def read_points(path: Path) -> Floats:
    """x, y, z of the vertices, (m, 3), of a PLY file whose first element they are."""
    stored = path.read_bytes()
    header = re.match(rb"ply\r?\n.*?end_header\r?\n", stored, re.DOTALL)
    if header is None:
        raise InputError(f"{path} is not a PLY file. Remove it from transforms.json.")
    lines = [line.split() for line in header[0].decode("ascii", "replace").splitlines()]
    form = next((line[1] for line in lines if line[:1] == ["format"]), "")
    starts = [i for i, line in enumerate(lines) if line[:1] == ["element"]] + [len(lines)]
    if len(starts) < 2 or lines[starts[0]][1] != "vertex":
        raise InputError(f"{path} must begin with its vertices. Write it as a cloud of points.")
    count = int(lines[starts[0]][2])
    properties = [line[1:] for line in lines[starts[0] : starts[1]] if line[0] == "property"]
    try:
        return _vertices(stored[header.end() :], form, count, properties)
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f"{path} has damaged vertices ({error}). Write it again.") from error


def _vertices(body: bytes, form: str, count: int, properties: list[list[str]]) -> Floats:
    names = [name for _, name in properties]
    if form == "ascii":
        rows = np.array([line.split() for line in body.splitlines()[:count]], dtype=np.float64)
        return rows[:, [names.index(axis) for axis in "xyz"]]
    order = _ORDERS[form]
    kind = np.dtype([(name, order + _TYPES[type_]) for type_, name in properties])
    table: Any = np.frombuffer(body, kind, count)
    return np.stack([table[axis].astype(np.float64) for axis in "xyz"], 1)
