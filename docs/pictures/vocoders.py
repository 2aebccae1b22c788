"""The picture of vocoded speech in docs/gallery.md: recorded, by the small vocoder, by Griffin-Lim.

Run: python docs/pictures/vocoders.py runs/vocos_small
"""

import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure

from passband.frequency import stft
from passband.media import read_audio

HERE = Path(__file__).parent
CLIP = "0_LJ001-0002"
SHOWN = {
    "recorded": "recorded",
    "vocoder": "small vocoder, 40,000 steps",
    "griffin_lim": "Griffin-Lim, 32 steps",
}
FLOOR_DB = 80


def main() -> None:
    samples = Path(sys.argv[1]) / "samples"
    figure = Figure(figsize=(10, 3.2), dpi=100, layout="constrained")
    for axis, (name, title) in zip(
        figure.subplots(1, len(SHOWN), sharey=True), SHOWN.items(), strict=True
    ):
        audio = read_audio(samples / f"{CLIP}_{name}.wav")
        spectrum = stft(audio.samples[0], n_fft=1024, hop_length=128, pad_mode="constant")
        levels = 20 * torch.log10(spectrum.abs() + 1e-7)
        top = float(levels.max())
        axis.imshow(
            levels.numpy(),
            origin="lower",
            aspect="auto",
            extent=(0, audio.samples.shape[-1] / audio.sample_rate, 0, audio.sample_rate / 2000),
            vmin=top - FLOOR_DB,
            vmax=top,
            cmap="magma",
        )
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("time (s)")
    figure.axes[0].set_ylabel("frequency (kHz)")
    figure.savefig(HERE / "vocoders.jpg", pil_kwargs={"quality": 75})


if __name__ == "__main__":
    main()
