"""From a recipe to a trained classifier in a run folder."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from passband.atomic import write_json_atomic
from passband.errors import InputError
from passband.signal.tasks import RECIPE_FILE, built_with_seed, digest_of, learn
from passband.signal.tasks.classification._augmentation import Batches, masks, mix_up
from passband.signal.tasks.classification._classifier import (
    KIND,
    Classifier,
    Member,
    save_classifier,
)
from passband.signal.tasks.classification._clips import read_clips
from passband.signal.tasks.classification._evaluation import Judgement, probabilities
from passband.signal.tasks.classification._features import ClipFeatures, read_features
from passband.signal.tasks.classification._recipe import ClassifierRecipe
from passband.signal.tasks.classification._report import write_report
from passband.training import (
    LoopResult,
    ShuffledSampler,
    StepOutput,
    choose_device,
    claim_folder,
    derive_seed,
    read_events,
)
from passband.training.recipes import dump_settings

_STEP = 302  # stream of all that a step draws


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes:
        classifier: in evaluation mode.
        judgement: of the fold held out.
        metrics: as they stand in ``metrics.json``.
    """

    classifier: Classifier
    judgement: Judgement
    metrics: dict[str, Any]


def train_fold(
    recipe: ClassifierRecipe,
    data: ClipFeatures,
    folder: Path,
    *,
    device: torch.device,
    resume: bool,
) -> Trained:
    """Learn from all clips but those of the fold ``recipe.data.held_out``, and judge these.

    Raises:
        InputError: there is no such fold, or nothing beside it.
    """
    inside, outside = _split(recipe, data)
    text = dump_settings(recipe)
    claim_folder(folder, RECIPE_FILE, text, resume=resume)
    classifier, member = _untrained(recipe, data, inside)
    classifier.to(device).train()
    clips = json.dumps([data.clips.labels, data.clips.folds])
    result = learn(
        member,
        _Objective(member, recipe, data, inside, device),
        recipe.training,
        folder,
        fingerprint=digest_of(text + clips, data.clips.files),
        evaluate=lambda step: _judged(classifier, data, outside).scores(),
        resume=resume,
    )
    classifier.eval()
    save_classifier(folder, classifier)
    judgement = _judged(classifier, data, outside)
    metrics = measures(classifier, judgement, data) | _of_training(recipe, result, len(inside))
    events, histories = {"": read_events(folder)}, {"": result.history}
    seconds = recipe.data.seconds
    write_report(folder, metrics, data, judgement, events, histories, seconds=seconds)
    write_json_atomic(folder / "metrics.json", metrics)
    return Trained(classifier, judgement, metrics)


def train_one(
    recipe: ClassifierRecipe, folder: Path, *, device: str, resume: bool
) -> dict[str, Any]:
    """A training with one fold held out, from the recipe alone."""
    place = choose_device(device)
    data = read_features(recipe, read_clips(recipe.data))
    return train_fold(recipe, data, folder, device=place, resume=resume).metrics


def measures(classifier: Classifier, judgement: Judgement, data: ClipFeatures) -> dict[str, Any]:
    """What every kind of run says of its clips; ``None`` is the recall of a class without any."""
    classes = classifier.classes
    recall = [None if value != value else value for value in judgement.recall().tolist()]
    return {
        "kind": KIND,
        "accuracy": judgement.accuracy,
        "classes": classes,
        "recall": dict(zip(classes, recall, strict=True)),
        "confusion": judgement.confusion().tolist(),
        "parameters": sum(p.numel() for p in classifier.members[0].parameters()),
        "features": [classifier.bins, classifier.frames],
        "feature_seconds": data.seconds,
        "left_out": data.clips.left_out,
        "clips": judgement.rows(classes),
    }


def _of_training(recipe: ClassifierRecipe, result: LoopResult, learned: int) -> dict[str, Any]:
    return {
        "fold": recipe.data.held_out,
        "learned_from": learned,
        "steps": recipe.training.steps,
        "seconds": result.seconds,
        "loss": result.loss,
        "history": result.history,
    }


def _split(recipe: ClassifierRecipe, data: ClipFeatures) -> tuple[list[int], list[int]]:
    fold, folds = recipe.data.held_out, data.clips.folds
    inside = [k for k, own in enumerate(folds) if own != fold]
    outside = [k for k, own in enumerate(folds) if own == fold]
    if not inside or not outside:
        raise InputError(
            f"`data.held_out` (={fold}) must be one of several folds; there are "
            f"{', '.join(map(str, sorted(set(folds))))}. Choose one of these."
        )
    return inside, outside


def _untrained(
    recipe: ClassifierRecipe, data: ClipFeatures, inside: list[int]
) -> tuple[Classifier, Member]:
    """A classifier of one network that knows the bins of what it is to learn from."""
    build = partial(Classifier, recipe, data.clips.classes)
    classifier = built_with_seed(build, recipe.training.seed)
    member = classifier.members[0]
    assert isinstance(member, Member)
    member.standardise_as([data.features[k] for k in inside])
    return classifier, member


def _judged(classifier: Classifier, data: ClipFeatures, clips: list[int]) -> Judgement:
    return Judgement(
        [data.clips.name(k) for k in clips],
        torch.tensor([data.clips.labels[k] for k in clips]),
        probabilities(classifier, [data.features[k] for k in clips]),
        [data.clips.folds[k] for k in clips],
    )


class _Objective:
    """Cross-entropy of a step's batch, whose every draw is of the seed and the step's number."""

    def __init__(
        self,
        member: Member,
        recipe: ClassifierRecipe,
        data: ClipFeatures,
        inside: list[int],
        device: torch.device,
    ) -> None:
        self.member, self.recipe, self.device = member, recipe, device
        features = [data.features[k] for k in inside]
        self.batches = Batches(features, recipe.augmentation, levels=data.levels)
        labels = torch.tensor([data.clips.labels[k] for k in inside])
        self.targets = nn.functional.one_hot(labels, len(data.clips.classes)).float()
        self.masks = masks(recipe.augmentation, *features[0].shape[1:])
        self.sampler = ShuffledSampler(
            len(inside), recipe.data.batch_size, seed=recipe.training.seed
        )

    def __call__(self, step: int) -> StepOutput:
        indices = self.sampler(step)
        # Dropout and masks draw from torch's own generator, which a checkpoint does not keep.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(self.recipe.training.seed, _STEP, step))
            x = self.member.standardised(self.batches(indices).to(self.device))
            targets = self.targets[indices].to(self.device)
            if self.recipe.augmentation.mixup:
                x, targets = mix_up(x, targets, self.recipe.augmentation.mixup)
            scores = self.member.network(self.masks(x))
        smoothing = self.recipe.label_smoothing
        return StepOutput(
            nn.functional.cross_entropy(scores.float(), targets, label_smoothing=smoothing)
        )
