"""Decibels as a module."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from passband.frequency import amplitude_to_db
from passband.frequency._decibels import require_scale


class AmplitudeToDB(nn.Module):
    """Decibels ``10 log10(max(x, 1e-10))`` of powers, twice that of magnitudes.

    Args:
        stype: ``power``, or ``magnitude`` (also ``amplitude``).
        top_db: raise everything to at least this far below the loudest value of the last three
            axes, in dB, at least 0; None does not. In a batch of mono clips ``(batch, freq,
            frames)`` these three are all the clips together: give it as ``(batch, 1, freq,
            frames)`` for each clip to stand on its own.

    Raises:
        ValueError: for an unknown ``stype`` or a negative ``top_db``.

    Example:
        >>> import torch
        >>> AmplitudeToDB(stype="magnitude")(torch.tensor([[1.0, 10.0]]))
        tensor([[ 0., 20.]])

    Agrees with ``torchaudio.transforms.AmplitudeToDB`` to 1e-5.
    """

    def __init__(
        self,
        stype: Literal["power", "magnitude", "amplitude"] = "power",
        top_db: float | None = None,
    ) -> None:
        super().__init__()
        require_scale(stype, top_db)
        self.stype, self.top_db = stype, top_db

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Decibels of ``x``."""
        return amplitude_to_db(x, stype=self.stype, top_db=self.top_db)
