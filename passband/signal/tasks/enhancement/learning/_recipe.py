"""Recipes: one training of a speech enhancer, as a checked model of its TOML file."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from passband.signal.tasks._learning import TrainingSettings
from passband.signal.tasks.enhancement.frcrn import FRCRNSettings
from passband.training.recipes import Settings

_Count = Annotated[int, Field(ge=1, le=10**6)]
_Decibels = Annotated[float, Field(ge=-60, le=60)]
_Speed = Annotated[float, Field(ge=0.5, le=2)]
_Seed = Annotated[int, Field(ge=0, lt=2**63)]


class MixtureSettings(Settings):
    """Where speech and noise are, and how they are mixed.

    ``folder`` holds speech; ``noise`` and ``rooms`` (impulse responses, with which
    ``room_probability`` of the speech is convolved) name folders, files or patterns of them. What
    is held out is chosen by patterns of file names, or, without any, by chance of ``split_seed``;
    ``more_held_out`` names speech beside that of ``folder`` that is never learned from. Noise
    stands ``snr_db`` below the speech of its crop, at a peak of the mixture of ``peak_db``.
    Speech is played at one of ``speeds``, pitch and all, so that one speaker sounds like several.

    Of the held-out files, ``mixtures`` are made: each of speech in turn, at ``held_out_snr_db`` in
    turn, after ``lead_seconds`` of noise alone.
    """

    folder: str = ""
    noise: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    room_probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    held_out_speech: tuple[str, ...] = ()
    held_out_noise: tuple[str, ...] = ()
    held_out: _Count = 4
    more_held_out: tuple[str, ...] = ()
    split_seed: _Seed = 0
    seconds: Annotated[float, Field(gt=0.05, le=60)] = 1.0
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 12
    snr_db: tuple[_Decibels, _Decibels] = (-5.0, 10.0)
    speeds: Annotated[tuple[_Speed, ...], Field(min_length=1)] = (1.0,)
    peak_db: tuple[_Decibels, _Decibels] = (-25.0, -1.0)
    mixtures: _Count = 40
    held_out_seconds: Annotated[float, Field(gt=0.05, le=600)] = 4.0
    held_out_snr_db: Annotated[tuple[_Decibels, ...], Field(min_length=1)] = (-5.0, 0.0, 5.0, 10.0)
    lead_seconds: Annotated[float, Field(ge=0.05, le=10)] = 0.25
    cache_megabytes: Annotated[int, Field(ge=0, le=2**24)] = 1024

    @model_validator(mode="after")
    def _ranges_rise(self) -> "MixtureSettings":
        for name in ("snr_db", "peak_db"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} (={low:g}, {high:g}) must not fall")
        return self


class LossSettings(Settings):
    """``-SI-SNR + mask (|Re(M - M*)|^2 + |Im(M - M*)|^2)``, means over all bins; see `masks`."""

    mask: Annotated[float, Field(ge=0, le=1e6)] = 640.0


class EnhancerRecipe(Settings):
    """One training of a speech enhancer.

    Example:
        >>> recipe = EnhancerRecipe(data=MixtureSettings(folder="speech", noise=("noise",)))
        >>> recipe.model.kind, recipe.losses.mask
        ('frcrn', 640.0)
    """

    kind: Literal["enhancer"] = "enhancer"
    model: FRCRNSettings = FRCRNSettings()
    data: MixtureSettings = MixtureSettings()
    losses: LossSettings = LossSettings()
    training: TrainingSettings = TrainingSettings()

    @model_validator(mode="after")
    def _crops_fit(self) -> "EnhancerRecipe":
        samples = round(self.data.seconds * self.model.sample_rate)
        if samples < self.model.n_fft:
            raise ValueError(
                f"data.seconds (={self.data.seconds:g}) must be at least one frame of model.n_fft "
                f"(={self.model.n_fft}) samples"
            )
        return self
