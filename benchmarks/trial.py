"""One short training of one field, for benchmarks that compare many."""

import math
import time
from dataclasses import replace

import torch

from passband.inr import FieldSettings, TrainingSettings, build_field, psnr
from passband.inr._objective import GridObjective
from passband.inr._rates import parameter_groups
from passband.inr.targets import GridTarget, evaluate_on_grid
from passband.training import cosine, make_generator


def resized(target: GridTarget, height: int, width: int) -> GridTarget:
    """``target`` reduced to a smaller grid, antialiased."""
    signal = torch.nn.functional.interpolate(
        target.signal[None], size=(height, width), mode="bicubic", antialias=True
    )[0].clamp(-1, 1)
    return GridTarget(replace(target.info, size=(height, width)), signal)


def trained_psnr(
    settings: FieldSettings,
    target: GridTarget,
    *,
    steps: int,
    batch: int,
    lr: float,
    seed: int = 0,
    device: str = "cpu",
) -> tuple[float, float]:
    """PSNR (dB) on the whole signal after ``steps`` of Adam with a cosine schedule, and seconds."""
    began = time.perf_counter()
    info = target.info
    field = build_field(
        settings, len(info.size), info.channels, generator=make_generator(seed, 4)
    ).to(device)
    training = TrainingSettings(steps=steps, batch_size=batch, seed=seed)
    objective = GridObjective(field, target, training)
    optimizer = torch.optim.Adam(parameter_groups(field, lr), fused=True)
    rates = [group["lr"] for group in optimizer.param_groups]
    for step in range(steps):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * cosine(step, steps)
        optimizer.zero_grad(set_to_none=True)
        objective(step).loss.backward()
        optimizer.step()
    rendering = evaluate_on_grid(field, info.size, device=device).cpu()
    quality = psnr(target.signal, rendering.clamp(-1, 1))
    return (quality if math.isfinite(quality) else 0.0), time.perf_counter() - began
