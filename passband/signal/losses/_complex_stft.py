"""Complex short-time spectra, part by part."""

import torch
from torch import Tensor

from passband.frequency._stft import _frame_window, _hop, stft
from passband.signal.losses._signal_loss import LossReduction, SignalLoss


class ComplexSTFTLoss(SignalLoss):
    """Mean ``|Re(P - T)| + |Im(P - T)|`` of the STFTs P and T: magnitude and phase at once.

    Args:
        n_fft: transform length, in samples.
        hop_length: samples from one frame to the next; ``n_fft // 4`` if not given.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        window: a name or pair as `passband.frequency.window` takes it.
        reduction: ``mean`` over all items, or ``none``.

    Raises:
        ValueError: for lengths that do not fit together.

    Example:
        >>> x = torch.randn(2, 4000)
        >>> ComplexSTFTLoss()(x, x)
        tensor(0.)

    Agrees with the formula over ``torch.stft`` to 1e-12 in float64.
    Reference: Ai & Ling, APNet: an all-frame-level neural vocoder incorporating direct prediction
    of amplitude and phase spectra, IEEE/ACM Trans. ASLP 31, 2023 (real and imaginary part loss).
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 1024,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: str | tuple[str, float] = "hann",
        *,
        reduction: LossReduction = "mean",
    ) -> None:
        super().__init__(reduction)
        self.n_fft, self.hop_length = n_fft, _hop(n_fft, hop_length)
        length = n_fft if win_length is None else win_length
        samples = _frame_window(window, length, n_fft, torch.float64, torch.device("cpu"))
        self._constant("window", samples)

    def per_item(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The transform is linear: one of the difference does for both."""
        apart = stft(
            prediction - target, n_fft=self.n_fft, hop_length=self.hop_length, window=self.window
        )
        return torch.view_as_real(apart).abs().sum(-1).mean((-2, -1))
