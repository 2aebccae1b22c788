"""The Triton hash grid against the reference, without a GPU: interpreted, and compiled.

Run as a script it computes what the tests compare: see ``triton_offline.py``.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from passband.errors import InputError
from passband.inr.kernels.hashgrid import (
    HashGridLayout,
    hashgrid_encode,
    hashgrid_encode_with_jacobian,
)

# Two levels, one dense and one hashed (tiled: wrapped), because the interpreter takes half a second
# for each program. Points, coordinates, features, and the largest difference that rounding makes,
# relative to the largest value: sums of 2^d products, or factors rounded to half precision.
CASES: dict[str, tuple[int, int, int, dict[str, Any]]] = {
    "2-D, three features, two blocks": (200, 2, 3, {}),
    "3-D": (70, 3, 2, {}),
    "3-D smoothstep": (33, 3, 2, {"interpolation": "smoothstep"}),
    "4-D tiled, one feature": (21, 4, 1, {"grid_type": "tiled"}),
    "2-D nearest": (40, 2, 2, {"interpolation": "nearest"}),
}
FLOAT32 = 1e-6
HALVES = {torch.float16: 5e-4, torch.bfloat16: 4e-3}


def grid(d: int, features: int, **changes: Any) -> HashGridLayout:
    return HashGridLayout.build(
        d, n_levels=2, n_features_per_level=features, log2_hashmap_size=7, base_resolution=3,
        finest_resolution=20, **changes,
    )  # fmt: skip


def inputs(case: str) -> tuple[torch.Tensor, torch.Tensor, HashGridLayout]:
    """A few of the points lie outside the unit cube."""
    count, d, features, changes = CASES[case]
    layout = grid(d, features, **changes)
    generator = torch.Generator().manual_seed(count)
    x01 = 1.1 * torch.rand(count, d, generator=generator) - 0.05
    table = 2 * torch.rand(layout.total_entries, features, generator=generator) - 1
    return x01.requires_grad_(), table.requires_grad_(), layout


def random_like(values: torch.Tensor, seed: int) -> torch.Tensor:
    return torch.randn(values.shape, generator=torch.Generator().manual_seed(seed))


def derivatives(case: str, backend: str) -> dict[str, torch.Tensor]:
    """Features, both gradients, and the gradients of a function of both gradients."""
    x01, table, layout = inputs(case)
    encoded = hashgrid_encode(x01, table, layout, backend=backend)
    grad = random_like(encoded, 1).requires_grad_()
    point_grad, table_grad = torch.autograd.grad(encoded, (x01, table), grad, create_graph=True)
    second = torch.autograd.grad(
        (point_grad * random_like(x01, 2)).sum() + (table_grad * random_like(table, 3)).sum(),
        (grad, x01, table), allow_unused=True, materialize_grads=True,
    )  # fmt: skip
    names = ("encoded", "d/dx", "d/dT", "d2/dg", "d2/dx", "d2/dT")
    return dict(zip(names, (encoded, point_grad, table_grad, *second), strict=True))


def jacobian(case: str, backend: str) -> dict[str, torch.Tensor]:
    """Features, Jacobian, and the gradients of a function of both."""
    x01, table, layout = inputs(case)
    encoded, slopes = hashgrid_encode_with_jacobian(x01, table, layout, backend=backend)
    loss = (encoded.square() * random_like(encoded, 1)).sum()
    loss = loss + (slopes.square() * random_like(slopes, 2)).sum()
    found = (encoded, slopes, *torch.autograd.grad(loss, (x01, table)))
    return dict(zip(("encoded", "jacobian", "d/dx", "d/dT"), found, strict=True))


def one_output_of_the_jacobian(case: str, backend: str, which: int) -> dict[str, torch.Tensor]:
    x01, table, layout = inputs(case)
    output = hashgrid_encode_with_jacobian(x01, table, layout, backend=backend)[which]
    found = torch.autograd.grad((output * random_like(output, 1)).sum(), (x01, table))
    return dict(zip(("d/dx", "d/dT"), found, strict=True))


def one_input(case: str, backend: str) -> dict[str, torch.Tensor]:
    """Gradients of an eikonal loss on a table that is not trained, and of a table alone."""
    x01, table, layout = inputs(case)
    encoded = hashgrid_encode(x01, table.detach(), layout, backend=backend)
    (slope,) = torch.autograd.grad(encoded.square().sum(), x01, create_graph=True)
    (points,) = torch.autograd.grad(slope.square().sum(), x01)
    encoded = hashgrid_encode(x01.detach(), table, layout, backend=backend)
    (rows,) = torch.autograd.grad(encoded.square().sum(), table)
    return {"d/dx": points, "d/dT": rows}


def third(case: str, backend: str) -> dict[str, torch.Tensor]:
    x01, table, layout = inputs(case)
    encoded = hashgrid_encode(x01, table, layout, backend=backend)
    (slope,) = torch.autograd.grad(encoded.sin().sum(), x01, create_graph=True)
    (bend,) = torch.autograd.grad(slope.square().sum(), x01, create_graph=True)
    return {"d3/dT": torch.autograd.grad(bend.square().sum(), table)[0]}


def half(case: str, backend: str, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """With a rounded table; the reference computes with the same values in float32."""
    # The backends themselves: hashgrid_encode asks for points of the table's dtype.
    module = importlib.import_module(f"passband.inr.kernels.hashgrid._{backend}")
    x01, table, layout = inputs(case)
    table = table.detach().to(dtype)
    table = (table.float() if backend == "reference" else table).requires_grad_()
    encoded = module.encode(x01, table, layout)
    _, slopes = module.encode_with_jacobian(x01, table, layout)
    grad = random_like(encoded, 1).to(encoded.dtype)
    found = (encoded, slopes, *torch.autograd.grad(encoded, (x01, table), grad))
    return dict(zip(("encoded", "jacobian", "d/dx", "d/dT"), found, strict=True))


RUNS: dict[str, Any] = {
    **{f"derivatives, {case}": (derivatives, case) for case in CASES},
    **{f"Jacobian, {case}": (jacobian, case) for case in list(CASES)[1:]},
    "Jacobian, features alone": (one_output_of_the_jacobian, "3-D", 0),
    "Jacobian, derivatives alone": (one_output_of_the_jacobian, "3-D", 1),
    "one input": (one_input, "3-D"),
    "third derivative": (third, "3-D smoothstep"),
}
HALF_RUNS = {f"{dtype}": (half, "3-D", dtype) for dtype in HALVES}


def compute(run: tuple, backend: str) -> dict[str, torch.Tensor]:
    function, case, *more = run
    return {k: v.detach() for k, v in function(case, backend, *more).items()}


def wild() -> torch.Tensor:
    layout = grid(3, 2)
    values = torch.tensor([float("nan"), float("inf"), -1e30, 1e9])
    x01 = values[:, None].expand(4, 3).clone()
    table = torch.zeros(layout.total_entries, 2, requires_grad=True)
    encoded = hashgrid_encode(x01, table, layout, backend="cuda")
    return torch.autograd.grad(encoded.nan_to_num().sum(), table)[0]


def batched() -> torch.Tensor:
    x01, table, layout = inputs("3-D")
    x01 = x01[:10].reshape(2, 5, 3).transpose(0, 1)
    return hashgrid_encode(x01, table, layout, backend="cuda").detach()


def main(mode: str, out: str) -> None:
    from triton_offline import compile_instead_of_launch, compute_bfloat16_right

    if mode == "interpret":
        compute_bfloat16_right()
        found = {name: compute(run, "cuda") for name, run in {**RUNS, **HALF_RUNS}.items()}
        found["wild"], found["batched"] = wild(), batched()
    else:
        from passband.inr.kernels.hashgrid import _cuda, _triton_backward, _triton_forward

        _cuda._check = lambda x01, table: None
        kernels = {_triton_forward: ["_interpolate", "_jacobian"], _triton_backward: ["_backward"]}
        found = compile_instead_of_launch(kernels, capability=90)
        compute(RUNS["derivatives, 2-D, three features, two blocks"], "cuda")
        compute(RUNS["Jacobian, 3-D smoothstep"], "cuda")
    torch.save(found, out)


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory, offline: ModuleType) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("interpreted")
    found: dict[str, Any] = offline.run_script(__file__, "interpret", folder / "found.pt")
    return found


def check(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor], limit: float) -> None:
    assert ours.keys() == theirs.keys()
    for name, wanted in theirs.items():
        assert ours[name].shape == wanted.shape
        error = (ours[name].float() - wanted).abs().max()
        assert error <= limit * max(wanted.abs().max(), 1e-3), name


@pytest.mark.parametrize("name", RUNS)
def test_kernels_match_the_reference(interpreted: dict, name: str) -> None:
    check(interpreted[name], compute(RUNS[name], "reference"), FLOAT32)


@pytest.mark.parametrize("dtype", HALVES)
def test_tables_in_half_precision(interpreted: dict, dtype: torch.dtype) -> None:
    found = interpreted[f"{dtype}"]
    assert found["encoded"].dtype == found["d/dT"].dtype == dtype
    assert found["jacobian"].dtype == found["d/dx"].dtype == torch.float32
    check(found, compute(HALF_RUNS[f"{dtype}"], "reference"), HALVES[dtype])


def test_wild_coordinates_touch_nothing_outside_the_table(interpreted: dict) -> None:
    assert interpreted["wild"].shape == (grid(3, 2).total_entries, 2)


def test_batch_dimensions_and_strides(interpreted: dict) -> None:
    x01, table, layout = inputs("3-D")
    flat = hashgrid_encode(x01[:10], table, layout, backend="reference").reshape(2, 5, -1)
    torch.testing.assert_close(interpreted["batched"], flat.transpose(0, 1), atol=1e-6, rtol=0)


def test_kernels_compile_for_a_gpu_without_one(tmp_path: Path, offline: ModuleType) -> None:
    found = offline.run_script(__file__, "compile", tmp_path / "found.pt")
    names = {name.split()[0] for name in found}
    assert names == {"_interpolate", "_jacobian", "_backward"}
    assert all(shared <= 48 * 1024 for shared in found.values())


def test_tensors_off_the_gpu_are_refused() -> None:
    pytest.importorskip("triton")
    x01, table, layout = inputs("3-D")
    with pytest.raises(InputError, match=r"on a CUDA GPU; `x01` is torch.float32 on cpu"):
        hashgrid_encode(x01, table, layout, backend="cuda")


if __name__ == "__main__":
    main(*sys.argv[1:])
