"""Both sides of a comparison, timed in turns on a machine that others may be using."""

import statistics
import time
from collections.abc import Callable

import torch

_PAUSE = 0.2  # seconds; OpenBLAS spins for 2^28 cycles


def alternate(
    calls: dict[str, Callable[[], object]], *, rounds: int, seconds: float = 60.0
) -> dict[str, float]:
    """Median milliseconds of each call, one of each timed per round, after one to warm up.

    Slow calls stop the rounds after ``seconds`` in all, but not before the third.
    """
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    began = time.perf_counter()
    for done in range(rounds):
        for name, call in calls.items():
            # The threads of the library before this one spin for a while; they must not be paid
            # for here. A pause lets them sleep, an untimed call wakes the ones that are needed.
            time.sleep(_PAUSE)
            call()
            _wait()
            start = time.perf_counter()
            call()
            _wait()
            times[name].append(1e3 * (time.perf_counter() - start))
        if done >= 2 and time.perf_counter() - began > seconds:
            break
    return {name: statistics.median(values) for name, values in times.items()}


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def table(title: str, times: dict[str, float], ours: str = "passband") -> dict[str, float]:
    """Print milliseconds and ratios to ours; return both for the result file."""
    print(f"\n{title}")
    row: dict[str, float] = {}
    for name, value in times.items():
        ratio = value / times[ours]
        print(f"  {name:<28} {value:9.2f} ms  {ratio:8.2f}x")
        row[f"{name} ms"] = round(value, 3)
        if name != ours:
            row[f"{name} / {ours}"] = round(ratio, 2)
    return row
