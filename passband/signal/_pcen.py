"""Per-channel energy normalisation as a module with trainable settings, and its stream."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from passband.frequency import exponential_smoothing, smoothing_coefficient
from passband.frequency._pcen import compress_by, loudest_neighbour, require_pcen
from passband.frequency._validate import require_between, require_positive
from passband.signal._transform import Transform, full_precision, require_finite


class PCEN(Transform):
    """Per-channel energy normalisation ``(S / (eps + M)^gain + bias)^power - bias^power``.

    ``M[t] = (1 - b) M[t - 1] + b S[t]`` is the spectrogram smoothed over time, so that what is
    steady is divided away. The settings are kept as logarithms where they are trained, and stay
    positive.

    Args:
        sr: sampling rate of the signal, in Hz.
        hop_length: samples from one frame to the next.
        gain: exponent of the gain, at least 0, below 1 as a rule.
        bias: at least 0.
        power: exponent of the compression, at least 0; 0 gives ``log(1 + S / (eps + M)^gain)``.
        time_constant: of the smoothing, in seconds.
        eps: above 0.
        b: the smoothing coefficient itself, in [0, 1], in place of ``time_constant``.
        max_size: bins over which the loudest is smoothed; 1 takes each bin by itself.
        n_channels: bins of the spectrogram, to train settings for each of them; None trains one
            setting for all.
        trainable: make gain, bias, power and smoothing parameters; all must then be above 0, and
            ``b`` below 1.

    Raises:
        ValueError: for settings out of range.

    Example:
        >>> transform = PCEN(trainable=True, n_channels=40)
        >>> transform(torch.rand(2, 40, 100)).shape, sum(p.numel() for p in transform.parameters())
        (torch.Size([2, 40, 100]), 160)

    Agrees with ``librosa.pcen`` to 1e-12 in float64 and 1e-5 in float32.
    Reference: Wang et al., Trainable frontend for robust and far-field keyword spotting, ICASSP
    2017, eqs. 1 to 3.
    """

    def __init__(
        self,
        sr: float = 22050,
        hop_length: int = 512,
        gain: float = 0.98,
        bias: float = 2.0,
        power: float = 0.5,
        time_constant: float = 0.4,
        eps: float = 1e-6,
        b: float | None = None,
        max_size: int = 1,
        n_channels: int | None = None,
        *,
        trainable: bool = False,
    ) -> None:
        super().__init__()
        require_pcen(gain, bias, power, eps)
        require_positive("max_size", max_size, "Pass 1 to take each bin by itself.")
        b = smoothing_coefficient(time_constant, sr, hop_length) if b is None else b
        require_between("b", b, 0, 1, "Pass e.g. 0.025.")
        if n_channels is not None:
            require_positive("n_channels", n_channels, "Pass the bins of the spectrogram.")
        self.eps, self.max_size, self.trainable = eps, max_size, trainable
        self.n_channels = n_channels
        settings = {"gain": gain, "bias": bias, "power": power}
        if not trainable:
            self._settings, self._b = settings, b
            return
        shape = () if n_channels is None else (n_channels,)
        for name, value in settings.items():
            if value == 0:
                raise ValueError(f"`{name}` (=0) must be above 0 if trainable. Pass e.g. 0.1.")
            self._constant(f"log_{name}", torch.full(shape, math.log(value)), trainable=True)
        if not 0 < b < 1:
            raise ValueError(f"`b` (={b:g}) must be above 0 and below 1 if trainable. Pass 0.025.")
        self._constant("logit_b", torch.full(shape, math.log(b / (1 - b))), trainable=True)

    @full_precision
    def forward(
        self, S: Float[Tensor, "*batch freq frames"]
    ) -> Float[Tensor, "*batch freq frames"]:
        """The spectrogram ``S``, magnitudes or powers of at least 0, normalised."""
        return self.continued(S, None)[0]

    def continued(
        self,
        S: Float[Tensor, "*batch freq frames"],
        state: Float[Tensor, "*batch freq"] | None,
    ) -> tuple[Float[Tensor, "*batch freq frames"], Float[Tensor, "*batch freq"]]:
        """The spectrogram normalised, from the state that earlier frames left, and the state after.

        Args:
            S: magnitudes or powers, at least 0.
            state: the smoothed spectrogram before the first frame; None for librosa's 1.

        Returns:
            The normalised frames, and the smoothed spectrogram at the last of them.
        """
        require_finite("S", S)
        if self.n_channels is not None and (S.ndim < 2 or S.shape[-2] != self.n_channels):
            raise ValueError(
                f"`S` (shape {tuple(S.shape)}) must be (*batch, {self.n_channels}, frames) for "
                f"n_channels={self.n_channels}. Check the axes."
            )
        loudest = loudest_neighbour(S, self.max_size)
        if self.trainable:
            settings = {name: self._trained(name, S) for name in ("gain", "bias", "power")}
            b = self._parameter("logit_b", S).sigmoid()
            smoothed = exponential_smoothing(loudest, b, initial=state)
            return compress_by(S, smoothed, eps=self.eps, **settings), smoothed[..., -1]
        smoothed = exponential_smoothing(loudest, self._b, initial=state)
        return compress_by(S, smoothed, eps=self.eps, **self._settings), smoothed[..., -1]

    def stream(self) -> "PCENStream":
        """A `PCENStream` of this transform, with nothing in it yet."""
        return PCENStream(self)

    def _trained(self, name: str, like: Tensor) -> Tensor:
        return self._parameter(f"log_{name}", like).exp()[..., None]

    def _parameter(self, name: str, like: Tensor) -> Tensor:
        return self.get_parameter(name).to(like.dtype)


class PCENStream:
    """`PCEN` of a spectrogram that arrives in blocks of frames, with no delay.

    Args:
        transform: what to apply.

    Example:
        >>> transform, spectrogram = PCEN(), torch.rand(40, 100)
        >>> stream = transform.stream()
        >>> blocks = [stream.push(block) for block in spectrogram.split(30, dim=-1)]
        >>> torch.allclose(torch.cat(blocks, dim=-1), transform(spectrogram), atol=1e-6)
        True
    """

    def __init__(self, transform: PCEN) -> None:
        self._transform = transform
        self.reset()

    def reset(self) -> None:
        """Forget everything pushed; the stream starts anew."""
        self._state: Tensor | None = None

    def push(
        self, frames: Float[Tensor, "*batch freq frames"]
    ) -> Float[Tensor, "*batch freq frames"]:
        """``frames``, any number of them, normalised as the ones that follow those before."""
        if frames.shape[-1] == 0:
            return frames
        normalised, self._state = self._transform.continued(frames, self._state)
        return normalised
