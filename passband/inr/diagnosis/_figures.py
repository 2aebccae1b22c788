"""Figures of a diagnosis, as PNG bytes."""

from itertools import pairwise
from typing import Any

import numpy as np
from torch import Tensor

from passband.inr._figures import _BLUE, _GRAY, _INK, _ORANGE
from passband.inr.diagnosis._kernel import KernelSpectrum
from passband.training import figure_png, new_figure

_COLOURS = {"local": _ORANGE, "global": _BLUE}
_NAMES = {"local": "neighbours", "global": "opposite corners"}
_BINS = 60


def heat_figure(bands: dict[str, Any]) -> bytes:
    """Relative error (dB) of every octave band (rows) at every evaluation (columns)."""
    figure, (axis,) = new_figure(1, 1, (6.2, 3.6), right=0.9)
    errors = np.array(bands["error_db"], dtype=float)[1:]
    image = axis.imshow(errors, origin="lower", aspect="auto", vmin=-30, vmax=0, cmap="magma")
    steps, edges = bands["steps"], bands["edges"]
    axis.set_xticks(range(len(steps)), [f"{step}" for step in steps], fontsize=7)
    names = [f"{low:.0f}–{high:.0f}" for low, high in pairwise(edges[1:])]
    axis.set_yticks(range(len(names)), names, fontsize=7)
    axis.set(xlabel="steps", title="error per band (dB)")
    axis.set_ylabel("cycles per side", labelpad=1)
    figure.colorbar(image, ax=axis, fraction=0.05, pad=0.02).ax.tick_params(labelsize=7)
    figure.subplots_adjust(left=0.16)
    return figure_png(figure)


def confusion_figure(cosines: dict[str, dict[str, Tensor]]) -> bytes:
    """Distribution of the gradient cosines of each part, over neighbours and opposite corners."""
    figure, axes = new_figure(1, len(cosines), (6.2 * len(cosines), 3.4))
    edges = np.linspace(-1, 1, _BINS + 1)
    for axis, (part, kinds) in zip(axes, cosines.items(), strict=True):
        for kind, values in kinds.items():
            label = f"{_NAMES[kind]}, mean {float(values.mean()):+.2f}"
            _outline(axis, values, edges, kind, label)
        axis.axvline(0, color=_GRAY, lw=0.8, ls=":")
        axis.set(xlabel="cosine of two samples' gradients", ylabel="density", title=part)
        axis.legend(frameon=False, fontsize=8)
    return figure_png(figure)


def hamming_figure(hamming: dict[str, Tensor], units: int) -> bytes:
    """Distribution of the number of hidden units that differ within a pair."""
    figure, (axis,) = new_figure(1, 1, (6.2, 3.4))
    edges = np.linspace(0, max(max(float(d.max()) for d in hamming.values()), 1.0), _BINS + 1)
    for kind, values in hamming.items():
        label = f"{_NAMES[kind]}, mean {float(values.double().mean()):.1f}"
        _outline(axis, values, edges, kind, label)
    axis.set(xlabel=f"units that differ, of {units}", ylabel="density", title="activation patterns")
    axis.legend(frameon=False, fontsize=8)
    return figure_png(figure)


def _outline(axis: Any, values: Tensor, edges: Any, kind: str, label: str) -> None:
    density, _ = np.histogram(values.double().numpy(), edges, density=True)
    axis.stairs(density, edges, fill=True, color=_COLOURS[kind], alpha=0.35, label=label)
    axis.stairs(density, edges, color=_COLOURS[kind], lw=1.2)


def kernel_figure(spectrum: KernelSpectrum) -> bytes:
    """Eigenvalues of the tangent kernel, and the energy of the signal along its eigenvectors."""
    figure, (left, right) = new_figure(1, 2, (12.6, 3.4))
    values = spectrum.eigenvalues.numpy()
    order = np.arange(1, len(values) + 1)
    top = max(float(values[0]), np.finfo(float).tiny)
    left.plot(order, np.maximum(values / top, 1e-16), color=_INK, lw=1.4)
    left.axvline(spectrum.effective_rank, color=_ORANGE, lw=1.2)
    left.set(xscale="log", yscale="log", xlabel="eigenvector", ylabel="eigenvalue / largest")
    left.set(title=f"tangent kernel, effective rank {spectrum.effective_rank:.1f}")
    curves = (("target", spectrum.target, _BLUE), ("still to learn", spectrum.residual, _ORANGE))
    for name, energy, colour in curves:
        if energy is not None:
            right.plot(order, energy.numpy(), color=colour, lw=1.4, label=name)
    right.plot(order, order / len(order), color=_GRAY, lw=0.8, ls=":", label="no preference")
    right.set(xscale="log", xlabel="eigenvectors", ylabel="share of energy", ylim=(0, 1.02))
    right.set(title="alignment")
    right.legend(frameon=False, fontsize=8)
    return figure_png(figure)
