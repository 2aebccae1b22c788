"""From a recipe to a trained speech enhancer in a run folder."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from passband.atomic import write_json_atomic
from passband.errors import InputError
from passband.signal.tasks._learning import built_with_seed, digest_of, learn
from passband.signal.tasks._model_folder import RECIPE_FILE, save_model
from passband.signal.tasks._recordings import Recordings
from passband.signal.tasks.enhancement.frcrn import FRCRN, build_frcrn
from passband.signal.tasks.enhancement.learning._held_out import (
    HeldOut,
    make_held_out,
    score,
    si_snr,
)
from passband.signal.tasks.enhancement.learning._mixing import Mixtures
from passband.signal.tasks.enhancement.learning._objective import EnhancementLoss
from passband.signal.tasks.enhancement.learning._recipe import EnhancerRecipe
from passband.signal.tasks.enhancement.learning._results import write_results
from passband.signal.tasks.enhancement.learning._sources import Split, find_sounds, split_by_name
from passband.training import LoopResult, autocast, check_folder, choose_device, claim_folder
from passband.training.recipes import dump_settings


@dataclass(frozen=True)
class Material:
    """The sound files of a training."""

    speech: Split
    noise: Split
    rooms: list[Path]

    @property
    def files(self) -> list[Path]:
        """All of them, in a fixed order."""
        learned = [*self.speech.learned, *self.noise.learned, *self.rooms]
        return [*learned, *self.speech.held_out, *self.noise.held_out]

    def open(
        self, recipe: EnhancerRecipe
    ) -> tuple[tuple[Recordings, Recordings, Recordings], tuple[Recordings, Recordings]]:
        """Speech, noise and rooms to learn from; speech and noise held out."""
        rate, room = recipe.model.sample_rate, recipe.data.cache_megabytes * 2**20

        def sounds(files: list[Path]) -> Recordings:
            return Recordings(files, rate, cache_bytes=room, report=_say)

        heard = sounds(self.speech.learned), sounds(self.noise.learned), sounds(self.rooms)
        return heard, (sounds(self.speech.held_out), sounds(self.noise.held_out))


def train_enhancer(
    recipe: EnhancerRecipe, folder: Path, *, device: str = "auto", resume: bool = False
) -> dict[str, Any]:
    """Train the enhancer of ``recipe`` on mixtures of speech and noise, in the run ``folder``.

    The folder gets ``recipe.toml``, ``model.safetensors`` (for `load_enhancer`), ``metrics.json``,
    ``events.jsonl``, ``tensorboard/``, ``report.html`` with held-out mixtures to look at and to
    listen to, and the checkpoint. Killed at any moment and called again with ``resume``, it ends
    with the same bits on the CPU.

    Args:
        recipe: what to train, on what, and how.
        folder: where to; made if needed, empty unless ``resume``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        resume: go on with what the folder holds, from the start if that is nothing.

    Returns:
        The metrics, as in ``metrics.json``.

    Raises:
        InputError: the data, the device or the folder cannot be used.
        OutputError: the folder cannot be written or the device is full.
        TrainingError: the loss is not finite any more.
    """
    place = choose_device(device)
    autocast(place, recipe.training.precision)  # refuses 16 bits where they do not work
    text = dump_settings(recipe)
    check_folder(folder, RECIPE_FILE, text, resume=resume)
    material = find_material(recipe)
    model = built_with_seed(lambda: build_frcrn(recipe.model), recipe.training.seed)
    heard, kept = material.open(recipe)
    held_out = make_held_out(*kept, recipe.data)
    mixtures = Mixtures(*heard, recipe.data, seed=recipe.training.seed)
    mixtures(0)  # refuses what cannot be used before a folder is made
    claim_folder(folder, RECIPE_FILE, text, resume=resume)
    model.to(place).train()
    digest = digest_of(text, material.files)
    result = _learn(recipe, model, mixtures, held_out, folder, digest, resume)
    save_model(folder, recipe.kind, model.eval(), recipe.model_dump(mode="json"), {})
    metrics = write_results(folder, recipe, model, held_out, result)
    faults = [each.faults for each in (*heard, *kept)]
    metrics |= {
        "device": str(place),
        "files": dict(zip(("speech", "noise", "rooms"), map(len, heard), strict=True)),
        "held_out_files": dict(zip(("speech", "noise"), map(len, kept), strict=True)),
        "left_out": {str(path): why for each in faults for path, why in each.items()},
    }
    write_json_atomic(folder / "metrics.json", metrics)
    return metrics


def find_material(recipe: EnhancerRecipe) -> Material:
    """The sound files of ``recipe``, those held out apart.

    Raises:
        InputError: a folder is missing or holds no sound, or nothing is left to learn from.
    """
    data = recipe.data
    if not data.folder:
        raise InputError("`data.folder` must name a folder of speech. Pass --data DIR.")
    if not data.noise:
        raise InputError(
            "`data.noise` must name folders of noise. Pass --set 'data.noise=[\"DIR\"]'."
        )
    found = find_sounds("data.folder", [data.folder])
    speech = split_by_name(
        "data.held_out_speech", found, data.held_out_speech, data.held_out, seed=data.split_seed
    )
    more = find_sounds("data.more_held_out", data.more_held_out)
    noise = split_by_name(
        "data.held_out_noise",
        find_sounds("data.noise", data.noise),
        data.held_out_noise,
        data.held_out,
        seed=data.split_seed,
    )
    apart = [path for path in more if path not in set(found)]
    return Material(
        Split(speech.learned, [*speech.held_out, *apart]),
        noise,
        find_sounds("data.rooms", data.rooms),
    )


def on_device(model: FRCRN) -> Callable[[Tensor], Tensor]:
    """``model`` for a signal on any device."""
    device = next(model.parameters()).device

    def enhance(audio: Tensor) -> Tensor:
        out: Tensor = model(audio.to(device))
        return out

    return enhance


def _learn(
    recipe: EnhancerRecipe,
    model: FRCRN,
    mixtures: Mixtures,
    held_out: HeldOut,
    folder: Path,
    fingerprint: str,
    resume: bool,
) -> LoopResult:
    noisy = score(lambda x: x, held_out, {"si_snr": si_snr}).means["si_snr"] or 0.0

    def evaluate(step: int) -> dict[str, Any]:
        model.eval()
        found = score(on_device(model), held_out, {"si_snr": si_snr}).means["si_snr"] or 0.0
        model.train()
        return {"si_snr_gain": found - noisy}

    return learn(
        model,
        EnhancementLoss(model, mixtures, recipe.losses.mask),
        recipe.training,
        folder,
        fingerprint=fingerprint,
        evaluate=evaluate,
        resume=resume,
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
