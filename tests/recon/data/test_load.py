"""What is wrong with a folder is said in one line, and the rest is read."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from passband.errors import InputError
from passband.media import write_image
from passband.recon.data import held_out, load_photographs, load_train_test


def sphere_of(scene: object) -> tuple[float, float, float, float]:
    return (*scene.center.tolist(), scene.radius)


@pytest.fixture
def nerfstudio(writer: ModuleType, tmp_path: Path) -> Path:
    writer.write_nerfstudio(writer.make_scene(), tmp_path)
    return tmp_path


def edit(folder: Path, change: object, name: str = "transforms.json") -> None:
    whole = json.loads((folder / name).read_text())
    change(whole)
    (folder / name).write_text(json.dumps(whole))


def test_a_folder_without_poses_names_what_it_lacks(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", torch.zeros(3, 4, 4))
    with pytest.raises(InputError, match=r"holds 1 pictures but no cameras.*COLMAP"):
        load_photographs(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        load_photographs(tmp_path / "b")
    (tmp_path / "c").mkdir()
    with pytest.raises(InputError, match="neither pictures nor cameras"):
        load_photographs(tmp_path / "c")


def test_missing_pictures_are_reported_and_the_rest_is_read(nerfstudio: Path) -> None:
    for i in (2, 7):
        (nerfstudio / f"images/f_{i:02d}.png").unlink()
    found = load_photographs(nerfstudio)
    assert len(found) == len(found.cameras) == 10
    assert "images/f_02.png" not in found.names
    note = "2 listed pictures are missing on disk: images/f_02.png, images/f_07.png"
    assert note in found.notes
    shutil.rmtree(nerfstudio / "images")
    with pytest.raises(InputError, match="none of the 12 pictures"):
        load_photographs(nerfstudio)


def test_poses_that_are_none_are_left_out(nerfstudio: Path) -> None:
    def spoil(whole: dict) -> None:
        whole["frames"][1]["transform_matrix"][0][0] = float("nan")
        whole["frames"][4]["transform_matrix"][0] = [0, 0, 0, 0]

    edit(nerfstudio, spoil)
    found = load_photographs(nerfstudio)
    assert len(found) == 10
    assert any("2 poses are NaN or no rotation" in note and "f_04" in note for note in found.notes)

    def spoil_all(whole: dict) -> None:
        for frame in whole["frames"]:
            frame["transform_matrix"][2][3] = float("nan")

    edit(nerfstudio, spoil_all)
    with pytest.raises(InputError, match="no picture with a usable pose"):
        load_photographs(nerfstudio)


def test_nan_matrices_of_neus_are_left_out(writer: ModuleType, tmp_path: Path) -> None:
    writer.write_neus(writer.make_scene(), tmp_path)
    with np.load(tmp_path / "cameras_sphere.npz") as stored:
        matrices = dict(stored)
    matrices["world_mat_3"] = np.full((4, 4), np.nan)
    np.savez(tmp_path / "cameras_sphere.npz", **matrices)
    found = load_photographs(tmp_path)
    assert len(found) == 11
    assert any("1 poses are NaN" in note for note in found.notes)


def test_neus_pictures_keep_their_cameras_when_one_is_missing(
    writer: ModuleType, tmp_path: Path
) -> None:
    writer.write_neus(writer.make_scene(), tmp_path)
    whole = load_photographs(tmp_path)
    (tmp_path / "image/004.png").unlink()
    found = load_photographs(tmp_path)
    torch.testing.assert_close(found.cameras.centers[4], whole.cameras.centers[5])
    assert torch.equal(found.masks[4], whole.masks[5])
    assert any("1 pictures of cameras_sphere.npz are missing: 004" in n for n in found.notes)


def test_pictures_of_mixed_sizes_are_read_as_they_are(nerfstudio: Path, writer: ModuleType) -> None:
    whole = load_photographs(nerfstudio)
    for name in ("images/f_03.png", "masks/f_03.png"):
        small = writer.make_scene(width=24, height=20).masks()[3]
        write_image(nerfstudio / name, torch.from_numpy(np.tile(small, (3, 1, 1))).float())
    found = load_photographs(nerfstudio, sphere=(4.0, -2.0, 1.0, 2.5))
    assert found.images[3].shape == (20, 24, 3)
    assert found.cameras.sizes[3].tolist() == [24, 20]
    halved = torch.diag(torch.tensor([0.5, 0.5, 1.0])) @ whole.cameras.intrinsics[3]
    torch.testing.assert_close(found.cameras.intrinsics[3], halved)
    notes = " ".join(found.notes)
    assert "1 pictures are not of the size" in notes
    assert "of 2 sizes" in notes


def test_smaller_pictures_have_the_same_rays(nerfstudio: Path, writer: ModuleType) -> None:
    sphere = sphere_of(writer.make_scene())
    whole, half = (load_photographs(nerfstudio, sphere=sphere, max_side=s) for s in (None, 24))
    assert half.images[0].shape == (20, 24, 3)
    assert half.masks[0].shape == (20, 24)
    camera = torch.arange(12)
    pixels = torch.rand(12, 2, generator=torch.manual_seed(0)) * 40
    torch.testing.assert_close(
        half.cameras.rays(camera, pixels / 2).directions,
        whole.cameras.rays(camera, pixels).directions,
        atol=1e-6,
        rtol=0,
    )
    blocks = whole.images[0].float().reshape(20, 2, 24, 2, 3).mean((1, 3))
    assert (half.images[0] - blocks).abs().max() <= 0.5


def test_masks_that_are_full_are_none(writer: ModuleType, tmp_path: Path) -> None:
    writer.write_neus(writer.make_scene(), tmp_path)
    for i in range(12):
        writer.save(tmp_path / f"mask/{i:03d}.png", np.ones((3, 40, 48)))
    found = load_photographs(tmp_path)
    assert found.masks is None
    assert any("full everywhere" in note for note in found.notes)


def test_pictures_without_a_mask_among_masked_ones_are_left_out(nerfstudio: Path) -> None:
    (nerfstudio / "masks/f_05.png").unlink()
    found = load_photographs(nerfstudio)
    assert len(found) == len(found.masks) == 11
    assert any("1 pictures have no mask" in note and "f_05" in note for note in found.notes)


def test_without_masks_colmaps_points_tell_the_sphere(writer: ModuleType, tmp_path: Path) -> None:
    scene = writer.make_scene()
    writer.write_colmap_text(scene, tmp_path, masks=False)
    with (tmp_path / "sparse/0/points3D.txt").open("a") as file:
        file.write("\n900 500 900 -700 9 9 9 0.5 1 0 2 0 3 0")  # far away in the background
    found = load_photographs(tmp_path)
    assert found.masks is None
    assert any("points" in note for note in found.notes)
    np.testing.assert_allclose(found.to_world[:3, 3], scene.center, atol=0.1 * scene.radius)
    assert found.to_world[0, 0].item() == pytest.approx(scene.radius, rel=0.1)


def test_without_masks_and_points_the_axes_tell_the_sphere(
    nerfstudio: Path, writer: ModuleType
) -> None:
    shutil.rmtree(nerfstudio / "masks")
    found = load_photographs(nerfstudio)
    assert any("optical axes meet" in note for note in found.notes)
    np.testing.assert_allclose(found.to_world[:3, 3], writer.make_scene().center, atol=1e-3)
    assert found.cameras.centers.norm(dim=1).min() == pytest.approx(2, abs=1e-3)


def test_a_wrong_picture_does_not_shrink_the_sphere(nerfstudio: Path) -> None:
    whole = load_photographs(nerfstudio)

    def swap(data: dict) -> None:
        frames = data["frames"]
        frames[3]["transform_matrix"] = frames[9]["transform_matrix"]

    edit(nerfstudio, swap)
    found = load_photographs(nerfstudio)
    assert found.to_world[0, 0].item() == pytest.approx(whole.to_world[0, 0].item(), rel=0.25)


def test_neuralangelos_sphere_is_taken(nerfstudio: Path) -> None:
    edit(nerfstudio, lambda whole: whole.update(sphere_center=[1, 2, 3], sphere_radius=4))
    found = load_photographs(nerfstudio)
    assert found.to_world[:3, 3].tolist() == [1, 2, 3]
    assert found.to_world[0, 0].item() == pytest.approx(4)


def test_a_ply_cloud_tells_the_sphere(nerfstudio: Path, writer: ModuleType) -> None:
    cloud = writer._cloud(writer.make_scene()).astype("<f4")
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 200\nproperty float x\n"
    head += "property float y\nproperty float z\nproperty uchar red\nend_header\n"
    rows = np.zeros(200, dtype=[("p", "<f4", 3), ("red", "u1")])
    rows["p"] = cloud
    (nerfstudio / "sparse.ply").write_bytes(head.encode() + rows.tobytes())
    shutil.rmtree(nerfstudio / "masks")
    edit(nerfstudio, lambda whole: whole.update(ply_file_path="sparse.ply"))
    found = load_photographs(nerfstudio)
    assert any("points" in note for note in found.notes)
    assert found.to_world[0, 0].item() == pytest.approx(2.5, rel=0.1)
    (nerfstudio / "sparse.ply").write_bytes(head.encode() + rows.tobytes()[:50])
    with pytest.raises(InputError, match=r"sparse.ply has damaged vertices"):
        load_photographs(nerfstudio)


def test_the_split_of_nerf_is_kept(writer: ModuleType, tmp_path: Path) -> None:
    writer.write_nerf(writer.make_scene(), tmp_path)
    train, test = load_train_test(tmp_path)
    assert [len(train), len(test)] == [9, 3]
    assert test.names == ("test/r_9.png", "test/r_10.png", "test/r_11.png")
    torch.testing.assert_close(train.to_world, test.to_world)
    alone = load_photographs(tmp_path / "transforms_test.json", sphere=(0, 0, 0, 1))
    assert alone.names == test.names


def test_without_a_split_every_tenth_is_held_out(nerfstudio: Path) -> None:
    train, test = load_train_test(nerfstudio)
    assert test.names == ("images/f_00.png", "images/f_10.png")
    assert len(train) == 10
    with pytest.raises(InputError, match="`every` \\(=1\\)"):
        held_out(train, 1)
    with pytest.raises(InputError, match="at least 2"):
        held_out(train.select(torch.tensor([0])))


def test_nerfstudios_test_filenames_are_kept(nerfstudio: Path) -> None:
    edit(nerfstudio, lambda whole: whole.update(test_filenames=["images/f_04.png"]))
    assert load_train_test(nerfstudio)[1].names == ("images/f_04.png",)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda w: w.update(camera_model="OPENCV_FISHEYE"), "`camera_model` \\(=OPENCV_FISHEYE\\)"),
        (lambda w: w.update(frames=[]), "`frames` must be a list of at least one"),
        (lambda w: w["frames"][0].update(transform_matrix=[[1, 2]]), "`transform_matrix`.*4x4"),
        (lambda w: w["frames"][0].pop("file_path"), "`file_path`"),
        (lambda w: w["frames"][0].update(fl_x="wide"), "`fl_x` \\(='wide'\\) must be a number"),
        (lambda w: [f.pop(k) for f in w["frames"] for k in ("fl_x", "fl_y")], "`camera_angle_x`"),
        (lambda w: w.update(sphere_center=[0, 0], sphere_radius=1), "`sphere_center`"),
    ],
)
def test_faults_of_transforms_are_named(nerfstudio: Path, change: object, match: str) -> None:
    edit(nerfstudio, change)
    with pytest.raises(InputError, match=match):
        load_photographs(nerfstudio)


@pytest.mark.parametrize("name", ["cameras", "images", "points3D"])
def test_binary_models_cut_short_are_refused(name: str, writer: ModuleType, tmp_path: Path) -> None:
    writer.write_colmap_binary(writer.make_scene(), tmp_path)
    file = tmp_path / "sparse/0" / f"{name}.bin"
    whole = file.read_bytes()
    for cut in (4, len(whole) // 2, len(whole) - 3):
        file.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=f"{name}.bin is cut short"):
            load_photographs(tmp_path)
    file.unlink()
    if name != "points3D":
        with pytest.raises(InputError, match=r"does not exist|no cameras"):
            load_photographs(tmp_path)


def test_camera_models_that_bend_otherwise_are_refused(writer: ModuleType, tmp_path: Path) -> None:
    writer.write_colmap_text(writer.make_scene(), tmp_path)
    file = tmp_path / "sparse/0/cameras.txt"
    file.write_text(file.read_text().replace("OPENCV", "OPENCV_FISHEYE"))
    with pytest.raises(InputError, match=r"OPENCV_FISHEYE must be one of.*image_undistorter"):
        load_photographs(tmp_path)


@pytest.mark.parametrize(
    ("model", "numbers", "lens"),
    [
        ("SIMPLE_PINHOLE", "60 24 20", [0, 0, 0, 0, 0, 0]),
        ("PINHOLE", "60 61 24 20", [0, 0, 0, 0, 0, 0]),
        ("SIMPLE_RADIAL", "60 24 20 0.1", [0.1, 0, 0, 0, 0, 0]),
        ("RADIAL", "60 24 20 0.1 0.02", [0.1, 0.02, 0, 0, 0, 0]),
        ("OPENCV", "60 61 24 20 0.1 0.02 0.003 0.004", [0.1, 0.02, 0.003, 0.004, 0, 0]),
    ],
)
def test_colmaps_parameters_come_in_its_order(
    model: str, numbers: str, lens: list[float], writer: ModuleType, tmp_path: Path
) -> None:
    writer.write_colmap_text(writer.make_scene(4), tmp_path)
    (tmp_path / "sparse/0/cameras.txt").write_text(f"7 {model} 48 40 {numbers}\n")
    found = load_photographs(tmp_path, sphere=(0, 0, 0, 1)).cameras
    matrix = found.intrinsics[0]
    focal_y = 61.0 if model in ("PINHOLE", "OPENCV") else 60.0
    assert matrix.tolist() == [[60, 0, 24], [0, focal_y, 20], [0, 0, 1]]
    if any(lens):
        torch.testing.assert_close(found.distortion[0], torch.tensor(lens))
    else:
        assert found.distortion is None


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"max_side": 0}, "`max_side` \\(=0\\)"),
        ({"sphere": (0.0, 0.0, 0.0, -1.0)}, "`sphere`.*radius above 0"),
        ({"sphere": (float("nan"), 0.0, 0.0, 1.0)}, "`sphere`"),
    ],
)
def test_settings_out_of_range_are_refused(nerfstudio: Path, wrong: dict, match: str) -> None:
    with pytest.raises(InputError, match=match):
        load_photographs(nerfstudio, **wrong)


def test_an_archive_that_is_damaged_is_refused(writer: ModuleType, tmp_path: Path) -> None:
    writer.write_neus(writer.make_scene(), tmp_path)
    (tmp_path / "cameras_sphere.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match="not a readable npz"):
        load_photographs(tmp_path)


def test_poses_that_were_inverted_stand_at_one_point(nerfstudio: Path, writer: ModuleType) -> None:
    """An orbit around the origin, world to camera: every translation is (0, 0, d)."""
    shutil.rmtree(nerfstudio / "masks")

    def invert(whole: dict) -> None:
        for frame in whole["frames"]:
            pose = np.array(frame["transform_matrix"])
            pose[:3, 3] = pose[:3, 2] * 8
            frame["transform_matrix"] = np.linalg.inv(pose).tolist()

    edit(nerfstudio, invert)
    with pytest.raises(InputError, match=r"stand at one point.*Invert every matrix"):
        load_photographs(nerfstudio)


def test_real_photographs_of_dtu(data: Path) -> None:
    found = load_photographs(data / "multiview/dtu_scan65")
    assert len(found) == 49
    assert found.images[0].shape == (300, 400, 3)
    off = found.cameras.centers.norm(dim=1)
    assert off.min() > 3.9
    assert off.max() < 4.2
    turn = found.cameras.to_scene[:, :3, :3]
    eyes = torch.eye(3).expand(49, 3, 3)
    torch.testing.assert_close(turn.mT @ turn, eyes, atol=1e-5, rtol=0)
