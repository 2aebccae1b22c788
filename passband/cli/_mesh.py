"""``passband mesh``: the surface of a fitted shape or of photographs."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passband.cli._run_kind import is_reconstruction
from passband.errors import InputError

if TYPE_CHECKING:
    from passband.media import Mesh

_SUFFIXES = (".ply", ".obj", ".glb", ".stl")


def mesh(
    run: Annotated[Path, typer.Argument(help="Run folder of a shape or of photographs.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File: .ply, .obj, .glb or .stl.")],
    resolution: Annotated[
        int, typer.Option(metavar="N", help="Cells along a side of the cube, 8 to 2048.")
    ] = 256,
    lipschitz: Annotated[
        float | None,
        typer.Option(metavar="L", help="Bound of the field's slope, measured by default."),
    ] = None,
    largest: Annotated[
        bool | None,
        typer.Option(
            "--largest/--all",
            help="Only the part with the most faces, or all; of photographs by default the former.",
        ),
    ] = None,
    color: Annotated[
        bool, typer.Option("--color", help="Colour the vertices; of photographs only.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Write the surface of a fitted shape or of photographs, in the coordinates of their source.

    Only cells near the surface are evaluated, in blocks: 1024 cells along a side take about 1 GB of
    memory. Parts of the surface can be missed if the field is steeper than --lipschitz; with
    --lipschitz inf no cell is skipped.
    """
    if not 8 <= resolution <= 2048:
        raise InputError(f"--resolution (={resolution}) must be 8 to 2048. Pass 256 or 512.")
    if out.suffix.lower() not in _SUFFIXES:
        raise InputError(f"{out} must end in {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]}.")
    from passband.media import write_mesh

    began = time.perf_counter()
    if is_reconstruction(run):
        if lipschitz is not None:
            raise InputError(f"--lipschitz (={lipschitz:g}) is for shapes. Leave it out.")
        surface = _of_photographs(run, resolution, color=color, largest=largest, device=device)
    else:
        if color:
            raise InputError("--color is for photographs; a shape has none. Leave it out.")
        surface = _of_shape(run, resolution, lipschitz, largest=largest, device=device)
    write_mesh(out, surface)
    closed = "watertight" if surface.watertight else "not watertight"
    print(
        f"{out}: {len(surface.vertices):,} vertices, {len(surface.faces):,} faces, {closed}, "
        f"{time.perf_counter() - began:.1f} s"
    )


def _of_photographs(
    run: Path, resolution: int, *, color: bool, largest: bool | None, device: str
) -> "Mesh":
    from passband.recon import load_reconstruction, reconstruction_mesh
    from passband.training import choose_device

    fitted = load_reconstruction(run, device=choose_device(device))
    return reconstruction_mesh(
        fitted, resolution, color=color, largest=largest is not False, progress=_say_progress
    )


def _of_shape(
    run: Path, resolution: int, lipschitz: float | None, *, largest: bool | None, device: str
) -> "Mesh":
    from passband.inr import load_field
    from passband.inr._meshing import largest_component
    from passband.inr._shape_results import fitted_mesh
    from passband.training import choose_device

    fitted = load_field(run, device=choose_device(device))
    surface = fitted_mesh(fitted, resolution, lipschitz=lipschitz, progress=_say_progress)
    return largest_component(surface) if largest else surface


def _say_progress(done: int, known: int) -> None:
    if sys.stderr.isatty():
        end = "\r" if done < known else "\r\x1b[K"
        print(f"block {done} of {known}", end=end, file=sys.stderr, flush=True)
