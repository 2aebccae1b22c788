"""Compiled loops over the sections of rays."""

from typing import no_type_check

import numpy as np

from passband.inr.kernels._compiled import compiled
from passband.recon.rendering.opacities._neus_alpha import FLOOR


@compiled
@no_type_check
def weights(alpha, out):
    """``out`` is each section's opacity times what the sections before it let pass."""
    rays, samples = alpha.shape
    for ray in range(rays):
        passing = alpha.dtype.type(1)
        for i in range(samples):
            out[ray, i] = passing * alpha[ray, i]
            passing *= 1 - alpha[ray, i]


@compiled
@no_type_check
def weights_gradient(alpha, grad, out):
    """``out_i = T_i (g_i - B_i)``, B_i what is seen of g behind section i.

    ``B_{i-1} = a_i g_i + (1 - a_i) B_i`` runs from the back; ``T_i``, what the sections before
    section i let pass, from the front.
    """
    rays, samples = alpha.shape
    for ray in range(rays):
        passing = alpha.dtype.type(1)
        for i in range(samples):
            out[ray, i] = passing
            passing *= 1 - alpha[ray, i]
        behind = alpha.dtype.type(0)
        for i in range(samples - 1, -1, -1):
            out[ray, i] *= grad[ray, i] - behind
            behind += alpha[ray, i] * (grad[ray, i] - behind)


@compiled
@no_type_check
def neus_alpha(distance, slope, length, kept, alpha, sharpness, anneal, begin, end):
    """Fill ``alpha`` of the rays ``begin`` to ``end``, and ``kept`` with P at the ends."""
    one = alpha.dtype.type(1)
    floor, s, r = one * FLOOR, one * sharpness, one * anneal
    for ray in range(begin, end):
        for i in range(alpha.shape[1]):
            c = slope[ray, i]
            steep = (one - r) * max(one / 2 - c / 2, 0 * one) + r * max(-c, 0 * one)
            f, half = distance[ray, i], steep * length[ray, i] / 2
            before = one / (one + np.exp(-s * (f + half)))
            after = one / (one + np.exp(-s * (f - half)))
            kept[0, ray, i], kept[1, ray, i] = before, after
            share = (before - after + floor) / (before + floor)
            alpha[ray, i] = min(max(share, 0 * one), one) if length[ray, i] > 0 else 0 * one


@compiled
@no_type_check
def neus_alpha_gradient(
    distance, slope, length, kept, grad, by_distance, by_slope, by_sharpness,
    sharpness, anneal, begin, end,
):  # fmt: skip
    """Fill the gradients in distance and slope, and of each ray that in the sharpness."""
    one = grad.dtype.type(1)
    floor, s, r = one * FLOOR, one * sharpness, one * anneal
    for ray in range(begin, end):
        total = 0.0
        for i in range(grad.shape[1]):
            by_distance[ray, i] = by_slope[ray, i] = 0
            if not length[ray, i] > 0:
                continue
            c = slope[ray, i]
            steep = (one - r) * max(one / 2 - c / 2, 0 * one) + r * max(-c, 0 * one)
            f, half = distance[ray, i], steep * length[ray, i] / 2
            before, after = kept[0, ray, i], kept[1, ray, i]
            pull = grad[ray, i] / (before + floor)
            # Of s f at both ends; 1 - alpha = after / (before + floor).
            front = pull * after / (before + floor) * before * (one - before)
            back = -pull * after * (one - after)
            by_distance[ray, i] = s * (front + back)
            total += front * (f + half) + back * (f - half)
            turn = (r - one) / 2 if c < 1 else 0 * one
            turn -= r if c < 0 else 0 * one
            by_slope[ray, i] = s * (front - back) * turn * length[ray, i] / 2
        by_sharpness[ray] = total
