"""Edges between the sections of rays."""

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.recon.rendering._interfaces import Samples


def stratified_edges(
    near: Float[Tensor, " rays"],
    far: Float[Tensor, " rays"],
    sections: int,
    generator: torch.Generator | None,
) -> Float[Tensor, "rays edges"]:
    """Edges of equal sections from near to far; with a generator the inner ones are shifted.

    Each by at most half a section either way, so that their order stays and nothing is left out.
    """
    at = torch.arange(sections + 1, device=near.device, dtype=near.dtype)
    at = at.expand(len(near), sections + 1)
    if generator is not None:
        size = (len(near), sections - 1)
        shift = torch.rand(size, generator=generator, device=near.device, dtype=near.dtype) - 0.5
        at = torch.cat((at[:, :1], at[:, 1:-1] + shift, at[:, -1:]), -1)
    return torch.lerp(near[:, None], far.maximum(near)[:, None], at / sections)


def between(edges: Float[Tensor, "rays edges"]) -> Samples:
    """The sections between edges that increase."""
    return Samples(0.5 * (edges[:, 1:] + edges[:, :-1]), edges.diff(dim=-1))


def inverse_transform(
    edges: Float[Tensor, "rays edges"],
    weights: Float[Tensor, "rays sections"],
    quantiles: Float[Tensor, "rays drawn"],
) -> Float[Tensor, "rays drawn"]:
    """Depths at ``quantiles`` of the distribution that is ``weights``, constant in each section.

    Where all weights of a ray are 0 it is constant all over.
    """
    tiny = torch.finfo(weights.dtype).tiny
    even = weights.sum(-1, keepdim=True) <= tiny
    weights = torch.where(even, edges.diff(dim=-1) + tiny, weights)
    cumulated = torch.cumsum(weights, -1)
    cumulated = torch.nn.functional.pad(cumulated / cumulated[:, -1:], (1, 0))
    # Searched among the inner edges, so that quantiles 0 and 1 have a section too.
    inner = cumulated[:, 1:-1].contiguous()
    section = torch.searchsorted(inner, quantiles.contiguous(), right=True)
    low, high = cumulated.gather(1, section), cumulated.gather(1, section + 1)
    share = ((quantiles - low) / (high - low).clamp(min=tiny)).clamp(0, 1)
    return torch.lerp(edges.gather(1, section), edges.gather(1, section + 1), share)


def check_count(name: str, value: int, least: int) -> None:
    """Raise unless a number of sections is at least ``least``."""
    if value < least:
        raise InputError(f"`{name}` (={value}) must be at least {least}. Pass e.g. 64.")
