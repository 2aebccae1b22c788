"""From a recipe to a trained denoiser in a run folder."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from passband.atomic import write_json_atomic
from passband.errors import InputError
from passband.signal.tasks import (
    RECIPE_FILE,
    built_with_seed,
    digest_of,
    hold_out,
    learn,
    save_model,
)
from passband.signal.tasks.denoising._denoiser import KIND
from passband.signal.tasks.denoising._evaluation import (
    baselines,
    by_network,
    held_out_mixtures,
    score,
)
from passband.signal.tasks.denoising._files import find_records
from passband.signal.tasks.denoising._mixing import Mixture, Mixtures
from passband.signal.tasks.denoising._objective import denoising_objective
from passband.signal.tasks.denoising._recipe import DenoiserRecipe
from passband.signal.tasks.denoising._report import write_report
from passband.signal.tasks.denoising._splitter import Splitter
from passband.signal.tasks.denoising._traces import Material, collect, collect_noise
from passband.training import (
    LoopResult,
    autocast,
    check_folder,
    choose_device,
    claim_folder,
    read_events,
)
from passband.training.recipes import dump_settings


def train_denoiser(
    recipe: DenoiserRecipe, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Train the denoiser of ``recipe`` and write the run to ``folder``.

    The folder gets ``recipe.toml``, ``model.safetensors`` (for `load_denoiser`), ``metrics.json``,
    ``events.jsonl``, ``report.html`` and the checkpoint. Whole files are held out; of them
    mixtures are made that the scores are medians over. Killed at any moment and called again with
    ``resume``, it ends with the same bits on the CPU.

    Args:
        recipe: what to train, on what, and how.
        folder: where to; made if needed, empty unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds, from the start if that is nothing.

    Returns:
        The metrics, as in ``metrics.json``; ``snr_gain`` (dB) and ``correlation`` are medians.

    Raises:
        InputError: the data, the device or the folder cannot be used.
        OutputError: the folder cannot be written or the device is full.
        TrainingError: a loss is not finite any more.
    """
    place = choose_device(device)
    autocast(place, recipe.training.precision)  # refuses 16 bits where they do not work
    text = dump_settings(recipe)
    check_folder(folder, RECIPE_FILE, text, resume=resume)
    data = prepare(recipe)
    claim_folder(folder, RECIPE_FILE, text, resume=resume)
    splitter = built_with_seed(lambda: Splitter(recipe.model), recipe.training.seed)
    splitter.to(place).train()
    result = _learn(recipe, splitter, data, folder, digest_of(text, data.files), resume=resume)
    splitter.eval()
    save_model(folder, KIND, splitter, recipe.model_dump(mode="json"), {})
    metrics = _measure(recipe, splitter, data, result)
    metrics["device"] = str(place)
    write_report(folder, metrics, read_events(folder), splitter, data.held_out)
    write_json_atomic(folder / "metrics.json", metrics)
    return metrics


@dataclass(frozen=True)
class Prepared:
    """What is learned from and what is measured on.

    Attributes:
        learned: traces and noises to learn from.
        apart: those of the held-out files.
        held_out: mixtures of the latter.
        files: all of them.
        counts: numbers of files by what they serve for.
    """

    learned: Material
    apart: Material
    held_out: Mixture
    files: list[Path]
    counts: dict[str, int]


def prepare(recipe: DenoiserRecipe) -> Prepared:
    """Read the files of ``recipe``, whole files held out.

    Raises:
        InputError: no folder, no seismograms in it, or none that can be learned from.
    """
    data, rate = recipe.data, recipe.model.sample_rate
    if not data.folder:
        raise InputError("`data.folder` must name a folder of seismograms. Pass --data DIR.")
    found = find_records(Path(data.folder))
    if data.held_out >= len(found):
        raise InputError(
            f"`data.held_out` (={data.held_out}) must be less than the number of seismograms, "
            f"{len(found)}. Lower it, or pass more files."
        )
    kept, held = hold_out(found, data.held_out, seed=data.split_seed)
    noise_files = [] if data.noise_folder is None else find_records(Path(data.noise_folder))
    learned = collect(kept, rate, min_snr=data.min_snr, report=_say)
    apart = collect(held, rate, min_snr=data.min_snr, report=_say)
    noise = collect_noise(noise_files, rate, report=_say)
    learned.noises.extend(noise.noises)
    learned.faults.update(noise.faults)
    if not learned.traces or not learned.noises:
        why = next(iter(learned.faults.values()), "no event stands out, or no noise precedes it")
        raise InputError(
            f"the files of `data.folder` (={data.folder}) give {len(learned.traces)} traces with "
            f"an event and {len(learned.noises)} stretches of noise: {why} Pass records with picks "
            "and noise before them, or lower data.min_snr."
        )
    counts = {"learned": len(kept), "held_out": len(held), "noise": len(noise_files)}
    files = [*found, *noise_files]
    return Prepared(learned, apart, held_out_mixtures(apart, data), files, counts)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _learn(
    recipe: DenoiserRecipe,
    splitter: Splitter,
    data: Prepared,
    folder: Path,
    digest: str,
    *,
    resume: bool,
) -> LoopResult:
    mixtures = Mixtures(
        data.learned.traces,
        data.learned.noises,
        samples=recipe.data.samples,
        batch_size=recipe.data.batch_size,
        settings=recipe.mixing,
        seed=recipe.training.seed,
    )

    def evaluate(step: int) -> dict[str, Any]:
        return dict(score(by_network(splitter), data.held_out).summary())

    return learn(
        splitter,
        denoising_objective(splitter, mixtures, recipe.losses),
        recipe.training,
        folder,
        fingerprint=digest,
        evaluate=evaluate,
        resume=resume,
    )


def _measure(
    recipe: DenoiserRecipe, splitter: Splitter, data: Prepared, result: LoopResult
) -> dict[str, Any]:
    def row(filter_: Any) -> dict[str, Any]:
        scores = score(filter_, data.held_out)
        ranges = scores.by_ratio(*recipe.data.held_out_snr_db)
        return {**scores.summary(), "by_snr": ranges}

    network = row(by_network(splitter))
    return {
        "kind": recipe.kind,
        "parameters": sum(p.numel() for p in splitter.parameters() if p.requires_grad),
        "steps": recipe.training.steps,
        "seconds": result.seconds,
        "loss": result.loss,
        "snr_gain": network["snr_gain"],
        "correlation": network["correlation"],
        "network": network,
        "baselines": {
            name: row(filter_) for name, filter_ in baselines(recipe.model.sample_rate).items()
        },
        "mixtures": len(data.held_out.signal),
        "files": data.counts,
        "traces": {"learned": len(data.learned.traces), "held_out": len(data.apart.traces)},
        "noises": {"learned": len(data.learned.noises), "held_out": len(data.apart.noises)},
        "left_out": {
            str(path): why for path, why in (data.learned.faults | data.apart.faults).items()
        },
        "history": result.history,
    }
