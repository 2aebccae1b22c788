"""``passband doctor``: what is wrong with a folder of posed photographs."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def doctor(
    folder: Annotated[Path, typer.Argument(help="Folder of the data set, or its transforms.json.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="PNG of cameras and hull to write.")
    ] = None,
    sphere: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(help="Centre and radius around the object, in the world of the data."),
    ] = None,
    max_side: Annotated[int, typer.Option(min=16, help="Pixels to look at pictures in.")] = 400,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check poses, sphere, masks, coverage and pictures before a fit; say how to mend them.

    Exits with 0 when a fit can go ahead and with 2 when an error was found.
    """
    from passband.recon.data import load_photographs
    from passband.recon.doctor import draw, examine

    examination = examine(load_photographs(folder, max_side=max_side, sphere=sphere))
    facts = examination.facts()
    if as_json:
        print(json.dumps(facts, indent=1))
    else:
        print(_summary(facts))
        for finding in examination.findings:
            print(finding)
    if out is not None:
        draw(examination, out)
        if not as_json:
            print(f"picture: {out}")
    if not examination.healthy:
        raise typer.Exit(2)


def _summary(facts: dict[str, Any]) -> str:
    sizes = ", ".join(f"{width}x{height}" for width, height in facts["sizes"][:3])
    more = " and other sizes" if len(facts["sizes"]) > 3 else ""
    away = facts["camera_distance"]
    parts = [
        f"{facts['pictures']} pictures, looked at in {sizes}{more}, "
        f"{'with' if facts['masks'] else 'without'} masks",
        f"cameras {away['least']:.3g} to {away['most']:.3g} radii from the object",
        f"{facts['coverage']:.0%} of all sides seen",
    ]
    if facts["up"]:
        parts.append(f"up is {facts['up']} of the world")
    if facts["mask_overlap"]:
        worst = min(facts["mask_overlap"], key=facts["mask_overlap"].get)
        scores = sorted(facts["mask_overlap"].values())
        parts.append(
            f"masks and hull overlap by {scores[len(scores) // 2]:.2f} "
            f"(least {scores[0]:.2f}, {worst})"
        )
    return "; ".join(parts)
