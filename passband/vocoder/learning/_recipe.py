"""Recipes: one training of a vocoder, as a checked model of its TOML file."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from torch import nn

from passband.signal import LogMelLoss
from passband.training.recipes import Settings
from passband.vocoder._settings import EncodecFeatureSettings, MelFeatureSettings, VocosSettings
from passband.vocoder.discriminators import (
    Ensemble,
    MultiPeriodDiscriminator,
    MultiResolutionDiscriminator,
    MultiScaleCQTDiscriminator,
)

Weight = Annotated[float, Field(ge=0, le=1e6)]
Channels = Annotated[int, Field(ge=1, le=4096)]
FrameLength = Annotated[int, Field(ge=64, le=2**16, multiple_of=4)]
Decibels = Annotated[float, Field(ge=-60, le=0)]


class DataSettings(Settings):
    """Where the sounds are, and how a batch is drawn from them.

    Of ``folder``, ``held_out`` files chosen by ``split_seed`` are kept for evaluation, or those in
    ``held_out_folder`` if that is given.
    """

    folder: str = ""
    held_out: Annotated[int, Field(ge=1, le=10**6)] = 8
    held_out_folder: str | None = None
    held_out_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    split_seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    samples: Annotated[int, Field(ge=256, le=2**24)] = 16384
    batch_size: Annotated[int, Field(ge=1, le=2**16)] = 16
    gain_db: tuple[Decibels, Decibels] = (-6.0, -1.0)
    workers: Annotated[int, Field(ge=0, le=64)] = 2
    cache_megabytes: Annotated[int, Field(ge=0, le=2**24)] = 1024


class PeriodSettings(Settings):
    """Multi-period discriminator; no periods, no discriminator."""

    periods: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = (2, 3, 5, 7, 11)
    channels: Annotated[tuple[Channels, ...], Field(min_length=1)] = (32, 128, 512, 1024, 1024)
    weight: Weight = 1.0

    def build(self, sample_rate: int, conditions: int) -> Ensemble:
        """The module."""
        return MultiPeriodDiscriminator(self.periods, self.channels, conditions=conditions)


class ResolutionSettings(Settings):
    """Multi-resolution discriminator; no lengths, no discriminator."""

    lengths: tuple[FrameLength, ...] = (2048, 1024, 512)
    channels: Channels = 32
    weight: Weight = 0.1

    def build(self, sample_rate: int, conditions: int) -> Ensemble:
        """The module."""
        return MultiResolutionDiscriminator(self.lengths, self.channels, conditions=conditions)


class CQTSettings(Settings):
    """Multi-scale sub-band constant-Q discriminator."""

    bins_per_octave: tuple[Annotated[int, Field(ge=4, le=192)], ...] = (24, 36, 48)
    hop_lengths: tuple[Annotated[int, Field(ge=16, le=2**16)], ...] = (512, 256, 256)
    octaves: Annotated[int, Field(ge=1, le=12)] = 8
    channels: Channels = 32
    weight: Weight = 0.1

    def build(self, sample_rate: int, conditions: int) -> Ensemble:
        """The module."""
        return MultiScaleCQTDiscriminator(
            sample_rate,
            self.bins_per_octave,
            self.hop_lengths,
            octaves=self.octaves,
            channels=self.channels,
            conditions=conditions,
        )

    @model_validator(mode="after")
    def _one_hop_each(self) -> "CQTSettings":
        if len(self.hop_lengths) != len(self.bins_per_octave):
            raise ValueError("hop_lengths must be as many as bins_per_octave")
        return self


class DiscriminatorSettings(Settings):
    """Who judges the generated sound, and how much each counts."""

    period: PeriodSettings = PeriodSettings()
    resolution: ResolutionSettings = ResolutionSettings()
    cqt: CQTSettings | None = None

    def weights(self) -> dict[str, float]:
        """Weight of each ensemble there is, by name."""
        found = {}
        if self.period.periods:
            found["period"] = self.period.weight
        if self.resolution.lengths:
            found["resolution"] = self.resolution.weight
        if self.cqt is not None:
            found["cqt"] = self.cqt.weight
        return found

    def build(self, sample_rate: int, conditions: int) -> nn.ModuleDict:
        """The ensembles, by name."""
        return nn.ModuleDict(
            {name: getattr(self, name).build(sample_rate, conditions) for name in self.weights()}
        )


class LossSettings(Settings):
    """Weights of what is wanted beside the verdicts, and the mel spectrogram that is compared."""

    mel: Weight = 45.0
    phase: Weight = 0.0
    n_mels: Annotated[int, Field(ge=1, le=512)] = 100
    n_fft: FrameLength = 1024
    hop_length: Annotated[int, Field(ge=1, le=2**16)] = 256

    def mel_loss(self, sample_rate: int) -> LogMelLoss:
        """The distance of mel spectrograms."""
        return LogMelLoss(sample_rate, self.n_fft, self.hop_length, self.n_mels)


class OptimizerSettings(Settings):
    """AdamW of generator and discriminators (Loshchilov and Hutter, ICLR 2019)."""

    lr: Annotated[float, Field(gt=0, le=1)] = 2e-4
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01


class TrainingSettings(Settings):
    """How long and how the vocoder is trained; the learning rate falls as a cosine to 0."""

    steps: Annotated[int, Field(ge=1, le=10**8)] = 1_000_000
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    optimizer: OptimizerSettings = OptimizerSettings()
    warmup: Annotated[int, Field(ge=0)] = 0
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    evaluations: Annotated[int, Field(ge=1, le=10_000)] = 20
    log_every: Annotated[int, Field(ge=1)] = 50
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 120.0


class Recipe(Settings):
    """One training of a vocoder.

    Example:
        >>> recipe = Recipe(data=DataSettings(folder="sounds"))
        >>> recipe.training.optimizer.lr, recipe.discriminators.weights()
        (0.0002, {'period': 1.0, 'resolution': 0.1})
    """

    kind: Literal["vocoder"] = "vocoder"
    model: VocosSettings = VocosSettings()
    data: DataSettings = DataSettings()
    discriminators: DiscriminatorSettings = DiscriminatorSettings()
    losses: LossSettings = LossSettings()
    training: TrainingSettings = TrainingSettings()

    @property
    def conditions(self) -> int:
        """Number of bandwidths that the vocoder is told of; 0 for features without any."""
        features = self.model.feature_extractor
        return len(features.bandwidths) if isinstance(features, EncodecFeatureSettings) else 0

    @model_validator(mode="after")
    def _crops_fit(self) -> "Recipe":
        features, samples = self.model.feature_extractor, self.data.samples
        hop = features.hop_length if isinstance(features, MelFeatureSettings) else 320
        if samples % hop:
            raise ValueError(
                f"data.samples (={samples}) must be a multiple of the hop of {hop} samples"
            )
        longest = max(self.losses.n_fft, *(*self.discriminators.resolution.lengths, 0))
        if samples < longest:
            raise ValueError(
                f"data.samples (={samples}) must be at least the longest frame compared, {longest}"
            )
        if self.conditions and self.model.backbone.conditions is None:
            raise ValueError(
                f"model.backbone.conditions must be {self.conditions}, one for each bandwidth"
            )
        if self.losses.mel == 0 and not any(self.discriminators.weights().values()):
            raise ValueError("losses.mel or a discriminator must have a weight above 0")
        return self
