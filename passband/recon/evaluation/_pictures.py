"""How near a rendered view is to its photograph."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import max_pool2d

from passband.errors import InputError
from passband.inr import psnr, ssim

ERODED = 2
"""Pixels taken off the rim of a mask for `PictureScores.psnr_eroded`."""


@dataclass(frozen=True)
class PictureScores:
    """Agreement of one rendered view with its photograph.

    Attributes:
        psnr: of the whole picture, in dB. Where the background is plain it tells mostly of that.
        ssim: structural similarity of the whole picture; None below 11 pixels.
        psnr_inside: of the pixels of the mask; None without a mask, or where it is empty.
        psnr_eroded: of those at least 3 pixels from its rim, which a shift of the silhouette by a
            pixel does not reach; None where there is none.
        depth_error: mean ``|t - t'|`` inside the mask, in scene units; None unless put in.
        normal_error: mean angle between the normals inside the mask, in degrees; likewise.
    """

    psnr: float
    ssim: float | None
    psnr_inside: float | None = None
    psnr_eroded: float | None = None
    depth_error: float | None = None
    normal_error: float | None = None


def picture_scores(
    photograph: Float[Tensor, "channels height width"],
    rendering: Float[Tensor, "_ _ _"],
    mask: Bool[Tensor, "_ _"] | None = None,
) -> PictureScores:
    """PSNR, ``-10 log10`` of the mean squared error, and SSIM of a view.

    Args:
        photograph: values on [0, 1].
        rendering: of the same shape, on [0, 1].
        mask: True on the object.

    Raises:
        InputError: a rendering or a mask of another size.

    Example:
        >>> import torch
        >>> mask = torch.zeros(16, 16, dtype=torch.bool)
        >>> mask[4:12, 4:12] = True
        >>> scores = picture_scores(torch.zeros(3, 16, 16), 0.1 * mask.expand(3, -1, -1), mask)
        >>> round(scores.psnr, 2), round(scores.psnr_inside, 2), round(scores.psnr_eroded, 2)
        (26.02, 20.0, 20.0)

    Reference: Wang, Bovik, Sheikh, Simoncelli, *Image quality assessment*, IEEE TIP 2004 (SSIM,
    Gaussian windows, by scikit-image).
    """
    if photograph.shape != rendering.shape:
        raise InputError(
            f"`rendering` (={_size(rendering)}) must be of the photograph's size "
            f"{_size(photograph)}. Render with the photograph's camera."
        )
    if mask is not None and mask.shape != photograph.shape[1:]:
        raise InputError(
            f"`mask` (={_size(mask)}) must be of the photograph's height and width "
            f"{_size(photograph[0])}. Resize it to its photograph."
        )
    # `psnr` and `ssim` are of values with a range of 2; SSIM needs black at 0 besides.
    wanted, found = 2 * photograph.cpu(), 2 * rendering.cpu()
    inside = _psnr_in(wanted, found, mask)
    core = _psnr_in(wanted, found, None if mask is None else eroded(mask, ERODED))
    return PictureScores(psnr(wanted, found), ssim(wanted, found), inside, core)


def mean_scores(scores: Sequence[PictureScores]) -> dict[str, float | None]:
    """Mean over views of each score; views that lack one do not count for it.

    Args:
        scores: of at least one view.

    Returns:
        The attributes of `PictureScores`, None where no view has it.

    Example:
        >>> views = [PictureScores(30.0, 0.9, 20.0), PictureScores(32.0, None, 24.0)]
        >>> means = mean_scores(views)
        >>> means["psnr"], means["ssim"], means["psnr_inside"], means["psnr_eroded"]
        (31.0, 0.9, 22.0, None)
    """
    if not scores:
        raise InputError("`scores` are empty. Pass those of at least one view.")
    rows = [asdict(score) for score in scores]
    means: dict[str, float | None] = {}
    for name in rows[0]:
        values = [row[name] for row in rows if row[name] is not None]
        means[name] = sum(values) / len(values) if values else None
    return means


def eroded(mask: Bool[Tensor, "height width"], pixels: int) -> Bool[Tensor, "height width"]:
    """What of a mask keeps True in the square of ``pixels`` to all sides.

    What lies beyond the frame counts as the mask's.

    Example:
        >>> import torch
        >>> mask = torch.zeros(1, 7, dtype=torch.bool)
        >>> mask[0, 1:6] = True
        >>> eroded(mask, 2).tolist()
        [[False, False, False, True, False, False, False]]
    """
    outside = (~mask)[None, None].float()
    near = max_pool2d(outside, kernel_size=2 * pixels + 1, stride=1, padding=pixels)
    return near[0, 0] == 0


def _psnr_in(wanted: Tensor, found: Tensor, mask: Tensor | None) -> float | None:
    if mask is None or not mask.any():
        return None
    mask = mask.cpu()
    return psnr(wanted[:, mask], found[:, mask])


def _size(picture: Tensor) -> str:
    return "x".join(str(side) for side in picture.shape)
