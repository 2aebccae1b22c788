"""The pictures of the README, made from a run of the demo.

Run: passband fit skimage:astronaut --out runs/demo && python docs/pictures/make.py runs/demo
"""

import io
import json
import sys
from pathlib import Path

from PIL import Image as Pillow

from passband.inr import load_field
from passband.inr._figures import band_figure, error_picture, matching_figure, picture
from passband.inr.targets import image_target

HERE = Path(__file__).parent


def main() -> None:
    run = Path(sys.argv[1])
    metrics = json.loads((run / "metrics.json").read_text())
    target = image_target(metrics["source"])
    rendering = (load_field(run).sample() - target.info.center) / target.info.scale
    parts = [picture(target.signal), picture(rendering), error_picture(target.signal, rendering)]
    tiles = [Pillow.open(io.BytesIO(part)).resize((384, 384)) for part in parts]
    strip = Pillow.new("RGB", (3 * 384 + 2 * 8, 384), "white")
    for number, tile in enumerate(tiles):
        strip.paste(tile, (number * 392, 0))
    strip.save(HERE / "demo.jpg", quality=88)
    figures = {
        "matching.png": matching_figure(metrics["matching"], metrics["knob"]),
        "bands.png": band_figure(metrics["band_edges"], metrics["history"]),
    }
    for name, figure in figures.items():
        (HERE / name).write_bytes(figure)


if __name__ == "__main__":
    main()
