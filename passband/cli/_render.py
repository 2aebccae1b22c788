"""``passband render``: a fitted field at any resolution, or photographs from anywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passband.cli._run_kind import is_reconstruction
from passband.errors import InputError

if TYPE_CHECKING:
    from passband.inr import FittedField
    from passband.recon import FittedReconstruction
    from passband.recon.cameras import Cameras

_ORBIT = 120  # views of a turn


def render(
    run: Annotated[Path, typer.Argument(help="Run folder of a finished fit.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="File to write; of photographs a folder or .mp4.")
    ],
    scale: Annotated[float | None, typer.Option(help="Times the size it was fitted at.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Pixels, such as 1920x1080.")
    ] = None,
    rate: Annotated[int | None, typer.Option(metavar="HZ", help="Sample rate of a sound.")] = None,
    bit_depth: Annotated[
        int | None, typer.Option(help="8, 16 or 32, by default the source's.")
    ] = None,
    camera: Annotated[
        str,
        typer.Option(
            metavar="test|orbit|PATH.json",
            help="Of photographs: the cameras held out, a turn around, or a camera path.",
        ),
    ] = "test",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Render a fitted field to a picture or a sound file, or photographs' surface to views."""
    if is_reconstruction(run):
        if any(option is not None for option in (scale, size, rate, bit_depth)):
            raise InputError(
                "--scale, --size, --rate and --bit-depth are not for photographs. Pass --camera."
            )
        _render_views(run, out, camera, device)
        return
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


def _render_views(run: Path, out: Path, camera: str, device: str) -> None:
    from rich.progress import track

    from passband.media import write_image, write_video
    from passband.recon import load_reconstruction, render_view
    from passband.training import choose_device

    place = choose_device(device)
    fitted = load_reconstruction(run, device=place)
    cameras, names, fps = _cameras(fitted, camera)
    cameras = cameras.to(place)
    numbers = track(range(len(cameras)), "views", transient=True, disable=len(cameras) < 2)
    colors = (render_view(fitted.model, cameras, number).color for number in numbers)
    if out.suffix.lower() == ".mp4":
        count = write_video(out, ((255 * color).round().byte() for color in colors), fps)
        print(f"{out}: {count} frames")
        return
    if out.suffix:
        raise InputError(f"{out} must be a folder or end in .mp4. Pass e.g. views.")
    out.mkdir(parents=True, exist_ok=True)
    for name, color in zip(names, colors, strict=True):
        write_image(out / f"{name}.png", color.movedim(-1, 0))
    print(f"{out}: {len(names)} pictures")


def _cameras(fitted: "FittedReconstruction", camera: str) -> tuple["Cameras", list[str], float]:
    """Cameras in the scene, a name for each, and frames per second."""
    from passband.recon.paths import orbit, read_camera_path

    if camera == "test":
        names = [Path(name).stem for name in fitted.names]
        return fitted.cameras, [f"{k:03}_{name}" for k, name in enumerate(names)], 24.0
    if camera == "orbit":
        cameras, fps = orbit(_ORBIT), 24.0
    elif camera.lower().endswith(".json"):
        path = read_camera_path(Path(camera), fitted.to_world)
        cameras, fps = path.cameras, path.fps
    else:
        raise InputError(f"--camera (={camera}) must be test, orbit or a camera path .json.")
    return cameras, [f"{k:04}" for k in range(len(cameras))], fps


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
