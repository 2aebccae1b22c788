"""Numbers as Fourier features of their digits."""

import math

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from passband.errors import InputError
from passband.inr.encodings._arguments import check_count


class FoNE(nn.Module):
    """``cos 2 pi |v| / T, sin 2 pi |v| / T`` for ``T = 10^(1 - n) .. 10^m``, then the sign of v.

    One pair per digit, the lowest first: at period ``10^(i+1)`` the phase is the digit at ``10^i``
    in tenths of a turn, plus what the digits below add. Numbers are first rounded to n fraction
    digits, and phases are taken in integers and float64, so the last digit is as exact as the
    first. Zero is the pair (1, 0) throughout with sign 1, and no mask for padding.

    The paper leaves the sign open: ``-v`` would read as ``10^m - v``. The last feature, 1 or -1, is
    ours. Rounding has no derivative: numbers are data here, not coordinates to train through.

    Args:
        integer_digits: m, digits before the point, at least 1.
        fraction_digits: n, digits behind it; ``m + n`` is at most 15, what float64 holds.

    Raises:
        InputError: a count out of range.

    Example:
        >>> embed = FoNE(2, 1)
        >>> embed(torch.tensor([0.0, -42.5], dtype=torch.float64)).shape
        torch.Size([2, 7])
        >>> embed.decode(embed(torch.tensor([0.0, -42.5])))
        tensor([  0.0000, -42.5000], dtype=torch.float64)

    Reference: Zhou et al., *FoNE: Precise Single-Token Number Embeddings via Fourier Features*,
    2025 (arXiv 2502.09741).
    """

    def __init__(self, integer_digits: int, fraction_digits: int = 0) -> None:
        super().__init__()
        check_count("integer_digits", integer_digits)
        check_count("fraction_digits", fraction_digits, least=0)
        if integer_digits + fraction_digits > 15:
            raise InputError(
                f"`integer_digits` (={integer_digits}) and `fraction_digits` (={fraction_digits}) "
                "must be at most 15 together: float64 holds no more."
            )
        self.integer_digits = integer_digits
        self.fraction_digits = fraction_digits
        self.digits = integer_digits + fraction_digits
        self.out_features = 2 * self.digits + 1

    def forward(
        self, numbers: Num[Tensor, "*batch"]
    ) -> Float[Tensor, "*batch {self.out_features}"]:
        """Features of ``numbers``, in their type, or torch's default one for integers.

        Raises:
            InputError: a number that is not finite, or has too many digits before the point.
        """
        counts = (numbers.double().abs() * 10**self.fraction_digits).round()
        # Not "any above": a NaN is above nothing.
        if not bool((counts < 10**self.digits).all()):
            raise InputError(
                f"`numbers` must be finite and below 10^{self.integer_digits} in size. "
                "Raise integer_digits."
            )
        periods = self._periods(numbers.device)
        phase = torch.remainder(counts.long()[..., None], periods).double() / periods
        angle = 2 * math.pi * phase
        pairs = torch.stack((angle.cos(), angle.sin()), dim=-1).flatten(-2)
        sign = torch.where(numbers.double() < 0, -1.0, 1.0)[..., None].double()
        kind = numbers.dtype if numbers.is_floating_point() else torch.get_default_dtype()
        return torch.cat((pairs, sign), dim=-1).to(kind)

    def digit_logits(
        self, features: Float[Tensor, "*batch {self.out_features}"]
    ) -> Float[Tensor, "*batch {self.digits} 10"]:
        """``<h_i, (cos 2 pi d / 10, sin 2 pi d / 10)>`` of each pair ``h_i`` and digit d.

        What a cross-entropy per digit is trained on. Not for reading features of this module back:
        their phases contain the lower digits, which :meth:`decode` takes out first.
        """
        pairs: Tensor = features[..., :-1].unflatten(-1, (self.digits, 2))
        return pairs @ _clock(features.dtype, features.device)

    def decode(
        self, features: Float[Tensor, "*batch {self.out_features}"]
    ) -> Float[Tensor, "*batch"]:
        """Numbers of ``features``, float64: digit by digit from the lowest, less those below it."""
        pairs = features[..., :-1].double().unflatten(-1, (self.digits, 2))
        clock = _clock(torch.float64, features.device)
        total = torch.zeros(features.shape[:-1], dtype=torch.int64, device=features.device)
        for place in range(self.digits):
            below = 2 * math.pi * total.double() / 10 ** (place + 1)
            cosine, sine = pairs[..., place, 0], pairs[..., place, 1]
            turned = torch.stack(
                (
                    cosine * below.cos() + sine * below.sin(),
                    sine * below.cos() - cosine * below.sin(),
                ),
                dim=-1,
            )
            total = total + (turned @ clock).argmax(dim=-1) * 10**place
        size = total.double() / 10**self.fraction_digits
        return torch.where(features[..., -1] < 0, -size, size)

    def _periods(self, device: torch.device) -> Tensor:
        """Periods in units of the last digit."""
        return torch.tensor([10 ** (k + 1) for k in range(self.digits)], device=device)


def _clock(dtype: torch.dtype, device: torch.device) -> Float[Tensor, "2 10"]:
    """The directions of the ten digits, as columns."""
    angle = 2 * math.pi * torch.arange(10, dtype=torch.float64, device=device) / 10
    return torch.stack((angle.cos(), angle.sin())).to(dtype)
