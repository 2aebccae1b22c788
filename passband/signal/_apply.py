"""Build a chosen transform and run it over a sound of any length."""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import StrictInt
from torch import Tensor, nn

from passband.signal._choices import RATE_NAMES, Choice
from passband.signal._settings import arguments_of, constructor_settings
from passband.signal._stream import FrameTransform

_BLOCK = 2**20  # samples transformed at once, where a transform can go block by block
_MOST_VALUES = 2**29  # of a result: 4 GiB of complex64


def allowed_settings(choice: Choice) -> dict[str, tuple[Any, Any]]:
    """Type and default by name of every setting of ``choice``, whichever class it is for."""
    allowed: dict[str, tuple[Any, Any]] = {}
    for part in choice.parts():
        fixed = choice.fixed.get(part.__name__, {})
        own = constructor_settings(part)
        allowed |= {name: value for name, value in own.items() if name not in fixed}
    if choice.inner is not None:
        allowed = constructor_settings(choice.inner_part()) | allowed
    if choice.per_sample:
        allowed["hop_length"] = (StrictInt, 1)
    return allowed


def build(choice: Choice, given: Mapping[str, Any], rate: int) -> list[nn.Module]:
    """The modules of ``choice`` with ``given`` settings, for signals of ``rate`` Hz."""
    modules: list[nn.Module] = []
    for part in choice.parts():
        names = arguments_of(part)
        arguments: dict[str, Any] = {name: rate for name in RATE_NAMES if name in names}
        arguments |= {name: value for name, value in given.items() if name in names}
        arguments |= choice.fixed.get(part.__name__, {})
        if choice.inner is not None and choice.inner[0] in names:
            inner = constructor_settings(choice.inner_part())
            nested = {k: v for k, v in given.items() if k in inner and k not in names}
            arguments[choice.inner[0]] = nested
        modules.append(part(**arguments))
    return modules


@torch.no_grad()
def run(choice: Choice, modules: list[nn.Module], signal: Tensor, hop: int) -> Tensor:
    """What ``modules`` make of ``signal`` ``(time)``, one after another: ``(bins, frames)``.

    Raises:
        ValueError: if the signal does not suit the first of them, or is too long for memory.
    """
    first, *others = modules
    _require_room(first, len(signal), 1 if choice.full_rate or choice.per_sample else hop)
    if choice.method == "__call__":
        values = _in_blocks(first, signal)
    else:
        values = getattr(first, choice.method)(signal)
    if choice.per_sample:
        values = values[..., ::hop].clone()
    for module in others:
        values = module(values)
    return values


def hop_of(choice: Choice, module: nn.Module, settings: Mapping[str, Any]) -> int:
    """Samples from one column of the result to the next."""
    if choice.per_sample:
        hop: int = settings["hop_length"]
        if hop < 1:
            raise ValueError(f"`hop_length` (={hop}) must be a positive integer. Pass e.g. 64.")
        return hop
    if isinstance(envelopes := getattr(module, "envelope_rate", None), int):
        return int(getattr(module, "sample_rate", envelopes)) // envelopes
    return int(getattr(module, "hop_length", 1))


def _in_blocks(module: nn.Module, signal: Tensor) -> Tensor:
    if len(signal) > 2 * _BLOCK and isinstance(module, FrameTransform):
        try:
            stream = module.stream()
        except ValueError:  # a setting that needs the whole signal
            pass
        else:
            pieces = [stream.push(block) for block in torch.split(signal, _BLOCK)]
            return torch.cat([*pieces, stream.finish()], dim=-1)
    values: Tensor = module(signal)
    return values


def _require_room(module: nn.Module, time: int, hop: int) -> None:
    bins = _bin_count(module)
    count = bins * (time // hop + 1)
    if count > _MOST_VALUES:
        raise ValueError(
            f"`time` (={time:,} samples) of {bins} bins gives {count:,} values; at most "
            f"{_MOST_VALUES:,} are made. Take a part, a longer hop or a lower sampling rate."
        )


def _bin_count(module: nn.Module) -> int:
    own = getattr(module, "frequencies", None)
    if isinstance(own, Tensor):
        return len(own)
    for name in ("n_mfcc", "n_lfcc", "n_mels", "n_bins"):
        if isinstance(count := getattr(module, name, None), int):
            return count
    return int(getattr(module, "n_fft", 1024)) // 2 + 1
