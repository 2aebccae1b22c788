"""Multi-resolution hash grid: one encoding, several implementations of it.

``reference`` is the definition in plain torch: any device and dtype, twice differentiable.
``cpu`` gives the same values from compiled loops, for float32 on the processor, and ``cuda`` from
Triton kernels. ``tcnn`` is tiny-cuda-nn itself, in half precision, and has no Jacobian.
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Literal, get_args

from jaxtyping import Float
from torch import Tensor, float32

from passband.errors import InputError, MissingDependencyError
from passband.inr.kernels.hashgrid import _reference
from passband.inr.kernels.hashgrid._layout import GridType as GridType
from passband.inr.kernels.hashgrid._layout import HashGridLayout as HashGridLayout
from passband.inr.kernels.hashgrid._layout import HashGridLevel as HashGridLevel
from passband.inr.kernels.hashgrid._layout import Interpolation as Interpolation

__all__ = [
    "GridType",
    "HashGridBackend",
    "HashGridLayout",
    "HashGridLevel",
    "Interpolation",
    "hashgrid_encode",
    "hashgrid_encode_with_jacobian",
]

HashGridBackend = Literal["auto", "reference", "cpu", "cuda", "tcnn"]

# The package a backend needs and what installs it.
_NEEDS = {
    "cpu": ("numba", "pip install numba"),
    "cuda": ("triton", "pip install triton"),
    "tcnn": (
        "tinycudann",
        "pip install git+https://github.com/NVlabs/tiny-cuda-nn/#subdirectory=bindings/torch",
    ),
}


def hashgrid_encode(
    x01: Float[Tensor, "*batch d"],
    table: Float[Tensor, "entries features"],
    layout: HashGridLayout,
    *,
    backend: HashGridBackend = "auto",
) -> Float[Tensor, "*batch encoded"]:
    """Per level, the interpolation of the table rows at the 2^d vertices around a point.

    At each level ``pos = scale x + 0.5``; a vertex i of the cell ``floor(pos)`` reads row
    ``sum_k i_k resolution^k mod entries`` of a dense level, and ``XOR_k (i_k prime_k) mod entries``
    of a hashed one, in arithmetic modulo 2^32. It counts with the product over the axes of ``w(f)``
    or ``1 - w(f)``, where f is the fraction of ``pos`` and w the interpolation of the layout. The
    same formula holds outside the unit cube, where the pattern repeats in no useful way: keeping
    coordinates inside it is the caller's part. No coordinate makes it read outside the table.

    Args:
        x01: points, coordinates in [0, 1].
        table: ``layout.total_entries`` rows of ``layout.n_features_per_level`` features.
        layout: which rows belong to which level.
        backend: ``auto`` takes ``cpu`` or ``cuda`` for float32 on the processor or on a GPU where
            numba or triton is installed, else ``reference``. The others run or raise.

    Returns:
        Features of shape (\\*batch, levels * features), coarsest level first.

    Raises:
        InputError: shapes, dtypes or devices that do not go together or that a backend lacks.
        MissingDependencyError: a backend asked for by name whose package is not installed.

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
    points = _check(x01, table, layout, backend)
    encoded: Tensor = _implementation(backend, points).encode(points, table, layout)
    return encoded.reshape(*x01.shape[:-1], layout.out_features)


def hashgrid_encode_with_jacobian(
    x01: Float[Tensor, "*batch d"],
    table: Float[Tensor, "entries features"],
    layout: HashGridLayout,
    *,
    backend: HashGridBackend = "auto",
) -> tuple[Float[Tensor, "*batch encoded"], Float[Tensor, "*batch encoded d"]]:
    """Features as :func:`hashgrid_encode` gives them and their derivatives ``d feature / d x01``.

    One pass over the table for both: the gradient of any function of the features, such as the
    normal of a signed distance, follows from the Jacobian by the chain rule. Both outputs are
    differentiable in points and table, which an eikonal loss needs.

    Args:
        x01: points, coordinates in [0, 1].
        table: ``layout.total_entries`` rows of ``layout.n_features_per_level`` features.
        layout: which rows belong to which level.
        backend: as in :func:`hashgrid_encode`; ``tcnn`` offers no Jacobian.

    Returns:
        Features (\\*batch, encoded) and Jacobian (\\*batch, encoded, d).

    Raises:
        InputError: shapes, dtypes or devices that do not go together or that a backend lacks.
        MissingDependencyError: a backend asked for by name whose package is not installed.

    Example:
        >>> import torch
        >>> layout = HashGridLayout.build(2, n_levels=1, base_resolution=9, finest_resolution=9)
        >>> table = torch.arange(9.0).repeat(9)[:, None].repeat(1, 2)  # grows by one per cell
        >>> table = torch.nn.functional.pad(table, (0, 0, 0, 7))  # rows come in eights
        >>> _, jacobian = hashgrid_encode_with_jacobian(torch.full((1, 2), 0.3), table, layout)
        >>> jacobian[0, 0]  # eight cells per unit
        tensor([8., 0.])

    Agrees with the derivative of ``reference`` to float32 rounding.

    Reference: Müller et al., *Instant Neural Graphics Primitives*, 2022, sec. 3, differentiated.
    """
    points = _check(x01, table, layout, backend)
    implementation = _implementation(backend, points)
    if not hasattr(implementation, "encode_with_jacobian"):
        raise InputError(
            f"`backend` (={backend!r}) has no Jacobian. Use backend='auto' or 'reference'."
        )
    encoded, jacobian = implementation.encode_with_jacobian(points, table, layout)
    batch = x01.shape[:-1]
    return (
        encoded.reshape(*batch, layout.out_features),
        jacobian.reshape(*batch, layout.out_features, layout.in_features),
    )


def _check(x01: Tensor, table: Tensor, layout: HashGridLayout, backend: str) -> Tensor:
    """``x01`` as one list of points, after a look at what goes with what."""
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
    mixed = x01.dtype != table.dtype and backend not in ("cuda", "tcnn")  # they take half tables
    if mixed or x01.device != table.device:
        raise InputError(
            f"`x01` ({x01.dtype} on {x01.device}) and `table` ({table.dtype} on {table.device}) "
            f"must have the same dtype and device. Convert one with .to()."
        )
    return x01.reshape(-1, layout.in_features)


def _implementation(backend: str, points: Tensor) -> ModuleType:
    """The module that has ``encode`` and, but for tcnn, ``encode_with_jacobian``.

    Each module refuses tensors it cannot take. Imported here: numba and triton take half a second,
    and a fit without a grid has no use for them.
    """
    if backend not in get_args(HashGridBackend):
        raise InputError(
            f"`backend` (={backend!r}) must be one of {', '.join(get_args(HashGridBackend))}."
        )
    name = _automatic(points) if backend == "auto" else backend
    if name == "reference":
        return _reference
    package, cure = _NEEDS[name]
    if find_spec(package) is None:
        raise MissingDependencyError(
            f"`backend` (={name!r}) needs {package}, which is not installed. Run: {cure}"
        )
    implementation = import_module(f"{__name__}._{name}")
    return implementation if len(points) > 0 else _reference


def _automatic(points: Tensor) -> str:
    """A backend equal to the reference in float32, where there is one."""
    name = points.device.type
    able = name in ("cpu", "cuda") and points.dtype == float32
    return name if able and find_spec(_NEEDS[name][0]) is not None else "reference"
