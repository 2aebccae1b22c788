"""Continuous wavelet transform, 160,000 samples by 300 scales, against its peers on the CPU.

Run: python benchmarks/cwt.py
"""

import os

os.environ["SSQ_PARALLEL"] = "1"  # before ssqueezepy is imported: its faster mode

import warnings

import numpy as np
import pywt
import torch
from record import write_result
from timing import alternate, table

from passband.frequency import GeneralisedMorse, cwt

SAMPLES, SCALES = 160_000, 300


def main() -> None:
    torch.set_num_threads(2)
    warnings.filterwarnings("ignore")  # ssqueezepy and PyWavelets warn of their own calls
    import ssqueezepy

    x = torch.randn(SAMPLES, generator=torch.Generator().manual_seed(0))
    array = x.numpy()
    scales = np.geomspace(4.0, 4000.0, SCALES)
    ours_scales = torch.from_numpy(scales)
    morse = ssqueezepy.Wavelet(("gmw", {"gamma": 3, "beta": 60, "dtype": "float32"}))
    matched = scales * 2 * np.pi / GeneralisedMorse(gamma=3, beta=60).centre  # same frequencies
    found = {}
    calls = {
        "passband": lambda: found.update(
            ours=cwt(x, ours_scales, wavelet=GeneralisedMorse(gamma=3, beta=60))
        ),
        "ssqueezepy, parallel": lambda: found.update(
            theirs=ssqueezepy.cwt(array, morse, scales=scales.astype(np.float32))[0]
        ),
        "PyWavelets": lambda: pywt.cwt(array, matched, "cmor2-1", method="fft"),
    }
    with torch.no_grad():
        row = table("CWT, 160,000 x 300", alternate(calls, rounds=7, seconds=120))
    ours, theirs = found["ours"].numpy(), np.asarray(found["theirs"])
    error = float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
    print(f"relative difference to ssqueezepy: {error:.1e}")
    write_result("cwt", {"cwt": row, "relative_difference_to_ssqueezepy": error})


if __name__ == "__main__":
    main()
