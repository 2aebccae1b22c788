"""From posed photographs to surfaces: cameras, data, rendering, surfaces, evaluation."""

from passband.recon._fit import fit_photographs as fit_photographs
from passband.recon._mesh import reconstruction_mesh as reconstruction_mesh
from passband.recon._presets import PRESETS as PRESETS
from passband.recon._run import MODEL_FILE as MODEL_FILE
from passband.recon._run import FittedReconstruction as FittedReconstruction
from passband.recon._run import load_reconstruction as load_reconstruction
from passband.recon._run import save_reconstruction as save_reconstruction
from passband.recon._scene import PhotographsScene as PhotographsScene
from passband.recon._scene import load_photographs_scene as load_photographs_scene
from passband.recon._scene import parse_photographs_scene as parse_photographs_scene
from passband.recon._views import View as View
from passband.recon._views import render_view as render_view

__all__ = [
    "MODEL_FILE",
    "PRESETS",
    "FittedReconstruction",
    "PhotographsScene",
    "View",
    "fit_photographs",
    "load_photographs_scene",
    "load_reconstruction",
    "parse_photographs_scene",
    "reconstruction_mesh",
    "render_view",
    "save_reconstruction",
]
