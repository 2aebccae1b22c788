import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    path = Path(__file__).parents[1] / "recon" / "data" / "scene_writer.py"
    spec = importlib.util.spec_from_file_location("scene_writer", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["scene_writer"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_a_sound_folder_exits_with_0(passband, writer: ModuleType, tmp_path: Path) -> None:
    writer.write_neus(writer.make_scene(), tmp_path / "scan")
    done = passband("doctor", "scan", "-o", "cameras.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("12 pictures, looked at in 48x40, with masks; cameras 2.9")
    assert "up is +z of the world" in done.stdout
    assert (tmp_path / "cameras.png").stat().st_size > 10_000
    assert done.stderr == ""


def test_a_wrong_convention_exits_with_2_and_is_named(
    passband, writer: ModuleType, tmp_path: Path
) -> None:
    writer.write_nerfstudio(writer.make_scene(), tmp_path / "scan")
    file = tmp_path / "scan" / "transforms.json"
    whole = json.loads(file.read_text())
    for frame in whole["frames"]:
        for row in frame["transform_matrix"][:3]:
            row[1], row[2] = -row[1], -row[2]
    file.write_text(json.dumps(whole))
    done = passband("doctor", "scan", "--json")
    assert done.returncode == 2
    facts = json.loads(done.stdout)
    assert not facts["healthy"]
    texts = [finding["text"] for finding in facts["findings"]]
    assert any("OpenGL's for OpenCV's" in text for text in texts), texts


def test_a_folder_without_poses_is_one_line(passband, tmp_path: Path) -> None:
    (tmp_path / "scan").mkdir()
    done = passband("doctor", "scan")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("passband: scan holds neither pictures nor cameras")
    assert len(done.stderr.splitlines()) == 1
