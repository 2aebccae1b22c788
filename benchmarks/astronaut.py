"""The whole command on the astronaut: quality, size, and seconds that are not fitting.

Runs `passband fit` twice in processes of its own, first with an empty cache of compiled kernels
(what a fresh machine pays), then with a warm one. Run: python benchmarks/astronaut.py
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import ROOT, write_result


def run(scene: Path, folder: Path, cache: Path) -> dict[str, Any]:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "passband", "fit", str(scene), "--out", str(folder)],
        check=True,
        cwd=ROOT,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
    )
    whole = time.perf_counter() - began
    metrics = json.loads((folder / "metrics.json").read_text())
    return {
        "psnr_db": metrics["psnr"],
        "ssim": metrics["ssim"],
        "parameters": metrics["parameters"],
        "steps": metrics["steps"],
        "finest_resolution": metrics["knob_value"],
        "command_s": whole,
        "fit_s": metrics["seconds"],
        "not_fitting_s": whole - metrics["seconds"],
        "of_which_matching_s": metrics["matching"]["seconds"],
        "ms_per_step": 1000 * metrics["seconds"] / metrics["steps"],
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = {
            name: run(ROOT / "scenes" / "astronaut.toml", Path(folder) / name, Path(folder) / "c")
            for name in ("cold cache", "warm cache")
        }
    for name, row in rows.items():
        print(
            f"{name}: {row['psnr_db']:.2f} dB, {row['parameters']:,} parameters, "
            f"{row['command_s']:.1f} s in all, {row['not_fitting_s']:.1f} s not fitting "
            f"({row['of_which_matching_s']:.1f} s matching)"
        )
    write_result("astronaut", {"runs": rows})


if __name__ == "__main__":
    main()
