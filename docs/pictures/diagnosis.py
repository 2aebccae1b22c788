"""The picture of docs/diagnosis.md: three fields on one picture, fitted and diagnosed.

Run: python docs/pictures/diagnosis.py FOLDER
Fits what FOLDER does not hold yet (a minute each), writes diagnosis.png and prints the numbers.
"""

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from passband.inr import fit, parse_scene
from passband.inr.diagnosis import Diagnosis, measure
from passband.inr.diagnosis._diagnose import load_run
from passband.inr.diagnosis._numbers import diagnosis_numbers

HERE = Path(__file__).parent
ENCODINGS: dict[str, dict[str, Any]] = {
    "coordinates": {"kind": "identity"},
    "positional": {"kind": "positional", "octaves": 8},
    "hash grid": {"kind": "hashgrid", "log2_hashmap_size": 12, "finest_resolution": 512},
}
COLOURS = dict(zip(ENCODINGS, ("#8b949e", "#2563a8", "#d1651c"), strict=True))
TRAINING = {"steps": 500, "batch_size": 8192, "evaluations": 8}


def main() -> None:
    found = {}
    for name, encoding in ENCODINGS.items():
        run = Path(sys.argv[1]) / name.replace(" ", "_")
        if not (run / "metrics.json").is_file():
            plain = {
                "kind": "image",
                "target": {"path": "skimage:camera"},
                "field": {"encoding": encoding, "network": {"kind": "relu"}},
                "training": TRAINING,
            }
            scene = parse_scene(plain, source="docs")
            fit(scene, run, device="cpu", resume=run.exists())
        metrics, fitted, samples = load_run(run)
        diagnosis = measure(fitted.field, samples)
        numbers = diagnosis_numbers(diagnosis, metrics)
        found[name] = numbers, diagnosis
        sys.stdout.write(line(name, metrics, numbers) + "\n")
    draw(found).savefig(HERE / "diagnosis.png")


def line(name: str, metrics: dict[str, Any], numbers: dict[str, Any]) -> str:
    """A row of the page's table."""
    local = numbers["gradient_confusion"]["hidden"]["local"]
    activation, kernel = numbers["activation"], numbers["kernel"]
    return json.dumps(
        {
            "field": name,
            "psnr": round(metrics["psnr"], 2),
            "parameters": metrics["parameters"],
            "cosine": [round(local[key], 3) for key in ("mean", "std", "min", "negative")],
            "units": activation["units"],
            "hamming": [
                round(activation["hamming"][kind]["mean"], 2) for kind in ("local", "global")
            ],
            "regions": activation["regions"],
            "encoding": numbers["gradient_confusion"].get("encoding", {}).get("local"),
            "boundary": round(activation["boundary_distance"], 5),
            "rank": round(kernel["effective_rank"], 2),
            "target_in": kernel["target_in"],
            "residual_in": kernel["residual_in"],
            "half_learned_at": numbers["bands"]["half_learned_at"],
        }
    )


def draw(found: dict[str, tuple[dict[str, Any], Diagnosis]]) -> Figure:
    figure = Figure(figsize=(12.6, 6.6), dpi=90, layout="constrained")
    top, bottom = figure.subplots(2, 3)
    for axes, (name, (numbers, _)) in zip(top, found.items(), strict=True):
        heat(axes, name, numbers["bands"])
    for name, (_, diagnosis) in found.items():
        curves(bottom, name, diagnosis)
    bottom[0].set(xlabel="cosine of neighbours' gradients", ylabel="density", yscale="log")
    bottom[1].set(xlabel="share of hidden units that differ between neighbours", ylabel="density",
                  yscale="log")  # fmt: skip
    bottom[2].set(xlabel="eigenvector", ylabel="eigenvalue / largest", xscale="log", yscale="log")
    bottom[2].set_ylim(1e-9, 2)
    for axes in (*top, *bottom):
        axes.spines[["top", "right"]].set_visible(False)
    bottom[0].legend(frameon=False)
    return figure


def heat(axes: Axes, name: str, bands: dict[str, Any]) -> None:
    errors = np.array(bands["error_db"], dtype=float)[1:]
    axes.imshow(errors, origin="lower", aspect="auto", vmin=-30, vmax=0, cmap="magma")
    axes.set_xticks(range(len(bands["steps"])), bands["steps"])
    names = [f"{low:.0f}–{high:.0f}" for low, high in pairwise(bands["edges"][1:])]
    axes.set_yticks(range(len(names)), names)
    axes.set(title=f"{name}: error per band", xlabel="steps")
    axes.set_ylabel("cycles per side")


def curves(row: Any, name: str, diagnosis: Diagnosis) -> None:
    cosines = diagnosis.confusion["hidden"].cosines["local"].numpy()
    shares = diagnosis.patterns.hamming["local"].numpy() / diagnosis.patterns.units
    for axes, values, edges in (
        (row[0], cosines, np.linspace(-1, 1, 41)),
        (row[1], shares, np.linspace(0, 0.5, 41)),
    ):
        density, _ = np.histogram(values, edges, density=True)
        axes.stairs(np.maximum(density, 1e-3), edges, color=COLOURS[name], lw=1.6, label=name)
    values = diagnosis.spectrum.eigenvalues.numpy()
    row[2].plot(np.arange(1, len(values) + 1), values / values[0], color=COLOURS[name], lw=1.6)


if __name__ == "__main__":
    main()
