"""What ``--field auto`` picks against an exhaustive search: images, sounds and meshes.

For every signal each usual family is fitted whole, at one budget of parameters, steps and batch;
then it is looked up where the family that the short trials pick ended. Claimed: never more than
1 dB below the best (images and sounds: PSNR of the whole signal), nor more than 10 % above its
chamfer distance (meshes). The pick is not fitted again: same settings and seed, same field. What
has been measured is kept in ``results/auto.json``, so the table can be made in several sittings;
fits whose knob, size or rate have changed since are made anew.

Run: python benchmarks/auto.py                  # 12 images, 3 sounds, 4 meshes, reduced
     python benchmarks/auto.py --again          # choose again, keep the whole fits
     python benchmarks/auto.py --families all --signals kodim03 trumpet rocker-arm
     python benchmarks/auto.py --full --device cuda
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from kodak import _problem as image_problem
from record import RESULTS, data_folder, write_result

from passband.errors import InputError
from passband.inr import MatchingSettings, TrainingSettings, psnr
from passband.inr._meshing import extract_mesh
from passband.inr._problem import GridProblem, Problem, ShapeProblem
from passband.inr._scene import AutoSettings
from passband.inr._shape_quality import compare_surfaces
from passband.inr.choosing import USUAL, Candidate, candidates, choose_field, fit_candidate
from passband.inr.families import FAMILIES
from passband.inr.targets import audio_target, evaluate_on_grid, shape_target
from passband.training import keep_freed_memory, make_generator

SOUNDS = {
    "trumpet": "music/sorohanro_-_solo-trumpet-06.ogg",
    "speech": "speech/libritts_24k.wav",
    "rooster": "esc10/audio/009_Rooster",
}
MESHES = ("armadillo", "bumpy-cube", "nefertiti", "rocker-arm")
ALLOWED = {"psnr": 1.0, "chamfer": 0.1}  # dB; share of the best
SURFACE_POINTS = 20_000


@dataclass(frozen=True)
class Budget:
    """Parameters, steps and points a step; cells along a side where a mesh is measured."""

    parameters: int
    steps: int
    batch: int
    cells: int = 0


SHORT = {
    "image": Budget(30_000, 500, 2048),
    "audio": Budget(30_000, 500, 2048),
    "shape": Budget(80_000, 1000, 2048, 128),
}
FULL = {
    "image": Budget(200_000, 5000, 2**15),
    "audio": Budget(200_000, 5000, 2**15),
    "shape": Budget(400_000, 5000, 2**15, 256),
}


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    name = "auto" if arguments.device == "cpu" else f"auto-{arguments.device}"
    path = RESULTS / f"{name}.json"
    signals: dict[str, Any] = json.loads(path.read_text())["signals"] if path.is_file() else {}
    for key, problem in _problems(arguments):
        entry = signals.setdefault(key, {"families": {}})
        for text in measure(entry, problem, arguments):
            print(f"{key:<36} {text}", flush=True)
            write_result(name, {"allowed": ALLOWED, "signals": signals})
    table(signals)


def measure(entry: dict[str, Any], problem: Problem, arguments: Any) -> Iterator[str]:
    """Add to ``entry``, one at a time, the choice and the whole fits that it lacks."""
    budget = _budget(problem, arguments)
    training = TrainingSettings(steps=budget.steps, batch_size=budget.batch)
    device = torch.device(arguments.device)
    if "auto" not in entry or arguments.again:
        auto = AutoSettings(parameters=budget.parameters)
        choice = choose_field(problem, auto, training, MatchingSettings(), device=device)
        entry["auto"] = choice.to_dict()
        yield f"{choice.reason} ({choice.seconds:.1f} s)"
        found = [row.candidate for row in choice.rows]
    else:
        found = _members(problem, USUAL, budget)
    if arguments.families == "all":
        found += _members(problem, sorted(set(FAMILIES) - set(USUAL)), budget)
    for member in found:
        name = member.family.name
        kept = entry["families"].get(name, {})
        same = {"value": member.value, "parameters": member.parameters, "lr": member.family.lr}
        if all(kept.get(key) == value for key, value in same.items()):
            continue
        began = time.perf_counter()
        field = fit_candidate(problem, member, training, steps=budget.steps, device=device)
        seconds = time.perf_counter() - began
        score = None if field is None else scored(problem, field, budget)
        entry["families"][name] = {**same, "seconds": seconds, **_named(problem, score)}
        yield f"{name:<14} {'failed' if score is None else f'{score:.5g}':>9}  {seconds:6.1f} s"


def scored(problem: Problem, field: Any, budget: Budget) -> float | None:
    """PSNR in dB of the whole signal, or of a shape chamfer in sides of the unit cube."""
    device = next(field.parameters()).device
    if isinstance(problem, ShapeProblem):
        try:
            mesh = extract_mesh(field, budget.cells, device=device)
        except InputError:  # no surface
            return None
        compared = compare_surfaces(
            mesh, problem.target.mesh, samples=SURFACE_POINTS, generator=make_generator(0)
        )
        return compared.chamfer
    rendering = evaluate_on_grid(field, problem.info.size, device=device).cpu()
    if problem.info.bounded:
        rendering = rendering.clamp(-1, 1)
    return psnr(problem.grid.signal, rendering)


def table(signals: dict[str, Any]) -> None:
    """The best family of every signal, the picked one, and what lies between them."""
    print(f"\n{'signal':<36}{'best':<22}{'auto':<22}{'gap':>9}{'choosing':>10}{'search':>8}")
    missed = 0
    for key, entry in sorted(signals.items()):
        families = entry["families"]
        metric = "chamfer" if any("chamfer" in row for row in families.values()) else "psnr"
        sign = 1 if metric == "psnr" else -1
        scores = {name: row[metric] for name, row in families.items() if row[metric] is not None}
        best = max(scores, key=lambda name: sign * scores[name])
        picked = entry["auto"]["rows"][0]["family"]
        if picked not in scores:
            print(f"{key:<36}{picked} has not ended in a score")
            missed += 1
            continue
        gap = sign * (scores[best] - scores[picked])
        gap = gap if metric == "psnr" else gap / scores[best]
        missed += gap > ALLOWED[metric]
        shown = f"{gap:.2f} dB" if metric == "psnr" else f"{100 * gap:.1f} %"
        search = sum(row["seconds"] for name, row in families.items() if name in USUAL)
        print(
            f"{key:<36}{best:<14}{scores[best]:<8.4g}{picked:<14}{scores[picked]:<8.4g}"
            f"{shown:>9}{entry['auto']['seconds']:>8.0f} s{search:>6.0f} s"
        )
    print(f"{missed} of {len(signals)} miss what is claimed")


def _members(problem: Problem, names: Any, budget: Budget) -> list[Candidate]:
    found = []
    for name in names:
        try:
            found += candidates(problem.grid, [name], [budget.parameters], MatchingSettings())
        except InputError:  # not for these axes, or no member as small
            continue
    return found


def _named(problem: Problem, score: float | None) -> dict[str, float | None]:
    return {"chamfer" if isinstance(problem, ShapeProblem) else "psnr": score}


def _budget(problem: Problem, arguments: Any) -> Budget:
    return (FULL if arguments.full else SHORT)[problem.info.kind]


def _problems(arguments: Any) -> Iterator[tuple[str, Problem]]:
    """Every signal that was asked for, under its name and its budget's."""
    data = data_folder()
    images = sorted((data / "images" / "kodak").glob("*.png"))[:12]
    for name in arguments.signals or [*(file.stem for file in images), *SOUNDS, *MESHES]:
        problem = _problem(name, data, arguments)
        budget = _budget(problem, arguments)
        size = "x".join(str(count) for count in reversed(problem.info.size))
        size = f"{budget.cells}^3" if isinstance(problem, ShapeProblem) else size
        yield f"{name} {size} {budget.parameters} {budget.steps}x{budget.batch}", problem


def _problem(name: str, data: Path, arguments: Any) -> Problem:
    if name in MESHES:
        return ShapeProblem(shape_target(str(data / "meshes" / f"{name}.obj")))
    if name not in SOUNDS:
        side = None if arguments.full else arguments.side
        return image_problem(data / "images" / "kodak" / f"{name}.png", side)
    path = data / "audio" / SOUNDS[name]
    path = sorted(path.glob("*.ogg"))[0] if path.is_dir() else path
    return GridProblem(audio_target(str(path), start=0.5, duration=2.0))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="whole images and long runs")
    parser.add_argument("--again", action="store_true", help="choose again where that was done")
    parser.add_argument("--signals", nargs="+", help="such as kodim01, trumpet, rocker-arm")
    parser.add_argument("--families", choices=["usual", "all"], default="usual")
    parser.add_argument("--side", type=int, default=192, help="longest side of images in pixels")
    parser.add_argument("--threads", type=int, default=2, help="as many as cores are free")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
