"""Surfaces from pictures of known meshes: how far from the truth, and how soon.

Renders the armadillo and the rocker-arm (60 views of 200x200, 6 held out; known_truth_scenes.py),
learns them with the laptop's settings, and compares. Chamfer is the mean of accuracy and
completeness, exact point to surface from 30,000 points, in % of the bounding sphere's radius. The
visual hull alone stands beside it. PSNR is of the whole picture, and of the inside of the mask two
pixels away from its rim.

Run: OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE python benchmarks/known_truth.py [CASE ...]
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from known_truth_scenes import KnownTruth, known_truth
from record import RESULTS, data_folder, write_result

from passband.media import Mesh, read_mesh
from passband.recon import fit_photographs, load_photographs_scene
from passband.recon.data import evenly_spread, load_train_test, visual_hull
from passband.recon.evaluation import component_count, surface_distances
from passband.recon.meshing import surface_mesh
from passband.training import keep_freed_memory

QUICK = ["training.seconds=120", "training.rays=1500", "training.lr=4e-3"]
CASES: dict[str, dict[str, Any]] = {
    "armadillo": {"mesh": "armadillo", "goal": {"chamfer": 0.13, "psnr": 32.0, "mask_iou": 0.99}},
    "rocker-arm": {"mesh": "rocker-arm", "goal": {"chamfer": 0.12, "psnr": 35.0}},
    "armadillo-2min": {"mesh": "armadillo", "set": QUICK, "goal": {"chamfer": 0.20}},
    "rocker-arm-2min": {"mesh": "rocker-arm", "set": QUICK, "goal": {"chamfer": 0.20}},
    "armadillo-16views": {
        "mesh": "armadillo",
        "set": [*QUICK, "target.views=16"],
        "goal": {"chamfer": 0.22},
    },
    "armadillo-nomasks": {
        "mesh": "armadillo",
        "set": [*QUICK, "target.masks=false"],
        "goal": {"chamfer": 0.30},
    },
}
SHOWN = ("seconds", "chamfer", "hull", "psnr", "psnr_eroded", "mask_iou", "components")


def percent(mesh: Mesh, truth: KnownTruth) -> dict[str, float]:
    """Distances in % of the truth's bounding sphere."""
    found = surface_distances(mesh, truth.truth, samples=30_000, seed=0)
    share = 100 / truth.radius
    return {
        "accuracy": share * float(found.accuracy.mean()),
        "completeness": share * float(found.completeness.mean()),
        "chamfer": share * float(found.chamfer),
    }


def hull_chamfer(truth: KnownTruth, views: int | None) -> float:
    learn, _ = load_train_test(truth.folder)
    if views is not None:
        learn = evenly_spread(learn, views)
    hull = visual_hull(learn, 256)
    mesh = surface_mesh(hull.distance, 256, to_world=learn.to_world)
    return percent(mesh, truth)["chamfer"]


def run(case: dict[str, Any], folder: Path) -> dict[str, Any]:
    truth = known_truth(case["mesh"], data_folder(), folder / "views")
    overrides = case.get("set", [])
    scene = load_photographs_scene(truth.folder, overrides)
    metrics = fit_photographs(scene, folder / "run", device="cpu")
    mesh = read_mesh(folder / "run" / "mesh.ply")
    kept = ("seconds", "steps", "rays_per_second", "psnr", "psnr_inside", "psnr_eroded", "ssim")
    return {
        **percent(mesh, truth),
        "hull": hull_chamfer(truth, scene.target.views),
        **{key: metrics[key] for key in (*kept, "mask_iou", "faces", "watertight")},
        "components": component_count(mesh),
        "settings": overrides,
        "goal": case["goal"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="by default all")
    names = parser.parse_args().cases or list(CASES)
    torch.set_num_threads(2)
    keep_freed_memory()
    file = RESULTS / "known_truth.json"
    rows = json.loads(file.read_text())["cases"] if file.is_file() else {}
    for name in names:
        with tempfile.TemporaryDirectory() as temporary:
            rows[name] = run(CASES[name], Path(temporary))
        print(name, rows[name])
        write_result("known_truth", {"cases": rows})
    print(f"{'':20}" + "".join(f"{key:>13}" for key in SHOWN))
    for name, row in rows.items():
        print(f"{name:20}" + "".join(f"{row[key]:13.4g}" for key in SHOWN))


if __name__ == "__main__":
    main()
