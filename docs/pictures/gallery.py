"""The pictures of docs/gallery.md, made from real recordings by the lines shown there.

Run: PASSBAND_DATA=... python docs/pictures/gallery.py [PICTURE...]
The Python that follows a picture is run with a recording in place of its ``waveform = ...``; what
it leaves in its variables is drawn as `drawings` says.
"""

import io
import re
import sys
from pathlib import Path
from typing import Any

import torch
from drawings import DRAWINGS
from matplotlib.figure import Figure
from PIL import Image as Pillow
from recordings import recording

HERE = Path(__file__).parent
PAGE = HERE.parent / "gallery.md"

_LARGEST = 58_000  # bytes
_SECTION = re.compile(
    r"!\[[^]]*\]\(pictures/gallery/([a-z_]+)\.(jpg|png)\)\n\n```python\n(.*?)```", re.S
)


def main() -> None:
    wanted = set(sys.argv[1:])
    for name, kind, code in _SECTION.findall(PAGE.read_text(encoding="utf-8")):
        if wanted and name not in wanted:
            continue
        sound, draw = DRAWINGS[name]
        figure = Figure(figsize=(7.0, 3.7), dpi=100, layout="constrained")
        draw(figure, run(code, sound))
        content = encode(figure, kind)
        (HERE / "gallery" / f"{name}.{kind}").write_bytes(content)
        sys.stdout.write(f"{name}.{kind}: {len(content):,} bytes\n")


def run(code: str, sound: str) -> dict[str, Any]:
    """The variables that ``code`` leaves, of the recording ``sound``."""
    real = re.sub(r"^waveform = .*$", "waveform = recorded", code, flags=re.M)
    variables: dict[str, Any] = {"recorded": recording(sound)}
    torch.manual_seed(0)
    exec(compile(real, PAGE.name, "exec"), variables)
    return variables


def encode(figure: Figure, kind: str) -> bytes:
    """PNG of few colours, or JPEG of the best quality that stays small."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    picture = Pillow.open(buffer).convert("RGB")
    if kind == "png":
        content = io.BytesIO()
        picture.quantize(64, dither=Pillow.Dither.NONE).save(content, "PNG", optimize=True)
        return content.getvalue()
    for quality in range(90, 40, -4):
        content = io.BytesIO()
        picture.save(content, "JPEG", quality=quality, optimize=True)
        if content.tell() <= _LARGEST:
            break
    return content.getvalue()


if __name__ == "__main__":
    main()
