"""From a folder of sounds to a trained embedder in a run folder."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from passband.atomic import write_json_atomic
from passband.errors import InputError
from passband.signal.tasks import (
    RECIPE_FILE,
    FeatureCache,
    Recordings,
    built_with_seed,
    digest_of,
    find_audio,
    hold_out,
    learn,
    load_model,
    save_model,
)
from passband.signal.tasks.similarity._copies import Copies
from passband.signal.tasks.similarity._embedder import Embedder
from passband.signal.tasks.similarity._recipe import EmbedderRecipe
from passband.signal.tasks.similarity._report import write_report
from passband.signal.tasks.similarity._retrieval import Retrieval, measure
from passband.signal.tasks.similarity._triplets import triplet_loss
from passband.training import (
    LoopResult,
    Objective,
    ShuffledSampler,
    StepOutput,
    autocast,
    choose_device,
    claim_folder,
    make_generator,
)
from passband.training.recipes import dump_settings, parse_settings

KIND = "embedder"
_BATCHES = 321  # stream of what a step draws


@dataclass(frozen=True)
class Split:
    """Numbers of the files to learn from, and of those held out."""

    learned: list[int]
    held_out: list[int]


def train_embedder(
    recipe: EmbedderRecipe, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Train the embedder of ``recipe`` and write the run to ``folder``.

    The folder gets ``recipe.toml``, ``model.safetensors``, ``metrics.json``, ``events.jsonl``,
    ``report.html``, the checkpoint and ``features`` (which may be deleted). Killed at any moment
    and called again with ``resume``, it ends with the same bits on the CPU.

    Args:
        recipe: what to learn, on what, and how.
        folder: where to; made if needed, empty unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds, from the start if that is nothing.

    Returns:
        The metrics, as in ``metrics.json``: among them ``first_neighbour``, the part of the
        transformed excerpts of held-out files whose own file is found first among all.

    Raises:
        InputError: the data, the device or the folder cannot be used.
        OutputError: the folder cannot be written or the device is full.
        TrainingError: the loss is not finite any more.
    """
    place = choose_device(device)
    autocast(place, recipe.training.precision)  # refuses 16 bits where they do not work
    if not recipe.data.folder:
        raise InputError("`data.folder` must name a folder of sound files. Pass --data DIR.")
    files = find_audio(Path(recipe.data.folder))
    terms = _terms(recipe)
    embedder = built_with_seed(lambda: Embedder(recipe), recipe.training.seed)
    claim_folder(folder, RECIPE_FILE, dump_settings(recipe), resume=resume)
    cache = FeatureCache(Path(recipe.data.cache) if recipe.data.cache else folder / "features")
    copies, left_out = _readable(files, recipe, embedder, cache)
    split = _split(copies, recipe)
    embedder.to(place).train()

    def retrieve() -> Retrieval:
        embedder.eval()
        found = measure(embedder, copies, split.held_out, terms)
        embedder.train()
        return found

    result = learn(
        embedder,
        _objective(recipe, embedder, copies, split, terms),
        recipe.training,
        folder,
        fingerprint=digest_of(dump_settings(recipe), copies.recordings.files),
        evaluate=lambda step: {"first_neighbour": retrieve().first},
        resume=resume,
    )
    found = retrieve()
    embedder.eval()
    save_model(folder, KIND, embedder, recipe.model_dump(), {"terms": list(terms)})
    metrics = _metrics(recipe, embedder, copies, split, result, found) | {"left_out": left_out}
    write_json_atomic(folder / "metrics.json", metrics)
    write_report(folder, metrics, embedder, copies, split.held_out)
    return metrics


def _objective(
    recipe: EmbedderRecipe,
    embedder: Embedder,
    copies: Copies,
    split: Split,
    terms: tuple[str, ...],
) -> Objective:
    device = embedder.point.weight.device
    batch = _Batches(recipe, copies, split.learned, embedder.frames, terms, device)

    def objective(step: int) -> StepOutput:
        with autocast(device, recipe.training.precision):
            points = embedder.of_levels(batch(step)).float()
        anchors, *positives = points.chunk(len(terms) + 1)
        return StepOutput(triplet_loss(anchors, torch.stack(positives), recipe.margin))

    return objective


def _metrics(
    recipe: EmbedderRecipe,
    embedder: Embedder,
    copies: Copies,
    split: Split,
    result: LoopResult,
    found: Retrieval,
) -> dict[str, Any]:
    return {
        "kind": KIND,
        "first_neighbour": found.first,
        "first_neighbour_of": found.by_term,
        "queries": found.queries,
        "searched_files": len(copies.recordings),
        "parameters": sum(p.numel() for p in embedder.parameters()),
        "steps": recipe.training.steps,
        "seconds": result.seconds,
        "loss": result.loss,
        "history": result.history,
        "device": str(embedder.point.weight.device),
        "files": len(split.learned),
        "held_out": [str(copies.recordings.files[k]) for k in split.held_out],
        "features": {"found": copies.cache.found, "made": copies.cache.made},
    }


