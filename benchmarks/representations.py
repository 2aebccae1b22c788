"""Which representation tells the sounds of ESC-10 apart best, with deviations over folds and seeds.

Claim under test: the mel spectrogram does (Huzaifah, arXiv 1706.07156, 2017). The run itself:

    OMP_NUM_THREADS=1 passband compare recipes/esc10_representations.toml \\
        --data $PASSBAND_DATA/audio/esc10 --out runs/esc10_representations

Then: python benchmarks/representations.py runs/esc10_representations
"""

import argparse
import json
from pathlib import Path
from typing import Any

from record import RESULTS, write_result

from passband.signal.tasks.comparison import text_table


def verdict(metrics: dict[str, Any]) -> str:
    """Whether the best of the mel spectrograms is ahead of every other, by how sure a margin."""
    rows = metrics["representations"]
    best = max(rows, key=lambda name: rows[name]["mean"])
    others = {name: row["difference"] for name, row in rows.items() if "difference" in row}
    clear = [
        name
        for name, each in others.items()
        if each["half_width"] is not None and each["mean"] + each["half_width"] < 0
    ]
    behind = ", ".join(clear) if clear else "none"
    return (
        f"highest mean: {best} ({100 * rows[best]['mean']:.1f} %); behind {metrics['reference']} "
        f"by more than the 95 % interval: {behind}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the finished comparison")
    run = parser.parse_args().run
    metrics = json.loads((run / "metrics.json").read_text())
    print(text_table(metrics), end="")
    said = verdict(metrics)
    print(said)
    for row in metrics["representations"].values():
        del row["seconds"]  # the machine had other work
    recipe = (run / "recipe.toml").read_text().splitlines()
    (RESULTS / "representations.png").write_bytes((run / "figure.png").read_bytes())
    write_result(
        "representations",
        {
            "recipe": "\n".join(line for line in recipe if not line.startswith("folder =")),
            "verdict": said,
            **{key: value for key, value in metrics.items() if key != "kind"},
        },
    )


if __name__ == "__main__":
    main()
