"""Vocos as a stream on one thread: real time, distance from all at once, and latency.

Run: OMP_NUM_THREADS=1 python benchmarks/streaming.py [--seconds 20]

Chunks of 100 ms arrive one after the other; a chunk's time is from its arrival to the samples it
completes. Weights are random.
"""

import argparse
import statistics
import time
from typing import Any

import torch
from record import write_result

from passband.vocoder import Vocos

RATE, HOP = 24000, 256
FRAMES_PER_SECOND = RATE / HOP
CHUNK_MS = 100


def chunks(features: torch.Tensor) -> list[torch.Tensor]:
    """The frames that are complete after each 100 ms: 9 or 10 at a time."""
    ends, end = [], 0.0
    while round(end) < features.shape[-1]:
        end += FRAMES_PER_SECOND * CHUNK_MS / 1000
        ends.append(min(round(end), features.shape[-1]))
    return list(features.tensor_split(ends[:-1], dim=-1))


@torch.no_grad()
def stream(vocos: Vocos, features: torch.Tensor, precision: Any) -> dict[str, Any]:
    parts = chunks(features)
    begun = vocos.stream(precision=precision)
    audio, times, pushed, latencies = [], [], 0, []
    for part in parts:
        start = time.perf_counter()
        audio.append(begun.push(part))
        times.append(1e3 * (time.perf_counter() - start))
        pushed += part.shape[-1]
        out = sum(each.shape[-1] for each in audio)
        if out:
            latencies.append(pushed * HOP - out)
    audio.append(begun.finish())
    sound, whole = torch.cat(audio, dim=-1), vocos(features, precision=precision)
    exact = vocos(features)
    inner = slice(begun.latency, -begun.latency)
    full = times[len(times) // 4 :]  # the first chunks wait for what they look ahead to
    return {
        "ms for 100 ms": round(statistics.median(full), 2),
        "slowest 1 in 20 ms": round(sorted(full)[int(0.95 * len(full))], 2),
        "times real time": round(CHUNK_MS / statistics.median(full), 1),
        "mismatch away from the ends": distance(sound[inner], whole[inner]),
        "mismatch": distance(sound, whole),
        "relative error against float32": float((sound - exact).norm() / exact.norm()),
        "latency samples": max(latencies),
        "latency by theory": vocos.context * HOP + vocos.head.margin,
    }


def distance(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Largest difference, of the largest value."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    vocos = Vocos().eval()
    features = 2 * torch.randn(100, round(options.seconds * FRAMES_PER_SECOND)) - 4
    rows = {}
    for precision in ("float32", "bfloat16"):
        stream(vocos, features[:, :200], precision)  # compiles and packs
        rows[precision] = row = stream(vocos, features, precision)
        print(f"\n{precision}, one thread, chunks of {CHUNK_MS} ms")
        for name, value in row.items():
            print(f"  {name:<32} {value:.4g}")
    write_result("streaming", rows)


if __name__ == "__main__":
    main()
