"""Rays through a signed distance: opacities, samplers, normals, backgrounds, losses, the renderer.

One renderer for every surface: :func:`render_rays`. What it asks of its parts are the protocols
:class:`Surface`, :class:`Opacity`, :class:`Sampler` and :class:`Background`.
"""

from passband.recon.rendering._background import InvertedSphere as InvertedSphere
from passband.recon.rendering._background import LearnedBackground as LearnedBackground
from passband.recon.rendering._background import PlainBackground as PlainBackground
from passband.recon.rendering._composition import composite as composite
from passband.recon.rendering._interfaces import Background as Background
from passband.recon.rendering._interfaces import Geometry as Geometry
from passband.recon.rendering._interfaces import Opacity as Opacity
from passband.recon.rendering._interfaces import Refreshed as Refreshed
from passband.recon.rendering._interfaces import Rendering as Rendering
from passband.recon.rendering._interfaces import Sampler as Sampler
from passband.recon.rendering._interfaces import Samples as Samples
from passband.recon.rendering._interfaces import SignedDistance as SignedDistance
from passband.recon.rendering._interfaces import Surface as Surface
from passband.recon.rendering._losses import curvature_loss as curvature_loss
from passband.recon.rendering._losses import eikonal_loss as eikonal_loss
from passband.recon.rendering._losses import mask_loss as mask_loss
from passband.recon.rendering._losses import masked_rgb_l1 as masked_rgb_l1
from passband.recon.rendering._losses import outside_loss as outside_loss
from passband.recon.rendering._losses import rgb_l1 as rgb_l1
from passband.recon.rendering._normals import cell_step as cell_step
from passband.recon.rendering._normals import numerical_gradient_4 as numerical_gradient_4
from passband.recon.rendering._normals import numerical_gradient_6 as numerical_gradient_6
from passband.recon.rendering._render import render_rays as render_rays
from passband.recon.rendering._render import render_samples as render_samples
from passband.recon.rendering._rows import place_rows as place_rows
from passband.recon.rendering._rows import take_rows as take_rows
from passband.recon.rendering.opacities import NeusOpacity as NeusOpacity
from passband.recon.rendering.opacities import ScheduledNeusOpacity as ScheduledNeusOpacity
from passband.recon.rendering.opacities import ScheduledVolsdfOpacity as ScheduledVolsdfOpacity
from passband.recon.rendering.opacities import VolsdfOpacity as VolsdfOpacity
from passband.recon.rendering.opacities import section_weights as section_weights
from passband.recon.rendering.samplers import CachedGridSampler as CachedGridSampler
from passband.recon.rendering.samplers import ErrorBoundedSampler as ErrorBoundedSampler
from passband.recon.rendering.samplers import HierarchicalSampler as HierarchicalSampler
from passband.recon.rendering.samplers import OccupancySampler as OccupancySampler
from passband.recon.rendering.samplers import UniformSampler as UniformSampler
from passband.recon.rendering.samplers import clip_to_occupied as clip_to_occupied

__all__ = [
    "Background",
    "CachedGridSampler",
    "ErrorBoundedSampler",
    "Geometry",
    "HierarchicalSampler",
    "InvertedSphere",
    "LearnedBackground",
    "NeusOpacity",
    "OccupancySampler",
    "Opacity",
    "PlainBackground",
    "Refreshed",
    "Rendering",
    "Sampler",
    "Samples",
    "ScheduledNeusOpacity",
    "ScheduledVolsdfOpacity",
    "SignedDistance",
    "Surface",
    "UniformSampler",
    "VolsdfOpacity",
    "cell_step",
    "clip_to_occupied",
    "composite",
    "curvature_loss",
    "eikonal_loss",
    "mask_loss",
    "masked_rgb_l1",
    "numerical_gradient_4",
    "numerical_gradient_6",
    "outside_loss",
    "place_rows",
    "render_rays",
    "render_samples",
    "rgb_l1",
    "section_weights",
    "take_rows",
]
