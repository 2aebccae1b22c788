"""From a scene to the modules it describes."""

from passband.recon._model import Reconstruction
from passband.recon._scene import PhotographsScene
from passband.recon.data import Hull
from passband.training import make_generator

_STREAM = 19  # keeps the initial weights' numbers apart from the others'


def build_model(scene: PhotographsScene, hull: Hull | None) -> Reconstruction:
    """The untrained parts of ``scene``, on the CPU; the same seed gives the same values.

    Args:
        scene: what to build, nothing in it left to be matched.
        hull: of the masks, or None; samplers that can, keep to it.
    """
    generator = make_generator(scene.training.seed, _STREAM)
    return Reconstruction(
        scene.surface.build(generator),
        scene.opacity.build(),
        scene.background.build(generator),
        scene.sampler.build(hull),
        color_threshold=scene.color_threshold,
    )
