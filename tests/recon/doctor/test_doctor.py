"""Each fault that people make is named, and a sound scene is left in peace."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from passband.media import probe
from passband.recon.cameras import flip_camera_axes
from passband.recon.data import Photographs, load_photographs
from passband.recon.doctor import Examination, draw, examine


@pytest.fixture(scope="module")
def sound(writer: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Photographs:
    folder = tmp_path_factory.mktemp("scene")
    scene = writer.make_scene(12, 56, 48)
    writer.write_nerfstudio(scene, folder)
    return load_photographs(folder, sphere=(*scene.center.tolist(), scene.radius))


@pytest.fixture(scope="module")
def examined(sound: Photographs) -> Examination:
    return examine(sound)


def with_poses(photographs: Photographs, poses: torch.Tensor) -> Photographs:
    return replace(photographs, cameras=replace(photographs.cameras, to_scene=poses))


def scaled(photographs: Photographs, factor: float) -> Photographs:
    poses = photographs.cameras.to_scene.clone()
    poses[:, :3, 3] *= factor
    return with_poses(photographs, poses)


def inverted(photographs: Photographs) -> Photographs:
    return replace(photographs, masks=tuple(~mask for mask in photographs.masks))


def turned(photographs: Photographs, *signs: float) -> Photographs:
    return with_poses(photographs, photographs.cameras.to_scene * torch.tensor([*signs, 1.0]))


def flipped(photographs: Photographs) -> Photographs:
    return with_poses(photographs, flip_camera_axes(photographs.cameras.to_scene))


def one_lost(photographs: Photographs) -> Photographs:
    poses = photographs.cameras.to_scene.clone()
    poses[5] = poses[11]
    return with_poses(photographs, poses)


def lines(photographs: Photographs) -> str:
    return "\n".join(map(str, examine(photographs).findings))


def test_a_sound_scene_is_healthy(examined: Examination) -> None:
    found = examined
    assert found.healthy
    assert not [f for f in found.findings if f.severity == "warning"]
    assert found.scores.median() > 0.85
    assert found.coverage.share > 0.7
    assert found.coverage.up == "+z"


@pytest.mark.parametrize(
    ("spoil", "severity", "match"),
    [
        (flipped, "error", "other convention.*columns 2 and 3"),
        (lambda p: turned(p, -1, -1, 1), "error", "upside down.*columns 1 and 2"),
        (lambda p: turned(p, 1, -1, 1), "error", "axis y.*column 2"),
        (inverted, "error", "masks are inverted"),
        (one_lost, "warning", "1 of 12 pictures disagree.*f_05"),
        (
            lambda p: scaled(p, 1000.0),
            "error",
            "([89]\\d\\d|1,[0-2]\\d\\d) times too small.*`sphere`",
        ),
        (
            lambda p: scaled(p, 1e-3),
            "error",
            "([89]\\d\\d|1,[0-2]\\d\\d) times too large.*`sphere`",
        ),
    ],
)
def test_faults_are_named_by_masks(
    sound: Photographs, spoil: object, severity: str, match: str
) -> None:
    found = examine(spoil(sound))
    hits = [f for f in found.findings if re.search(match, f.text)]
    assert [f.severity for f in hits] == [severity], lines(spoil(sound))
    assert all("\n" not in str(finding) for finding in found.findings)
    assert found.healthy == (severity != "error")


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (flipped, "look away.*columns 2 and 3"),
        (lambda p: turned(p, 1, -1, 1), "all poses mirror space"),
        (lambda p: scaled(p, 1000.0), "radii away.*too small"),
        (lambda p: scaled(p, 1e-3), "12 of 12 cameras stand inside"),
        (
            lambda p: with_poses(p, p.cameras.to_scene[:1].repeat(12, 1, 1) * 1.0),
            "stand at one point",
        ),
    ],
)
def test_faults_are_named_without_masks(sound: Photographs, spoil: object, match: str) -> None:
    found = examine(replace(spoil(sound), masks=None))
    assert any(f.severity == "error" and re.search(match, f.text) for f in found.findings)


def test_cameras_inside_the_surface_are_errors(sound: Photographs) -> None:
    poses = sound.cameras.to_scene.clone()
    poses[3, :3, 3] = torch.tensor([0.05, 0.0, 0.0])
    found = examine(with_poses(sound, poses))
    texts = [f.text for f in found.findings if f.severity == "error"]
    assert any("inside the hull" in text for text in texts)
    assert any("inside the object's sphere" in text for text in texts)


def test_empty_and_small_masks_are_named(sound: Photographs) -> None:
    empty = torch.zeros_like(sound.masks[0])
    masks = (empty, *sound.masks[1:])
    assert "1 masks are empty: images/f_00.png" in lines(replace(sound, masks=masks))


def test_a_sphere_that_cuts_the_object_is_named(sound: Photographs) -> None:
    assert "lies outside of the object's sphere" in lines(scaled(sound, 1.6))


def test_a_sphere_beside_the_object_is_named(sound: Photographs) -> None:
    poses = sound.cameras.to_scene.clone()
    poses[:, :3, 3] += torch.tensor([4.0, 0.0, 0.0])
    found = lines(with_poses(sound, poses))
    assert "not where the object is" in found
    # The centre it proposes is that of the object: 4 radii of 2.5 beside the centre (4, -2, 1).
    assert "centre (14" in found


def test_few_and_one_sided_pictures_are_named(sound: Photographs) -> None:
    found = lines(replace(sound, masks=None).select(torch.tensor([0, 1, 2])))
    assert "3 pictures are few" in found
    assert "side -z" in found


def test_odd_lenses_are_named(sound: Photographs) -> None:
    matrix = sound.cameras.intrinsics.clone()
    matrix[:, 0, 2] += 30
    moved = replace(sound, masks=None, cameras=replace(sound.cameras, intrinsics=matrix))
    assert "principal point" in lines(moved)
    matrix = sound.cameras.intrinsics.clone()
    matrix[:, 0, 0] /= 50
    wide = replace(sound, masks=None, cameras=replace(sound.cameras, intrinsics=matrix))
    assert "focal length" in lines(wide)
    lens = torch.tensor([[-3.0, 0, 0, 0, 0, 0]]).expand(12, 6)
    bent = replace(sound, masks=None, cameras=replace(sound.cameras, distortion=lens))
    assert "folds the corners" in lines(bent)


def test_notes_of_reading_are_findings(sound: Photographs) -> None:
    found = examine(
        replace(sound, masks=None, notes=("2 listed pictures are missing on disk: a, b",))
    )
    assert str(found.findings[0]).startswith("warning: reading: 2 listed pictures are missing")


def test_facts_are_json(examined: Examination) -> None:
    facts = json.loads(json.dumps(examined.facts()))
    assert facts["pictures"] == 12
    assert facts["sphere"]["radius"] == pytest.approx(2.5)
    assert len(facts["mask_overlap"]) == 12
    assert facts["healthy"]


def test_the_picture_shows_cameras_and_hull(
    examined: Examination, sound: Photographs, tmp_path: Path
) -> None:
    for found in (examined, examine(replace(sound, masks=None))):
        draw(found, tmp_path / "a.png")
        info = probe(tmp_path / "a.png")
        assert info.format == "PNG"
        assert min(info.shape[1:]) > 400


def test_real_data_are_healthy(data: Path) -> None:
    whole = load_photographs(data / "multiview/dtu_scan65", max_side=100)
    found = examine(whole.select(torch.arange(0, 49, 3)))
    assert found.healthy, found.findings
    assert found.scores.median() > 0.9
    assert np.isclose(found.coverage.share, 0.31, atol=0.03)
