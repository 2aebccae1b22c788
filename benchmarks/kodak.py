"""Every family on the Kodak images: PSNR, SSIM and seconds at given parameters and steps.

The published protocol: 24 images (those that are present), 50k, 200k, 400k and 800k parameters,
1,000 and 5,000 steps, the last field and not the best, Adam with each family's usual rate and half
a cosine, the knob matched to the image's spectrum before. What has been measured is kept in
``results/kodak.json`` and not measured again, so the table can be made in several sittings.

Run: python benchmarks/kodak.py                 # one image at 384 pixels, 200k, 1,000 steps
     python benchmarks/kodak.py --times         # milliseconds of a step of every family
     python benchmarks/kodak.py --full --device cuda
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from record import RESULTS, data_folder, write_result
from torch.nn.functional import interpolate

from passband.errors import InputError
from passband.inr import MatchingSettings, TrainingSettings, psnr, ssim, with_knob
from passband.inr._initial import initial_field
from passband.inr._problem import GridProblem
from passband.inr.choosing import Candidate, candidates, fit_candidate, step_seconds
from passband.inr.families import FAMILIES, parameter_count, sized
from passband.inr.matching import winner_scales
from passband.inr.targets import GridTarget, evaluate_on_grid, image_target

UNMATCHED = {"siren-30": "siren", "finer-30": "finer"}  # with the omega that everybody takes
SINGLE = "progressive-single"  # one MLP with all frequencies of the progressive network
WINNER = "siren-winner"
MERGED = "positional-as-fr"  # what fr-relu is once merged, trained as a plain network
EXTRA = (*UNMATCHED, SINGLE, WINNER, MERGED)


def main() -> None:
    arguments = _arguments()
    if arguments.device == "cpu":
        torch.set_num_threads(arguments.threads)
    files = sorted((data_folder() / "images" / "kodak").glob("*.png"))[: arguments.images]
    kept = _kept(arguments.device)
    rows: dict[str, Any] = kept.setdefault("rows", {})
    if arguments.times:
        found = timed(_problem(files[0], arguments.side), arguments)
        kept.setdefault("step_ms", {}).update(found)
        write_result(_name(arguments.device), kept)
        return
    for file in files:
        problem = _problem(file, arguments.side)
        for parameters in arguments.parameters:
            for steps in arguments.steps:
                for name in arguments.families:
                    setting = f"{_size(problem)} {name} {parameters} {steps} {arguments.batch}"
                    key = f"{file.stem} {setting}"
                    if key not in rows:
                        rows[key] = measured(problem, name, parameters, steps, arguments)
                        print(f"{key:<52} {_shown(rows[key])}", flush=True)
                        write_result(_name(arguments.device), kept)
    table(rows)


def timed(problem: GridProblem, arguments: argparse.Namespace) -> dict[str, float]:
    """Milliseconds of a step of every family, of the first number of parameters.

    The shortest of a few steps in a quiet moment: the fits of a whole table share their machine.
    """
    device = torch.device(arguments.device)
    training = TrainingSettings(batch_size=arguments.batch)
    found = {}
    for name in arguments.families:
        try:
            candidate = chosen(problem.grid, name, arguments.parameters[0])
        except InputError:  # of other axes
            continue
        found[name] = 1e3 * min(
            step_seconds(problem, candidate, training, device=device) for _ in range(3)
        )
        print(f"{name:<20}{found[name]:9.2f} ms a step", flush=True)
    return found


def measured(
    problem: GridProblem, name: str, parameters: int, steps: int, arguments: argparse.Namespace
) -> dict[str, Any]:
    """PSNR, SSIM, parameters and seconds of one fit."""
    device = torch.device(arguments.device)
    began = time.perf_counter()
    try:
        candidate = chosen(problem.grid, name, parameters)
    except InputError as error:  # such as a family of other axes
        return {"failed": str(error)}
    start = None
    if name == WINNER:
        noise = winner_scales(problem.grid.signal)
        start = initial_field(candidate.settings, problem, 0, winner=noise)
    matched = time.perf_counter() - began
    training = TrainingSettings(batch_size=arguments.batch)
    began = time.perf_counter()
    field = fit_candidate(problem, candidate, training, steps=steps, device=device, start=start)
    if field is None:
        return {"failed": "the loss is not finite"}
    if device.type == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    target = problem.grid.signal
    rendering = evaluate_on_grid(field, problem.info.size, device=device).cpu().clamp(-1, 1)
    return {
        "psnr": psnr(target, rendering),
        "ssim": ssim(target, rendering),
        "seconds": seconds,
        "matching_seconds": matched,
        "parameters": candidate.parameters,
        "knob": candidate.family.knob,
        "value": candidate.value,
    }


def chosen(grid: GridTarget, name: str, parameters: int) -> Candidate:
    """The member of that family for that many parameters, matched unless its name says not."""
    if name == SINGLE:
        return one_network(grid, parameters)
    if name == MERGED:
        return merged_network(grid, parameters)
    family = "siren" if name == WINNER else UNMATCHED.get(name, name)
    (found,) = candidates(grid, [family], [parameters], MatchingSettings())
    if name in (*UNMATCHED, WINNER) and found.family.knob is not None:
        settings = with_knob(found.settings, found.family.knob, 30.0)
        return replace(found, settings=settings, value=30.0)
    return found


def one_network(grid: GridTarget, parameters: int) -> Candidate:
    """The progressive network with all its frequencies and layers in one level."""
    (found,) = candidates(grid, ["progressive"], [parameters], MatchingSettings())
    depth = found.settings.network.levels * found.settings.network.layers_per_level
    settings = with_knob(found.settings, "network.levels", 1)
    settings = with_knob(settings, "network.layers_per_level", depth)
    axes, channels = len(grid.info.size), grid.info.channels
    settings = sized(found.family, settings, parameters, axes, channels)
    count = parameter_count(settings, axes, channels)
    return Candidate(found.family, settings, found.value, count)


def merged_network(grid: GridTarget, parameters: int) -> Candidate:
    """A ReLU network as wide and deep as the Fourier-reparameterised one of that size."""
    (found,) = candidates(grid, ["fr-relu"], [parameters], MatchingSettings())
    (plain,) = candidates(grid, ["positional"], [parameters], MatchingSettings())
    settings = plain.settings
    for key in ("hidden_features", "hidden_layers"):
        settings = with_knob(settings, f"network.{key}", getattr(found.settings.network, key))
    count = parameter_count(settings, len(grid.info.size), grid.info.channels)
    return replace(plain, settings=settings, parameters=count)


def table(rows: dict[str, Any]) -> None:
    """Means over images by family, parameters and steps, best first."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for key, row in rows.items():
        _, size, name, parameters, steps, batch = key.split()
        if "psnr" in row:
            groups.setdefault((f"{size}, {parameters}, {steps} x {batch}", name, ""), []).append(
                row
            )
    title = ""
    for (setting, name, _), found in sorted(
        groups.items(), key=lambda item: (item[0][0], -_mean(item[1], "psnr"))
    ):
        if setting != title:
            print(f"\n{setting}")
            title = setting
        print(
            f"  {name:<16}{_mean(found, 'psnr'):7.2f} dB  {_mean(found, 'ssim'):.4f}"
            f"  {_mean(found, 'seconds'):7.1f} s  {len(found)} images"
        )


