"""Constant-Q transforms: speed and error of the forward, what the inverses give back.

Run: python benchmarks/cqt.py [--device cuda]
"""

import argparse
import json
import math
import warnings
from typing import Any

import librosa
import numpy as np
import torch
from record import RESULTS, data_folder, write_result
from timing import alternate, table
from torch import Tensor

from passband.frequency import gabor_inverse, gabor_plan, gabor_transform
from passband.media import read_audio
from passband.signal import CQT, VQT, InverseCQT, InverseVQT

RATE, SECONDS = 22050, 30
SIZES = {"84 bins, 12 per octave": (84, 12), "252 bins, 36 per octave": (252, 36)}
TRUMPET = "audio/music/sorohanro_-_solo-trumpet-06.ogg"
STRINGS = "audio/music/Hungarian_Dance_number_5_-_Allegro_in_F_sharp_minor_(string_orchestra).ogg"


def clip(path: str, samples: int) -> Tensor:
    """Mono float64 at 22.05 kHz, repeated until long enough."""
    audio = read_audio(data_folder() / path)
    assert audio.sample_rate == RATE
    mono = audio.samples.double().mean(0)
    return mono.repeat(-(-samples // len(mono)))[:samples]


def speed(device: str) -> dict[str, Any]:
    from nnAudio.features import CQT1992v2

    x = torch.randn(RATE * SECONDS, generator=torch.Generator().manual_seed(0)).to(device)
    results = {}
    for title, (bins, per_octave) in SIZES.items():
        for hop in (512, 441):
            ours = CQT(RATE, hop, n_bins=bins, bins_per_octave=per_octave).to(device)
            peer = CQT1992v2(
                RATE, hop, n_bins=bins, bins_per_octave=per_octave, output_format="Complex",
                verbose=False,
            ).to(device)  # fmt: skip
            calls = {"passband": lambda: ours(x), "nnAudio CQT1992v2": lambda: peer(x[None])}
            if device == "cpu":
                calls["librosa.cqt"] = lambda: librosa.cqt(
                    x.numpy(), sr=RATE, hop_length=hop, n_bins=bins, bins_per_octave=per_octave
                )
            name = f"{title}, hop {hop}"
            with torch.no_grad():
                results[name] = table(name, alternate(calls, rounds=15))
    big = CQT(44100, 512, n_bins=288, bins_per_octave=36)
    size = sum(buffer.numel() * buffer.element_size() for buffer in big.buffers()) / 1e6
    print(f"\nconstants of 288 bins, 36 per octave, 44.1 kHz: {size:.2f} MB")
    return {**results, "constants_megabytes": round(size, 2)}


def direct(x: np.ndarray, hop: int, bins: int, per_octave: int) -> np.ndarray:
    """Inner products with librosa's filters in float64, nothing decimated, nothing left out."""
    frequencies = librosa.cqt_frequencies(
        n_bins=bins, fmin=32.70319566257483, bins_per_octave=per_octave
    )
    ratio = 2 ** (2 / per_octave)
    alpha = np.full(bins, (ratio - 1) / (ratio + 1))
    basis, lengths = librosa.filters.wavelet(
        freqs=frequencies, sr=RATE, pad_fft=False, dtype=np.complex128, alpha=alpha
    )
    frames = 1 + len(x) // hop
    out = np.empty((bins, frames), dtype=np.complex128)
    for k, (row, length) in enumerate(zip(basis, lengths, strict=True)):
        first, last = math.floor(-length / 2), math.floor(length / 2)
        start = (basis.shape[1] - (last - first)) // 2
        taps = row[start : start + last - first].conj() * math.sqrt(length)
        padded = np.pad(x, (-first, last + hop))
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(taps))
        out[k] = windows[::hop][:frames] @ taps
    return out


def errors() -> dict[str, Any]:
    print("\nrelative complex error against the direct float64 sum, 10 s: passband, librosa")
    signals = {
        "noise": torch.randn(RATE * 10, dtype=torch.float64),
        "trumpet": clip(TRUMPET, RATE * 10),
        "strings": clip(STRINGS, RATE * 10),
    }
    rows = {}
    for title, (bins, per_octave) in SIZES.items():
        for hop in (512, 441, 500):
            transform = CQT(RATE, hop, n_bins=bins, bins_per_octave=per_octave)
            for name, x in signals.items():
                truth = direct(x.numpy(), hop, bins, per_octave)
                ours = transform(x.float()).numpy()
                theirs = librosa.cqt(
                    x.float().numpy(), sr=RATE, hop_length=hop, n_bins=bins,
                    bins_per_octave=per_octave,
                )[:, : truth.shape[1]]  # fmt: skip
                norm = np.linalg.norm(truth)
                row = [float(np.linalg.norm(c - truth) / norm) for c in (ours, theirs)]
                rows[f"{title}, hop {hop}, {name}"] = {"passband": row[0], "librosa": row[1]}
                print(f"  {title}, hop {hop}, {name:<8} {row[0]:.1e}  {row[1]:.1e}")
    return rows


def limited(x: Tensor, low: float, high: float) -> Tensor:
    spectrum = torch.fft.rfft(x)
    frequency = torch.fft.rfftfreq(x.shape[-1], 1 / RATE, dtype=torch.float64)
    spectrum[(frequency < low) | (frequency > high)] = 0
    return torch.fft.irfft(spectrum, n=x.shape[-1])


def decibels(x: Tensor, y: Tensor, edge: int) -> float:
    inner = slice(edge, -edge)
    return float(20 * torch.log10(x[inner].norm() / (y - x)[inner].norm()))


def inverses() -> dict[str, Any]:
    print("\ninverse on the grid, dB away from the ends: float32, float64; icqt of librosa")
    rows = {}
    sizes = {12: 84, 36: 252, 60: 400}
    signals = {
        "noise": torch.randn(RATE * 10, dtype=torch.float64),
        "strings": clip(STRINGS, RATE * 10),
    }
    for forward, backward in ((CQT, InverseCQT), (VQT, InverseVQT)):
        for per_octave, bins in sizes.items():
            f_min = 32.70319566257483 if per_octave < 60 else 2 * 32.70319566257483
            for hop in (16, 32):
                settings = {"f_min": f_min, "n_bins": bins, "bins_per_octave": per_octave}
                transform, inverse = forward(RATE, hop, **settings), None
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # VQT's shorter filters want a shorter hop
                    inverse = backward(RATE, hop, **settings)
                top = float(transform.frequencies[-1])
                for name, signal in signals.items():
                    x = limited(signal, f_min, top)
                    edge = 2 * RATE  # more than the longest filter
                    row = {}
                    for label, dtype in (("float32", torch.float32), ("float64", torch.float64)):
                        y = inverse(transform(x.to(dtype)), length=len(x)).double()
                        row[label] = round(decibels(x, y, edge), 1)
                    if forward is CQT and name == "strings":
                        spectrum = transform(x.float()).numpy()
                        y = librosa.icqt(
                            spectrum, sr=RATE, hop_length=hop, fmin=f_min,
                            bins_per_octave=per_octave, length=len(x),
                        )  # fmt: skip
                        row["librosa"] = round(decibels(x, torch.from_numpy(y).double(), edge), 1)
                    key = f"{forward.__name__}, {per_octave} per octave, hop {hop}, {name}"
                    rows[key] = {**row, "largest_hop": inverse.largest_hop}
                    print(f"  {key:<40} {row}  largest hop {inverse.largest_hop}")
    return rows


def perfect(device: str) -> dict[str, Any]:
    samples = RATE * SECONDS
    x = torch.randn(samples, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    made = gabor_plan(samples, sample_rate=RATE, f_min=32.7, n_bins=84)
    row: dict[str, Any] = {}
    for dtype in (torch.float32, torch.float64):
        noise = x.to(device, dtype)
        plan = made.to(noise.device, dtype)
        back = gabor_inverse(gabor_transform(noise, plan), plan)
        row[f"{dtype} dB"] = round(float(20 * torch.log10(noise.norm() / (back - noise).norm())), 1)
    noise = x.to(device, torch.float32)
    plan = made.to(noise.device, torch.float32)
    bands = gabor_transform(noise, plan)
    with torch.no_grad():
        times = alternate(
            {
                "FFT and inverse": lambda: torch.fft.irfft(torch.fft.rfft(noise), n=samples),
                "forward": lambda: gabor_transform(noise, plan),
                "inverse": lambda: gabor_inverse(bands, plan),
            },
            rounds=15,
        )
    row |= table("perfect reconstruction, 84 bins, 30 s", times, ours="FFT and inverse")
    print(row)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = ["speed", "perfect_reconstruction", "error", "inverse"]
    parser.add_argument("parts", nargs="*", choices=[*names, []], help="by default all")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    device = arguments.device
    torch.set_num_threads(2)
    torch.manual_seed(0)
    parts = {"speed": lambda: speed(device), "perfect_reconstruction": lambda: perfect(device)}
    if device == "cpu":
        parts |= {"error": errors, "inverse": inverses}
    name = "cqt" if device == "cpu" else f"cqt-{device}"
    file = RESULTS / f"{name}.json"
    kept = json.loads(file.read_text()) if file.is_file() and arguments.parts else {}
    found = {part: kept[part] for part in parts if part in kept}
    found |= {part: call() for part, call in parts.items() if part in (arguments.parts or parts)}
    write_result(name, found)


if __name__ == "__main__":
    main()
