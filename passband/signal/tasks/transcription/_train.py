"""From a recipe to a trained transcriber in a run folder."""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from passband.atomic import write_text_atomic
from passband.errors import InputError
from passband.signal.tasks import (
    RECIPE_FILE,
    built_with_seed,
    digest_of,
    find_audio,
    hold_out,
    learn,
    save_model,
)
from passband.signal.tasks.transcription._crnn import HarmonicCRNN
from passband.signal.tasks.transcription._crops import Augmentation, Crops, Example
from passband.signal.tasks.transcription._evaluation import Scores, evaluate
from passband.signal.tasks.transcription._linear import SingleLayer
from passband.signal.tasks.transcription._mixtures import load_single_notes, mixture
from passband.signal.tasks.transcription._objectives import (
    harmonic_objective,
    single_layer_objective,
)
from passband.signal.tasks.transcription._pieces import (
    Piece,
    load_pieces,
    pair_files,
    split_pieces,
)
from passband.signal.tasks.transcription._recipe import HarmonicSettings, TranscriberRecipe
from passband.signal.tasks.transcription._report import write_report
from passband.signal.tasks.transcription._rolls import frame_roll, onset_roll, velocity_roll
from passband.signal.tasks.transcription._transcriber import KIND, Transcriber
from passband.training import (
    LoopResult,
    Objective,
    autocast,
    choose_device,
    claim_folder,
    read_events,
)
from passband.training.recipes import dump_settings


class Material:
    """Pieces to learn from and to test on, and what was left out."""

    def __init__(self, recipe: TranscriberRecipe, shortest: float) -> None:
        data = recipe.data
        if not data.folder:
            raise InputError("`data.folder` must name a folder of pieces. Pass --data DIR.")
        pairs, self.left_out = pair_files(Path(data.folder))
        for why in self.left_out.values():
            _say(f"left out: {why}")
        files = list(pairs)
        if isinstance(data.held_out, int):
            learned, held = hold_out(files, data.held_out, seed=data.split_seed)
        else:
            learned, held = split_pieces(files, data.held_out)
        self.files = [*learned, *held, *(pairs[path] for path in (*learned, *held))]
        self.learned = self._load(pairs, learned, recipe.sample_rate, shortest)
        self.held_out = self._load(pairs, held, recipe.sample_rate, 0.0)
        if data.notes_folder:
            self.learned = self.learned + self._mixtures(recipe)

    def _load(
        self, pairs: dict[Path, Path], chosen: list[Path], rate: int, shortest: float
    ) -> list[Piece]:
        pieces, faults = load_pieces(
            {path: pairs[path] for path in chosen}, rate, shortest=shortest, report=_say
        )
        self.left_out |= faults
        if not pieces:
            raise InputError(
                f"none of {len(chosen)} pieces such as {chosen[0]} can be used. The lines above "
                "say why."
            )
        return pieces

    def _mixtures(self, recipe: TranscriberRecipe) -> list[Piece]:
        data, rate = recipe.data, recipe.sample_rate
        self.files += find_audio(Path(data.notes_folder))
        notes, faults = load_single_notes(Path(data.notes_folder), rate, report=_say)
        self.left_out |= faults
        seed = recipe.training.seed
        return [
            mixture(notes, data.mixture_seconds, rate, seed=seed, number=number)
            for number in range(data.mixtures)
        ]


def train_transcriber(
    recipe: TranscriberRecipe, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Train the transcriber of ``recipe`` and write the run to ``folder``.

    The folder gets ``recipe.toml``, ``model.safetensors`` (for `load_transcriber`),
    ``metrics.json``, ``events.jsonl``, ``report.html`` and the checkpoint. Killed at any moment and
    called again with ``resume``, it ends with the same bits on the CPU.

    Args:
        recipe: what to train, on what, and how.
        folder: where to; made if needed, empty unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds, from the start if that is nothing.

    Returns:
        The metrics, as in ``metrics.json``: means over the held-out pieces, and each piece's.

    Raises:
        InputError: the data, the device or the folder cannot be used.
        OutputError: the folder cannot be written or the device is full.
        TrainingError: the loss is not finite any more.
    """
    place = choose_device(device)
    autocast(place, recipe.training.precision)  # refuses 16 bits where they do not work
    transcriber = built_with_seed(lambda: Transcriber(recipe), recipe.training.seed)
    material = Material(recipe, recipe.model.frames * transcriber.hop_seconds)
    text = dump_settings(recipe)
    claim_folder(folder, RECIPE_FILE, text, resume=resume)
    objective = _objective(recipe, transcriber, material.learned, place)
    result = learn(
        transcriber.network,
        objective,
        recipe.training,
        folder,
        fingerprint=digest_of(text, material.files),
        evaluate=lambda step: evaluate(transcriber, material.held_out).means,
        resume=resume,
    )
    transcriber.eval()
    scores = evaluate(transcriber, material.held_out)
    metrics = _metrics(recipe, transcriber, material, scores, result)
    metrics["device"] = str(place)
    save_model(
        folder, KIND, transcriber.network, json.loads(recipe.model_dump_json(exclude_none=True)), {}
    )
    write_report(folder, metrics, read_events(folder), material.held_out, scores, transcriber)
    write_text_atomic(folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    return metrics


def _metrics(
    recipe: TranscriberRecipe,
    transcriber: Transcriber,
    material: Material,
    scores: Scores,
    result: LoopResult,
) -> dict[str, Any]:
    parameters = transcriber.network.parameters()
    return {
        "kind": recipe.kind,
        "model": recipe.model.kind,
        "parameters": sum(parameter.numel() for parameter in parameters),
        "steps": recipe.training.steps,
        "seconds": result.seconds,
        "loss": result.loss,
        **scores.means,
        "pieces": [
            {"name": piece.name, "notes": len(piece.notes), **row}
            for piece, row in zip(material.held_out, scores.rows, strict=True)
        ],
        "learned_from": [piece.name for piece in material.learned],
        "left_out": {str(path): why for path, why in material.left_out.items()},
        "history": result.history,
    }


def _objective(
    recipe: TranscriberRecipe, transcriber: Transcriber, pieces: list[Piece], place: torch.device
) -> Objective:
    data, model, seed = recipe.data, recipe.model, recipe.training.seed
    network, hop = transcriber.network, transcriber.hop_seconds
    rolls = [frame_roll] if isinstance(network, SingleLayer) else _HARMONIC_ROLLS
    examples = []
    for piece in pieces:
        levels = transcriber.levels(piece.sound)
        targets = torch.stack([roll(piece.notes, levels.shape[-1], hop) for roll in rolls])
        examples.append(Example(levels, targets))
    if isinstance(network, HarmonicCRNN):
        network.measure([example.levels for example in examples])
    transcriber.to(place).train()
    crops = Crops(examples, model.frames, data.batch_size, seed=seed)
    if isinstance(network, HarmonicCRNN):
        assert isinstance(model, HarmonicSettings)
        augmentation = Augmentation(data, seed=seed)
        return harmonic_objective(network, crops, augmentation, model.onset_weight)
    return single_layer_objective(network, crops)


_HARMONIC_ROLLS = [onset_roll, frame_roll, velocity_roll]


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
