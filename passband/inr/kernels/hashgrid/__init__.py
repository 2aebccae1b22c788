"""Multi-resolution hash grid: one encoding, several implementations of it.

``reference`` is the definition in plain torch: any device and dtype, twice differentiable.
``cpu`` gives the same values from compiled loops, for float32 on the processor.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, float32

from passband.errors import InputError, MissingDependencyError
from passband.inr.kernels.hashgrid import _reference
from passband.inr.kernels.hashgrid._layout import HashGridLayout as HashGridLayout
from passband.inr.kernels.hashgrid._layout import HashGridLevel as HashGridLevel

__all__ = ["HashGridBackend", "HashGridLayout", "HashGridLevel", "hashgrid_encode"]

HashGridBackend = Literal["auto", "reference", "cpu"]


def hashgrid_encode(
    x01: Float[Tensor, "*batch d"],
    table: Float[Tensor, "entries features"],
    layout: HashGridLayout,
    *,
    backend: HashGridBackend = "auto",
) -> Float[Tensor, "*batch encoded"]:
    """Per level, the d-linear interpolation of the table rows at the 2^d vertices around a point.

    At each level ``pos = scale x + 0.5``; a vertex i of the cell ``floor(pos)`` reads row
    ``sum_k i_k resolution^k mod entries`` of a dense level, and ``XOR_k (i_k prime_k) mod entries``
    of a hashed one, in arithmetic modulo 2^32. The same formula holds outside the unit cube, where
    the pattern repeats in no useful way: keeping coordinates inside it is the caller's part. No
    coordinate makes it read outside the table.

    Args:
        x01: points, coordinates in [0, 1].
        table: ``layout.total_entries`` rows of ``layout.n_features_per_level`` features.
        layout: which rows belong to which level.
        backend: ``auto`` takes ``cpu`` for float32 on the processor where numba is installed, else
            ``reference``. The others run or raise. The second derivatives of ``cpu`` (a gradient
            taken with ``create_graph=True``) are computed by ``reference``.

    Returns:
        Features of shape (\\*batch, levels * features), coarsest level first.

    Raises:
        InputError: shapes, dtypes or devices that do not go together or that a backend lacks.
        MissingDependencyError: ``backend="cpu"`` without numba.

    Example:
        >>> import torch
        >>> layout = HashGridLayout.build(2, n_levels=4, log2_hashmap_size=10, per_level_scale=2.0)
        >>> table = torch.rand(layout.total_entries, 2)
        >>> hashgrid_encode(torch.rand(5, 3, 2), table, layout).shape
        torch.Size([5, 3, 8])

    Agrees with a float64 loop over the definition to 1e-6 for a table of order one.

    Reference: Müller, Evans, Schied & Keller, *Instant Neural Graphics Primitives with a
    Multiresolution Hash Encoding*, ACM Trans. Graph. 41(4), 2022, sec. 3, with the offsets and the
    rounding of tiny-cuda-nn.
    """
    _check(x01, table, layout)
    points = x01.reshape(-1, layout.in_features)
    encode: Callable[[Tensor, Tensor, HashGridLayout], Tensor] = _reference.encode
    if _runs_compiled(backend, points) and len(points) > 0:
        # Imported here: numba takes half a second, and a fit without a grid has no use for it.
        encode = import_module(f"{__name__}._cpu").encode
    encoded = encode(points, table, layout)
    return encoded.reshape(*x01.shape[:-1], layout.out_features)


def _check(x01: Tensor, table: Tensor, layout: HashGridLayout) -> None:
    if x01.shape[-1] != layout.in_features:
        raise InputError(
            f"`x01` has {x01.shape[-1]} coordinates per point; the layout is for "
            f"{layout.in_features}. Build the layout with in_features={x01.shape[-1]}."
        )
    wanted = (layout.total_entries, layout.n_features_per_level)
    if tuple(table.shape) != wanted:
        raise InputError(
            f"`table` has shape {tuple(table.shape)}; the layout describes {wanted}. "
            f"Make it with torch.empty{wanted}."
        )
    if x01.dtype != table.dtype or x01.device != table.device:
        raise InputError(
            f"`x01` ({x01.dtype} on {x01.device}) and `table` ({table.dtype} on {table.device}) "
            f"must have the same dtype and device. Convert one with .to()."
        )


def _runs_compiled(backend: str, points: Tensor) -> bool:
    if backend not in get_args(HashGridBackend):
        raise InputError(
            f"`backend` (={backend!r}) must be one of {', '.join(get_args(HashGridBackend))}."
        )
    if backend == "reference":
        return False
    able = points.device.type == "cpu" and points.dtype == float32
    installed = find_spec("numba") is not None
    if backend == "cpu" and not able:
        raise InputError(
            f"`backend` (='cpu') needs float32 tensors on the processor; got {points.dtype} on "
            f"{points.device}. Use backend='reference'."
        )
    if backend == "cpu" and not installed:
        raise MissingDependencyError(
            "`backend` (='cpu') needs numba, which is not installed. Run: pip install numba"
        )
    return able and installed
