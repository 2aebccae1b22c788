"""A finished reconstruction: reloads with one call, without its photographs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from passband.errors import InputError
from passband.recon._build import build_model
from passband.recon._model import Reconstruction
from passband.recon._scene import PhotographsScene
from passband.recon.cameras import Cameras
from passband.recon.data import Hull
from passband.training import load_tensors, save_tensors

MODEL_FILE = "reconstruction.safetensors"
_SCENE_PARTS = ("intrinsics", "to_scene", "sizes", "distortion")


@dataclass(frozen=True, eq=False)
class FittedReconstruction:
    """What was learned, and the frame it stands in.

    Attributes:
        model: the trained parts, on their device.
        scene: what they are made of.
        to_world: similarity (4, 4) from the scene to the world of the photographs.
        cameras: of the pictures held out.
        names: of these pictures.
        hull: of the masks, or None.
    """

    model: Reconstruction
    scene: PhotographsScene
    to_world: Tensor
    cameras: Cameras
    names: tuple[str, ...]
    hull: Hull | None


def save_reconstruction(path: Path, fitted: FittedReconstruction) -> None:
    """Write everything to one safetensors file, atomically."""
    tensors = {f"model.{name}": value for name, value in fitted.model.state_dict().items()}
    tensors["to_world"] = fitted.to_world
    for name in _SCENE_PARTS:
        value = getattr(fitted.cameras, name)
        if value is not None:
            tensors[f"cameras.{name}"] = value
    if fitted.hull is not None:
        tensors["hull"] = fitted.hull.occupancy
    meta = {"scene": fitted.scene.model_dump(mode="json"), "names": list(fitted.names)}
    save_tensors(path, tensors, meta)


def load_reconstruction(
    path: Path | str, *, device: torch.device | str = "cpu"
) -> FittedReconstruction:
    """Read a finished reconstruction from a run folder or from its ``reconstruction.safetensors``.

    Args:
        path: the folder or the file.
        device: where the model is to be.

    Raises:
        InputError: nothing there, or not a reconstruction.
    """
    path = Path(path)
    if path.is_dir():
        if not (path / MODEL_FILE).is_file():
            raise InputError(
                f"{path} holds no {MODEL_FILE}: it is no reconstruction, or its fit has not "
                "ended. Finish it with passband fit --resume."
            )
        path = path / MODEL_FILE
    tensors, meta = load_tensors(path)
    if "scene" not in meta or "to_world" not in tensors:
        raise InputError(f"{path} holds no reconstruction. Pass the run of photographs.")
    scene = PhotographsScene.model_validate(meta["scene"])
    hull = Hull(tensors["hull"]) if "hull" in tensors else None
    model = build_model(scene, hull)
    model.load_state_dict(_within(tensors, "model."))
    model.set_progress(1.0)
    parts: dict[str, Any] = {"distortion": None, **_within(tensors, "cameras.")}
    return FittedReconstruction(
        model.to(device).eval(),
        scene,
        tensors["to_world"],
        Cameras(**parts),
        tuple(meta["names"]),
        hull,
    )


def _within(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
