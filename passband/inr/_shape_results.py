"""What the fit of a shape leaves in its folder besides the field: mesh, metrics, report."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from passband.atomic import write_json_atomic
from passband.errors import InputError
from passband.inr._knob import ResolvedField
from passband.inr._meshing import extract_mesh
from passband.inr._results import METRICS_FILE, run_metrics
from passband.inr._run import FittedField
from passband.inr._shape_quality import VolumeProbe, surface_metrics
from passband.inr._shape_report import write_shape_report
from passband.inr.targets import ShapeTarget, SignalInfo, to_world
from passband.media import Mesh, write_mesh
from passband.training import LoopResult

MESH_FILE = "mesh.ply"


def fitted_mesh(
    fitted: FittedField,
    resolution: int,
    *,
    lipschitz: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Mesh:
    """The surface of a fitted shape in the coordinates of its source, see :func:`extract_mesh`.

    Args:
        fitted: a field fitted to a shape.
        resolution: cells along a side of the cube, 2 to 4096.
        lipschitz: bound of the field's slope; None measures it.
        progress: called with blocks done and blocks known of.

    Raises:
        InputError: the field is of no shape, or has no surface.
    """
    if fitted.info.kind != "shape":
        raise InputError(
            f"this field is fitted to {_a(fitted.info.kind)}, which has no surface. "
            "Pass the run of a shape, or render this one with passband render."
        )
    mesh = extract_mesh(
        fitted.field,
        resolution,
        lipschitz=lipschitz,
        device=next(fitted.field.parameters()).device,
        progress=progress,
    )
    return _in_world(mesh, fitted.info)


def write_shape_results(
    folder: Path,
    fitted: FittedField,
    target: ShapeTarget,
    resolved: ResolvedField,
    result: LoopResult,
    *,
    steps: int,
    bands: dict[str, Any],
) -> dict[str, Any]:
    """Write ``mesh.ply``, ``metrics.json`` and ``report.html``; return the metrics.

    ``bands`` go into them as they are.
    ``chamfer``, ``f_score`` and ``normal_consistency`` are of the mesh at ``info.size`` cells, in
    sides of the unit cube; ``iou`` and ``mape`` of the field itself. Where a field has no surface
    there is no mesh, and the first three are None.

    Raises:
        OutputError: a file cannot be written.
        MissingDependencyError: without trimesh or open3d.
    """
    device = next(fitted.field.parameters()).device
    began = time.perf_counter()
    try:
        mesh = extract_mesh(fitted.field, target.info.size[0], device=device)
    except InputError:
        mesh = None  # the fit is not lost: its report says what became of it
    meshed = time.perf_counter() - began
    quality: dict[str, Any] = dict.fromkeys(("chamfer", "f_score", "normal_consistency"))
    if mesh is not None:
        write_mesh(folder / MESH_FILE, _in_world(mesh, target.info))
        quality = {**surface_metrics(mesh, target.mesh)}
    metrics = {
        **run_metrics(resolved, fitted, result, steps),
        "target_faces": len(target.mesh.faces),
        "target_watertight": target.watertight,
        **quality,
        **bands,
        **VolumeProbe(target)(fitted.field, device),
        "vertices": 0 if mesh is None else len(mesh.vertices),
        "faces": 0 if mesh is None else len(mesh.faces),
        "watertight": None if mesh is None else mesh.watertight,
        "meshing_seconds": meshed,
    }
    write_json_atomic(folder / METRICS_FILE, metrics)
    write_shape_report(folder / "report.html", metrics, target, mesh)
    return metrics


def _in_world(mesh: Mesh, info: SignalInfo) -> Mesh:
    return Mesh(to_world(info, mesh.vertices), mesh.faces, mesh.colors)


def _a(kind: str) -> str:
    return {"image": "a picture", "audio": "a sound"}.get(kind, kind)
