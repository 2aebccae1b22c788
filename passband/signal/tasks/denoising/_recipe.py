"""What a denoiser's recipe says."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from passband.signal.tasks import TrainingSettings
from passband.signal.tasks.denoising._mixing import MixingSettings
from passband.signal.tasks.denoising._splitter import SplitterSettings
from passband.training.recipes import Settings


class DenoiserData(Settings):
    """Seismograms to learn from: what comes after the pick is signal, what comes before is noise.

    ``min_snr`` is the least ratio of standard deviations in the 3 s after and before the pick for a
    channel to serve as signal. Files of ``noise_folder`` are noise from end to end.

    Example:
        >>> DenoiserData(held_out=10).samples
        3000
    """

    folder: str = ""
    noise_folder: str | None = None
    held_out: Annotated[int, Field(ge=1)] = 20
    split_seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    samples: Annotated[int, Field(ge=64, le=10**7)] = 3000
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 20
    min_snr: Annotated[float, Field(ge=0)] = 10.0
    held_out_mixtures: Annotated[int, Field(ge=1, le=10_000)] = 200
    held_out_snr_db: tuple[float, float] = (-5.0, 10.0)


class LossSettings(Settings):
    """Weights of the masks' cross-entropy, which is published, and of the waveform's error.

    Example:
        >>> LossSettings(waveform=0).mask
        1.0
    """

    mask: Annotated[float, Field(ge=0)] = 1.0
    waveform: Annotated[float, Field(ge=0)] = 0.1

    @model_validator(mode="after")
    def _some(self) -> "LossSettings":
        if self.mask == self.waveform == 0:
            raise ValueError("mask or waveform must be above 0")
        return self


class DenoiserRecipe(Settings):
    """A model that splits seismograms into signal and noise, its data and its training.

    Example:
        >>> DenoiserRecipe.model_validate({"data": {"held_out": 5}}).model.bins
        31
    """

    kind: Literal["denoiser"] = "denoiser"
    model: SplitterSettings = SplitterSettings()
    data: DenoiserData = DenoiserData()
    mixing: MixingSettings = MixingSettings()
    losses: LossSettings = LossSettings()
    training: TrainingSettings = TrainingSettings()

    @model_validator(mode="after")
    def _fits(self) -> "DenoiserRecipe":
        if self.data.samples < self.model.n_fft:
            raise ValueError(
                f"data.samples (={self.data.samples}) must be at least model.n_fft, "
                f"{self.model.n_fft}"
            )
        low, high = self.data.held_out_snr_db
        if not -100 <= low <= high <= 100:
            raise ValueError(
                "data.held_out_snr_db must be two numbers from -100 to 100, the lower first"
            )
        return self
