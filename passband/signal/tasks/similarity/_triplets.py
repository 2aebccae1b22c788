"""The loss: a transformed copy nearer to its anchor than any other sound in the batch."""

import torch
from jaxtyping import Float
from torch import Tensor


def triplet_loss(
    anchors: Float[Tensor, "batch dim"],
    positives: Float[Tensor, "terms batch dim"],
    margin: float,
) -> Float[Tensor, ""]:
    """``sum_k mean_i max(0, |a_i - p_ki|^2 - |a_i - n_ki|^2 + m)`` with semi-hard negatives.

    ``n_ki`` is the nearest of what other items of the batch have, anchors and positives, that is
    farther from ``a_i`` than ``p_ki`` is; where nothing is farther, the farthest (this last is
    ours). The choice has no gradient.

    Args:
        anchors: of unit length, one per item; row i of every term belongs to the same sound.
        positives: transformed copies, one batch per transformation.
        margin: m, positive.

    Returns:
        The loss.

    Example:
        >>> anchors = torch.eye(3)
        >>> triplet_loss(anchors, anchors[None], 0.2).item()
        0.0

    Reference: Schroff, Kalenichenko, Philbin, FaceNet, CVPR 2015, eq. 3 and section 3.2; a term
    for each transformation: Thomé, Piwell, Utterbäck, arXiv 2202.02112.
    """
    terms, batch, _ = positives.shape
    others = torch.cat((anchors, positives.flatten(0, 1)))
    apart = _squared_distances(anchors, others)
    wanted = (anchors - positives).square().sum(-1)
    own = torch.arange(batch, device=anchors.device).repeat(terms + 1)
    is_own = own == torch.arange(batch, device=anchors.device)[:, None]
    with torch.no_grad():
        farther = (apart[None] > wanted[..., None]) & ~is_own
        nearest = apart.expand(terms, -1, -1).masked_fill(~farther, torch.inf).argmin(-1)
        farthest = apart.masked_fill(is_own, -torch.inf).argmax(-1).expand(terms, -1)
        chosen = torch.where(farther.any(-1), nearest, farthest)
    negative = apart.expand(terms, -1, -1).gather(-1, chosen[..., None]).squeeze(-1)
    return (wanted - negative + margin).clamp_min(0).mean(-1).sum()


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    squares = x.square().sum(-1)[:, None] + y.square().sum(-1)
    return squares - 2 * x @ y.T
