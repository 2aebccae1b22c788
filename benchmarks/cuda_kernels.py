"""How near the Triton kernels come to what the GPU's memory allows, to tiny-cuda-nn and to torch.

Asked for: the hash grid, forward and table gradient, 2^20 points in 3-D, 16 levels of two features,
T=2^19, within 1.5 times its traffic limit and at least as fast as tiny-cuda-nn where that is
installed; the fused 64-wide network at least 3 times as fast as eager torch.

The traffic limit is the time that a large copy takes to move as many bytes as the method does:
every point's coordinates, features and their gradients once per pass, the table's gradient zeroed
once, and around each point and level the rows of its 2^d vertices, read in the forward pass and
read and written in the backward pass. Memory moves in sectors of 32 bytes. Two neighbours along
the first coordinate lie side by side, so they share a sector unless its edge falls between them:
2^(d-1) (1 + bytes of a row / 32) sectors per point and level. The second limit printed is a harder
one, with the table read once and its gradient written once: what a cache that holds a whole level
could reach, were additions in it free.

Run on a CUDA machine: python benchmarks/cuda_kernels.py
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from record import write_result
from torch import Tensor

from passband.inr.kernels.hashgrid import HashGridLayout, _reference
from passband.inr.networks import FusedMLP, ReluMLP

POINTS = 2**20
SECTOR = 32
CHECKED = 2**14  # points whose values are compared with the reference
GRIDS = {"float32": torch.float32, "float16": torch.float16}

Encode = Callable[[Tensor, Tensor, HashGridLayout], Tensor]


def milliseconds(call: Callable[[], object]) -> float:
    """Median, with the second-level cache emptied before every run."""
    from triton.testing import do_bench

    return float(do_bench(call, warmup=100, rep=500, return_mode="median"))


def copy_bandwidth() -> float:
    """Bytes per second, read and written, of a copy of a gibibyte."""
    source = torch.empty(2**28, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.nbytes / (1e-3 * milliseconds(lambda: target.copy_(source)))


def moved_bytes(layout: HashGridLayout, dtype: torch.dtype) -> dict[str, int]:
    """Bytes of a forward pass and a table gradient: see above."""
    width = torch.finfo(dtype).bits // 8
    d, features = layout.in_features, layout.n_features_per_level
    lookups = POINTS * len(layout.levels) * 2 ** (d - 1)

    def rows(bytes_per_value: int) -> int:
        return round(lookups * (SECTOR + features * bytes_per_value))

    streams = 2 * POINTS * (4 * d + layout.out_features * width)
    values = layout.total_entries * features
    return {
        "by sectors": streams + 4 * values + rows(width) + 2 * rows(4),
        "table once": streams + width * values + 2 * 4 * values,
    }


def tensors(layout: HashGridLayout, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Points, table and the gradient that arrives at the features."""
    generator = torch.Generator("cuda").manual_seed(0)
    options: dict[str, Any] = {"generator": generator, "device": "cuda"}
    x01 = torch.rand(POINTS, layout.in_features, **options)
    shape = (layout.total_entries, layout.n_features_per_level)
    table = (2 * torch.rand(shape, **options) - 1).to(dtype)
    grad = torch.randn(POINTS, layout.out_features, **options).to(dtype)
    return x01, table.requires_grad_(), grad


def differences(encode: Encode, layout: HashGridLayout, dtype: torch.dtype) -> dict[str, float]:
    """Largest differences from the reference with the same table, relative to the largest value."""
    x01, table, grad = tensors(layout, dtype)
    x01, grad = x01[:CHECKED].requires_grad_(), grad[:CHECKED]
    wide = table.detach().float().requires_grad_()
    ours = encode(x01, table, layout)
    theirs = _reference.encode(x01, wide, layout)
    pairs = {
        "features": (ours, theirs),
        **dict(
            zip(
                ("point gradient", "table gradient"),
                zip(
                    torch.autograd.grad(ours, (x01, table), grad),
                    torch.autograd.grad(theirs, (x01, wide), grad.float()),
                    strict=True,
                ),
                strict=True,
            )
        ),
    }
    return {
        name: ((a.float() - b).abs().max() / b.abs().max()).item() for name, (a, b) in pairs.items()
    }


