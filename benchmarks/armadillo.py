"""The armadillo as a signed distance: a hash grid of 2^15 entries, and NeuRBF of its size.

Fits them on two cores at the same rate, steps and batch, and compares with what is promised: in
under 120 s IoU of at least 0.995 and a chamfer distance of at most 1.5e-3 sides of the unit cube
for the hash grid, and NeuRBF better than it with no more numbers stored (kernel centres and sizes
counted, though they do not train).
IoU is over 2^20 points in the bounding box; chamfer over 2 x 100,000 points, to the surface, of
the mesh at 256 cells. Run: python benchmarks/armadillo.py [FIELD ...] [--keep FOLDER]
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch
from record import data_folder, write_result

from passband.inr import FieldSettings, build_field, fit, parse_scene
from passband.training import keep_freed_memory

GOALS = {"seconds": 120.0, "iou": 0.995, "chamfer": 1.5e-3}
SHOWN = ("seconds", "iou", "chamfer", "f_score", "normal_consistency", "mape", "parameters")
NETWORK = {"kind": "relu", "hidden_features": 64, "hidden_layers": 2}
HASH_GRID: dict[str, Any] = {
    "encoding": {
        "kind": "hashgrid",
        "n_levels": 16,
        "n_features_per_level": 2,
        "log2_hashmap_size": 15,
        "finest_resolution": 1024,
    },
    "network": NETWORK,
}
TRAINING: dict[str, Any] = {"steps": 1200, "batch_size": 16384, "optimizer": {"lr": 2e-2}}
FIELDS = ("hashgrid", "neurbf")


def stored(field: dict[str, Any]) -> int:
    """Numbers in the file of a field, trained or not."""
    module = build_field(FieldSettings.model_validate(field), 3, 1)
    return sum(tensor.numel() for tensor in module.state_dict().values())


def neurbf(kernels: int) -> dict[str, Any]:
    grid = {**HASH_GRID["encoding"], "n_features_per_level": 1}
    encoding = {
        "kind": "neurbf",
        "n_kernels": kernels,
        "n_features": 16,
        "neighbours": 4,
        "multipliers": [1.0, 8.0],
        "kernel": "tent",
        "grid": grid,
    }
    return {"encoding": encoding, "network": NETWORK}


def neurbf_as_large_as(limit: int) -> dict[str, Any]:
    few, more = stored(neurbf(1000)), stored(neurbf(2000))
    return neurbf(1000 + (limit - few) * 1000 // (more - few))


def run(name: str, field: dict[str, Any], folder: Path) -> dict[str, Any]:
    scene = parse_scene(
        {
            "kind": "shape",
            "target": {"path": str(data_folder() / "meshes" / "armadillo.obj")},
            "field": field,
            "training": TRAINING,
        },
        source=name,
    )
    metrics = fit(scene, folder, device="cpu")
    row = {key: metrics[key] for key in SHOWN}
    return {**row, "stored": stored(field), "steps": metrics["steps"], "faces": metrics["faces"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fields", nargs="*", choices=[*FIELDS, []], help="by default all")
    parser.add_argument("--keep", type=Path, help="leave the run folders here")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    keep_freed_memory()
    fields = {"hashgrid": HASH_GRID, "neurbf": neurbf_as_large_as(stored(HASH_GRID))}
    rows = {}
    with tempfile.TemporaryDirectory() as temporary:
        for name in arguments.fields or fields:
            rows[name] = run(name, fields[name], (arguments.keep or Path(temporary)) / name)
    print(f"{'':14}" + "".join(f"{key:>20}" for key in SHOWN))
    for name, row in rows.items():
        print(f"{name:14}" + "".join(f"{row[key]:>20.5g}" for key in SHOWN))
    if "hashgrid" in rows:
        row = rows["hashgrid"]
        reached = {
            "seconds": row["seconds"] < GOALS["seconds"],
            "iou": row["iou"] >= GOALS["iou"],
            "chamfer": row["chamfer"] <= GOALS["chamfer"],
        }
        print("goals of the hash grid: " + ", ".join(f"{k} {v}" for k, v in reached.items()))
    if len(rows) == len(fields):
        better = {k: rows["neurbf"][k] < rows["hashgrid"][k] for k in ("chamfer", "mape")}
        better["iou"] = rows["neurbf"]["iou"] > rows["hashgrid"]["iou"]
        print("NeuRBF better: " + ", ".join(f"{k} {v}" for k, v in better.items()))
        write_result("armadillo", {"goals": GOALS, "runs": rows})


if __name__ == "__main__":
    main()
