"""The Hilbert envelope as a module."""

from jaxtyping import Float
from torch import Tensor

from passband.frequency import envelope
from passband.signal._transform import Transform, full_precision, require_finite


class HilbertEnvelope(Transform):
    """Hilbert envelope ``|x + i H[x]|`` of a signal, which is taken as periodic.

    Example:
        >>> import torch
        >>> HilbertEnvelope()(torch.randn(2, 1000)).shape
        torch.Size([2, 1000])

    Agrees with ``abs(scipy.signal.hilbert(x))`` to 1e-12 in float64 and 1e-5 in float32.
    Reference: Gabor, Theory of communication, J. IEE 93(26), 1946.
    """

    @full_precision
    def forward(self, waveform: Float[Tensor, "*batch time"]) -> Float[Tensor, "*batch time"]:
        """Envelope of ``waveform``; `ValueError` for NaN or no samples."""
        require_finite("waveform", waveform)
        return envelope(waveform)
