"""Seismograms split into signal and noise: held-out mixtures from -5 to 10 dB.

Goal: a median gain of at least 8 dB and a median correlation with the clean trace of at least 0.85,
beside what a band-pass and Wiener's filter do. The run itself:

    OMP_NUM_THREADS=1 passband train recipes/seismic_denoiser.toml \\
        --data $PASSBAND_DATA/seismic/train --out runs/seismic_denoiser

Then: python benchmarks/seismic.py runs/seismic_denoiser
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from record import data_folder, write_result

from passband.signal.tasks.denoising import (
    DenoiserRecipe,
    Material,
    Mixture,
    Scores,
    Splitter,
    by_network,
    correlation,
    held_out_mixtures,
    load_denoiser,
    peak_error,
    score,
    snr_db,
)
from passband.signal.tasks.denoising._evaluation import baselines
from passband.signal.tasks.denoising._train import prepare
from passband.training import read_events
from passband.training.recipes import load_settings

MEASURES = ("snr_gain", "snr_gain_mean", "correlation", "correlation_mean", "peak_error")


def recipe_text(run: Path) -> str:
    """The run's recipe, without where its records lie on this machine."""
    lines = (run / "recipe.toml").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("folder ="))


def curve(run: Path, points: int = 100) -> list[dict[str, float]]:
    """The losses every so many steps, means of what lies between."""
    events = read_events(run)
    size = max(1, len(events) // points)
    groups = [events[k : k + size] for k in range(0, len(events), size)]
    return [
        {"step": group[-1]["step"]}
        | {name: sum(e[name] for e in group) / len(group) for name in ("loss", "mask", "waveform")}
        for group in groups
    ]


def ideal(splitter: Splitter, mixture: Mixture) -> Scores:
    """The masks that the network learns, made of signals and noises that are known."""
    signal, noise = (splitter.spectrum(part) for part in mixture)
    mask = signal.abs() / (signal.abs() + noise.abs() + 1e-4)
    made = splitter.waveform((signal + noise) * mask, mixture.signal.shape[-1])
    clean, mixed = mixture.signal, mixture.signal + mixture.noise
    return Scores(
        snr_db(clean, mixed), snr_db(clean, made), correlation(clean, made), peak_error(clean, made)
    )


def station(path: Path) -> str:
    """Network and station of a file named for them."""
    return "_".join(path.stem.split("_")[:2])


def by_station(learned: Material, apart: Material) -> dict[str, Material]:
    """The held-out traces of stations that were learned from, and of those that were not."""
    seen = {station(path) for path in learned.owners}
    found: dict[str, Material] = {"station seen": Material(), "station unseen": Material()}
    for trace, path in zip(apart.traces, apart.owners, strict=True):
        part = found["station seen" if station(path) in seen else "station unseen"]
        part.traces.append(trace)
        part.noises = apart.noises
    return {name: part for name, part in found.items() if part.traces}


def table(scores: dict[str, Scores], low: float, high: float) -> dict[str, Any]:
    """Print medians and means of each method, over all mixtures and by their ratio; return them."""
    rows: dict[str, Any] = {}
    print(f"{'':28}" + "".join(f"{name:>17}" for name in MEASURES))
    for name, each in scores.items():
        rows[name] = {**each.summary(), "by_snr": each.by_ratio(low, high)}
        print(f"{name:28}" + "".join(f"{rows[name][key]:17.3f}" for key in MEASURES))
        for row in rows[name]["by_snr"]:
            start, stop = row["snr_db"]
            label = f"  {start:g} to {stop:g} dB ({row['mixtures']})"
            print(f"{label:28}" + "".join(f"{row[key]:17.3f}" for key in MEASURES))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the finished run")
    parser.add_argument("--name", default="seismic", help="of the result")
    arguments = parser.parse_args()
    run = arguments.run
    metrics = json.loads((run / "metrics.json").read_text())
    folder = data_folder() / "seismic" / "train"
    recipe = load_settings(DenoiserRecipe, run / "recipe.toml", [f"data.folder={folder}"])
    data = prepare(recipe)
    splitter = load_denoiser(run, "cpu").splitter
    scores = {"network": score(by_network(splitter), data.held_out)}
    for name, part in by_station(data.learned, data.apart).items():
        scores[f"network, {name}"] = score(
            by_network(splitter), held_out_mixtures(part, recipe.data)
        )
    for name, filter_ in baselines(recipe.model.sample_rate).items():
        scores[name] = score(filter_, data.held_out)
    with torch.no_grad():
        scores["ideal mask (known signal)"] = ideal(splitter, data.held_out)
    rows = table(scores, *recipe.data.held_out_snr_db)
    kept = ("parameters", "steps", "seconds", "mixtures", "files", "traces", "noises", "history")
    write_result(
        arguments.name,
        {
            "recipe": recipe_text(run),
            "split": f"whole files by chance of seed {recipe.data.split_seed}",
            "scores": rows,
            **{key: metrics[key] for key in kept},
            "curve": curve(run),
        },
    )


if __name__ == "__main__":
    main()
