"""A finished fit: reloads with one call and renders at any resolution."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.inr._field import Field, build_field
from passband.inr._scene import FieldSettings
from passband.inr.targets import SignalInfo, evaluate_on_grid
from passband.training import load_tensors, save_tensors

FIELD_FILE = "field.safetensors"
_MOST_VALUES = 2**31


@dataclass(frozen=True)
class FittedField:
    """A field and what it was fitted to.

    Attributes:
        field: the trained field.
        settings: what it is made of, its knob resolved.
        info: the signal it stands for.
    """

    field: Field
    settings: FieldSettings
    info: SignalInfo

    def sample(
        self, size: Sequence[int] | None = None, *, chunk: int = 2**17
    ) -> Float[Tensor, "channels *size"]:
        """Physical values on a grid of ``size`` samples over the signal's extent.

        Args:
            size: samples per axis; the signal's own by default.
            chunk: points evaluated at a time.

        Returns:
            ``(channels, *size)`` on the CPU, clipped to [0, 1] for bounded pictures.

        Raises:
            InputError: the size has other axes than the signal, or more values than fit.
        """
        size = self.info.size if size is None else tuple(size)
        _check_size(size, self.info)
        device = next(self.field.parameters()).device
        values = evaluate_on_grid(self.field, size, device=device, chunk=chunk).cpu()
        values = values * self.info.scale + self.info.center
        return values.clamp(0.0, 1.0) if self.info.bounded else values

    def sound(self, sample_rate: int | None = None) -> Float[Tensor, "channels time"]:
        """The sound at ``sample_rate`` Hz, its own by default, over the same stretch of time.

        Raises:
            InputError: the field is no sound, or the rate is not positive.
        """
        info = self.info
        if info.sample_rate is None:
            raise InputError(f"this field is fitted to an {info.kind}; it has no sample rate.")
        if sample_rate is None or sample_rate == info.sample_rate:
            return self.sample()
        if sample_rate < 1:
            raise InputError(f"`rate` (={sample_rate} Hz) must be at least 1 Hz.")
        last = info.count - 1
        count = last * sample_rate // info.sample_rate + 1
        _check_size((count,), info)
        # Sample k of the new rate is at sample k * step of the old one, whose last is at 1.
        step = info.sample_rate / sample_rate
        end = 2.0 * (count - 1) * step / last - 1.0
        device = next(self.field.parameters()).device

        def along(x: Tensor) -> Tensor:
            values: Tensor = self.field((x + 1.0) * ((end + 1.0) / 2.0) - 1.0)
            return values

        values = evaluate_on_grid(along, (count,), device=device).cpu()
        return values * info.scale + info.center


def save_field(path: Path, fitted: FittedField) -> None:
    """Write weights, settings and signal information to one safetensors file, atomically."""
    meta = {"settings": fitted.settings.model_dump(), "info": asdict(fitted.info)}
    save_tensors(path, fitted.field.state_dict(), meta)


def load_field(path: Path, *, device: torch.device | str = "cpu") -> FittedField:
    """Read a fitted field from a run folder or from its ``field.safetensors``.

    Raises:
        InputError: nothing there, or not a fitted field.

    Example:
        >>> import tempfile
        >>> from passband.inr import SignalInfo, SirenNetwork
        >>> settings = FieldSettings(network=SirenNetwork(first_omega=30.0, hidden_features=8))
        >>> info = SignalInfo("audio", "", 1, (100,), 0.0, 1.0, False, sample_rate=100)
        >>> path = Path(tempfile.mkdtemp()) / "field.safetensors"
        >>> save_field(path, FittedField(build_field(settings, 1, 1), settings, info))
        >>> load_field(path).sound(200).shape
        torch.Size([1, 199])
    """
    if path.is_dir():
        if not (path / FIELD_FILE).is_file():
            raise InputError(
                f"{path} holds no {FIELD_FILE}: it is no run, or its fit has not ended. "
                "Finish it with passband fit --resume."
            )
        path = path / FIELD_FILE
    weights, meta = load_tensors(path)
    if "settings" not in meta:
        raise InputError(f"{path} holds no fitted field. Pass a run folder.")
    settings = FieldSettings.model_validate(meta["settings"])
    tuples = {name: tuple(meta["info"].get(name, ())) for name in ("size", "offset")}
    info = SignalInfo(**{**meta["info"], **tuples})
    field = build_field(settings, len(info.size), info.channels)
    field.load_state_dict(weights)
    return FittedField(field.to(device).eval(), settings, info)


def _check_size(size: Sequence[int], info: SignalInfo) -> None:
    if len(size) != len(info.size):
        raise InputError(
            f"`size` (={tuple(size)}) must have {len(info.size)} axes, as the {info.kind} has."
        )
    if min(size) < 1:
        raise InputError(f"`size` (={tuple(size)}) must be at least 1 along every axis.")
    values = info.channels
    for count in size:
        values *= count
    if values > _MOST_VALUES:
        raise InputError(
            f"`size` (={tuple(size)}) asks for {values:,} values; at most {_MOST_VALUES:,} are "
            "rendered at once. Ask for a smaller size."
        )