def _mean(rows: list[dict[str, Any]], name: str) -> float:
    values = [row[name] for row in rows if name in row]  # a fit that was paused has no time
    return sum(values) / len(values) if values else float("nan")


def _problem(file: Path, side: int | None) -> GridProblem:
    target = image_target(str(file))
    if side is None:
        return GridProblem(target)
    scale = side / max(target.info.size)
    size = [round(count * scale) for count in target.info.size]
    pixels = interpolate(target.signal[None], size, mode="bilinear", antialias=True)[0]
    return GridProblem(GridTarget(replace(target.info, size=tuple(size)), pixels))


def _size(problem: GridProblem) -> str:
    height, width = problem.info.size
    return f"{width}x{height}"


def _shown(row: dict[str, Any]) -> str:
    if "failed" in row:
        return f"failed: {row['failed']}"
    return f"{row['psnr']:6.2f} dB  {row['ssim']:.4f}  {row['seconds']:6.1f} s"


def _name(device: str) -> str:
    return "kodak" if device == "cpu" else f"kodak-{device}"


def _kept(device: str) -> dict[str, Any]:
    path = RESULTS / f"{_name(device)}.json"
    kept = json.loads(path.read_text()) if path.is_file() else {}
    return {key: kept[key] for key in ("rows", "step_ms") if key in kept}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="the whole protocol")
    parser.add_argument("--images", type=int, default=1, help="how many, the first ones")
    parser.add_argument("--side", type=int, default=384, help="longest side in pixels")
    parser.add_argument("--parameters", type=int, nargs="+", default=[200_000])
    parser.add_argument("--steps", type=int, nargs="+", default=[1000])
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--families", nargs="+", default=[*EXTRA, *FAMILIES])
    parser.add_argument("--times", action="store_true", help="only the time of a step")
    parser.add_argument("--threads", type=int, default=2, help="as many as cores are free")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    if arguments.full:
        arguments.images, arguments.side, arguments.batch = 24, None, 2**15
        arguments.parameters = [50_000, 200_000, 400_000, 800_000]
        arguments.steps = [1000, 5000]
    return arguments


if __name__ == "__main__":
    main()
