"""Every transform: what a batch of 16 costs against one item, and the gradient against the forward.

Run: python benchmarks/scaling.py [TRANSFORM...]
"""

import sys
import warnings
from collections.abc import Callable, Sequence

import torch
from record import write_result
from timing import alternate
from torch import Tensor, nn

from passband import signal

RATE = 22050
FRAMES = {"n_fft": 2048, "hop_length": 512}

# Seconds of sound, and the transform: long where the result is small, short where it is large.
TRANSFORMS: dict[str, tuple[float, Callable[[], nn.Module]]] = {
    "Spectrogram": (30, lambda: signal.Spectrogram(**FRAMES, power=None)),
    "MelSpectrogram": (30, lambda: signal.MelSpectrogram(RATE, **FRAMES)),
    "LogMelSpectrogram": (30, lambda: signal.LogMelSpectrogram(RATE, **FRAMES)),
    "MFCC": (30, lambda: signal.MFCC(RATE, 20, melkwargs=FRAMES)),
    "LFCC": (30, lambda: signal.LFCC(RATE, speckwargs=FRAMES)),
    "LogFrequencySpectrogram": (
        30,
        lambda: signal.LogFrequencySpectrogram(
            RATE, 4096, hop_length=512, f_min=50.0, f_max=6000.0, n_bins=512
        ),
    ),
    "Chroma": (30, lambda: signal.Chroma(RATE, 2048, hop_length=512)),
    "Cepstrum": (30, lambda: signal.Cepstrum(2048, hop_length=512)),
    "Gammatonegram": (30, lambda: signal.Gammatonegram(RATE, 2048, hop_length=512)),
    "ReassignedSpectrogram": (30, lambda: signal.ReassignedSpectrogram(RATE, 2048)),
    "MultitaperSpectrogram": (30, lambda: signal.MultitaperSpectrogram(RATE, 2048)),
    "Multitaper": (30, lambda: signal.Multitaper(30 * RATE, RATE)),
    "CQT": (30, lambda: signal.CQT(RATE, 512)),
    "VQT": (30, lambda: signal.VQT(RATE, 512)),
    "GaborCQT": (30, lambda: signal.GaborCQT(RATE)),
    "Resample": (30, lambda: signal.Resample(RATE, 16000)),
    "HilbertEnvelope": (30, lambda: signal.HilbertEnvelope()),
    "HarmonicPercussive": (3, lambda: signal.HarmonicPercussive(1024)),
    "Cochleagram": (1, lambda: signal.Cochleagram()),
    "CWT": (1, lambda: signal.CWT(RATE, n_scales=100)),
    "SynchrosqueezedCWT": (0.5, lambda: signal.SynchrosqueezedCWT(RATE, n_scales=100)),
    "SynchrosqueezedSTFT": (1, lambda: signal.SynchrosqueezedSTFT(RATE, 512, 16)),
    "Superlets": (0.2, lambda: signal.Superlets(RATE, n_bins=30)),
    "PseudoWignerVille": (3, lambda: signal.PseudoWignerVille(256, 256)),
    "SmoothedPseudoWignerVille": (1, lambda: signal.SmoothedPseudoWignerVille(256, 256)),
}


def tensors(result: object) -> list[Tensor]:
    if isinstance(result, Tensor):
        return [result]
    assert isinstance(result, Sequence)
    return [part for part in result if isinstance(part, Tensor)]


def with_gradient(transform: nn.Module, x: Tensor) -> None:
    """Forward and backward, with the result itself as the gradient that comes back."""
    leaf = x.clone().requires_grad_()
    found = [part for part in tensors(transform(leaf)) if part.requires_grad]
    torch.autograd.grad(found, leaf, [part.detach() for part in found])


def main() -> None:
    torch.set_num_threads(2)
    warnings.filterwarnings("ignore")
    chosen = sys.argv[1:] or list(TRANSFORMS)
    rows = {}
    print(f"{'':<28}{'forward ms':>11}{'batch 16':>10}{'gradient':>10}   (ratios to forward)")
    for name in chosen:
        seconds, make = TRANSFORMS[name]
        transform = make()
        x = torch.randn(16, int(seconds * RATE), generator=torch.Generator().manual_seed(0))
        one = x[0].clone()

        def plain(x: Tensor, transform: nn.Module = transform) -> None:
            with torch.no_grad():
                transform(x)

        times = alternate(
            {
                "one": lambda one=one, plain=plain: plain(one),
                "sixteen": lambda x=x, plain=plain: plain(x),
                "gradient": lambda one=one, t=transform: with_gradient(t, one),
            },
            rounds=7,
            seconds=5,
        )
        # The gradient alone: forward and backward together, less the forward.
        batch = times["sixteen"] / times["one"]
        gradient = times["gradient"] / times["one"] - 1
        rows[name] = {
            "seconds of sound": seconds,
            "forward ms": round(times["one"], 3),
            "batch 16 / batch 1": round(batch, 2),
            "gradient / forward": round(gradient, 2),
        }
        print(f"{name:<28}{times['one']:>11.2f}{batch:>10.1f}{gradient:>10.2f}")
    if not sys.argv[1:]:
        write_result("scaling", {"transforms": rows})


if __name__ == "__main__":
    main()
