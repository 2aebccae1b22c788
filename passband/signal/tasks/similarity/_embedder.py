"""The network: levels of a window of sound to a point on the unit sphere."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize, pad

from passband.signal.tasks.similarity._recipe import EmbedderRecipe

_DB_PER_UNIT = 20.0


class Embedder(nn.Module):
    """Points ``(dim,)`` of length 1 for windows of sound: near each other where these are alike.

    Levels of the representation, those far below the window's loudest raised to its floor, less
    their mean (hence not hearing the gain); convolutions 3x3 of stride 2, each with batch
    normalisation and ReLU; a linear map of what stands in every band, averaged over time, and of
    its deviation over time; ``v / |v|``. Thomé et al. leave the layers open; these are ours.

    Args:
        recipe: what to build.

    Attributes:
        samples: of a window.
        frames: of a window under the representation.
        hop_length: samples from one frame to the next.

    Example:
        >>> from passband.signal.tasks.similarity import EmbedderRecipe
        >>> embedder = Embedder(EmbedderRecipe()).eval()
        >>> embedder(torch.randn(3, embedder.samples)).shape
        torch.Size([3, 128])

    Reference: Thomé, Piwell, Utterbäck, Musical audio similarity with self-supervised
    convolutional neural networks, ISMIR late-breaking demo, 2021 (arXiv 2202.02112).
    """

    def __init__(self, recipe: EmbedderRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        settings, rate = recipe.model, recipe.data.sample_rate
        self.representation = recipe.representation.build(rate)
        self.hop_length = self.representation.hop_length
        self.samples = max(1, round(recipe.data.seconds * rate))
        bins, self.frames = self.representation(torch.zeros(self.samples)).shape
        self.layers = nn.Sequential()
        width = 1
        for channels in settings.channels:
            self.layers.append(_layer(width, channels))
            width, bins = channels, (bins + 1) // 2
        self.point = nn.Linear(2 * width * bins, settings.dim)

    def forward(self, sounds: Float[Tensor, "batch time"]) -> Float[Tensor, "batch dim"]:
        """Points of windows; one that is shorter than ``samples`` is followed by silence."""
        sounds = pad(sounds, (0, max(0, self.samples - sounds.shape[-1])))
        return self.of_levels(self.representation(sounds))

    def of_levels(self, levels: Float[Tensor, "batch bins frames"]) -> Float[Tensor, "batch dim"]:
        """Points of windows whose representation is known."""
        floor = levels.amax(dim=(1, 2), keepdim=True) - self.recipe.model.range_db
        heard = torch.maximum(levels, floor)
        heard = (heard - heard.mean(dim=(1, 2), keepdim=True)) / _DB_PER_UNIT
        found = self.layers(heard[:, None]).flatten(1, 2)
        mean = found.mean(-1)
        spread = (found - mean[..., None]).square().mean(-1).add(1e-6).sqrt()
        return normalize(self.point(torch.cat((mean, spread), dim=-1)), dim=-1)


def _layer(width: int, channels: int) -> nn.Sequential:
    convolution = nn.Conv2d(width, channels, 3, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU())
