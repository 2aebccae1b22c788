"""Any representation with a frequency axis on one axis of pitch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.signal._bins import bin_frequencies
from passband.signal.tasks import Representation
from passband.signal.tasks.transcription._rolls import LOWEST, PITCHES

BINS_PER_SEMITONE = 3
"""Steps of the axis a semitone; the middle one is the pitch of the key."""


class PitchAxis(nn.Module):
    """Levels of a representation at steps of a third of a semitone from A0 up, by interpolation.

    The level at a step is read between the two bins beside it, on the logarithm of frequency; a
    step below the first bin takes that one's. The axis ends with the highest bin, or four octaves
    above the highest key.

    Args:
        representation: with bins that are frequencies.

    Raises:
        InputError: its bins are no frequencies, or end below the highest key.

    Example:
        >>> from passband.signal.tasks import RepresentationSettings
        >>> mel = RepresentationSettings(transform="mel", settings={"n_mels": 128}).build(16000)
        >>> PitchAxis(mel)(torch.zeros(128, 4)).shape
        torch.Size([295, 4])
    """

    lower: Tensor
    upper: Tensor
    share: Tensor

    def __init__(self, representation: Representation) -> None:
        super().__init__()
        frequencies, order = _frequencies(representation).sort()
        place = 12 * torch.log2(frequencies.clamp_min(1e-3) / 440) + 69 - LOWEST
        place = BINS_PER_SEMITONE * place + BINS_PER_SEMITONE // 2
        steps = int(place[-1].clamp_max(BINS_PER_SEMITONE * (PITCHES + 48)) + 1e-3) + 1
        if steps < BINS_PER_SEMITONE * PITCHES - BINS_PER_SEMITONE // 2:
            raise InputError(
                f"`representation` ({representation.choice.summary}) must reach the highest key of "
                f"a piano, 4186 Hz; it ends at {frequencies[-1]:.0f} Hz. Choose more or wider bins."
            )
        wanted = torch.arange(steps, dtype=torch.float64)
        lower = (torch.searchsorted(place, wanted + 1e-6) - 1).clamp(0, len(place) - 2)
        share = (wanted - place[lower]) / (place[lower + 1] - place[lower])
        self.register_buffer("lower", order[lower], persistent=False)
        self.register_buffer("upper", order[lower + 1], persistent=False)
        self.register_buffer("share", share.clamp(0, 1).float(), persistent=False)

    def forward(
        self, levels: Float[Tensor, "*batch bins frames"]
    ) -> Float[Tensor, "*batch steps frames"]:
        """``levels`` on the axis."""
        below, above = levels[..., self.lower, :], levels[..., self.upper, :]
        return torch.lerp(below, above, self.share[:, None].to(levels.dtype))


def _frequencies(representation: Representation) -> Tensor:
    rate, choice = representation.sample_rate, representation.choice
    count = representation(torch.zeros(rate)).shape[-2]
    found = None
    if choice.scale != "names":
        layers, settings = list(representation.layers), representation.settings
        found = bin_frequencies(layers, settings, count, rate)
        if found is None and choice.frequencies is not None:
            found = choice.frequencies(count, rate)
    if found is None:
        raise InputError(
            f"`representation` ({choice.summary}) must have bins that are frequencies, such as "
            "stft, mel, logfrequency, cqt or vqt. Choose one of them."
        )
    return found
