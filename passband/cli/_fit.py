"""``passband fit``: from a picture, a sound or a scene to a run folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from passband.inr import AudioScene, ImageScene


def fit(
    source: Annotated[
        Path, typer.Argument(metavar="SCENE.toml|FILE", help="A scene, a picture or a sound.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default runs/NAME, numbered if taken.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of the scene."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    resume: Annotated[bool, typer.Option(help="Go on with what --out holds.")] = False,
) -> None:
    """Fit a neural field to a picture or a sound.

    A bare file gets the default scene for its kind: a hash grid sized to the signal, its finest
    resolution matched to the signal's spectrum. Ctrl-C keeps a checkpoint; --resume goes on.
    """
    from passband.inr import fit as fit_scene
    from passband.training import keep_freed_memory

    scene = read_source(source, set_ or [])
    folder = out if out is not None else _default_folder(source, resume=resume)
    keep_freed_memory()
    try:
        metrics = fit_scene(scene, folder, device=device, resume=resume)
    except KeyboardInterrupt:
        typer.echo(
            f"interrupted; go on with: passband fit {source} --out {folder} --resume", err=True
        )
        raise
    knob = f", {metrics['knob']} = {metrics['knob_value']:g}" if metrics["knob"] else ""
    print(
        f"{metrics['psnr']:.2f} dB PSNR with {metrics['parameters']:,} parameters "
        f"after {metrics['steps']} steps in {metrics['seconds']:.1f} s{knob}"
    )
    rendering = next(folder.glob("rendering.*"))
    print(f"result: {rendering}")
    print(f"report: {folder / 'report.html'}")


def read_source(source: Path, overrides: list[str]) -> "ImageScene | AudioScene":
    """The scene in ``source``, or the default scene for the signal in it, with ``overrides``."""
    from passband.inr import default_scene, load_scene, parse_scene
    from passband.inr._scene_file import apply_overrides
    from passband.inr.targets import bundled_image
    from passband.media import probe

    if source.suffix.lower() == ".toml":
        return load_scene(source, overrides)
    text = str(source)
    scene = default_scene(probe(bundled_image(text)), text if text.startswith("skimage:") else None)
    if not overrides:
        return scene
    plain = scene.model_dump(exclude_none=True)
    apply_overrides(plain, overrides)
    return parse_scene(plain, source=text)


def _default_folder(source: Path, *, resume: bool) -> Path:
    name = str(source).removeprefix("skimage:")
    folder = Path("runs") / Path(name).stem
    number = 2
    while not resume and folder.exists():
        folder = folder.with_name(f"{Path(name).stem}-{number}")
        number += 1
    return folder
