"""Meshes out of surfaces: extracted, cropped, coloured, placed in the world."""

from passband.inr._meshing import largest_component as largest_component
from passband.recon.meshing._clean import cleaned as cleaned
from passband.recon.meshing._coloring import Color as Color
from passband.recon.meshing._coloring import colored as colored
from passband.recon.meshing._coloring import frontal_color as frontal_color
from passband.recon.meshing._coloring import vertex_normals as vertex_normals
from passband.recon.meshing._crop import Region as Region
from passband.recon.meshing._crop import cropped as cropped
from passband.recon.meshing._crop import unit_ball as unit_ball
from passband.recon.meshing._placing import placed as placed
from passband.recon.meshing._surface_mesh import surface_mesh as surface_mesh

__all__ = [
    "Color",
    "Region",
    "cleaned",
    "colored",
    "cropped",
    "frontal_color",
    "largest_component",
    "placed",
    "surface_mesh",
    "unit_ball",
    "vertex_normals",
]
