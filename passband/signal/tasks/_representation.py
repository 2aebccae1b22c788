"""A time-frequency representation by name, as the first layer of a model."""

from typing import Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from passband.errors import InputError
from passband.signal._apply import allowed_settings, build, hop_of
from passband.signal._choices import find_choice
from passband.signal._settings import read_settings
from passband.training.recipes import Settings

_FLOOR = 1e-10  # of power: silence is 100 dB below an amplitude of 1


class RepresentationSettings(Settings):
    """A transform of `passband features --transform` by name, and its settings.

    Example:
        >>> settings = RepresentationSettings(transform="mel", settings={"n_mels": 40})
        >>> settings.build(16000)(torch.randn(2, 16000)).shape[:2]
        torch.Size([2, 40])
    """

    transform: str = "mel"
    settings: dict[str, Any] = Field(default_factory=dict)

    def build(self, sample_rate: int) -> "Representation":
        """The module, for signals of ``sample_rate`` Hz."""
        return Representation(self.transform, sample_rate, self.settings)


class Representation(nn.Module):
    """Levels in decibels under a transform; as they are, where they are no powers of an amplitude.

    ``10 log10(max(p, 1e-10))`` of the power p in every bin; cepstral coefficients and normalised
    energies stay what they are. Settings that are not given follow the rate, as those of
    ``passband spectrogram`` do.

    Args:
        transform: name, such as ``stft``, ``mel``, ``cqt``, ``cwt`` or ``mfcc``.
        sample_rate: of the signals, in Hz.
        settings: of the transform, by name.

    Raises:
        InputError: no such transform, or settings it does not take.

    Example:
        >>> Representation("mel", 8000, {"n_fft": 256, "n_mels": 20})(torch.randn(1000)).shape
        torch.Size([20, 16])
    """

    def __init__(self, transform: str, sample_rate: int, settings: dict[str, Any]) -> None:
        super().__init__()
        self.choice = choice = find_choice(transform)
        allowed = allowed_settings(choice)
        _require(settings, allowed, transform)
        given = {**choice.defaults(sample_rate, None), **settings}
        if "n_fft" in settings and "hop_length" not in settings and "hop_length" in allowed:
            given["hop_length"] = max(1, settings["n_fft"] // 4)
        try:
            self.layers = nn.ModuleList(build(choice, given, sample_rate))
        except ValueError as error:
            raise InputError(f"{transform}: {error}") from error
        self.settings = {name: default for name, (_, default) in allowed.items()} | given
        self.sample_rate = sample_rate
        self.hop_length = hop_of(choice, self.layers[0], self.settings)

    def forward(self, signal: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch bins frames"]:
        """Levels of ``signal``."""
        first, *others = self.layers
        call = first if self.choice.method == "__call__" else getattr(first, self.choice.method)
        values = call(signal)
        if self.choice.per_sample:
            values = values[..., :: self.hop_length]
        for layer in others:
            values = layer(values)
        return self._levels(values)

    def _levels(self, values: Tensor) -> Tensor:
        choice = self.choice
        if choice.exponent is None:
            return values
        exponent = self.settings.get("power") or choice.exponent
        if choice.logarithmic:
            return values * (20.0 / (exponent * torch.log(torch.tensor(10.0)).item()))
        if values.is_complex():
            power = values.real.square() + values.imag.square()
        else:
            power = values.clamp_min(0).pow(2.0 / exponent)
        return 10.0 * torch.log10(power.clamp_min(_FLOOR))


def _require(settings: dict[str, Any], allowed: dict[str, tuple[Any, Any]], transform: str) -> None:
    """Check names and types through the same door as the command line's ``--set``."""
    import tomli_w  # noqa: PLC0415  only settings that were given need it

    if settings:
        texts = tomli_w.dumps(settings).splitlines()
        read_settings(texts, allowed, owner=transform)
