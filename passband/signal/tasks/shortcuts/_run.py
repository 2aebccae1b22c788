"""The shortcut test of a classifier of sounds that ``passband train`` left."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from passband.atomic import write_json_atomic
from passband.errors import InputError
from passband.signal.tasks.classification import (
    Classifier,
    LabelledClips,
    load_classifier,
    read_clips,
    read_sound,
)
from passband.signal.tasks.shortcuts._frequencies import mel_edges, sound_bands
from passband.signal.tasks.shortcuts._report import as_json, write_report
from passband.signal.tasks.shortcuts._search import Items, ShortcutSettings, find_shortcuts
from passband.signal.tasks.shortcuts._spectra import class_spectra
from passband.training import make_generator

RESULT, REPORT = "shortcuts.json", "report.html"
_TINY = 1e-12  # of a probability, whose logarithm is wanted
_CHOICE = 231  # stream of the clips that are used


def search_run(
    run: Path,
    data: Path,
    out: Path,
    *,
    bands: int = 64,
    most: int = 40,
    settings: ShortcutSettings | None = None,
    device: str = "auto",
    batch: int = 32,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Frequency shortcuts of a trained classifier, in bands equally wide in mel.

    Frequencies are ranked on clips of the folds learned from and tested on the fold held out (the
    first, where every fold was in turn: then most of its networks learned from those too). What is
    removed takes the mean amplitude of other classes, as silence in a band is an event of its own
    on a scale of decibels.

    Args:
        run: folder of the classifier.
        data: labelled clips, as for its training.
        out: folder for ``shortcuts.json`` and ``report.html``; made if needed.
        bands: number of bands, at least 2.
        most: clips of each class, in each part; the first window of each is used.
        settings: when frequencies count as a shortcut.
        device: ``auto``, ``cpu``, ``cuda``, ...
        batch: most filtered sounds at once.
        progress: called with classes done and in all.

    Returns:
        What ``shortcuts.json`` holds: results of the classes, files left out with the reason, and
        the names of those that could not be read among them.

    Raises:
        InputError: no classifier, or clips that do not fit it.
        OutputError: the folder cannot be written.
    """
    classifier = load_classifier(run, device)
    frontend, names = classifier.frontend, classifier.classes
    edges = mel_edges(frontend.sample_rate, bands)
    frequencies = sound_bands(frontend.samples, frontend.sample_rate, edges)
    clips = read_clips(classifier.recipe.data.model_copy(update={"folder": str(data)}))
    where = next(classifier.parameters()).device
    unread: dict[str, str] = {}
    examples, test = _items(classifier, clips, most, unread, where)
    spectra = class_spectra(*examples, frequencies, classes=len(names))

    def told(sounds: Tensor) -> Tensor:
        probabilities: Tensor = classifier(sounds)
        return probabilities.clamp_min(_TINY).log()

    results = find_shortcuts(
        told, examples, test, frequencies, settings=settings, spectra=spectra, batch=batch,
        progress=lambda label, done, total: progress(label + (done == total), len(names)),
    )  # fmt: skip
    found = {
        "classes": as_json(results, frequencies, names),
        "bands": list(frequencies.names),
        "examples": len(examples.labels),
        "test": len(test.labels),
        "left_out": clips.left_out | unread,
        "unread": sorted(unread),
    }
    out.mkdir(parents=True, exist_ok=True)
    write_json_atomic(out / RESULT, found)
    title = f"Frequency shortcuts of {run.resolve().name}"
    write_report(out / REPORT, title, results, frequencies, names, spectra.cpu())
    return found


def _items(
    classifier: Classifier,
    clips: LabelledClips,
    most: int,
    unread: dict[str, str],
    device: torch.device,
) -> tuple[Items, Items]:
    """Clips of the folds learned from and of the one held out, at most so many of a class."""
    unknown = sorted(set(clips.classes) - set(classifier.classes))
    if unknown:
        raise InputError(
            f"`data` (={clips.folder}) has classes that the classifier was not trained for: "
            f"{', '.join(unknown)}. Pass clips of {', '.join(classifier.classes)}."
        )
    held_out = classifier.recipe.data.held_out
    fold = held_out if isinstance(held_out, int) else 1
    parts: list[dict[int, list[Tensor]]] = [{}, {}]
    generator = make_generator(0, _CHOICE)
    for k in torch.randperm(len(clips.files), generator=generator).tolist():
        label = classifier.classes.index(clips.classes[clips.labels[k]])
        own = parts[clips.folds[k] == fold].setdefault(label, [])
        if len(own) < most:
            try:
                sound = read_sound(clips.files[k], classifier.sample_rate)
                own.append(_first_window(classifier, sound))
            except ValueError as error:
                unread[clips.name(k)] = " ".join(str(error).split())
    _require_all(classifier, clips, parts)
    stacked = [_stacked(part, device) for part in parts]
    return stacked[0], stacked[1]


def _first_window(classifier: Classifier, sound: Tensor) -> Tensor:
    frontend = classifier.frontend
    return frontend.windows(sound[: max(frontend.samples, 1)], frontend.samples)[1][0]


def _require_all(
    classifier: Classifier, clips: LabelledClips, parts: list[dict[int, list[Tensor]]]
) -> None:
    for part, where in zip(parts, ("to rank on", "held out to test on"), strict=True):
        for label, name in enumerate(classifier.classes):
            if not part.get(label):
                raise InputError(
                    f"`data` (={clips.folder}) has no clips of class {name} {where}. Add clips of "
                    "it, or pass the folder that the classifier was trained on."
                )


def _stacked(part: dict[int, list[Tensor]], device: torch.device) -> Items:
    labels = [label for label in sorted(part) for _ in part[label]]
    sounds = [sound for label in sorted(part) for sound in part[label]]
    return Items(torch.stack(sounds).to(device), torch.tensor(labels).to(device))
