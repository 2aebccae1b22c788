"""Magnitudes of short-time spectra at several resolutions."""

from collections.abc import Sequence

import torch
from torch import Tensor

from passband.frequency import spectrogram
from passband.frequency import window as named_window
from passband.frequency._groups import item_groups
from passband.frequency._spectral_distance import log_magnitude_distance, spectral_convergence
from passband.frequency._stft import _frame_window
from passband.frequency._validate import require_positive
from passband.signal.losses._signal_loss import LossReduction, SignalLoss


class MultiResolutionSTFTLoss(SignalLoss):
    """Spectral convergence and log-magnitude distance, averaged over STFT resolutions.

    ``1/R sum_r  sc |P - T| / |T| + log_mag mean |ln P - ln T|`` over the magnitudes P and T at
    resolution r, with the norms of each item: a quiet item counts as much as a loud one.

    Args:
        fft_sizes: transform length of every resolution, in samples.
        hop_sizes: samples from one frame to the next, one per resolution.
        win_lengths: window length of every resolution, at most its transform length.
        window: a name or pair as `passband.frequency.window` takes it.
        w_sc: weight of the spectral convergence.
        w_log_mag: weight of the log-magnitude distance.
        eps: smallest power told apart, above 0.
        reduction: ``mean`` over all items, or ``none``.

    Raises:
        ValueError: for lists of different lengths or settings out of range; in a call, for
            signals of up to half the longest transform.

    Example:
        >>> loss = MultiResolutionSTFTLoss(reduction="none")
        >>> loss(torch.randn(2, 4000), torch.randn(2, 4000)).shape
        torch.Size([2])

    Agrees with ``auraloss.freq.MultiResolutionSTFTLoss`` for one item, and with the formula over
    ``torch.stft`` to 1e-10 in float64.
    Reference: Yamamoto, Song & Kim, Parallel WaveGAN, IEEE ICASSP, 2020, section 2.2; Steinmetz &
    Reiss, auraloss: audio-focused loss functions in PyTorch, DMRN+15, 2020.
    """

    def __init__(
        self,
        fft_sizes: Sequence[int] = (1024, 2048, 512),
        hop_sizes: Sequence[int] = (120, 240, 50),
        win_lengths: Sequence[int] = (600, 1200, 240),
        window: str | tuple[str, float] = "hann",
        *,
        w_sc: float = 1.0,
        w_log_mag: float = 1.0,
        eps: float = 1e-8,
        reduction: LossReduction = "mean",
    ) -> None:
        super().__init__(reduction)
        if not len(fft_sizes) == len(hop_sizes) == len(win_lengths) or not fft_sizes:
            raise ValueError(
                f"`fft_sizes` ({len(fft_sizes)}), `hop_sizes` ({len(hop_sizes)}) and `win_lengths` "
                f"({len(win_lengths)}) must be as many, at least one. Give one of each per "
                "resolution."
            )
        if not eps > 0:
            raise ValueError(f"`eps` (={eps}) must be above 0. Pass e.g. 1e-8.")
        self.resolutions = tuple(zip(fft_sizes, hop_sizes, strict=True))
        self.w_sc, self.w_log_mag, self.eps = w_sc, w_log_mag, eps
        for index, (n_fft, hop, length) in enumerate(
            zip(fft_sizes, hop_sizes, win_lengths, strict=True)
        ):
            require_positive("fft_sizes", n_fft, "Pass e.g. 1024.")
            require_positive("hop_sizes", hop, "Pass e.g. a fifth of the window.")
            require_positive("win_lengths", length, "Pass the window's samples.")
            samples = named_window(window, length, dtype=torch.float64)
            taper = _frame_window(samples, length, n_fft, torch.float64, samples.device)
            self._constant(f"window_{index}", taper)

    def per_item(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Mean over the resolutions, a group of items at a time."""
        pairs = zip(item_groups(prediction), item_groups(target), strict=True)
        losses = [self._group(ours, theirs) for ours, theirs in pairs]
        return torch.cat(losses).reshape(target.shape[:-1])

    def _group(self, prediction: Tensor, target: Tensor) -> Tensor:
        total = prediction.new_zeros(())
        for index, (n_fft, hop) in enumerate(self.resolutions):
            ours, theirs = (self._magnitude(x, index, n_fft, hop) for x in (prediction, target))
            total = total + self.w_sc * spectral_convergence(ours, theirs)
            total = total + self.w_log_mag * log_magnitude_distance(ours, theirs, eps=self.eps**0.5)
        return total / len(self.resolutions)

    def _magnitude(self, x: Tensor, index: int, n_fft: int, hop: int) -> Tensor:
        taper = self.get_buffer(f"window_{index}")
        power = spectrogram(x, n_fft=n_fft, hop_length=hop, window=taper, power=2.0)
        return power.clamp(min=self.eps).sqrt()
