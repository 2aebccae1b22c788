"""``passband info``: what a file or a run is."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from passband.errors import InputError


def info(
    source: Annotated[Path, typer.Argument(metavar="FILE|RUN", help="A signal or a run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a picture, a sound or a run folder is."""
    facts = _run_facts(source) if source.is_dir() else _file_facts(source)
    if as_json:
        print(json.dumps(facts, indent=1))
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        print(f"{name:<{width}}  {value}")


def _file_facts(path: Path) -> dict[str, Any]:
    from passband.media import probe

    media = probe(path)
    facts: dict[str, Any] = {"file": str(path), "kind": media.kind, "format": media.format}
    if media.kind == "image":
        channels, height, width = media.shape
        facts |= {"size": f"{width}x{height}", "channels": channels}
    elif media.kind == "mesh":
        vertices, faces = media.shape
        facts |= {"vertices": vertices, "faces": faces, "watertight": media.watertight}
    else:
        channels, time = media.shape
        rate = media.sample_rate or 1
        facts |= {"channels": channels, "samples": time, "sample rate": f"{rate} Hz"}
        facts["duration"] = f"{time / rate:.3f} s"
    if media.bit_depth is not None:
        facts["bit depth"] = media.bit_depth
    return facts


def _run_facts(folder: Path) -> dict[str, Any]:
    metrics_file = folder / "metrics.json"
    if not metrics_file.is_file():
        if (folder / "scene.toml").is_file():
            raise InputError(
                f"{folder} is a run that has not ended. Finish it with: "
                f"passband fit {folder / 'scene.toml'} --out {folder} --resume"
            )
        if (folder / "recipe.toml").is_file():
            raise InputError(
                f"{folder} is a training that has not ended. Finish it with: "
                f"passband train {folder / 'recipe.toml'} --out {folder} --resume"
            )
        raise InputError(f"{folder} is a folder and no run. Pass a file or a run folder.")
    metrics = json.loads(metrics_file.read_text(encoding="utf-8"))
    if "field" not in metrics:
        return {"run": str(folder), **_plain_facts(metrics)}
    field = metrics["field"]
    shape = metrics["kind"] == "shape"
    facts = {
        "run": str(folder),
        "source": metrics["source"],
        "size": None if shape else "x".join(str(count) for count in reversed(metrics["size"])),
        "channels": metrics["channels"],
        "field": f"{field['encoding']['kind']} + {field['network']['kind']}",
        "parameters": metrics["parameters"],
        **(_shape_facts(metrics) if shape else _signal_facts(metrics)),
        "steps": metrics["steps"],
        "seconds": round(metrics["seconds"], 2),
        metrics["knob"] or "knob": metrics["knob_value"] if metrics["knob"] else "as set",
    }
    return {name: value for name, value in facts.items() if value is not None}


def _plain_facts(metrics: dict[str, Any]) -> dict[str, Any]:
    """What stands alone in the metrics; tables and lists are for the report."""
    return {
        name.replace("_", " "): f"{value:.4g}" if isinstance(value, float) else value
        for name, value in metrics.items()
        if isinstance(value, str | int | float)
    }


def _signal_facts(metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        "bits per sample": round(metrics["bits_per_sample"], 3),
        "PSNR": "inf" if metrics["psnr"] is None else f"{metrics['psnr']:.2f} dB",
        "SSIM": None if metrics["ssim"] is None else round(metrics["ssim"], 4),
    }


def _shape_facts(metrics: dict[str, Any]) -> dict[str, Any]:
    names = ("iou", "chamfer", "f_score", "normal_consistency", "mape")
    found = {name: metrics[name] for name in names if metrics[name] is not None}
    return {name.replace("_", " "): f"{value:.4g}" for name, value in found.items()}
