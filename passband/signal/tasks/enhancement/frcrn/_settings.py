"""What an FRCRN is built from."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from passband.training.recipes import Settings

_Channels = Annotated[int, Field(ge=1, le=1024)]
_Kernel = Annotated[int, Field(ge=2, le=16)]


class FRCRNSettings(Settings):
    """Sizes of an `FRCRN`; those of the published model where nothing is given.

    ``channels`` and ``kernels`` (along frequency) are those of the encoders, from the highest
    resolution down; the decoders mirror them. ``recurrences`` are the levels with a memory along
    frequency, ``memory`` its order there and in time. ``reduction`` is that of squeeze and
    excitation, ``stages`` the U-Nets in cascade. ``causal`` looks at no frame to come.
    ``compression`` is the power that magnitudes are raised to on the way in; 1 leaves them.

    Example:
        >>> FRCRNSettings().sizes
        (321, 159, 78, 37, 17, 7, 2, 1)
    """

    kind: Literal["frcrn"] = "frcrn"
    sample_rate: Annotated[int, Field(ge=1000, le=10**6)] = 16000
    n_fft: Annotated[int, Field(ge=16, le=2**15, multiple_of=2)] = 640
    hop_length: Annotated[int, Field(ge=8, le=2**14)] = 320
    channels: Annotated[tuple[_Channels, ...], Field(min_length=1)] = (128,) * 7
    kernels: Annotated[tuple[_Kernel, ...], Field(min_length=1)] = (5, 5, 5, 5, 5, 5, 2)
    recurrences: tuple[Annotated[int, Field(ge=0)], ...] = (0, 1, 2, 3, 4, 5)
    memory: Annotated[int, Field(ge=1, le=256)] = 20
    bottleneck: Annotated[int, Field(ge=0, le=16)] = 2
    reduction: Annotated[int, Field(ge=1, le=256)] | None = 8
    stages: Annotated[int, Field(ge=1, le=4)] = 2
    causal: bool = False
    compression: Annotated[float, Field(gt=0, le=1)] = 1.0

    @property
    def sizes(self) -> tuple[int, ...]:
        """Bins at the input and after every encoder."""
        found = [self.n_fft // 2 + 1]
        for kernel in self.kernels:
            found.append((found[-1] - kernel) // 2 + 1)
        return tuple(found)

    @model_validator(mode="after")
    def _sizes_fit(self) -> "FRCRNSettings":
        depth = len(self.channels)
        if len(self.kernels) != depth:
            raise ValueError(f"kernels must be {depth}, as many as channels")
        if self.sizes[-1] < 1:
            raise ValueError(f"kernels must leave a bin of the {self.sizes[0]}: lower or drop some")
        if any(level > depth - 2 for level in self.recurrences):
            raise ValueError(f"recurrences must be levels from 0 to {depth - 2}")
        if 2 * self.hop_length > self.n_fft:
            raise ValueError("hop_length must be at most half of n_fft")
        return self
