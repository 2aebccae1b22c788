"""A small vocoder against 32 steps of Griffin-Lim from the same mels, on clips it never heard.

Goal: after 20 minutes on two CPU cores, a smaller mel distance or a higher PESQ. The run itself:

    OMP_NUM_THREADS=2 passband train recipes/vocos_small.toml \\
        --data $PASSBAND_DATA/audio/speech/ljspeech --out runs/vocos_small

Then: python benchmarks/vocoder_training.py runs/vocos_small
"""

import argparse
import json
from pathlib import Path
from typing import Any

from record import write_result

from passband.training import read_events

MEASURES = ("mel", "pesq", "stoi", "periodicity", "voicing_f1")
MINUTES = 20


def curve(run: Path, points: int = 200) -> list[dict[str, float]]:
    """The loss every so many steps, means of what lies between."""
    events = read_events(run)
    size = max(1, len(events) // points)
    groups = [events[k : k + size] for k in range(0, len(events), size)]
    return [
        {"step": group[-1]["step"], "loss": sum(line["loss"] for line in group) / len(group)}
        for group in groups
    ]


def recipe(run: Path) -> str:
    """The run's recipe, without where its clips lie on this machine."""
    lines = (run / "recipe.toml").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("folder ="))


def after_minutes(metrics: dict[str, Any], minutes: float) -> dict[str, float]:
    """The last evaluation within that time, at the run's mean pace."""
    limit = metrics["steps"] * minutes * 60 / metrics["seconds"]
    return [row for row in metrics["history"] if row["step"] <= limit][-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the finished run")
    run = parser.parse_args().run
    metrics = json.loads((run / "metrics.json").read_text())
    early = after_minutes(metrics, MINUTES)
    rows = {
        "griffin_lim": metrics["griffin_lim"],
        f"step {early['step']:,} (within {MINUTES} min)": early,
        f"step {metrics['steps']:,} ({metrics['seconds'] / 60:.0f} min)": metrics["vocoder"],
    }
    print(f"{'':28}" + "".join(f"{name:>13}" for name in MEASURES))
    for name, row in rows.items():
        print(f"{name:28}" + "".join(f"{row[key]:13.4g}" for key in MEASURES))
    kept = ("parameters", "steps", "seconds", "loss", "vocoder", "griffin_lim", "clips", "history")
    write_result(
        "vocoder_training",
        {
            "recipe": recipe(run),
            "after_20_minutes": early,
            **{key: metrics[key] for key in kept},
            "curve": curve(run),
        },
    )


if __name__ == "__main__":
    main()
