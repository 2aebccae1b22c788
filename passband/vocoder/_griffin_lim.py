"""Sound from mel features without any weights: the baseline of every vocoder."""

from collections.abc import Sequence
from typing import NoReturn

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from passband.errors import InputError
from passband.frequency import griffinlim, inverse_mel_scale
from passband.vocoder._checks import check_features
from passband.vocoder._settings import MelFeatureSettings


class GriffinLim(nn.Module):
    """Least-squares spectrum of the mel features, and phases by the fast Griffin-Lim iteration.

    Every step looks at the whole sound, and phases found for pieces of it would not meet; so memory
    grows with the length, by about 90 MB a minute of sound at 24 kHz.

    Args:
        settings: of the features; those of the published mel model by default.
        n_iter: steps of the iteration, at least 0.
        momentum: in [0, 1); 0 is the method of Griffin and Lim.
        rand_init: begin with random phases (of torch's generator), else with zero.

    Attributes:
        sample_rate: in Hz.
        hop_length: samples that a frame of features stands for.

    Example:
        >>> vocoder = GriffinLim(n_iter=2)
        >>> vocoder(vocoder.features(torch.randn(4096)), length=4096).shape
        torch.Size([4096])

    Reference: Perraudin, Balazs & Sondergaard, A fast Griffin-Lim algorithm, WASPAA, 2013,
    algorithm 2.
    """

    def __init__(
        self,
        settings: MelFeatureSettings | None = None,
        *,
        n_iter: int = 32,
        momentum: float = 0.99,
        rand_init: bool = True,
    ) -> None:
        super().__init__()
        self.settings = settings or MelFeatureSettings()
        self.feature_extractor = self.settings.build()
        self.n_iter, self.momentum, self.rand_init = n_iter, momentum, rand_init
        self.channels = self.settings.n_mels
        self.sample_rate, self.hop_length = self.settings.sample_rate, self.settings.hop_length

    def features(
        self, audio: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch {self.channels} frames"]:
        """Features of ``audio``, as `Vocos.features`."""
        features: Tensor = self.feature_extractor(audio)
        return features

    def forward(
        self,
        features: Float[Tensor, "*batch bands frames"],
        *,
        length: int | None = None,
        lengths: Sequence[int] | Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "*batch time"]:
        """Sound of ``features``, of lengths as `Vocos` gives it.

        Raises:
            InputError: for features of another shape or kind, or too few frames.
        """
        self._check(features)
        rows = features.reshape(-1, *features.shape[-2:])
        count = rows.shape[-1]
        if lengths is None:
            audio = self._sound(rows, length)
        else:
            counts = [int(each) for each in lengths]
            natural = self._samples(count) if length is None else length
            audio = rows.new_zeros(len(rows), natural)
            for row, each, out in zip(rows, counts, audio, strict=True):
                sound = self._sound(row[None, :, :each], None)[0, :natural]
                out[: len(sound)] = sound
        return audio.reshape(*features.shape[:-2], -1)

    def stream(self) -> NoReturn:
        """Refuse: every step of the iteration looks at the whole sound.

        Raises:
            InputError: always.
        """
        raise InputError(
            "`stream` needs a vocoder with weights: Griffin-Lim iterates over the whole sound. "
            "Use Vocos.stream, or call the vocoder on all features."
        )

    def _samples(self, count: int) -> int:
        return (count - (self.settings.padding == "center")) * self.hop_length

    def _sound(self, rows: Tensor, length: int | None) -> Tensor:
        natural = self._samples(rows.shape[-1])
        wanted = natural if length is None else length
        hop, before = self.hop_length, 0
        if self.settings.padding == "same":
            # A frame is centred on the middle of its hop: with one more frame at either end the
            # iteration, which centres frames on multiples of the hop, covers all.
            rows = torch.cat((rows[..., :1], rows, rows[..., -1:]), dim=-1)
            before = hop - hop // 2
        magnitudes = inverse_mel_scale(rows.exp(), self.feature_extractor.filters)
        audio = griffinlim(
            magnitudes,
            n_fft=self.settings.n_fft,
            hop_length=hop,
            n_iter=self.n_iter,
            power=1.0,
            momentum=self.momentum,
            length=before + wanted,
            rand_init=self.rand_init,
        )
        return audio[..., before:]

    def _check(self, features: Tensor) -> None:
        least = self.settings.n_fft // 2 // self.hop_length + 2
        check_features(self.feature_extractor, features, least, values=True)
