"""The picture of a reconstruction: photograph held out, rendering, normals, side by side.

Run: python docs/pictures/scan65.py runs/scan65
"""

import sys
from pathlib import Path

import torch

from passband.media import read_image, write_image
from passband.recon import load_reconstruction
from passband.recon.data import load_photographs

HERE = Path(__file__).parent
SHOWN = 2  # of the pictures held out


def main() -> None:
    run = Path(sys.argv[1])
    fitted = load_reconstruction(run)
    name = fitted.names[SHOWN]
    photographs = load_photographs(fitted.scene.target.path, max_side=fitted.scene.target.max_side)
    photograph = photographs.images[photographs.names.index(name)].movedim(-1, 0) / 255
    stem = name.replace("/", "_").rpartition(".")[0]
    rendering, normals = (
        read_image(run / "views" / f"{stem}{kind}.png").pixels for kind in ("", "_normal")
    )
    write_image(HERE / "scan65.jpg", torch.cat((photograph, rendering, normals), dim=-1))


if __name__ == "__main__":
    main()
