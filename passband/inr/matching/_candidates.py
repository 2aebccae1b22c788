"""The values of a knob that are worth trying, and the untrained fields that are measured."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from passband.errors import InputError
from passband.inr._field import build_field
from passband.inr._scene import FieldSettings, with_knob
from passband.inr.encodings import HashGrid, TriPlane
from passband.inr.matching._spectrum_match import DEFAULT_PATCH
from passband.inr.networks import Progressive

_LARGEST_MEASURED_WIDTH = 128
_LEVEL_SLOPE = 0.6
_COUNTS = (
    "octaves", "n_frequencies", "n_bins", "finest_resolution", "fraction_digits", "degree",
)  # fmt: skip
_GRID_START = 1e-4  # half-width of the law that the entries of a grid are drawn from


def patch_of(knob: str, ndim: int) -> int | None:
    """Side of the patches on which ``knob`` is matched, or None for whole coarse signals.

    The finest resolution of a grid shows near the sampling limit, the other knobs far below it.

    Example:
        >>> patch_of("encoding.finest_resolution", 2), patch_of("encoding.sigma", 2)
        (128, None)
    """
    return DEFAULT_PATCH[ndim] if knob.endswith("finest_resolution") else None


def default_candidates(knob: str, size: Sequence[int], *, base: int = 16) -> list[float]:
    """Values of ``knob`` worth trying on a signal of ``size`` samples per axis.

    Frequencies run from a few cycles per side to what the sampling can hold; long axes (sounds)
    take geometric steps.

    Args:
        knob: dotted name, such as ``encoding.sigma``.
        size: samples per axis.
        base: coarsest resolution of a hash grid.

    Raises:
        InputError: no rule for that knob.

    Example:
        >>> default_candidates("encoding.octaves", (512, 512))
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    """
    longest = max(size)
    match knob.rpartition(".")[2]:
        case "first_omega":
            # sin(omega w x), |w| <= 1 / d, x of extent 2: omega / (pi d) cycles per side at most.
            top = math.pi * longest / 2
            if len(size) == 1:
                return _geometric(30.0, top, 1.6)
            return _geometric(10.0, min(top, 250.0), 1.3)
        case "omega":
            # The factor of every layer, not of the first alone: far beyond WIRE's 20 all vanishes.
            return _geometric(1.0, 40.0, 1.4)
        case "scale":
            return _geometric(2.0, 60.0, 1.4)
        case "sigma" | "input_scale":
            return _geometric(0.5, max(longest / 8, 1.0), 1.41)
        case "max_frequency":
            return _geometric(2.0, max(longest / 2, 4.0), 1.41)
        case "octaves" | "n_frequencies":
            return [float(k) for k in range(1, max(2, int(math.log2(max(longest / 2, 2))) + 2))]
        case "n_bins":
            return [float(2**k) for k in range(2, max(4, int(math.log2(longest))))]
        case "fraction_digits":  # 10^(n - 1) cycles per side
            return [float(n) for n in range(1, int(math.log10(max(longest / 2, 2))) + 3)]
        case "degree":
            return [float(k) for k in range(2, 9)]  # of degree 1 is the constant alone
        case "finest_resolution":
            low = max(2.0 * base, longest / 8)
            return [
                float(round(value))
                for value in _geometric(low, max(1.0 * longest, 2.0 * low), 2**0.5)
            ]
        case "first_bias_scale":
            return [0.25 * k for k in range(13)]
    raise InputError(f"`{knob}` has no usual values. Set matching.candidates.")


def _geometric(low: float, high: float, ratio: float) -> list[float]:
    count = max(2, 1 + round(math.log(max(high / low, ratio)) / math.log(ratio)))
    step = (high / low) ** (1 / (count - 1)) if high > low else ratio
    return [float(f"{low * step**k:.3g}") for k in range(count)]


def measured_builder(
    settings: FieldSettings, knob: str, in_features: int, out_features: int
) -> Callable[[float, torch.Generator], Callable[[Tensor], Tensor]]:
    """Builder of untrained fields for :func:`match_spectrum`, from the settings of a scene.

    Some things differ from the field that will be trained: networks are at most 128 wide, which
    leaves the spectrum as it is and the cost a quarter; and the entries of grids and planes, which
    start so near 0 that the field is almost constant, are uniform in ``+-(N_0 / N_l)^0.6`` at a
    level of resolution ``N_l``, which falls with frequency as the levels of a trained grid do. And
    the upper levels of a progressive network, which start at zero, are drawn as its first is.

    Example:
        >>> from passband.inr import FourierEncoding, ReluNetwork
        >>> settings = FieldSettings(encoding=FourierEncoding(), network=ReluNetwork())
        >>> build = measured_builder(settings, "encoding.sigma", 2, 3)
        >>> build(4.0, torch.Generator().manual_seed(0))(torch.zeros(5, 2)).shape
        torch.Size([5, 3])
    """
    plain = settings.model_dump()
    if "hidden_features" in plain["network"]:
        width = min(plain["network"]["hidden_features"], _LARGEST_MEASURED_WIDTH)
        plain["network"]["hidden_features"] = width
    small = FieldSettings.model_validate(plain)

    def build(value: float, generator: torch.Generator) -> Callable[[Tensor], Tensor]:
        chosen = with_knob(small, knob, integer_knob(knob, value))
        field = build_field(chosen, in_features, out_features, generator=generator)
        if isinstance(field.encoding, HashGrid | TriPlane):
            with torch.no_grad():
                _taper_levels(field.encoding)
        if isinstance(field.network, Progressive):
            field.network.draw_heads(generator=generator)
        return field.to(generator.device)

    return build


def _taper_levels(encoding: HashGrid | TriPlane) -> None:
    if isinstance(encoding, TriPlane):
        coarsest = encoding.planes[0].shape[-1]
        for planes in encoding.planes:
            planes *= (coarsest / planes.shape[-1]) ** _LEVEL_SLOPE / float(planes.abs().max())
        return
    levels = encoding.layout.levels
    for level in levels:
        share = (levels[0].resolution / level.resolution) ** _LEVEL_SLOPE
        encoding.table[level.offset : level.offset + level.entries] *= share / _GRID_START


def integer_knob(knob: str, value: float) -> float:
    """``value`` as an integer where ``knob`` counts something.

    Example:
        >>> integer_knob("encoding.octaves", 3.0), integer_knob("encoding.sigma", 3.0)
        (3, 3.0)
    """
    return int(value) if knob.rpartition(".")[2] in _COUNTS else value
