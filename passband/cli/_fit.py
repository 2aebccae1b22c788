"""``passband fit``: from a signal, photographs or a scene to a run folder."""

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passband.errors import InputError

if TYPE_CHECKING:
    from passband.inr import Scene

_USUAL_BUDGET = "300k"


def fit(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SCENE.toml|FILE|DIR",
            help="A scene, a picture, a sound, a mesh, or a folder of posed photographs.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default runs/NAME, numbered if taken.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of the scene."),
    ] = None,
    field: Annotated[
        str | None,
        typer.Option(metavar="FAMILY", help="A family such as finer or hashgrid, or auto."),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Parameters (200k) or, with auto, seconds (30s)."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of photographs: laptop, 8gb, 24gb or 80gb."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    resume: Annotated[bool, typer.Option(help="Go on with what --out holds.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Allow hash tables of more than 2^24 entries a level.")
    ] = False,
) -> None:
    """Fit a neural field to a picture, a sound, a mesh, or a surface to photographs.

    A bare file gets the default scene for its kind: a hash grid sized to the signal, its finest
    resolution matched to the signal's spectrum. --field takes another family, its knob matched,
    and --field auto fits the usual ones for a short while and goes on with the best; --budget says
    how large it may be or, with auto, how long it may take. Ctrl-C keeps a checkpoint; --resume
    goes on. A folder of posed photographs gets a surface; --preset says for which machine.
    """
    from passband.training import keep_freed_memory

    keep_freed_memory()
    folder = out if out is not None else _default_folder(source, resume=resume)
    try:
        if _is_photographs(source):
            if field is not None or budget is not None or force:
                raise InputError("--field, --budget and --force are not for photographs.")
            _fit_photographs(source, set_ or [], folder, preset, device, resume=resume)
            return
        if preset is not None:
            raise InputError(f"--preset (={preset}) is for photographs. Pass --budget.")
        _fit_signal(source, set_ or [], folder, field, budget, device, resume=resume, force=force)
    except KeyboardInterrupt:
        typer.echo(f"interrupted; go on with: {_resuming(folder)}", err=True)
        raise
    print(f"report: {folder / 'report.html'}")


def _resuming(folder: Path) -> str:
    """The command line that was given, to go on with ``folder``."""
    given = [word for word in sys.argv[1:] if word != "--resume"]
    if not any(word == "--out" or word.startswith("--out=") for word in given):
        given += ["--out", str(folder)]
    return shlex.join(["passband", *given, "--resume"])


def _is_photographs(source: Path) -> bool:
    if source.is_dir():
        return True
    if source.suffix.lower() != ".toml":
        return False
    from passband.training import read_settings

    expected = "a scene file or a signal"
    return bool(read_settings(source, expected=expected).get("kind") == "photographs")


def _fit_photographs(
    source: Path,
    overrides: list[str],
    folder: Path,
    preset: str | None,
    device: str,
    *,
    resume: bool,
) -> None:
    from passband.recon import fit_photographs, load_photographs_scene

    scene = load_photographs_scene(source, overrides, preset=preset)
    metrics = fit_photographs(scene, folder, device=device, resume=resume)
    psnr = metrics["psnr_inside"] or metrics["psnr"]
    print(
        f"{psnr:.2f} dB PSNR on {metrics['test_views']} pictures held out, after "
        f"{metrics['steps']} steps in {metrics['seconds']:.1f} s, "
        f"{metrics['rays_per_second']:,.0f} rays/s"
    )
    for result in (*folder.glob("mesh.ply"), *folder.glob("views")):
        print(f"result: {result}")


def _fit_signal(
    source: Path,
    given: list[str],
    folder: Path,
    field: str | None,
    budget: str | None,
    device: str,
    *,
    resume: bool,
    force: bool,
) -> None:
    from passband.inr import fit as fit_scene

    overrides = [*_field_overrides(field, budget), *given]
    if force:
        overrides.append("field.encoding.allow_large=true")
    scene = read_source(source, overrides)
    metrics = fit_scene(scene, folder, device=device, resume=resume)
    knob = f", {metrics['knob']} = {metrics['knob_value']:g}" if metrics["knob"] else ""
    print(
        f"{_quality(metrics)} with {metrics['parameters']:,} parameters "
        f"after {metrics['steps']} steps in {metrics['seconds']:.1f} s{knob}"
    )
    for result in (*folder.glob("rendering.*"), *folder.glob("mesh.ply")):
        print(f"result: {result}")


def _field_overrides(field: str | None, budget: str | None) -> list[str]:
    """The table ``auto`` of a scene, as overrides, from --field and --budget."""
    if field is None:
        if budget is not None:
            raise InputError(f"--budget (={budget}) goes with --field. Pass --field auto.")
        return []
    families = [] if field == "auto" else [f'auto.families=["{field}"]']
    text = budget or _USUAL_BUDGET
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(k|M|s|)", text)
    if match is None:
        raise InputError(f"--budget (={text}) must be parameters or seconds, as in 200k or 30s.")
    number, unit = float(match[1]), match[2]
    if unit == "s":
        return [*families, f"auto.seconds={number}"]
    return [*families, f"auto.parameters={round(number * {'k': 1e3, 'M': 1e6, '': 1}[unit])}"]


def _quality(metrics: dict[str, Any]) -> str:
    if metrics["kind"] != "shape":
        return f"{metrics['psnr']:.2f} dB PSNR"
    if metrics["chamfer"] is None:
        return f"IoU {metrics['iou']:.4f}, no surface"
    return f"IoU {metrics['iou']:.4f}, chamfer {metrics['chamfer']:.2e} of the unit cube"


def read_source(source: Path, overrides: list[str]) -> "Scene":
    """The scene in ``source``, or the default scene for the signal in it, with ``overrides``."""
    from passband.inr import default_scene, load_scene, parse_scene
    from passband.inr.targets import bundled_image
    from passband.media import probe
    from passband.training import override_settings

    if source.suffix.lower() == ".toml":
        return load_scene(source, overrides)
    text = str(source)
    scene = default_scene(probe(bundled_image(text)), text if text.startswith("skimage:") else None)
    if not overrides:
        return scene
    plain = scene.model_dump(exclude_none=True)
    override_settings(plain, overrides)
    return parse_scene(plain, source=text)


def _default_folder(source: Path, *, resume: bool) -> Path:
    name = str(source).removeprefix("skimage:")
    folder = Path("runs") / Path(name).stem
    number = 2
    while not resume and folder.exists():
        folder = folder.with_name(f"{Path(name).stem}-{number}")
        number += 1
    return folder
