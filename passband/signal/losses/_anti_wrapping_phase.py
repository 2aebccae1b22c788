"""Phases, compared on the circle."""

import torch
from torch import Tensor

from passband.frequency._phase import phase, phase_distances
from passband.frequency._stft import _frame_window, _hop, stft
from passband.frequency._validate import require_between
from passband.signal.losses._signal_loss import LossReduction, SignalLoss


class AntiWrappingPhaseLoss(SignalLoss):
    """Mean distance of phases, of group delays and of instantaneous frequencies of the STFTs.

    Each is ``|x - 2 pi round(x / 2 pi)|`` of the difference x of the two spectra's phases, of its
    steps along frequency and of its steps along time; the three means are added. Phases that a
    network predicts go into `passband.frequency.phase_distances` directly.

    Args:
        n_fft: transform length, in samples.
        hop_length: samples from one frame to the next; ``n_fft // 4`` if not given.
        win_length: window length, at most ``n_fft``; ``n_fft`` if not given.
        window: a name or pair as `passband.frequency.window` takes it.
        eps: magnitude up to which a cell's phase is taken as 0, at least 0: its gradient goes with
            the inverse of the magnitude.
        reduction: ``mean`` over all items, or ``none``.

    Raises:
        ValueError: for lengths that do not fit together or a negative ``eps``.

    Example:
        >>> x = torch.randn(2, 4000)
        >>> bool(AntiWrappingPhaseLoss()(2 * x, x) < 1e-3)  # the level is no matter
        True

    Agrees with the formula over ``torch.stft`` to 1e-10 in float64.
    Reference: Ai & Ling, APNet: an all-frame-level neural vocoder incorporating direct prediction
    of amplitude and phase spectra, IEEE/ACM Trans. ASLP 31, 2023; Du, Lu, Ai & Ling, APNet2:
    high-quality and high-efficiency neural vocoder with direct prediction of amplitude and phase
    spectra, NCMMSC, 2023.
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 1024,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: str | tuple[str, float] = "hann",
        *,
        eps: float = 1e-5,
        reduction: LossReduction = "mean",
    ) -> None:
        super().__init__(reduction)
        require_between("eps", eps, 0, torch.inf, "Pass e.g. 1e-5.")
        self.n_fft, self.hop_length, self.eps = n_fft, _hop(n_fft, hop_length), eps
        length = n_fft if win_length is None else win_length
        samples = _frame_window(window, length, n_fft, torch.float64, torch.device("cpu"))
        self._constant("window", samples)

    def per_item(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Sum of the three means."""
        phases = (
            phase(
                stft(x, n_fft=self.n_fft, hop_length=self.hop_length, window=self.window),
                eps=self.eps,
            )
            for x in (prediction, target)
        )
        means = [part.mean((-2, -1)) for part in phase_distances(*phases) if part.numel()]
        return torch.stack(means).sum(0)
