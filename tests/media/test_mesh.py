"""Meshes read and written, and every fault of a mesh file in one readable line."""

import re
from pathlib import Path

import pytest
import torch

pytest.importorskip("trimesh", reason="meshes are an extra")

from passband.errors import InputError, MissingDependencyError, OutputError
from passband.media import Mesh, probe, read_image, read_mesh, write_image, write_mesh

CORNERS = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\n"
SIDES = "f 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"
PLY = (
    "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
    "property float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    "0 0 0\n1 0 0\n0 1 0\n3 0 1 {}\n"
)


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def tetrahedron(colors: torch.Tensor | None = None) -> Mesh:
    corners = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
    sides = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    return Mesh(corners, sides, colors)


@pytest.mark.parametrize("suffix", ["ply", "obj", "glb", "stl"])
def test_what_is_written_is_read(tmp_path, suffix):
    mesh = tetrahedron()
    write_mesh(tmp_path / f"a.{suffix}", mesh)
    back = read_mesh(tmp_path / f"a.{suffix}")
    assert back.watertight
    assert back.dropped == 0
    assert len(back.vertices) == 4  # STL repeats each corner; it is welded again
    corners, wanted = (m.vertices[m.faces].flatten(1) for m in (back, mesh))
    torch.testing.assert_close(corners, wanted)


@pytest.mark.parametrize("suffix", ["ply", "obj", "glb"])
def test_colors_are_kept_to_eight_bits(tmp_path, suffix):
    colors = torch.tensor([[0.0, 0.5, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.2, 0.4, 0.6]])
    write_mesh(tmp_path / f"a.{suffix}", tetrahedron(colors))
    back = read_mesh(tmp_path / f"a.{suffix}")
    assert back.colors is not None
    torch.testing.assert_close(back.colors, colors, atol=0.5 / 255 + 1e-6, rtol=0)


def test_ply_is_binary_and_whole_or_not_there(tmp_path, monkeypatch):
    write_mesh(tmp_path / "a.ply", tetrahedron())
    assert b"binary_little_endian" in (tmp_path / "a.ply").read_bytes()[:60]
    with pytest.raises(OutputError, match="does not exist"):
        write_mesh(tmp_path / "none" / "a.ply", tetrahedron())


@pytest.mark.parametrize(
    ("name", "faces", "watertight"),
    [
        ("armadillo.obj", 86482, True),
        ("3holes.off", 7200, True),
        ("spot.obj", 5856, True),  # only its texture is open
        ("stanford-bunny.obj", 69451, False),
    ],
)
def test_real_meshes(data, name, faces, watertight):
    path = data / "meshes" / name
    mesh = read_mesh(path)
    assert len(mesh.faces) == faces
    assert mesh.watertight == watertight
    assert (len(mesh.boundary) == 0) == watertight
    info = probe(path)
    assert (info.kind, info.shape) == ("mesh", (len(mesh.vertices), faces))
    assert info.watertight == watertight


def test_bunny_has_the_boundary_that_trimesh_finds(data):
    import trimesh

    mesh = read_mesh(data / "meshes" / "stanford-bunny.obj")
    theirs = trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy(), process=False)
    once = trimesh.grouping.group_rows(theirs.edges_sorted, require_count=1)
    wanted = {(int(b), int(a)) for a, b in theirs.edges[once]}  # ours run as they do in the face
    assert {(int(b), int(a)) for a, b in mesh.boundary} == wanted


def test_boundary_counts_what_does_not_cancel():
    mesh = tetrahedron()
    assert len(mesh.boundary) == 0
    one_turned = Mesh(mesh.vertices, torch.cat((mesh.faces[:3], mesh.faces[3:].flip(1))))
    assert one_turned.watertight
    assert len(one_turned.boundary) == 6  # three edges run twice the same way
    three_on_an_edge = Mesh(mesh.vertices, torch.tensor([[0, 1, 2], [0, 1, 3], [1, 0, 2]]))
    assert not three_on_an_edge.watertight


def test_polygons_become_triangles(tmp_path):
    square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nf 1 2 3 4\nf 1 2 3 4 5\n"
    mesh = read_mesh(written(tmp_path, "a.obj", square))
    assert mesh.faces.tolist() == [[0, 1, 2], [2, 3, 0], [0, 3, 4]]
    assert mesh.dropped == 2  # the pentagon covers the square once more


def test_vertices_are_welded_and_useless_faces_left_out(tmp_path):
    text = CORNERS + "v 0 0 -0.0\nv 5 5 5\n" + SIDES + "f 5 3 2\nf 3 2 1\nf 1 1 2\nf 1 5 2\n"
    mesh = read_mesh(written(tmp_path, "a.obj", text))
    assert mesh.dropped == 4
    assert torch.equal(mesh.faces, tetrahedron().faces)
    assert torch.equal(mesh.vertices, tetrahedron().vertices)


def test_objects_are_put_together(tmp_path):
    parts = CORNERS + "o a\n" + SIDES + "v 4 0 0\nv 5 0 0\nv 4 1 0\no b\nf -3 -2 -1\n"
    assert len(read_mesh(written(tmp_path, "a.obj", parts)).faces) == 5


