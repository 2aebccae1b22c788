"""Mixtures that nothing is learned from, and how well they are taken apart."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks.denoising._baselines import band_pass, wiener
from passband.signal.tasks.denoising._measures import correlation, peak_error, snr_db
from passband.signal.tasks.denoising._mixing import MixingSettings, Mixture, Mixtures
from passband.signal.tasks.denoising._recipe import DenoiserData
from passband.signal.tasks.denoising._splitter import Splitter
from passband.signal.tasks.denoising._traces import Material
from passband.training import derive_seed

_HELD_OUT = 302  # stream of the held-out mixtures
_TOGETHER = 16
_STEPS = 3  # ranges of the ratio that are told apart

Filter = Callable[[Tensor], Tensor]
"""Signals ``(batch, time)`` out of mixtures of that shape."""


@dataclass(frozen=True)
class Scores:
    """Of each mixture: ratios in dB before and after, and how the estimate resembles the signal.

    Attributes:
        before: signal-to-noise ratio of the mixture.
        after: that of the estimate.
        correlation: of estimate and signal.
        peak_error: of the estimate's largest amplitude, relative.
    """

    before: Tensor
    after: Tensor
    correlation: Tensor
    peak_error: Tensor

    def summary(self, chosen: Tensor | None = None) -> dict[str, float]:
        """Medians, and the mean gain, over the mixtures ``chosen`` by a mask; all by default.

        Example:
            >>> x = torch.tensor([0.0, 1.0, 2.0])
            >>> Scores(x, x + 8, x, -x).summary()["snr_gain"]
            8.0
        """
        keep = torch.ones_like(self.before, dtype=torch.bool) if chosen is None else chosen
        gain = (self.after - self.before)[keep]
        return {
            "snr_gain": float(gain.median()),
            "snr_gain_mean": float(gain.mean()),
            "snr_after": float(self.after[keep].median()),
            "correlation": float(self.correlation[keep].median()),
            "correlation_mean": float(self.correlation[keep].mean()),
            "peak_error": float(self.peak_error[keep].abs().median()),
        }

    def by_ratio(self, low: float, high: float) -> list[dict[str, Any]]:
        """`summary` in three equal ranges of the ratio before, from ``low`` to ``high`` dB.

        Example:
            >>> x = torch.tensor([-5.0, 1.0, 9.0])
            >>> [row["mixtures"] for row in Scores(x, x, x, x).by_ratio(-5, 10)]
            [1, 1, 1]
        """
        edges = torch.linspace(low, high, _STEPS + 1).tolist()
        rows = []
        for number, (start, stop) in enumerate(pairwise(edges)):
            last = number == _STEPS - 1
            chosen = (self.before >= start) | (number == 0)
            chosen = chosen & ((self.before < stop) | last)
            if chosen.any():
                row = {"snr_db": [start, stop], "mixtures": int(chosen.sum())}
                rows.append({**row, **self.summary(chosen)})
        return rows


def held_out_mixtures(material: Material, data: DenoiserData) -> Mixture:
    """Windows of one event and one noise each, at ratios even in dB, always the same.

    Example:
        >>> from passband.signal.tasks.denoising import Trace
        >>> material = Material([Trace(torch.randn(9000), 3000)], [torch.randn(3000)])
        >>> data = DenoiserData(held_out_mixtures=5)
        >>> held_out_mixtures(material, data).signal.shape
        torch.Size([5, 3000])
    """
    if not material.traces or not material.noises:
        raise InputError(
            f"the held-out files give {len(material.traces)} traces with an event and "
            f"{len(material.noises)} stretches of noise. Raise data.held_out, or lower "
            "data.min_snr."
        )
    plain = MixingSettings(
        snr_db=data.held_out_snr_db, pure_noise=0, stack=0, second_noise=0, stretch=1
    )
    mixtures = Mixtures(
        material.traces,
        material.noises,
        samples=data.samples,
        batch_size=data.held_out_mixtures,
        settings=plain,
        seed=derive_seed(data.split_seed, _HELD_OUT),
    )
    return mixtures(0)


def score(filter_: Filter, held_out: Mixture) -> Scores:
    """What ``filter_`` makes of the mixtures, beside the signals that are known.

    Example:
        >>> mixture = Mixture(torch.randn(4, 500), torch.randn(4, 500))
        >>> round(score(lambda x: x, mixture).summary()["snr_gain"], 3)
        0.0
    """
    mixed = held_out.signal + held_out.noise
    made = torch.cat([filter_(part) for part in mixed.split(_TOGETHER)])
    return Scores(
        snr_db(held_out.signal, mixed),
        snr_db(held_out.signal, made),
        correlation(held_out.signal, made),
        peak_error(held_out.signal, made),
    )


def by_network(splitter: Splitter) -> Filter:
    """The signal that ``splitter`` finds; it is left in the mode it was in.

    Example:
        >>> from passband.signal.tasks.denoising import SplitterSettings, UNetSettings
        >>> splitter = Splitter(SplitterSettings(network=UNetSettings(depth=2, root=2)))
        >>> by_network(splitter)(torch.randn(2, 300)).shape, splitter.training
        (torch.Size([2, 300]), True)
    """

    def filter_(mixed: Tensor) -> Tensor:
        device, learning = next(splitter.parameters()).device, splitter.training
        splitter.eval()
        with torch.no_grad():
            signal: Tensor = splitter(mixed.to(device)).signal.cpu()
        splitter.train(learning)
        return signal

    return filter_


def baselines(sample_rate: int) -> dict[str, Filter]:
    """What needs no learning, by name; the band-pass only where the rate lets 20 Hz through.

    Example:
        >>> sorted(baselines(100))
        ['band_pass', 'wiener']
    """
    found: dict[str, Filter] = {"wiener": wiener}
    if sample_rate > 40:
        found["band_pass"] = lambda mixed: band_pass(mixed, sample_rate)
    return found
