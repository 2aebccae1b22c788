"""``passband mesh``: files in every format, in the source's coordinates, and its refusals."""

import io
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import trimesh

from passband.cli import main
from passband.inr import (
    Field,
    FieldSettings,
    FittedField,
    IdentityEncoding,
    SignalInfo,
    SirenNetwork,
    build_field,
    load_field,
    save_field,
)
from passband.media import read_mesh

Call = Callable[..., tuple[int, str, str]]
SETTINGS = FieldSettings(
    encoding=IdentityEncoding(),
    network=SirenNetwork(first_omega=3.0, hidden_omega=3.0, hidden_features=24),
)
BALL = SignalInfo("shape", "ball.ply", 1, (256,) * 3, 0.0, 10.0, False, offset=(100.0, 0.0, -50.0))


def save(folder: Path, field: Field, info: SignalInfo = BALL) -> None:
    folder.mkdir()
    save_field(folder / "field.safetensors", FittedField(field, SETTINGS, info))


def save_ball(folder: Path) -> None:
    """The run of a small network that has roughly learned a ball of radius 0.6."""
    generator = torch.Generator().manual_seed(0)
    field = build_field(SETTINGS, 3, 1, generator=generator)
    optimizer = torch.optim.Adam(field.parameters(), lr=3e-3)
    for _ in range(300):
        x = 2 * torch.rand(512, 3, generator=generator) - 1
        loss = (field(x)[:, 0] - (x.norm(dim=-1) - 0.6)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    save(folder, field)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ball"
    save_ball(folder)
    return folder


@pytest.fixture
def passband(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """The command line in this process: exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["passband", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        done = capsys.readouterr()
        return int(stop.value.code or 0), done.out, done.err

    return call


@pytest.mark.parametrize("suffix", ["ply", "obj", "glb", "STL"])
def test_every_format_in_world_coordinates(
    passband: Call, run: Path, tmp_path: Path, suffix: str
) -> None:
    code, out, err = passband("mesh", run, "--resolution", 40, "-o", f"a.{suffix}")
    assert (code, err) == (0, "")
    found = re.fullmatch(
        rf"a\.{suffix}: ([\d,]+) vertices, ([\d,]+) faces, watertight, \d+\.\d s\n", out
    )
    assert found
    mesh = read_mesh(tmp_path / f"a.{suffix}")
    counts = [int(group.replace(",", "")) for group in found.groups()]
    assert [len(mesh.vertices), len(mesh.faces)] == counts
    surface = trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy())
    assert surface.volume == pytest.approx(4 / 3 * math.pi * 6.0**3, rel=0.3)
    local = torch.from_numpy((surface.vertices - [100, 0, -50]) / 10).float()
    assert float(load_field(run).field(local).detach().abs().max()) < 2e-3


def test_resolution_and_overwriting(passband: Call, run: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.ply"
    sizes = []
    for resolution in (16, 32):
        assert passband("mesh", run, "--resolution", resolution, "-o", file)[0] == 0
        sizes.append(len(read_mesh(file).faces))
    assert sizes[1] == pytest.approx(4 * sizes[0], rel=0.15)
    assert [path.name for path in tmp_path.iterdir()] == ["a.ply"]


def test_nothing_skipped_makes_the_same_file(passband: Call, run: Path, tmp_path: Path) -> None:
    for name, options in (
        ("a.ply", ()),
        ("b.ply", ("--lipschitz", "inf")),
        ("c.ply", ("--largest",)),
    ):
        assert passband("mesh", run, "--resolution", 32, "-o", name, *options)[0] == 0
    whole = read_mesh(tmp_path / "a.ply")
    for name in ("b.ply", "c.ply"):
        other = read_mesh(tmp_path / name)
        assert len(other.faces) == len(whole.faces)
        assert float((other.vertices.mean(0) - whole.vertices.mean(0)).abs().max()) < 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "a.xyz"), "a.xyz must end in .ply, .obj, .glb or .stl."),
        (("-o", "a"), "a must end in .ply"),
        (("-o", "a.ply", "--resolution", 4), "--resolution (=4) must be 8 to 2048."),
        (("-o", "a.ply", "--resolution", 4096), "--resolution (=4096) must be 8 to 2048."),
        (("-o", "a.ply", "--lipschitz", "-1"), "`lipschitz` (=-1) must be positive."),
        (("-o", "no/a.ply", "--resolution", 8), "the folder"),
        (("-o", "a.ply", "--device", "tpu"), "`device` (=tpu)"),
        ((), "--out"),
    ],
)
def test_bad_options(
    passband: Call, run: Path, tmp_path: Path, options: tuple[object, ...], message: str
) -> None:
    code, out, err = passband("mesh", run, *options)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_runs_that_have_no_surface(passband: Call, tmp_path: Path) -> None:
    save(
        tmp_path / "picture",
        build_field(SETTINGS, 2, 3),
        SignalInfo("image", "a.png", 3, (8, 8), 0.5, 0.5, True),
    )
    code, _, err = passband("mesh", "picture", "-o", "a.ply")
    assert code == 2
    assert "fitted to a picture, which has no surface" in err
    nothing = build_field(SETTINGS, 3, 1)
    for parameter in nothing.parameters():
        torch.nn.init.zeros_(parameter)
    save(tmp_path / "empty", nothing)
    code, _, err = passband("mesh", "empty", "-o", "a.ply", "--resolution", 16)
    assert code == 2
    assert "does not cross `level` (=0)" in err
    code, _, err = passband("mesh", "missing", "-o", "a.ply")
    assert code == 2
    assert "missing" in err


def test_progress_is_for_terminals(
    passband: Call, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert passband("mesh", run, "--resolution", 130, "-o", "a.ply")[0] == 0
    assert "block 1 of " in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_folder_in_the_way_is_one_line(passband: Call, run: Path, tmp_path: Path) -> None:
    (tmp_path / "a.ply").mkdir()
    code, _, err = passband("mesh", run, "--resolution", 16, "-o", "a.ply")
    assert code == 2
    assert "a.ply cannot be written: it is a folder" in err


def test_help(passband: Call) -> None:
    code, out, _ = passband("mesh", "--help")
    assert code == 0
    assert "in the coordinates of their source" in " ".join(out.split())