def load_embedder(folder: Path, device: str = "auto") -> Embedder:
    """The embedder that a run left in ``folder``, ready to call.

    Args:
        folder: of `train_embedder`.
        device: ``auto``, ``cpu``, ``cuda``, ...

    Raises:
        InputError: there is no model, it is damaged, or one of another task.
    """
    saved = load_model(folder, KIND)
    embedder = Embedder(parse_settings(EmbedderRecipe, saved.recipe, str(saved.path)))
    saved.restore(embedder)
    return embedder.to(choose_device(device)).eval()


def _terms(recipe: EmbedderRecipe) -> tuple[str, ...]:
    settings = recipe.transformations
    given = {name: getattr(settings, name) for name in ("pitch", "tempo", "equaliser", "crop")}
    terms = tuple(name for name, most in given.items() if most > 0)
    if not terms:
        raise InputError(
            "`transformations` must leave at least one of pitch, tempo, equaliser and crop above "
            "0: there would be nothing to learn. Raise one."
        )
    return terms


def _readable(
    files: list[Path], recipe: EmbedderRecipe, embedder: Embedder, cache: FeatureCache
) -> tuple[Copies, dict[str, str]]:
    """The files that have a sound, in order, and why the others are left out."""
    rate = recipe.data.sample_rate
    copies = Copies(Recordings(files, rate), recipe, embedder, cache)
    left_out: dict[str, str] = {}
    for index, path in enumerate(files):
        try:
            copies(index)
        except InputError as error:
            left_out[str(path)] = str(error)
            sys.stderr.write(f"left out: {error}\n")
    if not left_out:
        return copies, left_out
    usable = [path for path in files if str(path) not in left_out]
    return Copies(Recordings(usable, rate), recipe, embedder, cache), left_out


def _split(copies: Copies, recipe: EmbedderRecipe) -> Split:
    files, data = copies.recordings.files, recipe.data
    if len(files) < data.held_out + 2:
        raise InputError(
            f"`data.held_out` (={data.held_out}) must leave at least 2 of the {len(files)} sound "
            "files that can be read to learn from. Lower it, or pass more files."
        )
    learned, held_out = hold_out(files, data.held_out, seed=data.split_seed)
    number = {path: index for index, path in enumerate(files)}
    return Split([number[path] for path in learned], [number[path] for path in held_out])


class _Batches:
    """Windows of a step, a function of its number: those of the anchors, then term by term."""

    def __init__(
        self,
        recipe: EmbedderRecipe,
        copies: Copies,
        files: list[int],
        frames: int,
        terms: tuple[str, ...],
        device: torch.device,
    ) -> None:
        self._recipe, self._copies, self._files = recipe, copies, files
        self._frames, self._terms, self._device = frames, terms, device
        seed = recipe.training.seed
        self._sampler = ShuffledSampler(len(files), recipe.data.batch_size, seed=seed)

    def __call__(self, step: int) -> Tensor:
        numbers = [self._files[k] for k in self._sampler(step).unique().tolist()]
        generator = make_generator(self._recipe.training.seed, _BATCHES, step)
        draws = torch.rand(len(numbers), len(self._terms) + 1, 2, generator=generator)
        rows: list[list[Tensor]] = [[] for _ in range(len(self._terms) + 1)]
        for number, row in zip(numbers, draws.tolist(), strict=True):
            levels, _ = self._copies(number)
            start = row[0][0] * max(0, levels.shape[-1] - self._frames)
            rows[0].append(self._cut(levels, start))
            for term, place, drawn in zip(self._terms, rows[1:], row[1:], strict=True):
                place.append(self._positive(number, term, start, drawn))
        return torch.stack([window for part in rows for window in part]).to(self._device).float()

    def _positive(self, number: int, term: str, start: float, drawn: list[float]) -> Tensor:
        """Of a copy at the anchor's place, off by what the windows of a search may be off."""
        settings = self._recipe.transformations
        if term == "crop":
            off = settings.crop * (2 * drawn[0] - 1) * self._frames
            return self._cut(self._copies(number)[0], start + off)
        copy = min(int(drawn[1] * settings.copies), settings.copies - 1)
        levels, tempo = self._copies(number, term, copy)
        off = settings.crop / 2 * (2 * drawn[0] - 1) * self._frames
        return self._cut(levels, start / tempo + off)

    def _cut(self, levels: Tensor, start: float) -> Tensor:
        first = min(max(0, round(start)), levels.shape[-1] - self._frames)
        return levels[:, first : first + self._frames]
