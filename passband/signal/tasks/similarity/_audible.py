"""Where in a recording there is sound at all."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

_RANGE_DB = 60.0
_FRAME = 256
_SILENT = 1e-5


def audible_span(sound: Float[Tensor, " time"]) -> tuple[int, int]:
    """First sample, and one past the last, of what is not silence at the ends of ``sound``.

    Silent is a frame of 256 samples 60 dB below the loudest, in mean square, or 100 dB below full
    scale: recordings are filled up with zeros to a common length.

    Example:
        >>> import torch
        >>> audible_span(torch.cat((torch.zeros(512), torch.ones(256), torch.zeros(900))))
        (512, 768)
        >>> audible_span(torch.zeros(900))
        (0, 0)
    """
    frames = pad(sound, (0, -len(sound) % _FRAME)).reshape(-1, _FRAME)
    if not len(frames):
        return 0, 0
    power = frames.square().mean(-1)
    least = max(float(power.max()) * 10 ** (-_RANGE_DB / 10), _SILENT**2)
    heard = (power > least).nonzero().flatten().tolist()
    if not heard:
        return 0, 0
    return heard[0] * _FRAME, min(len(sound), (heard[-1] + 1) * _FRAME)
