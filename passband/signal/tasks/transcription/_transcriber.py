"""A trained transcriber: from sound to notes."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.signal.tasks import load_model
from passband.signal.tasks.transcription._crnn import HarmonicCRNN
from passband.signal.tasks.transcription._decode import notes_from_frames, notes_from_onsets
from passband.signal.tasks.transcription._linear import SingleLayer
from passband.signal.tasks.transcription._notes import Note
from passband.signal.tasks.transcription._pitch_axis import PitchAxis
from passband.signal.tasks.transcription._recipe import (
    DecodingSettings,
    HarmonicSettings,
    TranscriberRecipe,
)
from passband.training import choose_device
from passband.training.recipes import parse_settings

KIND = "transcriber"
_CHUNK = 1024  # frames that are transcribed at once
_CONTEXT = 64  # frames to both sides that are heard with them


class Transcriber(nn.Module):
    """The representation of a recipe, the network behind it, and notes from what it says.

    Args:
        recipe: what to build; the network is untrained.

    Attributes:
        sample_rate: of the sounds it takes, in Hz.
        hop_seconds: from one frame to the next.

    Example:
        >>> transcriber = Transcriber(TranscriberRecipe()).eval()
        >>> transcriber.probabilities(torch.randn(8000)).shape
        torch.Size([3, 88, 16])
    """

    def __init__(self, recipe: TranscriberRecipe) -> None:
        super().__init__()
        self.sample_rate = recipe.sample_rate
        self.decoding = recipe.decoding
        representation = recipe.representation.build(recipe.sample_rate)
        self.hop_length = representation.hop_length
        self.front_end = nn.Sequential(representation)
        self.network: HarmonicCRNN | SingleLayer
        if isinstance(recipe.model, HarmonicSettings):
            self.front_end.append(PitchAxis(representation))
            self.network = HarmonicCRNN(recipe.model.channels, recipe.model.hidden)
        else:
            bins = representation(torch.zeros(recipe.sample_rate)).shape[-2]
            self.network = SingleLayer(bins, recipe.model.window)

    @property
    def hop_seconds(self) -> float:
        """Seconds from one frame to the next."""
        return self.hop_length / self.sample_rate

    @torch.no_grad()
    def levels(self, sound: Float[Tensor, " time"]) -> Float[Tensor, "bins frames"]:
        """What the network hears, in dB; frame k is centred on sample ``k hop``."""
        frames = sound.numel() // self.hop_length + 1
        short = max(0, self.sample_rate - sound.numel())
        values: Tensor = self.front_end(nn.functional.pad(sound, (0, short)))
        return values[:, :frames]

    @torch.no_grad()
    def probabilities(self, sound: Float[Tensor, " time"]) -> Float[Tensor, "heads 88 frames"]:
        """Of onset, frame and velocity over 127, or of frames alone, for every key and frame.

        Long sounds are heard in pieces that overlap by 64 frames to both sides.

        Args:
            sound: at ``sample_rate``, with a peak of 1 as in training.
        """
        hop, total = self.hop_length, sound.numel() // self.hop_length + 1
        parts = []
        for start in range(0, total, _CHUNK):
            stop = min(start + _CHUNK, total)
            first, last = max(0, start - _CONTEXT), stop + _CONTEXT
            levels = self.levels(sound[first * hop : last * hop if last < total else None])
            logits = self.network(levels[None])[0]
            parts.append(logits[..., start - first : stop - first].sigmoid())
        return torch.cat(parts, dim=-1)

    def notes(
        self, sound: Float[Tensor, " time"], decoding: DecodingSettings | None = None
    ) -> list[Note]:
        """The notes in ``sound``, by onset.

        Args:
            sound: at ``sample_rate``, with a peak of 1 as in training.
            decoding: thresholds to take instead of the recipe's.
        """
        return self.decode(self.probabilities(sound), decoding or self.decoding)

    def decoding_at(self, threshold: float) -> DecodingSettings:
        """The recipe's thresholds with another for what makes a note: an onset or, alone, a frame.

        Args:
            threshold: probability, between 0 and 1.
        """
        single = isinstance(self.network, SingleLayer)
        name = "frame_threshold" if single else "onset_threshold"
        return self.decoding.model_copy(update={name: threshold})

    def decode(
        self, probabilities: Float[Tensor, "heads 88 frames"], decoding: DecodingSettings
    ) -> list[Note]:
        """The notes that `probabilities` tell of."""
        values = probabilities.cpu()
        if len(values) == 1:
            return notes_from_frames(
                values[0], self.hop_seconds, frame_threshold=decoding.frame_threshold
            )
        onset, frame, velocity = values
        return notes_from_onsets(
            onset,
            frame,
            velocity,
            self.hop_seconds,
            onset_threshold=decoding.onset_threshold,
            frame_threshold=decoding.frame_threshold,
        )


def load_transcriber(folder: Path, device: str = "auto") -> Transcriber:
    """The transcriber that `train_transcriber` left in ``folder``, ready for use.

    Args:
        folder: of a finished run.
        device: ``auto``, ``cpu``, ``cuda``, ...

    Raises:
        InputError: there is no model, or one of another task.
    """
    saved = load_model(folder, KIND)
    transcriber = Transcriber(parse_settings(TranscriberRecipe, saved.recipe, str(saved.path)))
    saved.restore(transcriber.network)
    return transcriber.to(choose_device(device)).eval()
