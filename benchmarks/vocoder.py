"""Vocos against the ``vocos`` package: 10 s of mel at both precisions, and the memory of 60 s.

Run: OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE python benchmarks/vocoder.py [--rounds 15]
     python benchmarks/vocoder.py --device cuda    # 16 x 1 s: plain, compiled, as a CUDA graph

Weights are random and the same on both sides. The package imports torchaudio for a feature that is
not timed here; where that cannot be loaded, empty modules take its place.
"""

import argparse
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from record import write_result
from timing import alternate, table

from passband.vocoder import Vocos

FRAMES_PER_SECOND = 24000 / 256
LONG = 60  # seconds


def peer_modules() -> tuple[Any, Any]:
    """The package's backbone and head."""
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        names = ("", ".transforms", ".functional", ".functional.functional")
        for name in (f"torchaudio{part}" for part in names):
            sys.modules[name] = ModuleType(name)
        sys.modules["torchaudio"].transforms = sys.modules["torchaudio.transforms"]
        inner = sys.modules["torchaudio.functional.functional"]
        inner._hz_to_mel = inner._mel_to_hz = None
    from vocos.heads import ISTFTHead
    from vocos.models import VocosBackbone

    return VocosBackbone(100, 512, 1536, 8), ISTFTHead(512, 1024, 256, "center")


def speed(rounds: int) -> dict[str, Any]:
    torch.manual_seed(0)
    backbone, head = peer_modules()
    vocos = Vocos().eval()
    vocos.backbone.load_state_dict(backbone.state_dict())
    vocos.head.load_state_dict(head.state_dict())
    features = 2 * torch.randn(1, 100, round(10 * FRAMES_PER_SECOND)) - 4
    rows: dict[str, Any] = {}
    with torch.no_grad():
        expected = head(backbone(features))
        for precision in ("float32", "bfloat16"):
            calls = {
                "passband": lambda: vocos(features, precision=precision),
                "vocos": lambda: head(backbone(features)),
            }
            row = table(f"10 s of mel, {precision}", alternate(calls, rounds=rounds))
            difference = vocos(features, precision=precision) - expected
            row["relative error"] = float(difference.norm() / expected.norm())
            row["times real time"] = round(1e4 / row["passband ms"], 1)
            print(
                f"  relative error {row['relative error']:.2e}, {row['times real time']}x real time"
            )
            rows[precision] = row
    return rows


def speed_on_gpu(rounds: int) -> dict[str, Any]:
    torch.manual_seed(0)
    backbone, head = (part.cuda() for part in peer_modules())
    vocos = Vocos().eval().cuda()
    vocos.backbone.load_state_dict(backbone.state_dict())
    vocos.head.load_state_dict(head.state_dict())
    features = 2 * torch.randn(16, 100, round(FRAMES_PER_SECOND), device="cuda") - 4
    graph = vocos.cuda_graph(features.shape[-1], batch=16)
    compiled = Vocos().eval().cuda()
    compiled.load_state_dict(vocos.state_dict())
    compiled.compile()
    calls = {
        "passband": lambda: graph(features),
        "passband, compiled": lambda: compiled(features),
        "passband, plain": lambda: vocos(features),
        "vocos": lambda: head(backbone(features)),
    }
    with torch.no_grad():
        expected = head(backbone(features))
        row = table("16 x 1 s of mel, CUDA graph", alternate(calls, rounds=rounds))
        row["relative error"] = float((graph(features) - expected).norm() / expected.norm())
    return row


def peak_megabytes() -> float:
    """Of this program; what getrusage says is inherited from the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def memory(who: str, precision: str) -> float:
    """Megabytes that 60 s take above what 0.2 s take, in this process alone."""
    if who == "passband":
        vocos = Vocos().eval()
        call = lambda features: vocos(features, precision=precision)  # noqa: E731
    else:
        backbone, head = peer_modules()
        call = lambda features: head(backbone(features))  # noqa: E731
    with torch.no_grad():
        call(torch.randn(1, 100, 20))
        before = peak_megabytes()
        call(torch.randn(1, 100, round(LONG * FRAMES_PER_SECOND)))
    return peak_megabytes() - before


def memories() -> dict[str, float]:
    rows = {}
    print(f"\n{LONG} s of mel, memory above the weights")
    for who, precision in (("passband", "float32"), ("passband", "bfloat16"), ("vocos", "float32")):
        done = subprocess.run(
            [sys.executable, __file__, "--memory", who, "--precision", precision],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        rows[f"{who} {precision} MB"] = round(float(done.stdout), 1)
        print(f"  {who:<10} {precision:<10} {rows[f'{who} {precision} MB']:8.1f} MB")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--memory", choices=("passband", "vocos"))
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(2)
    warnings.filterwarnings("ignore")  # of the package's old weight norm
    if options.memory:
        print(memory(options.memory, options.precision))
        return
    if options.device == "cuda":
        write_result("vocoder-cuda", speed_on_gpu(options.rounds))
        return
    write_result("vocoder", {**speed(options.rounds), "memory of 60 s": memories()})


if __name__ == "__main__":
    main()