FAULTS = {
    "no_faces.obj": (CORNERS, "holds no faces"),
    "points.ply": (PLY.split("element face")[0] + "end_header\n0 0 0\n1 0 0\n0 1 0\n", "no faces"),
    "nan.obj": (CORNERS + "v nan 0 0\n" + SIDES + "f 5 1 2\n", "1 vertices with NaN .* vertex"),
    "inf.off": ("OFF\n3 1 0\n0 0 inf\n1 0 0\n0 1 0\n3 0 1 2\n", "NaN or infinite .* vertex 0"),
    "huge.obj": ("v 0 0 0\nv 2e9 0 0\nv 0 1 0\nf 1 2 3\n", "up to 2e\\+09, larger than 1e\\+09"),
    "point.obj": ("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "cannot be told apart"),
    "far.obj": ("v 9e8 0 0\nv 9e8 1e-7 0\nv 9e8 0 1e-7\nf 1 2 3\n", "cannot be told apart"),
    "range.obj": (CORNERS + "f 1 2 9\n", "a face names a vertex that is not there"),
    "zero.obj": (CORNERS + "f 1 2 3\nf 0 1 2\n", "vertex 0, but OBJ counts from 1"),
    "before.obj": (CORNERS + "f 1 2 3\nf -9 1 2\n", "names vertex|not there"),
    "range.ply": (PLY.format(7), "names vertex 7 of 3"),
    "negative.ply": (PLY.format(-2), "names vertex -2 of 3"),
    "range.off": ("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n", "is damaged: .*face index"),
    "flat.obj": ("v 0 0\nv 1 0\nv 0 1\nf 1 2 3\n", "2 coordinates, not 3"),
    "word.obj": ("v x 0 0\n" + CORNERS + SIDES, "is damaged"),
    "doubled.obj": (CORNERS + "f 1 1 2\nf 3 3 4\n", "holds no faces"),
    "empty.obj": ("", "is empty"),
    "text.obj": ("hello there\n", "holds text, though it is named .obj"),
    "junk.stl": (b"\0\1" * 100, "no known format"),
    "junk.glb": (b"glTF\2\0\0\0junk", "is damaged"),
    "cut.off": ("OFF\n4 2 0\n0 0 0\n1 0 0\n", "is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_told_in_one_line(tmp_path, name):
    content, match = FAULTS[name]
    path = written(tmp_path, name, content)
    with pytest.raises(InputError) as caught:
        read_mesh(path)
    message = str(caught.value)
    assert re.search(match, message), message
    assert str(path) in message
    assert "\n" not in message
    assert message.endswith((".", "?"))


@pytest.mark.parametrize("suffix", ["ply", "glb", "stl"])
def test_a_file_cut_short_is_refused(tmp_path, suffix):
    write_mesh(tmp_path / f"a.{suffix}", tetrahedron())
    content = (tmp_path / f"a.{suffix}").read_bytes()
    for size in (90, len(content) // 2, len(content) - 3):
        with pytest.raises(InputError, match=re.escape(str(tmp_path))):
            read_mesh(written(tmp_path, f"cut.{suffix}", content[:size]))


def test_a_promise_of_many_vertices_takes_no_memory(tmp_path):
    header = PLY.split("end_header")[0].replace("ascii", "binary_little_endian")
    path = written(
        tmp_path, "a.ply", header.replace("vertex 3", "vertex 3000000000") + "end_header\n"
    )
    with pytest.raises(InputError, match="is damaged"):
        read_mesh(path)


def test_too_many_faces_are_refused(tmp_path):
    path = written(tmp_path, "a.obj", CORNERS + SIDES)
    with pytest.raises(InputError, match=r"4 faces, more than `max_faces` \(=3\)"):
        read_mesh(path, max_faces=3)


def test_a_missing_file_and_other_kinds(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_mesh(tmp_path / "a.obj")
    write_image(tmp_path / "a.png", torch.zeros(3, 2, 2))
    with pytest.raises(InputError, match=r"holds image \(PNG\), not a mesh"):
        read_mesh(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"holds mesh \(OBJ\), not an image"):
        read_image(written(tmp_path, "a.obj", CORNERS + SIDES))


def test_the_format_is_told_by_the_content(tmp_path):
    write_mesh(tmp_path / "a.stl", tetrahedron())
    binary = (tmp_path / "a.stl").read_bytes()
    assert probe(written(tmp_path, "solid.obj", b"solid" + binary[5:])).format == "STL"
    ascii_stl = "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a\n"  # fmt: skip  # noqa: E501
    assert probe(written(tmp_path, "b.obj", ascii_stl)).format == "STL"
    assert probe(written(tmp_path, "c.stl", "# a\n\n" + CORNERS + SIDES)).format == "OBJ"
    long_comment = "# of many words\n" * 200
    assert probe(written(tmp_path, "d.obj", long_comment + CORNERS + SIDES)).format == "OBJ"
    assert probe(written(tmp_path, "e.obj", PLY.format(2))).format == "PLY"


def test_bad_meshes_are_not_written(tmp_path):
    with pytest.raises(InputError, match=r"written as \.ply, \.obj, \.glb or \.stl"):
        write_mesh(tmp_path / "a.off", tetrahedron())
    empty = Mesh(torch.zeros(0, 3, dtype=torch.float64), torch.zeros(0, 3, dtype=torch.int64))
    with pytest.raises(InputError, match="`mesh` holds no faces"):
        write_mesh(tmp_path / "a.ply", empty)
    assert not list(tmp_path.iterdir())


def test_without_trimesh_the_cure_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(MissingDependencyError, match="pip install 'passband\\[mesh\\]'"):
        read_mesh(written(tmp_path, "a.obj", CORNERS + SIDES))
