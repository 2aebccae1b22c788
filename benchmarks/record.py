"""Where benchmarks find data and leave results."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import torch

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def data_folder() -> Path:
    """Folder of real pictures and sounds; the benchmark ends where there is none."""
    folder = Path(os.environ.get("PASSBAND_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        sys.exit("This benchmark needs real data: set PASSBAND_DATA to a folder that has it.")
    return folder


def write_result(name: str, result: dict[str, Any]) -> None:
    """Write ``result`` with what it was measured on to ``benchmarks/results/name.json``."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    measured_on = {
        "machine": platform.machine(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numba": numba.__version__,
        "commit": commit,
        "command": f"python benchmarks/{name.split('-')[0]}.py {' '.join(sys.argv[1:])}".strip(),
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"measured_on": measured_on, **result}, indent=1) + "\n")
    print(f"written to {path.relative_to(ROOT)}")
