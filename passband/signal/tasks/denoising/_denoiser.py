"""A trained model in use: signal and noise of records of any length, rate and unit."""

from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.errors import InputError
from passband.signal.tasks import load_model
from passband.signal.tasks.denoising._recipe import DenoiserRecipe
from passband.signal.tasks.denoising._record import at_rate, require_numbers
from passband.signal.tasks.denoising._splitter import Splitter
from passband.training import choose_device
from passband.training.recipes import parse_settings

KIND = "denoiser"
_TOGETHER = 16  # windows that go through the network at once


class Separation(NamedTuple):
    """What a record is made of; the two sum to it.

    Attributes:
        signal: ``(*batch, time)``.
        noise: ``(*batch, time)``, with the offset.
    """

    signal: Tensor
    noise: Tensor


class Denoiser(nn.Module):
    """Signal and noise of records: windows of the length learned on, faded into each other.

    Windows begin every half window, the last one ends with the record, and each is weighted by
    ``sin^2``, so that no seams are left; a record shorter than a window is one window.

    Args:
        splitter: network, in evaluation mode.
        samples: length of a window at the splitter's rate, at least 64.

    Example:
        >>> from passband.signal.tasks.denoising import SplitterSettings, UNetSettings
        >>> splitter = Splitter(SplitterSettings(network=UNetSettings(depth=2, root=2)))
        >>> denoiser = Denoiser(splitter.eval(), 3000)
        >>> x = torch.randn(3, 7001)
        >>> signal, noise = denoiser(x, 100.0)
        >>> signal.shape, torch.allclose(signal + noise, x, atol=1e-5)
        (torch.Size([3, 7001]), True)

    Reference: Zhu, Mousavi, Beroza, IEEE Transactions on Geoscience and Remote Sensing 57(11),
    2019, for the network; how windows are joined is ours.
    """

    def __init__(self, splitter: Splitter, samples: int) -> None:
        super().__init__()
        self.splitter, self.samples = splitter, samples

    @property
    def sample_rate(self) -> int:
        """The rate the network works at, in Hz."""
        return self.splitter.settings.sample_rate

    @property
    def shortest(self) -> float:
        """Seconds that a record must have."""
        return self.splitter.settings.n_fft / self.sample_rate

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "*batch time"], sample_rate: float) -> Separation:
        """Signal and noise of ``x``, each of its shape, type and unit.

        What lies above half the network's rate is noise.

        Raises:
            InputError: the record is too short, or has samples that are no numbers.
        """
        require_numbers(x, "`x`")
        if x.shape[-1] / sample_rate < self.shortest:
            raise InputError(
                f"`x` ({x.shape[-1] / sample_rate:.3g} s) must be at least {self.shortest:g} s. "
                "Pass a longer record."
            )
        flat = x.reshape(-1, x.shape[-1]).double().cpu()
        centred = flat - flat.mean(dim=-1, keepdim=True)
        peak = centred.abs().amax(dim=-1, keepdim=True)
        # Counts of 1e7 and metres of 1e-10 alike come to 1 before single precision.
        scale = torch.where(peak > 0, peak, torch.ones_like(peak))
        slow = at_rate(centred / scale, sample_rate, self.sample_rate)
        found = torch.stack([self._signal(trace) for trace in slow.float()]).double()
        quick = at_rate(found, self.sample_rate, sample_rate)
        signal = nn.functional.pad(quick, (0, max(0, x.shape[-1] - quick.shape[-1])))
        signal = (signal[:, : x.shape[-1]] * scale).to(x).reshape(x.shape)
        return Separation(signal, x - signal)

    def _signal(self, trace: Tensor) -> Tensor:
        device = next(self.splitter.parameters()).device
        length = min(self.samples, len(trace))
        begins = [*range(0, len(trace) - length, max(1, length // 2)), len(trace) - length]
        total, weights = torch.zeros_like(trace), torch.zeros_like(trace)
        for k in range(0, len(begins), _TOGETHER):
            some = begins[k : k + _TOGETHER]
            windows = torch.stack([trace[begin : begin + length] for begin in some])
            signals = self.splitter(windows.to(device)).signal.cpu()
            for begin, signal in zip(some, signals, strict=True):
                weight = _weight(length, rises=begin > 0, falls=begin < len(trace) - length)
                total[begin : begin + length] += weight * signal
                weights[begin : begin + length] += weight
        return total / weights


def _weight(length: int, *, rises: bool, falls: bool) -> Tensor:
    """``sin^2`` over a window; 1 up to its middle at the beginning of a record, and at its end."""
    angle = (torch.arange(length, dtype=torch.float32) + 0.5) * (torch.pi / length)
    weight = angle.sin().square()
    middle = length // 2
    if not rises:
        weight[:middle] = 1
    if not falls:
        weight[middle:] = 1
    return weight


def load_denoiser(folder: Path, device: str = "auto") -> Denoiser:
    """The model that `train_denoiser` wrote to ``folder``.

    Args:
        folder: of the run.
        device: ``auto``, ``cpu``, ``cuda``, ...

    Raises:
        InputError: there is no model, or it is one of another task.

    Example:
        >>> load_denoiser(Path("absent"))  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        passband.errors.InputError: `--model` (=absent) holds no model.safetensors: it is not ...
    """
    saved = load_model(folder, KIND)
    recipe = parse_settings(DenoiserRecipe, saved.recipe, str(saved.path))
    splitter = Splitter(recipe.model)
    saved.restore(splitter)
    return Denoiser(splitter.eval(), recipe.data.samples).to(choose_device(device)).eval()
