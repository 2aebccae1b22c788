"""Piano transcription from seven pieces: four representations under one linear layer, and a CRNN.

Goal: note-onset F1 of at least 0.60 on three pieces that nothing was learned from. Onsets within
100 ms are counted as well: in chpn-p4 the notes struck softest, 386 of 604, sound 60 ms before
their label says (there the level at their harmonics rises), beyond the 50 ms allowed. The probes
are trained here, with equal steps and rates; the CRNN by its recipe before:

    passband train recipes/transcription.toml --data $PASSBAND_DATA/audio/maps_enst \\
        --set data.notes_folder=$PASSBAND_DATA/audio/notes --out runs/transcription

Then: python benchmarks/transcription.py runs/transcription
The probes' runs go beside that one, and are gone on with if the benchmark is started again.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import torch
from record import ROOT, data_folder, write_result

from passband.signal.tasks import Recordings
from passband.signal.tasks.transcription import (
    TranscriberRecipe,
    load_transcriber,
    note_scores,
    read_notes,
    train_transcriber,
)
from passband.training.recipes import load_settings

FRAMES = "n_fft = 2048, hop_length = 512"
REPRESENTATIONS = {
    "linear STFT, 1025 bins": ("stft", f"{{ {FRAMES} }}"),
    "log-frequency, 1025 bins": (
        "logfrequency", f"{{ {FRAMES}, f_min = 27.5, f_max = 7900, n_bins = 1025 }}",
    ),
    "log-frequency, 512 bins": (
        "logfrequency", f"{{ {FRAMES}, f_min = 27.5, f_max = 7900, n_bins = 512 }}",
    ),
    "mel, 229 bins": ("mel", f"{{ {FRAMES}, n_mels = 229 }}"),
    "CQT, 48 an octave, 384 bins": (
        "cqt", "{ hop_length = 512, f_min = 27.5, n_bins = 384, bins_per_octave = 48 }",
    ),
}  # fmt: skip
MEASURES = (
    "average_precision", "frame_accuracy", "frame_precision", "frame_recall",
    "e_tot", "e_sub", "e_miss", "e_fa", "note_f1", "offset_f1",
)  # fmt: skip


def probe(transform: str, settings: str, seed: int, folder: Path) -> dict[str, Any]:
    """The metrics of a single layer; the run is ``folder``, gone on with if it is there."""
    recipe = load_settings(
        TranscriberRecipe,
        ROOT / "recipes" / "transcription_linear.toml",
        [
            f"data.folder={data_folder() / 'audio' / 'maps_enst'}",
            f"representation.transform={transform}",
            f"representation.settings={settings}",
            f"training.seed={seed}",
        ],
    )
    return train_transcriber(recipe, folder, device="cpu", resume=True)


def spread(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean and deviation of each measure over seeds."""
    return {
        name: {
            "mean": statistics.mean(row[name] for row in rows),
            "deviation": statistics.stdev(row[name] for row in rows) if len(rows) > 1 else 0.0,
        }
        for name in MEASURES
    }


def recipe_of(run: Path) -> str:
    """The run's recipe, without where its sounds lie on this machine."""
    lines = (run / "recipe.toml").read_text().splitlines()
    return "\n".join(line for line in lines if "folder = " not in line)


def within(run: Path, names: list[str], tolerance: float) -> dict[str, float]:
    """Onset F1 of each held-out piece at another tolerance in seconds, and their mean."""
    transcriber, folder = load_transcriber(run, "cpu"), data_folder() / "audio" / "maps_enst"
    found = {}
    for name in names:
        sound = Recordings([folder / "flac" / f"{name}.flac"], transcriber.sample_rate)(0)
        assert sound is not None
        played = read_notes(folder / "tsv" / f"{name}.tsv")
        heard = transcriber.notes(sound)
        found[name] = note_scores(played, heard, onset_tolerance=tolerance).f1
    return {"mean": statistics.mean(found.values()), **found}


def line(name: str, row: dict[str, float]) -> str:
    return f"{name:29}" + "".join(f"{row[key]:>10.3f}" for key in MEASURES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the finished run of the CRNN")
    parser.add_argument("--seeds", type=int, default=3, help="of the probes, from 0 up")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'':29}" + "".join(f"{name[:9]:>10}" for name in MEASURES))
    folder = options.run.parent / "transcription_probes"
    probes = {}
    for name, (transform, settings) in REPRESENTATIONS.items():
        slug = name.split(",")[0].replace(" ", "_") + "_" + name.split()[-2]
        rows = [
            probe(transform, settings, seed, folder / f"{slug}-{seed}")
            for seed in range(options.seeds)
        ]
        probes[name] = {
            "transform": transform,
            "settings": settings,
            "parameters": rows[0]["parameters"],
            "steps": rows[0]["steps"],
            "seconds": [row["seconds"] for row in rows],
            **spread(rows),
            "pieces": [
                {key: piece[key] for key in ("name", *MEASURES)} for piece in rows[0]["pieces"]
            ],
        }
        print(line(name, {key: probes[name][key]["mean"] for key in MEASURES}), flush=True)
    metrics = json.loads((options.run / "metrics.json").read_text())
    print(line("CRNN, VQT", metrics))
    names = [piece["name"] for piece in metrics["pieces"]]
    wide = within(options.run, names, 0.1)
    print(f"CRNN, onsets within 100 ms: note F1 {wide['mean']:.3f}")
    kept = ("parameters", "steps", "seconds", "loss", *MEASURES, "note_precision", "note_recall")
    crnn = {key: metrics[key] for key in (*kept, "pieces", "learned_from", "history")}
    write_result(
        "transcription",
        {
            "held_out": names,
            "seeds": list(range(options.seeds)),
            "probes": probes,
            "crnn": {"recipe": recipe_of(options.run), **crnn, "note_f1_within_100_ms": wide},
        },
    )


if __name__ == "__main__":
    main()
