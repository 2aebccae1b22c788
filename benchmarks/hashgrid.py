"""How much faster the compiled hash grid is than the plain torch one, and how close.

Both run in one process, one after the other; a row holds medians, best times and the ratios of
both. Where the ratios differ much the machine was busy: run it again. The first derivatives of one
backward and the second ones of a double backward are timed without what comes before them.

Run: python benchmarks/hashgrid.py
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import torch
from record import write_result

from passband.inr.kernels.hashgrid import (
    HashGridLayout,
    hashgrid_encode,
    hashgrid_encode_with_jacobian,
)

THREADS = 2
ROUNDS = {"reference": 3, "cpu": 9}
FIRST = ("forward", "forward, table gradient", "forward, both gradients")
SECOND = ("with Jacobian", "with Jacobian, both gradients", "one backward", "double backward")
CASES = {
    "3-D, 2^18 points, T=2^15": (3, 2**18, 15, FIRST),
    "2-D, 32768 points, T=2^14": (2, 32768, 14, FIRST),
    "3-D, 2^16 points, T=2^15": (3, 2**16, 15, SECOND),
}
FIRST_CALLS = """
import json, time, torch
from passband.inr.kernels.hashgrid import HashGridLayout, hashgrid_encode
from passband.inr.kernels.hashgrid import hashgrid_encode_with_jacobian
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
encoded = hashgrid_encode(x, table, layout, backend="cpu")
(slope,) = torch.autograd.grad(encoded.sum(), x, create_graph=True)
slope.square().sum().backward()
marks.append(time.perf_counter())
x, table = x.detach(), table.detach().requires_grad_()
sum(o.sum() for o in hashgrid_encode_with_jacobian(x, table, layout, backend="cpu")).backward()
marks.append(time.perf_counter())
print(json.dumps([b - a for a, b in zip(marks, marks[1:])]))
"""


class Trial:
    """Points, a table and the gradients that meet them, for one backend after the other."""

    def __init__(self, d: int, count: int, log2_hashmap_size: int) -> None:
        self.layout = HashGridLayout.build(
            d, log2_hashmap_size=log2_hashmap_size, finest_resolution=512
        )
        generator = torch.Generator().manual_seed(0)
        self.x01 = torch.rand(count, d, generator=generator)
        self.table = 2 * torch.rand(self.layout.total_entries, 2, generator=generator) - 1
        self.grad = torch.randn(count, self.layout.out_features, generator=generator)
        self.slopes = torch.randn(*self.grad.shape, d, generator=generator)

    def run(self, backend: str, name: str) -> tuple[float, tuple[torch.Tensor, ...]]:
        """Seconds and results of one pass."""
        both = (self.x01, self.table)
        trained: tuple[torch.Tensor, ...] = ()
        if "both" in name or "backward" in name:
            trained = both
        elif "table" in name:
            trained = (self.table,)
        for tensor in both:
            tensor.requires_grad_(any(tensor is t for t in trained))
        self.grad.requires_grad_(name == "double backward")
        start = time.perf_counter()
        if "Jacobian" in name:
            found = hashgrid_encode_with_jacobian(*both, self.layout, backend=backend)
            if trained:
                found = torch.autograd.grad(found, trained, (self.grad, self.slopes))
        else:
            found = (hashgrid_encode(*both, self.layout, backend=backend),)
            if name == "one backward":
                start = time.perf_counter()
            if name == "double backward":
                (slope,) = torch.autograd.grad(found, self.x01, self.grad, create_graph=True)
                start = time.perf_counter()
                found = torch.autograd.grad(slope, (self.grad, *both), self.slopes[:, 0])
            elif trained:
                found = torch.autograd.grad(found, trained, self.grad)
        return time.perf_counter() - start, found


def measure(
    d: int, count: int, log2_hashmap_size: int, names: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    trial = Trial(d, count, log2_hashmap_size)
    rows = {}
    for name in names:
        found = [trial.run(backend, name)[1] for backend in ROUNDS]  # and warm up
        pairs = list(zip(*found, strict=True))
        times = {
            backend: [trial.run(backend, name)[0] for _ in range(rounds)]
            for backend, rounds in ROUNDS.items()
        }
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
    """Seconds to import and of the first call of each kind, in the order of ``FIRST_CALLS``."""
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
    print(f"{'':33}{'reference':>12}{'cpu':>10}{heads}")
    for name, rows in report["cases"].items():
        print(name)
        for pass_name, row in rows.items():
            print(
                f"  {pass_name:31}{row['reference_ms']:9.1f} ms{row['cpu_ms']:7.1f} ms"
                f"{row['ratio']:8.1f}{row['ratio_of_best']:9.1f}{row['cpu_mpoints_per_s']:8.2f}"
                f"{row['relative_difference']:12.1e}"
            )
    second = report["cases"]["3-D, 2^16 points, T=2^15"]
    ratio = second["double backward"]["cpu_ms"] / second["one backward"]["cpu_ms"]
    report["double_backward_over_one_backward"] = ratio
    print(f"cpu: double backward {ratio:.2f} times one backward")
    for state, (load, *calls) in report["first_calls_s"].items():
        steps = ", ".join(f"{s:.2f}" for s in calls)
        print(f"{state}: import {load:.2f} s; forward, table and point gradient, double backward,")
        print(f"    Jacobian {steps} s")
    write_result("hashgrid", report)


if __name__ == "__main__":
    main()
