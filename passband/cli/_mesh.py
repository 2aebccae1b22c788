"""``passband mesh``: the surface of a fitted shape."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from passband.errors import InputError

_SUFFIXES = (".ply", ".obj", ".glb", ".stl")


def mesh(
    run: Annotated[Path, typer.Argument(help="Run folder of a finished fit of a shape.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File: .ply, .obj, .glb or .stl.")],
    resolution: Annotated[
        int, typer.Option(metavar="N", help="Cells along a side of the cube, 8 to 2048.")
    ] = 256,
    lipschitz: Annotated[
        float | None,
        typer.Option(metavar="L", help="Bound of the field's slope, measured by default."),
    ] = None,
    largest: Annotated[
        bool, typer.Option("--largest", help="Keep only the part with the most faces.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Write the surface of a fitted shape, in the coordinates of the mesh it was fitted to.

    Only cells near the surface are evaluated, in blocks: 1024 cells along a side take about 1 GB of
    memory. Parts of the surface can be missed if the field is steeper than --lipschitz; with
    --lipschitz inf no cell is skipped.
    """
    if not 8 <= resolution <= 2048:
        raise InputError(f"--resolution (={resolution}) must be 8 to 2048. Pass 256 or 512.")
    if out.suffix.lower() not in _SUFFIXES:
        raise InputError(f"{out} must end in {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]}.")
    from passband.inr import load_field
    from passband.inr._meshing import largest_component
    from passband.inr._shape_results import fitted_mesh
    from passband.media import write_mesh
    from passband.training import choose_device

    began = time.perf_counter()
    fitted = load_field(run, device=choose_device(device))
    surface = fitted_mesh(fitted, resolution, lipschitz=lipschitz, progress=_say_progress)
    if largest:
        surface = largest_component(surface)
    write_mesh(out, surface)
    closed = "watertight" if surface.watertight else "not watertight"
    print(
        f"{out}: {len(surface.vertices):,} vertices, {len(surface.faces):,} faces, {closed}, "
        f"{time.perf_counter() - began:.1f} s"
    )


def _say_progress(done: int, known: int) -> None:
    if sys.stderr.isatty():
        end = "\r" if done < known else "\r\x1b[K"
        print(f"block {done} of {known}", end=end, file=sys.stderr, flush=True)
