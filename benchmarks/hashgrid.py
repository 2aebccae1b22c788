"""How much faster the compiled hash grid is than the plain torch one, and how close.

Both run in turn in one process; a row holds medians, best times and the ratios of both. Where the
ratios differ much the machine was busy: run it again.

Run: python benchmarks/hashgrid.py
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from record import write_result

from passband.inr.kernels.hashgrid import HashGridLayout, hashgrid_encode

THREADS = 2
ROUNDS = 5
CASES = {
    "3-D, 2^18 points, T=2^15": (3, 2**18, 15),
    "2-D, 32768 points, T=2^14": (2, 32768, 14),
}
FIRST_CALLS = """
import json, time, torch
from passband.inr.kernels.hashgrid import HashGridLayout, hashgrid_encode
torch.set_num_threads(2)
layout = HashGridLayout.build(3, log2_hashmap_size=8, finest_resolution=64)
x, table = torch.rand(64, 3), torch.rand(layout.total_entries, 2, requires_grad=True)
marks = [time.perf_counter()]
import passband.inr.kernels.hashgrid._cpu
marks.append(time.perf_counter())
encoded = hashgrid_encode(x, table, layout, backend="cpu")
marks.append(time.perf_counter())
encoded.sum().backward()
marks.append(time.perf_counter())
hashgrid_encode(x.requires_grad_(), table.detach(), layout, backend="cpu").sum().backward()
marks.append(time.perf_counter())
print(json.dumps([b - a for a, b in zip(marks, marks[1:])]))
"""


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(d: int, count: int, log2_hashmap_size: int) -> dict[str, dict[str, float]]:
    layout = HashGridLayout.build(d, log2_hashmap_size=log2_hashmap_size, finest_resolution=512)
    generator = torch.Generator().manual_seed(0)
    x01 = torch.rand(count, d, generator=generator)
    table = 2 * torch.rand(layout.total_entries, 2, generator=generator) - 1
    grad = torch.randn(count, layout.out_features, generator=generator)

    def run(backend: str, *trained: torch.Tensor) -> tuple[torch.Tensor, ...]:
        for tensor in (x01, table):
            tensor.requires_grad_(any(tensor is t for t in trained))
        encoded = hashgrid_encode(x01, table, layout, backend=backend)
        return torch.autograd.grad(encoded, trained, grad) if trained else (encoded,)

    rows = {}
    passes = {"forward": (), "forward, table gradient": (table,), "forward, both": (x01, table)}
    for name, trained in passes.items():
        found = [run(backend, *trained) for backend in ("reference", "cpu")]  # and warm up
        pairs = list(zip(*found, strict=True))
        times: dict[str, list[float]] = {"reference": [], "cpu": []}
        for _ in range(ROUNDS):
            for backend, taken in times.items():
                taken.append(seconds(partial(run, backend, *trained)))
        plain, fast = (statistics.median(taken) for taken in times.values())
        rows[name] = {
            "reference_ms": 1e3 * plain,
            "cpu_ms": 1e3 * fast,
            "ratio": plain / fast,
            "reference_best_ms": 1e3 * min(times["reference"]),
            "cpu_best_ms": 1e3 * min(times["cpu"]),
            "ratio_of_best": min(times["reference"]) / min(times["cpu"]),
            "cpu_mpoints_per_s": count / fast / 1e6,
            "relative_difference": max(
                ((a - b).abs().max() / a.abs().max()).item() for a, b in pairs
            ),
        }
    return rows


def first_calls() -> dict[str, list[float]]:
    """Seconds to import, first forward, first table gradient, first coordinate gradient."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        runs = [
            subprocess.run(
                [sys.executable, "-c", FIRST_CALLS],
                env=environment,
                capture_output=True,
                check=True,
            )
            for _ in range(2)
        ]
    return dict(zip(("cold", "warm"), (json.loads(run.stdout) for run in runs), strict=True))


def main() -> None:
    torch.set_num_threads(THREADS)
    report: dict[str, Any] = {
        "first_calls_s": first_calls(),
        "cases": {name: measure(*case) for name, case in CASES.items()},
    }
    heads = f"{'ratio':>8}{'of best':>9}{'Mpt/s':>8}{'difference':>12}"
    print(f"{'':28}{'reference':>12}{'cpu':>10}{heads}")
    for name, rows in report["cases"].items():
        print(name)
        for pass_name, row in rows.items():
            print(
                f"  {pass_name:26}{row['reference_ms']:9.1f} ms{row['cpu_ms']:7.1f} ms"
                f"{row['ratio']:8.1f}{row['ratio_of_best']:9.1f}{row['cpu_mpoints_per_s']:8.2f}"
                f"{row['relative_difference']:12.1e}"
            )
    for state, (load, *calls) in report["first_calls_s"].items():
        steps = ", ".join(f"{s:.2f}" for s in calls)
        print(f"{state}: import {load:.2f} s; forward, table and point gradient {steps} s")
    write_result("hashgrid", report)


if __name__ == "__main__":
    main()
