"""``passband render``: a fitted field at any resolution."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passband.errors import InputError

if TYPE_CHECKING:
    from passband.inr import FittedField


def render(
    run: Annotated[Path, typer.Argument(help="Run folder of a finished fit.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write.")],
    scale: Annotated[float | None, typer.Option(help="Times the size it was fitted at.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Pixels, such as 1920x1080.")
    ] = None,
    rate: Annotated[int | None, typer.Option(metavar="HZ", help="Sample rate of a sound.")] = None,
    bit_depth: Annotated[
        int | None, typer.Option(help="8, 16 or 32, by default the source's.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Render a fitted field to a picture or a sound file."""
    from passband.inr import load_field
    from passband.media import write_audio, write_image
    from passband.training import choose_device

    fitted = load_field(run, device=choose_device(device))
    info = fitted.info
    if info.kind == "shape":
        raise InputError(f"{run} is a shape. Write its surface with: passband mesh {run} -o {out}")
    if info.sample_rate is not None:
        if size is not None:
            raise InputError(f"--size is for pictures, and {run} is a sound. Pass --rate HZ.")
        if scale is not None and rate is not None:
            raise InputError("--scale and --rate exclude each other. Pass one.")
        wanted = round(info.sample_rate * scale) if scale is not None else rate
        values = fitted.sound(wanted)
        write_audio(out, values, wanted or info.sample_rate, bit_depth=bit_depth or 16)
        print(f"{out}: {values.shape[0]} channels, {values.shape[1]} samples")
        return
    if rate is not None:
        raise InputError(f"--rate is for sounds, and {run} is a picture. Pass --size WxH.")
    height, width = _picture_size(fitted, scale, size)
    depth = bit_depth or (16 if (info.bit_depth or 8) > 8 else 8)
    if not info.bounded or out.suffix.lower() == ".exr":
        depth = bit_depth or 32
    write_image(out, fitted.sample((height, width)), bit_depth=depth)
    print(f"{out}: {width}x{height}")


def _picture_size(fitted: "FittedField", scale: float | None, size: str | None) -> tuple[int, int]:
    height, width = fitted.info.size
    if scale is not None and size is not None:
        raise InputError("--scale and --size exclude each other. Pass one.")
    if scale is not None:
        if not 0 < scale < 1e6:
            raise InputError(f"--scale (={scale:g}) must be positive, such as 2 or 0.5.")
        return max(1, round(height * scale)), max(1, round(width * scale))
    if size is None:
        return height, width
    parts = size.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(f"--size (={size}) must read WxH, such as 1920x1080.")
    return int(parts[1]), int(parts[0])
