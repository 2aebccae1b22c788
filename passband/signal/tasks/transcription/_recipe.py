"""Recipes: one training of a transcriber, as a checked model of its TOML file."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from passband.signal.tasks import RepresentationSettings, TrainingSettings
from passband.training.recipes import Settings

Decibels = Annotated[float, Field(ge=0, le=60)]
Probability = Annotated[float, Field(gt=0, lt=1)]


class SingleLayerSettings(Settings):
    """One linear layer over a window of frames; see `SingleLayer`."""

    kind: Literal["linear"] = "linear"
    window: Annotated[int, Field(ge=1, le=255)] = 11

    @property
    def frames(self) -> int:
        """Frames of a crop that it learns from."""
        return self.window

    @model_validator(mode="after")
    def _odd(self) -> "SingleLayerSettings":
        if self.window % 2 == 0:
            raise ValueError(f"window (={self.window}) must be odd, to have a middle")
        return self


class HarmonicSettings(Settings):
    """Convolutions over harmonics and a recurrent layer; see `HarmonicCRNN`.

    ``onset_weight`` is what a frame with an onset counts in the loss, beside one without.
    """

    kind: Literal["crnn"] = "crnn"
    channels: Annotated[int, Field(ge=1, le=1024)] = 24
    hidden: Annotated[int, Field(ge=1, le=4096)] = 24
    frames: Annotated[int, Field(ge=8, le=2**16)] = 128
    onset_weight: Annotated[float, Field(ge=0.01, le=1000)] = 2.0


class DataSettings(Settings):
    """Where the pieces are, how a batch is drawn from them, and what is changed about it by chance.

    ``held_out`` names the pieces to test on, or says how many ``split_seed`` draws. From
    ``notes_folder``, if given, ``mixtures`` pieces of ``mixture_seconds`` are made to learn from.
    A crop is moved by up to ``pitch_shift`` semitones, its level by up to ``gain_db`` and its
    colour by a smooth curve of up to ``colour_db``; the single layer learns from crops as they are.
    """

    folder: str = ""
    held_out: tuple[str, ...] | Annotated[int, Field(ge=1, le=10**6)] = 3
    split_seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    notes_folder: str = ""
    mixtures: Annotated[int, Field(ge=1, le=10_000)] = 20
    mixture_seconds: Annotated[float, Field(ge=1, le=600)] = 10.0
    batch_size: Annotated[int, Field(ge=1, le=2**16)] = 8
    pitch_shift: Annotated[int, Field(ge=0, le=12)] = 5
    gain_db: Decibels = 6.0
    colour_db: Decibels = 6.0


class DecodingSettings(Settings):
    """Probabilities above which something is there."""

    onset_threshold: Probability = 0.3
    frame_threshold: Probability = 0.4


class TranscriberRecipe(Settings):
    """One training of a transcriber.

    Example:
        >>> recipe = TranscriberRecipe(data=DataSettings(folder="pieces"))
        >>> recipe.model.kind, recipe.sample_rate
        ('crnn', 16000)
    """

    kind: Literal["transcriber"] = "transcriber"
    sample_rate: Annotated[int, Field(ge=4000, le=192_000)] = 16000
    representation: RepresentationSettings = RepresentationSettings(
        transform="vqt",
        settings={
            "hop_length": 512, "f_min": 26.9756, "n_bins": 294, "bins_per_octave": 36,
            "gamma": 8.0,
        },
    )  # fmt: skip
    model: Annotated[SingleLayerSettings | HarmonicSettings, Field(discriminator="kind")] = (
        HarmonicSettings()
    )
    data: DataSettings = DataSettings()
    decoding: DecodingSettings = DecodingSettings()
    training: TrainingSettings = TrainingSettings()
