"""Recipe of an embedder: what it learns from and what it shall not hear."""

from typing import Annotated, Literal

from pydantic import Field

from passband.signal.tasks import RepresentationSettings, TrainingSettings
from passband.training.recipes import Settings


class SimilarityData(Settings):
    """Which sounds, and how long a piece of them is one point of the search.

    ``longest`` seconds of a file are learned from at most, from its first sound on; searched are
    whole files. ``cache`` is a folder for features, by default one in the run's folder.
    """

    folder: str = ""
    sample_rate: Annotated[int, Field(ge=2000, le=192_000)] = 16_000
    seconds: Annotated[float, Field(ge=0.1, le=60)] = 2.0
    longest: Annotated[float, Field(ge=1, le=3600)] = 60.0
    held_out: Annotated[int, Field(ge=1)] = 20
    split_seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    batch_size: Annotated[int, Field(ge=2, le=4096)] = 32
    cache: str | None = None


class TransformationSettings(Settings):
    """How far a positive may be from its anchor, term by term; 0 leaves a term out.

    ``pitch`` in semitones up or down, ``tempo`` as a factor either way less 1, ``equaliser`` in dB
    of each of three gains, ``crop`` as a part of the window's length by which it starts sooner or
    later. Of the first three, ``copies`` of every file are made beforehand.
    """

    pitch: Annotated[float, Field(ge=0, le=12)] = 2.0
    tempo: Annotated[float, Field(ge=0, le=3)] = 0.2
    equaliser: Annotated[float, Field(ge=0, le=40)] = 9.0
    crop: Annotated[float, Field(ge=0, le=0.5)] = 0.25
    copies: Annotated[int, Field(ge=1, le=100)] = 3


class EmbedderSettings(Settings):
    """Strided 3x3 convolutions, one per entry of ``channels``, then a point on a sphere.

    ``range_db`` below the loudest bin of a window is the least level that is heard.
    """

    channels: Annotated[tuple[int, ...], Field(min_length=1, max_length=8)] = (16, 32, 64, 128)
    dim: Annotated[int, Field(ge=2, le=4096)] = 128
    range_db: Annotated[float, Field(gt=0, le=200)] = 80.0


class EmbedderRecipe(Settings):
    """A training of `Embedder`, as its TOML file.

    Example:
        >>> EmbedderRecipe(margin=0.3).transformations.pitch
        2.0
    """

    kind: Literal["embedder"] = "embedder"
    representation: RepresentationSettings = Field(
        default_factory=lambda: RepresentationSettings(
            transform="mel", settings={"n_fft": 1024, "hop_length": 320, "n_mels": 64}
        )
    )
    data: SimilarityData = Field(default_factory=SimilarityData)
    transformations: TransformationSettings = Field(default_factory=TransformationSettings)
    model: EmbedderSettings = Field(default_factory=EmbedderSettings)
    margin: Annotated[float, Field(gt=0, le=4)] = 0.2
    training: TrainingSettings = Field(default_factory=TrainingSettings)
