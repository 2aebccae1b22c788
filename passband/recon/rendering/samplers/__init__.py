"""Which sections of a ray are evaluated: all without gradients, all for many rays at once."""

from passband.recon.rendering.samplers._cached_grid import CachedGridSampler as CachedGridSampler
from passband.recon.rendering.samplers._clip import clip_to_occupied as clip_to_occupied
from passband.recon.rendering.samplers._error_bound import (
    opacity_error_bound as opacity_error_bound,
)
from passband.recon.rendering.samplers._error_bounded import (
    ErrorBoundedSampler as ErrorBoundedSampler,
)
from passband.recon.rendering.samplers._hierarchical import (
    HierarchicalSampler as HierarchicalSampler,
)
from passband.recon.rendering.samplers._occupancy import OccupancySampler as OccupancySampler
from passband.recon.rendering.samplers._uniform import UniformSampler as UniformSampler

__all__ = [
    "CachedGridSampler",
    "ErrorBoundedSampler",
    "HierarchicalSampler",
    "OccupancySampler",
    "UniformSampler",
    "clip_to_occupied",
    "opacity_error_bound",
]
