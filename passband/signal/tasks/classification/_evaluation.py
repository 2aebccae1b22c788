"""How well clips are told apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from passband.signal.tasks.classification._classifier import Classifier

_LEAST = 1e-12  # probability


@dataclass(frozen=True)
class Judgement:
    """What a classifier makes of clips that it did not learn from.

    Attributes:
        names: of the clips.
        labels: their classes, ``(clips,)``.
        probabilities: ``(clips, classes)``.
        folds: of the clips.
    """

    names: list[str]
    labels: Int[Tensor, " clips"]
    probabilities: Float[Tensor, "clips classes"]
    folds: list[int]

    @property
    def predicted(self) -> Int[Tensor, " clips"]:
        """The most probable class of each clip."""
        return self.probabilities.argmax(dim=1)

    @property
    def accuracy(self) -> float:
        """Part of the clips whose most probable class is theirs."""
        return float((self.predicted == self.labels).double().mean())

    def confusion(self) -> Int[Tensor, "classes classes"]:
        """Number of clips of each class (rows) that are taken for each class (columns)."""
        count = self.probabilities.shape[1]
        pairs = self.labels * count + self.predicted
        return torch.bincount(pairs, minlength=count * count).reshape(count, count)

    def recall(self) -> Float[Tensor, " classes"]:
        """Part of each class's clips that is found; NaN where there are none."""
        confusion = self.confusion().double()
        return confusion.diagonal() / confusion.sum(dim=1)

    def scores(self) -> dict[str, float]:
        """Accuracy, and the mean of ``-ln p`` of each clip's own class."""
        own = self.probabilities.gather(1, self.labels[:, None]).clamp_min(_LEAST)
        return {"accuracy": self.accuracy, "cross_entropy": float(-own.log().mean())}

    def rows(self, classes: Sequence[str]) -> list[dict[str, Any]]:
        """One line for each clip."""
        certain = self.probabilities.amax(dim=1).tolist()
        found = self.predicted.tolist()
        return [
            {
                "path": name,
                "fold": self.folds[k],
                "label": classes[int(self.labels[k])],
                "predicted": classes[found[k]],
                "probability": round(certain[k], 4),
            }
            for k, name in enumerate(self.names)
        ]


@torch.no_grad()
def probabilities(
    classifier: Classifier, features: Sequence[Float[Tensor, "_ bins frames"]]
) -> Float[Tensor, "clips classes"]:
    """Mean over its windows of the probabilities of each clip, in evaluation mode.

    Example:
        >>> from passband.signal.tasks.classification import ClassifierRecipe
        >>> recipe = ClassifierRecipe.model_validate({"data": {"sample_rate": 8000, "seconds": 1}})
        >>> classifier = Classifier(recipe, ["dog", "rain"])
        >>> probabilities(classifier, [torch.randn(3, classifier.bins, 43)]).shape
        torch.Size([1, 2])
    """
    learning = classifier.training
    classifier.eval()
    device = classifier.members[0].get_buffer("mean").device
    found = [classifier.of_features(clip.to(device)).mean(dim=0).cpu() for clip in features]
    classifier.train(learning)
    return torch.stack(found)


def merged(parts: Sequence[Judgement]) -> Judgement:
    """The judgements of all folds as one."""
    return Judgement(
        [name for part in parts for name in part.names],
        torch.cat([part.labels for part in parts]),
        torch.cat([part.probabilities for part in parts]),
        [fold for part in parts for fold in part.folds],
    )
