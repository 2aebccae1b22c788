"""The recordings of the gallery: where each is under PASSBAND_DATA, and which part is shown."""

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from passband.frequency import resample
from passband.media import read_audio

RATE = 22050
GROUND_RATE = 100  # of seismic traces

_MUSIC = "audio/music"
_SPEECH = "audio/speech/ljspeech/wavs"
# Pattern of the file's name, first second and duration.
_PARTS = {
    "trumpet": (f"{_MUSIC}/sorohanro*.hq.ogg", 0.0, 3.6),
    "strings": (f"{_MUSIC}/Hungarian*.ogg", 14.2, 6.0),
    "robin": (f"{_MUSIC}/*robin*.hq.ogg", 0.1, 2.3),
    "whistle": (f"{_MUSIC}/*robin*.hq.ogg", 1.28, 0.28),
    "whale": (f"{_MUSIC}/glacier*.ogg", 3.0, 12.0),
    "speech": (f"{_SPEECH}/*.wav", 0.0, 3.6),
    "dance": (f"{_MUSIC}/*Vibe_Ace.hq.ogg", 20.0, 5.0),
    "ground": ("seismic/train/*.npz", 25.0, 35.0),
}


def recording(name: str) -> Tensor:
    """The samples of one recording, mono."""
    pattern, start, duration = _PARTS[name]
    root = Path(os.environ.get("PASSBAND_DATA") or Path(__file__).parents[3] / "shared" / "data")
    file = sorted(root.glob(pattern))[0]
    if file.suffix == ".npz":
        samples = torch.from_numpy(np.load(file)["data"][:, 2]).float()
        rate = GROUND_RATE
        samples = samples / samples.abs().max()
    else:
        audio = read_audio(file)
        samples = resample(audio.samples.mean(dim=0), audio.sample_rate, RATE)
        rate = RATE
    return samples[round(start * rate) : round((start + duration) * rate)].clone()
