"""Milliseconds of each part of a training step on a surface, compiled and in torch.

41,000 samples of 2,000 rays near a sphere, the laptop preset's grid and networks, two threads; a
third of the samples get a colour, as in training. `compiled` is what runs on a processor, `torch`
the same by hand in torch's products, `autograd` torch's own derivatives of derivatives. Calls take
turns; a row holds medians.

Run: python benchmarks/surface_kernels.py
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from record import write_result
from timing import alternate
from torch import Tensor

from passband.inr.encodings import HashGrid
from passband.recon.rendering import Geometry
from passband.recon.surfaces import (
    ColorNetwork,
    EncodedSurface,
    GridSurface,
    blended_relu,
    sloped_network,
)
from passband.training import keep_freed_memory

THREADS, ROUNDS = 2, 9
RAYS, SAMPLES = 2000, 20.5
COLORED = 1 / 3


class Outputs(torch.nn.Module):
    """The networks of a surface without its shortcuts."""

    def __init__(self, surface: GridSurface) -> None:
        super().__init__()
        self.surface = surface

    def forward(self, x: Tensor) -> Tensor:
        s = self.surface
        inputs = torch.cat((x, s.encoding(x)), dim=1)
        sums = torch.addmm(s.hidden_bias, inputs, s.hidden.T)
        return torch.addmm(s.output_bias, blended_relu(sums, s.softness), s.output.T)


def by_hand(surface: GridSurface, x: Tensor) -> Geometry:
    weights = (surface.hidden, surface.hidden_bias, surface.output, surface.output_bias)
    outputs, gradient = sloped_network(
        x, *surface.encoding.with_jacobian(x), *weights, surface.softness
    )
    return Geometry(outputs[:, 0], gradient, outputs[:, 1:])


def points() -> Tensor:
    """Samples of rays through a sphere of radius 0.5, ray after ray."""
    draws = torch.Generator().manual_seed(0)
    origins = torch.nn.functional.normalize(torch.randn(RAYS, 3, generator=draws), dim=1)
    targets = 0.8 * torch.rand(RAYS, 3, generator=draws) - 0.4
    directions = torch.nn.functional.normalize(targets - origins, dim=1)
    count = round(RAYS * SAMPLES)
    ray = torch.arange(count) * RAYS // count
    depth = 0.3 + 0.9 * torch.rand(count, generator=draws).view(RAYS // 2, -1).sort(1).values
    return origins[ray] + depth.reshape(-1, 1) * directions[ray]


def surface() -> GridSurface:
    draws = torch.Generator().manual_seed(0)
    grid = HashGrid(3, log2_hashmap_size=15, finest_resolution=384, init_scale=0.1, generator=draws)
    found = GridSurface(grid, ColorNetwork(15, generator=draws), generator=draws)
    with torch.no_grad():
        found.hidden[:, 3:].normal_(0, 0.1, generator=draws)
    return found


def backward(results: Sequence[Tensor], wanted: Sequence[Tensor]) -> Callable[[], object]:
    """The way back through results that are kept."""
    given = [torch.randn_like(result) for result in results]
    return lambda: torch.autograd.grad(results, wanted, given, retain_graph=True)


def shape_calls(shape: GridSurface, x: Tensor) -> dict[str, dict[str, Callable[[], object]]]:
    twice = EncodedSurface(Outputs(shape), shape.colors)
    ways = {
        "compiled": lambda: shape.geometry(x),
        "torch": lambda: by_hand(shape, x),
        "autograd": lambda: twice.geometry(x),
    }
    trained = [shape.encoding.table, shape.hidden, shape.hidden_bias]
    trained += [shape.output, shape.output_bias]
    calls: dict[str, dict[str, Callable[[], object]]] = {"geometry": {}, "geometry, backward": {}}
    for name, way in ways.items():
        found = way()
        results = (found.distance, found.gradient, found.features)
        calls["geometry"][name] = way
        calls["geometry, backward"][name] = backward(results, trained)
    outputs = Outputs(shape)

    def alone(way: Callable[[Tensor], Tensor]) -> Callable[[], object]:
        def call() -> Tensor:
            with torch.no_grad():
                return way(x)

        return call

    calls["distance alone"] = {"compiled": alone(shape.distance), "torch": alone(outputs)}
    return calls


def color_calls(shape: GridSurface, x: Tensor) -> dict[str, dict[str, Callable[[], object]]]:
    draws = torch.Generator().manual_seed(1)
    count = round(COLORED * len(x))
    inputs = torch.randn(count, 21, generator=draws).requires_grad_()
    x, normal, features = inputs[:, :3], inputs[:, 3:6], inputs[:, 6:]
    ways: dict[str, Callable[[], Tensor]] = {
        "compiled": lambda: shape.color(x, normal, normal, features),
        "torch": lambda: shape.colors.network(torch.cat((features, x, normal), dim=1)).sigmoid(),
    }
    trained = [inputs, *shape.colors.parameters()]
    back = {name: backward([way()], trained) for name, way in ways.items()}
    return {"color": {**ways}, "color, backward": back}


def main() -> None:
    torch.set_num_threads(THREADS)
    keep_freed_memory()
    shape, x = surface(), points()
    report: dict[str, Any] = {"samples": len(x), "rays": RAYS, "parts": {}}
    total = 0.0
    for name, calls in {**shape_calls(shape, x), **color_calls(shape, x)}.items():
        row = alternate(calls, rounds=ROUNDS)
        report["parts"][name] = {f"{way}_ms": value for way, value in row.items()}
        per_second = len(x) / row["compiled"] / 1e3
        times = "".join(f"{way} {value:7.2f} ms  " for way, value in row.items())
        print(f"{name:20}{times}{per_second:6.2f} M samples/s")
        total += 0.0 if name == "distance alone" else row["compiled"]
    report["step_ms"], report["rays_per_s"] = total, 1e3 * RAYS / total
    print(f"these parts of a step: {total:.1f} ms, {report['rays_per_s']:,.0f} rays/s")
    write_result("surface_kernels", report)


if __name__ == "__main__":
    main()
