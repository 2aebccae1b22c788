"""One scene in every format gives the same rays."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from passband.recon.data import Photographs, load_photographs

FORMATS = (
    "neus",
    "volsdf",
    "nerf",
    "nerfstudio",
    "colmap-text",
    "colmap-binary",
    "blendedmvs",
    "sdfstudio",
)
RAYS = 1e-5  # of the contract, float32
PIXELS = torch.tensor([[0.5, 0.5], [24.0, 20.0], [47.5, 3.25], [10.0, 39.5]])


def rays_of(photographs: Photographs) -> tuple[torch.Tensor, torch.Tensor]:
    n = len(photographs)
    camera = torch.arange(n).repeat_interleave(len(PIXELS))
    rays = photographs.cameras.rays(camera, PIXELS.repeat(n, 1))
    return rays.origins, rays.directions


def true_rays(scene: object) -> tuple[np.ndarray, np.ndarray]:
    """In the scene's own unit sphere, float64, by K inverse; no lens."""
    pixels = np.concatenate((PIXELS.numpy().astype(np.float64), np.ones((len(PIXELS), 1))), 1)
    turned = pixels @ np.linalg.inv(scene.intrinsics).transpose(0, 2, 1)
    turned = turned @ scene.poses[:, :3, :3].transpose(0, 2, 1)
    turned /= np.linalg.norm(turned, axis=-1, keepdims=True)
    centers = (scene.poses[:, :3, 3] - scene.center) / scene.radius
    return centers.repeat(len(PIXELS), 0), turned.reshape(-1, 3)


def sphere_of(scene: object) -> tuple[float, float, float, float]:
    return (*scene.center.tolist(), scene.radius)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_rays(form: str, writer: ModuleType, tmp_path: Path) -> None:
    scene = writer.make_scene()
    writer.WRITERS[form](scene, tmp_path)
    given = None if form in ("neus", "sdfstudio") else sphere_of(scene)
    found = load_photographs(tmp_path, sphere=given)
    origins, directions = rays_of(found)
    true_origins, true_directions = true_rays(scene)
    np.testing.assert_allclose(origins.numpy(), true_origins, atol=RAYS)
    np.testing.assert_allclose(directions.numpy(), true_directions, atol=RAYS)
    np.testing.assert_allclose(found.to_world.numpy(), scene.to_world, atol=RAYS)
    turn = found.cameras.to_scene[:, :3, :3].numpy()
    np.testing.assert_allclose(turn, scene.poses[:, :3, :3], atol=RAYS)
    for mask, true in zip(found.masks, scene.masks(), strict=True):
        np.testing.assert_array_equal(mask.numpy(), true)
    shade = round((0.2 + 0.5 * 5 / 12) * 255)
    assert found.images[5][found.masks[5]].unique().tolist() == [shade]
    assert found.images[5][~found.masks[5]].unique().tolist() == [255]


@pytest.mark.parametrize("form", FORMATS)
def test_rays_in_the_world_do_not_depend_on_the_sphere_found(
    form: str, writer: ModuleType, tmp_path: Path
) -> None:
    scene = writer.make_scene()
    writer.WRITERS[form](scene, tmp_path)
    found = load_photographs(tmp_path)
    origins, directions = rays_of(found)
    true_origins, true_directions = true_rays(scene)
    world = origins @ found.to_world[:3, :3].T + found.to_world[:3, 3]
    true_world = true_origins * scene.radius + scene.center
    np.testing.assert_allclose(world.numpy(), true_world, atol=RAYS * scene.radius)
    np.testing.assert_allclose(directions.numpy(), true_directions, atol=RAYS)
    if form not in ("neus", "sdfstudio"):
        assert any("visual hull" in note for note in found.notes)
    # The object's balls reach from its centre to at most 0.95 radii.
    assert 0.7 < found.to_world[0, 0].item() / scene.radius < 1.35


def test_lenses_that_distort_agree_between_nerfstudio_and_colmap(
    writer: ModuleType, tmp_path: Path
) -> None:
    scene = writer.with_lens(writer.make_scene())
    found = []
    for form in ("nerfstudio", "colmap-text", "colmap-binary"):
        writer.WRITERS[form](scene, tmp_path / form)
        photographs = load_photographs(tmp_path / form, sphere=sphere_of(scene))
        found.append(rays_of(photographs))
    for origins, directions in found[1:]:
        torch.testing.assert_close(origins, found[0][0], atol=RAYS, rtol=0)
        torch.testing.assert_close(directions, found[0][1], atol=RAYS, rtol=0)
    straight = torch.from_numpy(true_rays(scene)[1]).float()
    assert (found[0][1] - straight).abs().max() > 1e-3
