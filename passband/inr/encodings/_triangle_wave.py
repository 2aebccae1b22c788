"""Triangle waves at octaves."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr.encodings._arguments import check_count


class TriangleWave(nn.Module):
    """``4 |v - floor(v) - 1/2| - 1``, ``v = 2^(k-1) u + k / 4``, of each ``u = (x + 1) / 2``.

    One wave between -1 and 1 per coordinate and octave ``k = 0 .. n_frequencies - 1``, of
    ``2^k / 4`` cycles per unit of x; the shift by ``k / 4`` of a period tells places apart where
    all unshifted waves would turn. Piecewise linear: its second derivative is 0 almost everywhere.

    tiny-cuda-nn's otype ``TriangleWave``, whose coordinates are in [0, 1]: coordinate after
    coordinate, octave after octave.

    Args:
        in_features: coordinates of a point.
        n_frequencies: number of octaves, at least 1.

    Raises:
        InputError: a count out of range.

    Example:
        >>> TriangleWave(1, 3)(torch.tensor([-1.0]))
        tensor([ 1.,  0., -1.])

    Reference: Müller, Rousselle, Novák, Keller, *Real-time Neural Radiance Caching for Path
    Tracing*, ACM Trans. Graph. 40(4), 2021.
    """

    scales: Tensor
    shifts: Tensor

    def __init__(self, in_features: int, n_frequencies: int = 12) -> None:
        super().__init__()
        check_count("in_features", in_features)
        check_count("n_frequencies", n_frequencies)
        self.in_features = in_features
        self.out_features = in_features * n_frequencies
        octave = torch.arange(n_frequencies)
        self.register_buffer("scales", 0.5 * 2.0**octave, persistent=False)
        self.register_buffer("shifts", 0.25 * octave, persistent=False)

    def forward(
        self, x: Float[Tensor, "*batch {self.in_features}"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of the coordinates ``x``."""
        v = (0.5 * x + 0.5)[..., None] * self.scales.to(x.dtype) + self.shifts.to(x.dtype)
        wave = 4.0 * (v - v.floor() - 0.5).abs() - 1.0
        return wave.flatten(-2)
