"""Pictures and masks of a data set, at the size asked for."""

from pathlib import Path

import torch
from torch import Tensor

from passband.media import read_image

WHITE = 1.0


def read_picture(path: Path, max_side: int | None) -> tuple[Tensor, Tensor | None, tuple[int, int]]:
    """RGB (h, w, 3) uint8, mask (h, w) of the alpha channel or None, and (width, height) on disk.

    Transparent parts are laid over white. A picture whose alpha is 1 everywhere has no mask.
    """
    pixels = read_image(path).pixels
    _, height, width = pixels.shape
    mask = None
    if len(pixels) in (2, 4):
        alpha = pixels[-1:]
        pixels = pixels[:-1] * alpha + WHITE * (1 - alpha)
        mask = None if bool((alpha == 1).all()) else _shrunk(alpha, max_side)[0] > 0.5
    pixels = _shrunk(pixels.expand(3, height, width), max_side).clamp(0, 1)
    image = (pixels * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    return image, mask, (width, height)


def read_mask(path: Path, size: tuple[int, int]) -> Tensor:
    """True where a mask is brighter than half, (h, w), brought to a picture's width and height."""
    pixels = read_image(path).pixels
    bright = pixels[: 3 if len(pixels) > 2 else 1].amax(0, keepdim=True)
    width, height = size
    if bright.shape[1:] != (height, width):
        bright = torch.nn.functional.interpolate(bright[None], (height, width), mode="area")[0]
    return bright[0] > 0.5


def _shrunk(pixels: Tensor, max_side: int | None) -> Tensor:
    height, width = pixels.shape[1:]
    if max_side is None or max(height, width) <= max_side:
        return pixels
    scale = max_side / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return torch.nn.functional.interpolate(pixels[None], size, mode="area")[0]
