"""Does the matched knob train as well as the best of a sweep, at a fraction of its cost?

Twelve Kodak images, reduced to 192x128 (128x192), networks of 3x128, 200 steps of 4,096 pixels, so
that two cores do it in a quarter of an hour; `--full` takes the images as they are, 3x256 networks
and 5,000 steps of 65,536 pixels, for a GPU. Every candidate of the sweep is trained; matching picks
one of the same candidates from untrained fields. A synthetic texture along one diagonal shows where
the released reduction fails. Run: python benchmarks/matching.py [--full] [--device cuda]
"""

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import torch
from record import data_folder, write_result
from trial import resized, trained_psnr

from passband.inr import (
    FieldSettings,
    FourierEncoding,
    IdentityEncoding,
    ReluNetwork,
    SignalInfo,
    SirenNetwork,
    with_knob,
)
from passband.inr.matching import match_fresh, match_spectrum, measured_builder
from passband.inr.targets import GridTarget, image_target

REDUCTIONS = ("radial", "l1", "fresh")
SWEEPS: dict[str, dict[str, Any]] = {
    "siren": {
        "values": [10.0, 20.0, 30.0, 45.0, 60.0, 80.0, 110.0, 150.0],
        "knob": "network.first_omega",
        "default": 30.0,
        "lr": {"small": 1e-3, "full": 5e-4},
    },
    "fourier": {
        "values": [1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0],
        "knob": "encoding.sigma",
        "default": 10.0,
        "lr": {"small": 3e-3, "full": 3e-3},
    },
}
SIZES = {
    "small": {"width": 128, "steps": 200, "batch": 4096},
    "full": {"width": 256, "steps": 5000, "batch": 65536},
}


def settings_of(family: str, width: int) -> FieldSettings:
    if family == "siren":
        # Three sine layers: the first and two hidden ones.
        network = SirenNetwork(hidden_features=width, hidden_layers=2)
        return FieldSettings(encoding=IdentityEncoding(), network=network)
    return FieldSettings(
        encoding=FourierEncoding(num_bands=width // 2),
        network=ReluNetwork(hidden_features=width, hidden_layers=3),
    )


def matched(
    signal: torch.Tensor, settings: FieldSettings, family: str
) -> tuple[dict[str, float], float]:
    """The value each reduction picks, and the seconds of the default one."""
    sweep = SWEEPS[family]
    build = measured_builder(settings, sweep["knob"], 2, signal.shape[0])
    found = {
        reduction: match_spectrum(signal, build, sweep["values"], reduction=reduction)
        for reduction in REDUCTIONS
    }
    return {name: match.value for name, match in found.items()}, found["radial"].seconds


def run_image(name: str, target: GridTarget, family: str, size: str, device: str) -> dict[str, Any]:
    sweep, scale = SWEEPS[family], SIZES[size]
    settings = settings_of(family, scale["width"])
    picks, match_seconds = matched(target.signal, settings, family)
    values = sorted({*sweep["values"], sweep["default"]})
    trained = {
        value: trained_psnr(
            with_knob(settings, sweep["knob"], value),
            target,
            steps=scale["steps"],
            batch=scale["batch"],
            lr=sweep["lr"][size],
            device=device,
        )
        for value in values
    }
    quality = {value: psnr for value, (psnr, _) in trained.items()}
    best = max(quality[value] for value in sweep["values"])
    row = {
        "image": name,
        "sweep_psnr_db": {f"{value:g}": quality[value] for value in values},
        "best_db": best,
        "default_db": quality[sweep["default"]],
        "picked": picks,
        "picked_db": {reduction: quality[value] for reduction, value in picks.items()},
        "match_s": match_seconds,
        "sweep_s": sum(trained[value][1] for value in sweep["values"]),
    }
    report = "  ".join(
        f"{reduction} {picks[reduction]:g} ({quality[picks[reduction]] - best:+.2f})"
        for reduction in REDUCTIONS
    )
    print(
        f"{family:8} {name}  best {best:.2f}  default {row['default_db']:.2f}  {report}", flush=True
    )
    return row


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def gaps(pick: Callable[[dict[str, Any]], float]) -> dict[str, float]:
        values = [pick(row) for row in rows]
        return {"mean": statistics.mean(values), "worst": min(values)}

    cost = sum(row["match_s"] for row in rows) / sum(row["sweep_s"] for row in rows)
    return {
        "matched_minus_default_db": gaps(lambda r: r["picked_db"]["radial"] - r["default_db"]),
        "below_best_db": {
            reduction: gaps(lambda r, k=reduction: r["picked_db"][k] - r["best_db"])
            for reduction in REDUCTIONS
        },
        "matching_over_sweep_cost": cost,
    }


def diagonal_texture(side: int = 128) -> GridTarget:
    """Fine stripes of many widths along one diagonal, over a faint smooth shading."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    phases = 2 * torch.pi * torch.rand(16, generator=torch.Generator().manual_seed(0))
    stripes = sum(
        torch.cos(2 * torch.pi * cycles * (x - y) / side + phase)
        for cycles, phase in zip(range(8, 24), phases, strict=True)
    )
    texture = stripes / 16 + 0.1 * torch.cos(2 * torch.pi * 2 * (x + y) / side)
    texture = texture / texture.abs().max()
    info = SignalInfo("image", "diagonal texture", 1, (side, side), 0.5, 0.5, True)
    return GridTarget(info, texture[None])


def run_texture(device: str) -> dict[str, Any]:
    target = diagonal_texture()
    settings = settings_of("fourier", 128)
    sweep = SWEEPS["fourier"]
    picks, _ = matched(target.signal, settings, "fourier")
    build = measured_builder(settings, sweep["knob"], 2, 1)
    picks["released procedure"] = match_fresh(target.signal, build, sweep["values"]).value
    quality = {
        value: trained_psnr(
            with_knob(settings, sweep["knob"], value),
            target, steps=300, batch=8192, lr=3e-3, device=device,
        )[0]
        for value in sweep["values"]
    }  # fmt: skip
    best = max(quality.values())
    result = {name: {"sigma": v, "psnr_db": quality[v]} for name, v in picks.items()}
    print(f"diagonal texture: best {best:.2f} dB")
    for name, entry in result.items():
        print(f"  {name:18} sigma {entry['sigma']:g}: {entry['psnr_db']:.2f} dB")
    return {"best_db": best, "picked": result}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="full-size images, for a GPU")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    size = "full" if arguments.full else "small"
    files = sorted((data_folder() / "images" / "kodak").glob("*.png"))
    result: dict[str, Any] = {"size": SIZES[size], "texture": run_texture(arguments.device)}
    for family in SWEEPS:
        rows = []
        for file in files:
            target = image_target(str(file))
            if size == "small":
                height, width = (count // 4 for count in target.info.size)
                target = resized(target, height, width)
            rows.append(run_image(file.stem, target, family, size, arguments.device))
        result[family] = {"summary": summary(rows), "images": rows}
        print(family, result[family]["summary"])
    write_result("matching-full" if arguments.full else "matching", result)


if __name__ == "__main__":
    main()
