"""From signed distances to the opacity of sections of a ray, and on to their weights."""

from passband.recon.rendering.opacities._neus import NeusOpacity as NeusOpacity
from passband.recon.rendering.opacities._neus import ScheduledNeusOpacity as ScheduledNeusOpacity
from passband.recon.rendering.opacities._neus_alpha import neus_alpha as neus_alpha
from passband.recon.rendering.opacities._volsdf import (
    ScheduledVolsdfOpacity as ScheduledVolsdfOpacity,
)
from passband.recon.rendering.opacities._volsdf import VolsdfOpacity as VolsdfOpacity
from passband.recon.rendering.opacities._volsdf import laplace_density as laplace_density
from passband.recon.rendering.opacities._volsdf import volsdf_alpha as volsdf_alpha
from passband.recon.rendering.opacities._weights import section_weights as section_weights

__all__ = [
    "NeusOpacity",
    "ScheduledNeusOpacity",
    "ScheduledVolsdfOpacity",
    "VolsdfOpacity",
    "laplace_density",
    "neus_alpha",
    "section_weights",
    "volsdf_alpha",
]
