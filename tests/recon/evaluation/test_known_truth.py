"""The rendered scenes whose surface is known: what readers make of them, and the picture."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import trimesh

from passband.media import Mesh, read_image, read_mesh
from passband.recon.data import held_out, load_photographs
from passband.recon.evaluation import mask_iou, mesh_views, surface_distances
from passband.recon.meshing import placed

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def scenes() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import known_truth_scenes

        yield known_truth_scenes
    sys.modules.pop("known_truth_scenes", None)


@pytest.fixture(scope="module")
def shape() -> Mesh:
    """A bent box, unlike its mirror images, away from the origin and of another size."""
    surface = trimesh.creation.box((4.0, 6.0, 10.0)).subdivide_loop(2)
    places = np.asarray(surface.vertices)
    places[:, 0] += 0.1 * places[:, 2] ** 2 + 0.3 * places[:, 1]
    vertices = torch.from_numpy(places + np.array((100.0, -40.0, 7.0)))
    return Mesh(vertices, torch.from_numpy(np.asarray(surface.faces, dtype=np.int64)))


def test_readers_find_the_cameras_and_the_sphere(
    scenes: ModuleType, shape: Mesh, tmp_path: Path
) -> None:
    made = scenes.write_known_truth(shape, tmp_path, views=12, size=40)
    photographs = load_photographs(tmp_path)
    torch.testing.assert_close(photographs.to_world.double(), made.to_world, rtol=1e-5, atol=1e-5)
    assert surface_distances(read_mesh(tmp_path / "truth.ply"), shape, samples=99).chamfer < 1e-5
    in_scene = placed(read_mesh(tmp_path / "truth.ply"), torch.linalg.inv(made.to_world))
    assert float(in_scene.vertices.norm(dim=1).max()) == pytest.approx(0.8, abs=1e-5)
    assert made.radius == pytest.approx(0.8 * float(made.to_world[0, 0]))
    assert photographs.masks is not None
    # Half a pixel off, a silhouette of 20 pixels would agree to about 0.9.
    assert float(mask_iou(in_scene, photographs.cameras, photographs.masks).min()) > 0.995
    assert made.held_out == (0, 10)
    names = [photographs.names[k] for k in made.held_out]
    assert list(held_out(photographs)[1].names) == names


def test_pixels_are_colour_times_shade_on_white(
    scenes: ModuleType, shape: Mesh, tmp_path: Path
) -> None:
    scenes.write_known_truth(shape, tmp_path, views=5, size=24)
    photographs = load_photographs(tmp_path)
    renderer = scenes.TruthRenderer(shape, size=24)
    in_scene = placed(shape, torch.linalg.inv(renderer.to_world))
    for k, seen in enumerate(mesh_views(in_scene, photographs.cameras)):
        view = renderer.view(scenes.fibonacci_cameras(5)[k])
        picture = read_image(tmp_path / "image" / f"{k:03}.png").pixels
        assert bool((picture[:, ~view.mask] == 1).all())
        torch.testing.assert_close(picture, view.image, atol=0.5 / 255 + 1e-6, rtol=0)
        both = view.mask & seen.mask
        assert int(both.sum()) > 60
        torch.testing.assert_close(view.depth[both], seen.depth[both], atol=2e-3, rtol=0)
        cosine = (view.normal * seen.normal).sum(dim=-1)[both]  # of smoothed and flat normals
        assert float(cosine.min()) > 0.8
        rays = photographs.cameras.rays(
            torch.full((24 * 24,), k), torch.cartesian_prod(*[torch.arange(24) + 0.5] * 2).flip(1)
        )
        points = rays.at(view.depth.nan_to_num(posinf=0.0).flatten()).double()
        light = torch.tensor([0.4, 0.8, 0.45]).double()
        cosine = view.normal.reshape(-1, 3).double() @ (light / light.norm())
        waves = torch.tensor([[4.1, 2.3, 1.1], [-1.7, 3.9, 2.6], [2.2, -1.9, 4.4]]).double()
        paint = 0.5 + 0.4 * (points @ waves.T + torch.tensor([0.3, 1.9, 4.1]).double()).sin()
        color = (paint * (0.3 + 0.7 * cosine.clamp_min(0.0))[:, None]).float()
        wanted = color.T.reshape(3, 24, 24)[:, view.mask]
        torch.testing.assert_close(picture[:, view.mask], wanted, atol=3e-3, rtol=0)


def test_more_rays_smooth_the_silhouette(scenes: ModuleType, shape: Mesh) -> None:
    pose = scenes.fibonacci_cameras(7)[3]
    coarse = scenes.TruthRenderer(shape, size=16).view(pose)
    fine = scenes.TruthRenderer(shape, size=48).view(pose)
    smooth = scenes.TruthRenderer(shape, size=16, rays_per_side=3).view(pose)
    cells = fine.image.reshape(3, 16, 3, 16, 3).mean(dim=(2, 4))
    torch.testing.assert_close(smooth.image, cells, atol=1e-5, rtol=0)
    torch.testing.assert_close(smooth.depth, coarse.depth)
    cover = fine.mask.float().reshape(16, 3, 16, 3).mean(dim=(1, 3))
    assert torch.equal(smooth.mask, cover >= 0.5)


def test_the_same_files_each_time(scenes: ModuleType, shape: Mesh, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        scenes.write_known_truth(shape, tmp_path / name, views=3, size=12)
    files = sorted(file.relative_to(tmp_path / "a") for file in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 3 + 3 + 2
    for file in files:
        if file.suffix != ".npz":  # zip archives hold the time
            assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    first, second = (dict(np.load(tmp_path / name / "cameras_sphere.npz")) for name in "ab")
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_cameras_surround_the_object_upright(scenes: ModuleType) -> None:
    poses = scenes.fibonacci_cameras(60)
    rotation, place = poses[:, :3, :3], poses[:, :3, 3]
    np.testing.assert_allclose(
        rotation @ rotation.transpose(0, 2, 1), np.tile(np.eye(3), (60, 1, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(rotation), 1.0)
    np.testing.assert_allclose(np.linalg.norm(place, axis=1), 3.0)
    np.testing.assert_allclose(rotation[:, :, 2], -place / 3.0, atol=1e-12)
    assert (rotation[:, 1, 1] < 0).all()  # the camera's y points down
    gaps = np.linalg.norm(place[:, None] - place, axis=2) + 9 * np.eye(60)
    assert gaps.min() > 0.6  # sixty even caps of the sphere are about 1.4 apart at most


def test_a_real_mesh(scenes: ModuleType, data: Path, tmp_path: Path) -> None:
    made = scenes.known_truth("rocker-arm", data, tmp_path, views=3)
    photographs = load_photographs(tmp_path)
    assert photographs.cameras.sizes.tolist() == [[200, 200]] * 3
    assert photographs.masks is not None
    in_scene = placed(made.truth, torch.linalg.inv(made.to_world))
    assert float(mask_iou(in_scene, photographs.cameras, photographs.masks).min()) > 0.999
    for mask in photographs.masks:
        assert 0.1 < float(mask.float().mean()) < 0.5
        rim = torch.cat((mask[0], mask[-1], mask[:, 0], mask[:, -1]))
        assert not bool(rim.any())
