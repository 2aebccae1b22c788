"""Feature planes seen through a pixel's footprint."""

from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings import TriPlane
from passband.inr.encodings._arguments import check_positive


class FootprintTriPlane(nn.Module):
    """:meth:`TriPlane.encode_frustum` over the cube of eight vertices ``x + r (+-1, +-1, +-1)``.

    The frustum of a sample depends on the camera and the pixel it is seen by, which a surface does
    not know: its distance is a function of the point alone. The cube is as wide as the footprint
    of a usual pixel at the object instead (:func:`pixel_footprint`): the same filter wherever it is
    seen from. That is ours; the paper has true frusta.

    Args:
        planes: the encoding.
        radius: r, half the footprint of a pixel, scene units.

    Raises:
        InputError: a radius that is not above 0.

    Example:
        >>> planes = TriPlane(3, n_levels=2, base_resolution=8, finest_resolution=32)
        >>> FootprintTriPlane(planes, radius=0.01)(torch.zeros(5, 3)).shape
        torch.Size([5, 27])

    Reference: Zhuang et al., *Anti-Aliased Neural Implicit Surfaces with Encoding Level of Detail*
    (LoD-NeuS), SIGGRAPH Asia 2023, sec. 3.
    """

    corners: Tensor

    def __init__(self, planes: TriPlane, *, radius: float) -> None:
        super().__init__()
        check_positive("radius", radius)
        self.planes = planes
        self.radius = radius
        self.in_features, self.out_features = planes.in_features, planes.out_features
        corners = torch.tensor([*product((-1.0, 1.0), repeat=planes.in_features)])
        self.register_buffer("corners", corners, persistent=False)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """The coordinates ``x`` and the features of their footprints."""
        vertices = x[..., None, :] + self.radius * self.corners.to(x.dtype)
        return self.planes.encode_frustum(vertices, x)

    def set_progress(self, done: float) -> None:
        """Open the levels of a run of which ``done`` (0 to 1) is over."""
        self.planes.set_progress(done)
