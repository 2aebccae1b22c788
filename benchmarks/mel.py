"""Mel, log-frequency and cepstral front ends against their peers.

Run: python benchmarks/mel.py [--device cuda]
"""

import argparse
import warnings
from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import torch
from record import write_result
from timing import alternate, table

from passband.signal import (
    MFCC,
    GriffinLim,
    LogFrequencySpectrogram,
    MelSpectrogram,
    Spectrogram,
)

RATE, SECONDS, N_FFT, HOP, MELS = 22050, 30, 2048, 512, 128


def torchaudio_or_none() -> Any:
    """torchaudio where its wheel loads; it needs the CUDA libraries it was built with."""
    try:
        import torchaudio
    except (ImportError, OSError, RuntimeError):
        return None
    return torchaudio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    device = parser.parse_args().device
    torch.set_num_threads(2)
    warnings.filterwarnings("ignore")  # nnAudio warns of its own calls
    from nnAudio import features

    x = torch.randn(RATE * SECONDS, generator=torch.Generator().manual_seed(0)).to(device)
    array, batch = x.cpu().numpy(), x[None]
    window = torch.hann_window(N_FFT, device=device)
    frames = {"n_fft": N_FFT, "hop_length": HOP}
    mel = MelSpectrogram(RATE, **frames, n_mels=MELS).to(device)
    nn_mel = features.MelSpectrogram(RATE, **frames, n_mels=MELS, verbose=False).to(device)
    calls: dict[str, Callable[[], object]] = {
        "passband": lambda: mel(x),
        "torch.stft alone": lambda: torch.stft(x, N_FFT, HOP, window=window, return_complex=True),
        "nnAudio": lambda: nn_mel(batch),
        "librosa": lambda: librosa.feature.melspectrogram(y=array, sr=RATE, **frames, n_mels=MELS),
    }
    torchaudio = torchaudio_or_none()
    if torchaudio is None:
        print("torchaudio cannot be loaded beside this torch; its column is left out")
    else:
        ta_mel = torchaudio.transforms.MelSpectrogram(RATE, **frames, n_mels=MELS).to(device)
        calls["torchaudio"] = lambda: ta_mel(x)
    results: dict[str, Any] = {}
    with torch.no_grad():
        results["mel"] = table("mel, 128 bands, 2048/512", alternate(calls, rounds=15))

        mfcc = MFCC(RATE, n_mfcc=20, melkwargs={**frames, "n_mels": MELS}).to(device)
        nn_mfcc = features.MFCC(RATE, n_mfcc=20, **frames, n_mels=MELS, verbose=False).to(device)
        calls = {
            "passband": lambda: mfcc(x),
            "nnAudio": lambda: nn_mfcc(batch),
            "librosa": lambda: librosa.feature.mfcc(y=array, sr=RATE, n_mfcc=20, **frames),
        }
        results["mfcc"] = table("MFCC, 20 of 128 bands", alternate(calls, rounds=15))

        for n_fft, bins in ((2048, 1025), (4096, 2048), (4096, 512)):
            band = {"hop_length": HOP, "freq_scale": "log"}
            ours = LogFrequencySpectrogram(
                RATE, n_fft, f_min=50.0, f_max=6000.0, n_bins=bins, power=1.0, **band
            ).to(device)
            peer = features.STFT(
                n_fft, freq_bins=bins, fmin=50, fmax=6000, sr=RATE, verbose=False,
                output_format="Magnitude", **band,
            ).to(device)  # fmt: skip
            title = f"log-frequency, {bins} bins, n_fft {n_fft}"
            calls = {"passband": lambda: ours(x), "nnAudio": lambda: peer(batch)}
            results[title] = table(title, alternate(calls, rounds=15))

        if device == "cpu":
            results["griffin_lim"] = griffin_lim(x)
    write_result("mel" if device == "cpu" else f"mel-{device}", results)


def griffin_lim(x: torch.Tensor) -> dict[str, float]:
    """32 iterations of 30 s, with the spectral convergence each reaches."""
    power = Spectrogram(2048, hop_length=512)(x)
    magnitudes = power.sqrt()
    ours = GriffinLim(2048, hop_length=512)
    settings = {"n_iter": 32, "hop_length": 512, "n_fft": 2048, "random_state": 0}
    found = {}
    calls = {
        "passband": lambda: found.update(passband=ours(power)),
        "librosa": lambda: found.update(
            librosa=torch.from_numpy(librosa.griffinlim(magnitudes.numpy(), **settings))
        ),
    }
    row = table("Griffin-Lim, 32 iterations of 30 s", alternate(calls, rounds=3))
    for name, y in found.items():
        again = Spectrogram(2048, hop_length=512, power=1.0)(y.float())
        frames = min(again.shape[-1], magnitudes.shape[-1])
        error = (again[..., :frames] - magnitudes[..., :frames]).norm() / magnitudes.norm()
        row[f"{name} spectral convergence dB"] = round(float(20 * np.log10(error)), 2)
    print({name: value for name, value in row.items() if "dB" in name})
    return row


if __name__ == "__main__":
    main()
