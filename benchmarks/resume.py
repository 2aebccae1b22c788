"""Kill -9 at twenty random moments of a fit: does it end with the same bits?

One fit runs untouched. Another is killed twenty times at random moments and resumed each time; both
must end with the same loss and the same weights, bit for bit. Run: python benchmarks/resume.py
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import ROOT, write_result

KILLS = 20
LONGEST = 7.0  # seconds: start-up takes three, so kills fall before, during and after training
FIT = (
    "fit", "skimage:astronaut", "--device", "cpu",
    "--set", "training.steps=400", "--set", "training.batch_size=8192",
    "--set", "training.checkpoint_seconds=1",
)  # fmt: skip


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "passband", *FIT, "--out", str(folder), "--resume"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def main() -> None:
    random.seed(0)
    with tempfile.TemporaryDirectory() as temporary:
        whole, killed = Path(temporary) / "whole", Path(temporary) / "killed"
        if start(whole).wait() != 0:
            sys.exit("the untouched fit failed")
        kills = []
        while len(kills) < KILLS:
            process = start(killed)
            moment = random.uniform(0.0, LONGEST)
            time.sleep(moment)
            early = process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
            if not early:  # the fit had ended: begin another, the remaining kills go to it
                compare(whole, killed)
                killed = killed.with_name(f"killed{len(kills)}")
                continue
            kills.append(moment)
            print(f"kill {len(kills):2} after {moment:.2f} s", flush=True)
        if start(killed).wait() != 0:
            sys.exit("the resumed fit failed")
        loss = compare(whole, killed)
    write_result("resume", {"kills": len(kills), "moments_s": kills, "loss": loss, "equal": True})


def compare(whole: Path, killed: Path) -> float:
    losses = [json.loads((run / "metrics.json").read_text())["loss"] for run in (whole, killed)]
    same = all(
        (whole / name).read_bytes() == (killed / name).read_bytes()
        for name in ("field.safetensors", "rendering.png", "events.jsonl")
    )
    print(f"loss {losses[0]!r} against {losses[1]!r}, weights and record equal: {same}")
    if losses[0] != losses[1] or not same:
        sys.exit("the killed fit ended differently")
    return losses[0]


if __name__ == "__main__":
    main()
