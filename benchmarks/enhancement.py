"""Speech enhancement on pairs of clean and noisy speech: GTCRN with its authors' weights.

Goal: PESQ and SI-SNR higher than the noisy recording's on every pair. Real-time factors are those
of one thread, of whole sounds and frame by frame. With ``--model RUN`` also what a training of
one's own left. Scores of DNSMOS need onnxruntime, those of PESQ and STOI the packages pesq and
pystoi. Speeds are the median of 5 runs, of the processor's time and of the clock's: they differ on
a busy machine.

    OMP_NUM_THREADS=1 python benchmarks/enhancement.py
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from record import data_folder, write_result
from torch import Tensor, nn

from passband.frequency import si_sdr
from passband.media import read_audio
from passband.signal.tasks.enhancement import (
    CausalEnhancer,
    dnsmos,
    enhance,
    intelligibility,
    load_enhancer,
    pesq_wideband,
)

WEIGHTS = "weights/gtcrn/model_trained_on_vctk.tar"
REPEATS = 5
MEASURES = ("pesq", "stoi", "si_snr", "speech", "background", "overall", "p808")


def pairs(data: Path) -> list[tuple[str, Tensor, Tensor, int]]:
    """Name, noisy and clean speech, and their rate."""
    folder = data / "audio" / "noisy_speech"
    found = []
    for path in sorted((folder / "noisy").glob("*.wav")):
        noisy, clean = read_audio(path), read_audio(folder / "clean" / path.name)
        found.append((path.stem, noisy.samples[0], clean.samples[0], noisy.sample_rate))
    return found


def scores(sound: Tensor, clean: Tensor, rate: int, data: Path) -> dict[str, float]:
    """Against the clean recording, and without it."""
    return {
        "pesq": pesq_wideband(clean, sound, rate),
        "stoi": intelligibility(clean, sound, rate),
        "si_snr": float(si_sdr(sound.double(), clean.double())),
        **dnsmos(sound, rate, data / "metrics" / "dnsmos")._asdict(),
    }


def seconds(run: Callable[[], Any]) -> tuple[float, float]:
    """Of the processor and of the clock, the medians after a run that warms up."""
    run()
    taken = []
    for _ in range(REPEATS):
        began, clock = time.process_time(), time.perf_counter()
        run()
        taken.append((time.process_time() - began, time.perf_counter() - clock))
    return statistics.median(t[0] for t in taken), statistics.median(t[1] for t in taken)


def speeds(enhancer: nn.Module, sound: Tensor, rate: int) -> dict[str, float]:
    """Real-time factors: seconds of work for a second of sound."""
    length = len(sound) / rate
    found = {"whole": seconds(lambda: enhancer(sound))}
    if isinstance(enhancer, CausalEnhancer):

        def streamed(samples: int) -> None:
            stream = enhancer.stream()
            for block in sound.split(samples):
                stream.push(block)
            stream.finish()

        found["frames of 16 ms"] = seconds(lambda: streamed(rate * 16 // 1000))
        found["blocks of 128 ms"] = seconds(lambda: streamed(rate * 128 // 1000))
    return {
        f"{name}, {kind}": value / length
        for name, times in found.items()
        for kind, value in zip(("processor", "clock"), times, strict=True)
    }


def streaming_error(enhancer: nn.Module, sound: Tensor) -> float | None:
    """Largest difference between frame by frame and whole; None where there is no stream."""
    if not isinstance(enhancer, CausalEnhancer):
        return None
    stream = enhancer.stream()
    pieces = [*(stream.push(block) for block in sound.split(256)), stream.finish()]
    return float((torch.cat(pieces) - enhancer(sound)).abs().max())


@torch.no_grad()
def measure(name: str, enhancer: nn.Module, data: Path) -> dict[str, Any]:
    """Rows of a model, printed as they come."""
    rows = []
    for stem, noisy, clean, rate in pairs(data):
        made = enhance(enhancer, noisy, rate)  # type: ignore[arg-type]
        row = {
            "noisy": scores(noisy, clean, rate, data),
            "enhanced": scores(made, clean, rate, data),
            "streaming_error": streaming_error(enhancer, noisy),
        }
        rows.append({"pair": stem, **row})
        for kind in ("noisy", "enhanced"):
            marks = "".join(f"{row[kind][key]:11.3f}" for key in MEASURES)
            print(f"{name:10}{stem:12}{kind:10}{marks}")
    longest = max(pairs(data), key=lambda pair: len(pair[1]))
    real_time = speeds(enhancer, longest[1], longest[3])
    for key, value in real_time.items():
        print(f"{name:10}real-time factor {key:30}{value:8.3f}")
    parameters = sum(value.numel() for value in enhancer.parameters())
    gains = {key: min(row["enhanced"][key] - row["noisy"][key] for row in rows) for key in MEASURES}
    print(f"{name:10}smallest gain     " + "".join(f"{gains[key]:11.3f}" for key in MEASURES))
    return {
        "parameters": parameters,
        "pairs": rows,
        "smallest_gain": gains,
        "real_time_factor": real_time,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="folder of a training of an enhancer")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = data_folder()
    models = {"GTCRN": data / WEIGHTS}
    if arguments.model is not None:
        models["FRCRN"] = arguments.model
    print(" " * 32 + "".join(f"{name:>11}" for name in MEASURES))
    found = {name: measure(name, load_enhancer(path), data) for name, path in models.items()}
    write_result("enhancement", {"models": found})


if __name__ == "__main__":
    main()