def encodings(dtype: torch.dtype) -> dict[str, Encode]:
    from passband.inr.kernels.hashgrid import _cuda, _tcnn

    found: dict[str, Encode] = {"passband": _cuda.encode}
    if find_spec("tinycudann") is not None and dtype == torch.float16:
        found["tiny-cuda-nn"] = _tcnn.encode
    return found


def measure_grid(dtype: torch.dtype, bandwidth: float) -> dict[str, Any]:
    layout = HashGridLayout.build(3, log2_hashmap_size=19, finest_resolution=2048)
    x01, table, grad = tensors(layout, dtype)
    row: dict[str, Any] = {}
    for name, encode in encodings(dtype).items():

        def forward() -> Tensor:
            return encode(x01, table, layout)

        def with_table() -> None:
            torch.autograd.grad(forward(), table, grad)

        def with_both() -> None:
            x = x01.detach().requires_grad_()
            torch.autograd.grad(encode(x, table, layout), (x, table), grad)

        with torch.no_grad():
            row[f"{name}, forward ms"] = milliseconds(forward)
        row[f"{name}, forward and table gradient ms"] = milliseconds(with_table)
        row[f"{name}, forward and both gradients ms"] = milliseconds(with_both)
        row[f"{name}, differences"] = differences(encode, layout, dtype)
    ours = row["passband, forward and table gradient ms"]
    for name, count in moved_bytes(layout, dtype).items():
        limit = 1e3 * count / bandwidth
        row[f"limit {name}"] = {"gigabytes": count / 1e9, "ms": limit, "times limit": ours / limit}
    if "tiny-cuda-nn, forward ms" in row:
        row["tiny-cuda-nn / passband"] = row["tiny-cuda-nn, forward and table gradient ms"] / ours
    return row


def measure_network() -> dict[str, Any]:
    """32 features, two hidden layers of 64, three values: forward and all gradients."""
    generator = torch.Generator("cuda").manual_seed(0)
    fused = FusedMLP(32, 3, generator=generator)
    eager = ReluMLP(32, 3, bias=False, generator=generator)
    eager.load_state_dict(fused.state_dict())
    x = torch.randn(POINTS, 32, device="cuda", generator=generator).requires_grad_()
    grad = torch.randn(POINTS, 3, device="cuda", generator=generator) / POINTS
    row: dict[str, Any] = {}

    def passes(network: torch.nn.Module) -> tuple[Tensor, ...]:
        values = network(x)
        inputs = (x, *network.parameters())
        return values, *torch.autograd.grad(values, inputs, grad.to(values.dtype))

    def autocast() -> None:
        with torch.autocast("cuda", torch.float16):
            passes(eager)

    row["fused, float16 ms"] = milliseconds(lambda: passes(fused))
    row["eager, float32 ms"] = milliseconds(lambda: passes(eager))
    row["eager, autocast to float16 ms"] = milliseconds(autocast)
    for name in ("eager, float32", "eager, autocast to float16"):
        row[f"{name} / fused"] = row[f"{name} ms"] / row["fused, float16 ms"]
    row["differences from float32"] = [
        ((a - b).abs().max() / b.abs().max()).item()
        for a, b in zip(passes(fused), passes(eager), strict=True)
    ]
    return row


def show(title: str, row: dict[str, Any]) -> None:
    print(f"\n{title}")
    for name, value in row.items():
        text = f"{value:.3f}" if isinstance(value, float) else str(value)
        print(f"  {name:<48} {text}")


def main() -> None:
    if not torch.cuda.is_available():
        sys.exit("This benchmark needs a CUDA GPU, and torch sees none.")
    torch.backends.cuda.matmul.allow_tf32 = False
    bandwidth = copy_bandwidth()
    report: dict[str, Any] = {
        "points": POINTS,
        "copy bandwidth, GB/s": bandwidth / 1e9,
        "hash grid": {name: measure_grid(dtype, bandwidth) for name, dtype in GRIDS.items()},
        "network": measure_network(),
    }
    print(f"A large copy moves {bandwidth / 1e9:.0f} GB/s.")
    for name, row in report["hash grid"].items():
        show(f"hash grid, table in {name}", row)
    show("network 32-64-64-3", report["network"])
    write_result("cuda_kernels", report)


if __name__ == "__main__":
    main()
