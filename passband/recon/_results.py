"""What a reconstruction leaves in its folder besides the model: mesh, views, metrics, report."""

from pathlib import Path
from typing import Any

from passband import __version__
from passband.atomic import write_json_atomic
from passband.errors import InputError
from passband.media import Mesh, write_image, write_mesh
from passband.recon._mesh import reconstruction_mesh
from passband.recon._model import Reconstruction
from passband.recon._report import shown_normal, write_report
from passband.recon._run import FittedReconstruction
from passband.recon._views import View, render_view
from passband.recon.data import Photographs
from passband.recon.evaluation import (
    PictureScores,
    component_count,
    mask_iou,
    mean_scores,
    picture_scores,
)
from passband.recon.meshing import placed
from passband.training import LoopResult

MESH_FILE, METRICS_FILE, REPORT_FILE, VIEWS = "mesh.ply", "metrics.json", "report.html", "views"
_QUICK_VIEWS = 2
_CELLS = 256


def view_scores(view: View, photographs: Photographs, number: int) -> PictureScores:
    """How near a view is to photograph ``number``."""
    wanted = photographs.images[number].movedim(-1, 0) / 255
    mask = None if photographs.masks is None else photographs.masks[number]
    return picture_scores(wanted, view.color.movedim(-1, 0), mask)


def quick_scores(model: Reconstruction, test: Photographs) -> dict[str, float | None]:
    """Means over the first two pictures held out, by the names of `PictureScores`."""
    cameras = test.cameras.to(next(model.parameters()).device)
    scores = [
        view_scores(render_view(model, cameras, k), test, k)
        for k in range(min(_QUICK_VIEWS, len(test)))
    ]
    return mean_scores(scores)


def write_results(
    folder: Path,
    fitted: FittedReconstruction,
    train: Photographs,
    test: Photographs,
    result: LoopResult,
    *,
    steps: int,
) -> dict[str, Any]:
    """Write ``mesh.ply``, ``views/``, ``metrics.json`` and ``report.html``; return the metrics.

    The mesh is that of 256 cells; where the reconstruction has no surface there is none.

    Raises:
        OutputError: a file cannot be written.
    """
    cameras = test.cameras.to(next(fitted.model.parameters()).device)
    views = [render_view(fitted.model, cameras, k) for k in range(len(test))]
    scores = [view_scores(view, test, k) for k, view in enumerate(views)]
    _write_views(folder / VIEWS, views, test)
    mesh = _mesh(fitted)
    metrics = {
        "passband": __version__,
        "kind": "photographs",
        "source": fitted.scene.target.path,
        "train_views": len(train),
        "test_views": len(test),
        "steps": steps,
        "seconds": result.seconds,
        "rays_per_second": steps * fitted.scene.training.rays / result.seconds,
        "loss": result.loss,
        "parameters": sum(p.numel() for p in fitted.model.parameters()),
        "device": str(cameras.intrinsics.device),
        "sharpness": fitted.model.opacity.sharpness,
        **mean_scores(scores),
        **_mesh_metrics(mesh, train, test),
        "history": result.history,
        "notes": list(train.notes),
        "scene": fitted.scene.model_dump(mode="json"),
    }
    if mesh is not None:
        write_mesh(folder / MESH_FILE, placed(mesh, fitted.to_world))
    write_json_atomic(folder / METRICS_FILE, metrics)
    write_report(folder / REPORT_FILE, metrics, test, views, scores)
    return metrics


def _mesh(fitted: FittedReconstruction) -> Mesh | None:
    try:
        return reconstruction_mesh(fitted, _CELLS, in_world=False)
    except InputError:  # no surface yet
        return None


def _mesh_metrics(mesh: Mesh | None, train: Photographs, test: Photographs) -> dict[str, Any]:
    """Parts and silhouettes of a mesh in the scene frame."""
    if mesh is None:
        return {"faces": 0, "watertight": None, "components": 0, "mask_iou": None}
    shares = [
        mask_iou(mesh, part.cameras, part.masks) for part in (train, test) if part.masks is not None
    ]
    return {
        "faces": len(mesh.faces),
        "watertight": mesh.watertight,
        "components": component_count(mesh),
        "mask_iou": float(sum(s.sum() for s in shares) / sum(map(len, shares))) if shares else None,
    }


def _write_views(folder: Path, views: list[View], test: Photographs) -> None:
    folder.mkdir(exist_ok=True)
    for name, view in zip(test.names, views, strict=True):
        stem = name.replace("/", "_").rpartition(".")[0] or name.replace("/", "_")
        write_image(folder / f"{stem}.png", view.color.movedim(-1, 0))
        write_image(folder / f"{stem}_normal.png", shown_normal(view).movedim(-1, 0))
