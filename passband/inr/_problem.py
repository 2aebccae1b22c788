"""What differs between kinds of signals in a fit: what is minimised, measured and left behind."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.inr._field import Field
from passband.inr._knob import ResolvedField
from passband.inr._objective import GridObjective
from passband.inr._quality import psnr
from passband.inr._results import evaluate, write_results
from passband.inr._run import FittedField
from passband.inr._scene import AudioScene, ImageScene, Scene, TrainingSettings
from passband.inr._shape_bands import ShapeBands
from passband.inr._shape_objective import ShapeObjective
from passband.inr._shape_quality import VolumeProbe
from passband.inr._shape_results import write_shape_results
from passband.inr._shape_score import surface_score
from passband.inr.targets import (
    GridTarget,
    ShapeSampler,
    ShapeTarget,
    SignalInfo,
    audio_target,
    grid_coordinates,
    grid_importance,
    image_target,
    shape_grid,
    shape_importance,
    shape_target,
)
from passband.training import LoopResult, Objective, make_generator

_QUICK_VOLUME, _QUICK_DISTANCES = 2**16, 2**15
_IMPORTANCE_POINTS = 2**18
_SCORE_SAMPLES, _SCORE_CHUNK = 2**16, 2**14
_SCORE_STREAM = 13


@dataclass(frozen=True)
class GridProblem:
    """A picture or a sound."""

    grid: GridTarget

    @property
    def info(self) -> SignalInfo:
        """What is known of the signal without its samples."""
        return self.grid.info

    def digest(self) -> bytes:
        """The samples."""
        return self.grid.signal.contiguous().numpy().tobytes()

    def importance(
        self, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, " n"]]:
        """Every sample, weighted by the signal's gradient."""
        return grid_importance(self.grid)

    def objective(self, field: Field, settings: TrainingSettings) -> Objective:
        """The loss of the settings on shuffled samples."""
        return GridObjective(field, self.grid, settings)

    def evaluate(self, field: Field) -> dict[str, Any]:
        """PSNR and error per band."""
        return evaluate(field, self.grid)

    def score(self, field: Field) -> float:
        """PSNR in dB at up to 65,536 samples, drawn once for all fields."""
        device = next(field.parameters()).device
        generator = make_generator(0, _SCORE_STREAM)
        count = min(self.info.count, _SCORE_SAMPLES)
        indices = torch.randperm(self.info.count, generator=generator)[:count]
        wanted = self.grid.signal.flatten(1).T[indices]
        with torch.no_grad():
            points = grid_coordinates(indices.to(device), self.info.size)
            given = torch.cat([field(part) for part in points.split(_SCORE_CHUNK)])
        given = given.cpu().float()
        if self.info.bounded:
            given = given.clamp(-1.0, 1.0)
        return psnr(wanted.T, given.T)

    def write(
        self,
        folder: Path,
        resolved: ResolvedField,
        fitted: FittedField,
        result: LoopResult,
        *,
        steps: int,
    ) -> dict[str, Any]:
        """Rendering, metrics and report."""
        return write_results(folder, resolved, fitted, self.grid, result, steps=steps)


@dataclass(frozen=True)
class ShapeProblem:
    """The signed distance to a mesh."""

    target: ShapeTarget

    @property
    def info(self) -> SignalInfo:
        """What is known of the shape without its surface."""
        return self.target.info

    @cached_property
    def grid(self) -> GridTarget:
        """The signed distance on a grid, cut off beyond a few cells from the surface."""
        return shape_grid(self.target)

    def digest(self) -> bytes:
        """The mesh."""
        mesh = self.target.mesh
        return mesh.vertices.numpy().tobytes() + mesh.faces.numpy().tobytes()

    def importance(
        self, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, " n"]]:
        """Points on, near and around the surface, weighted by their nearness to it."""
        return shape_importance(self.target, _IMPORTANCE_POINTS, generator=generator)

    def objective(self, field: Field, settings: TrainingSettings) -> Objective:
        """Relative error of distances, whatever loss the settings name."""
        place = next(field.parameters()).device
        key = (settings.batch_size, settings.seed, place)
        if key not in self._samplers:  # its pool of distances takes longer than a short fit
            self._samplers[key] = ShapeSampler(
                self.target, settings.batch_size, seed=settings.seed, device=place
            )
        return ShapeObjective(field, self._samplers[key], steps=settings.steps)

    @cached_property
    def _samplers(self) -> dict[tuple[int, int, torch.device], ShapeSampler]:
        return {}

    @cached_property
    def _probe(self) -> VolumeProbe:
        return VolumeProbe(self.target, volume=_QUICK_VOLUME, distances=_QUICK_DISTANCES)

    @cached_property
    def _bands(self) -> ShapeBands:
        return ShapeBands(self.target)

    def evaluate(self, field: Field) -> dict[str, Any]:
        """IoU and MAPE at a few points, and error per band."""
        device = next(field.parameters()).device
        _, decibels = self._bands(field, device)
        return {**self._probe(field, device), "band_error_db": decibels}

    def score(self, field: Field) -> float:
        """How near the surface of ``field`` is to the shape, in dB."""
        return surface_score(self.target, field)

    def write(
        self,
        folder: Path,
        resolved: ResolvedField,
        fitted: FittedField,
        result: LoopResult,
        *,
        steps: int,
    ) -> dict[str, Any]:
        """Mesh, metrics and report."""
        device = next(fitted.field.parameters()).device
        edges, decibels = self._bands(fitted.field, device)
        return write_shape_results(
            folder,
            fitted,
            self.target,
            resolved,
            result,
            steps=steps,
            bands={"band_edges": edges, "band_error_db": decibels},
        )


Problem = GridProblem | ShapeProblem


def load_target(scene: Scene) -> GridTarget | ShapeTarget:
    """Read the signal that ``scene`` names.

    Raises:
        InputError: it cannot be read or is too small.
        MissingDependencyError: a shape, without trimesh or open3d.
    """
    if isinstance(scene, ImageScene):
        return image_target(scene.target.path, max_samples=scene.target.max_samples)
    if isinstance(scene, AudioScene):
        return audio_target(
            scene.target.path,
            start=scene.target.start,
            duration=scene.target.duration,
            max_samples=scene.target.max_samples,
        )
    return shape_target(scene.target.path, max_faces=scene.target.max_faces)


def load_problem(scene: Scene) -> Problem:
    """The signal that ``scene`` names, read and ready to be fitted.

    Raises:
        InputError: it cannot be read or is too small.
        MissingDependencyError: a shape, without trimesh or open3d.
    """
    target = load_target(scene)
    return ShapeProblem(target) if isinstance(target, ShapeTarget) else GridProblem(target)
