"""A trained classifier: from sound to the probability of each class."""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.signal.tasks import SavedModel, load_model, save_model
from passband.signal.tasks.classification._frontend import Frontend
from passband.signal.tasks.classification._recipe import ClassifierRecipe
from passband.training import choose_device
from passband.training.recipes import parse_settings

KIND = "classifier"
_LEAST_SPREAD = 1e-3  # of a bin: one that is always the same is not blown up


class Member(nn.Module):
    """One network and the standardisation of bins that it learned with: ``f((x - mean) / std)``.

    Args:
        network: from standardised features to scores.
        bins: of the features.

    Example:
        >>> from passband.signal.tasks.classification import SquareCNN
        >>> Member(SquareCNN(40, 3, (4,)), 40)(torch.randn(2, 40, 50)).shape
        torch.Size([2, 3])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, bins: int) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.zeros(bins, 1))
        self.register_buffer("std", torch.ones(bins, 1))

    @torch.no_grad()
    def standardise_as(self, features: Sequence[Float[Tensor, "_ bins _"]]) -> None:
        """Take mean and standard deviation of every bin over all that is learned from."""
        # In two passes and float64: levels of a bin that stands still differ by little.
        count = sum(each.shape[0] * each.shape[2] for each in features)
        total = torch.stack([each.double().sum(dim=(0, 2)) for each in features]).sum(dim=0)
        mean = (total / count)[:, None]
        squares = [(each.double() - mean).square().sum(dim=(0, 2)) for each in features]
        self.mean.copy_(mean)
        std = (torch.stack(squares).sum(dim=0) / count).sqrt()
        self.std.copy_(std[:, None].clamp_min(_LEAST_SPREAD))

    def standardised(
        self, features: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch bins frames"]:
        """Features with mean 0 and deviation 1 over what was learned from."""
        return (features - self.mean) / self.std

    def forward(
        self, features: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch classes"]:
        """Scores, before the softmax."""
        scores: Tensor = self.network(self.standardised(features))
        return scores


class Classifier(nn.Module):
    """Probability of each class: the mean over ``members``, one for each fold learned without.

    Args:
        recipe: what was trained.
        classes: their names.
        members: number of networks.

    Example:
        >>> from passband.signal.tasks.classification import DataSettings
        >>> recipe = ClassifierRecipe(data=DataSettings(sample_rate=8000, seconds=0.5))
        >>> classifier = Classifier(recipe, ["dog", "rain"]).eval()
        >>> classifier(torch.randn(3, 4000)).sum(dim=1).allclose(torch.ones(3))
        True
    """

    def __init__(self, recipe: ClassifierRecipe, classes: Sequence[str], members: int = 1) -> None:
        super().__init__()
        self.recipe, self.classes = recipe, list(classes)
        self.frontend = Frontend(recipe.representation, recipe.data)
        self.bins, self.frames = self.frontend.bins, self.frontend.frames
        self.members = nn.ModuleList(
            Member(recipe.model.build(self.bins, len(classes)), self.bins) for _ in range(members)
        )

    @property
    def sample_rate(self) -> int:
        """Of the sounds it takes, in Hz."""
        return self.frontend.sample_rate

    def forward(self, sound: Float[Tensor, "batch time"]) -> Float[Tensor, "batch classes"]:
        """Probabilities for sounds of `sample_rate`, each a window long and with a peak of 1."""
        return self.of_features(self.frontend(sound))

    def of_features(
        self, features: Float[Tensor, "batch bins frames"]
    ) -> Float[Tensor, "batch classes"]:
        """Probabilities for what `frontend` made of windows."""
        each = [member(features).softmax(dim=-1) for member in self.members]
        return torch.stack(each).mean(dim=0)

    @torch.no_grad()
    def classify(
        self, sound: Float[Tensor, " time"], *, hop: float = 0.5
    ) -> tuple[list[float], Float[Tensor, "windows classes"]]:
        """Where windows of ``sound`` begin, in seconds, and the probabilities in each.

        Args:
            sound: of `sample_rate`, at least one sample; repeated if shorter than a window.
            hop: from window to window, as a part of a window, above 0.

        Returns:
            The mean over windows is the answer for the whole sound.
        """
        step = max(1, round(hop * self.frontend.samples))
        starts, windows = self.frontend.windows(sound, step)
        device = self.members[0].get_buffer("mean").device
        found = [self(window[None].to(device)).cpu() for window in windows]
        return [start / self.sample_rate for start in starts], torch.cat(found)


def save_classifier(folder: Path, classifier: Classifier) -> None:
    """Write what `load_classifier` reads.

    Raises:
        OutputError: the folder cannot be written.
    """
    facts = {"classes": classifier.classes, "members": len(classifier.members)}
    recipe = classifier.recipe.model_dump(exclude_none=True)
    save_model(folder, KIND, classifier.members, recipe, facts)


def load_classifier(folder: Path, device: str = "auto") -> Classifier:
    """The classifier that a run left in ``folder``, ready to use.

    Args:
        folder: of the run.
        device: ``auto``, ``cpu``, ``cuda``, ...

    Raises:
        InputError: there is no model, or one of another task.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> recipe = ClassifierRecipe.model_validate({"data": {"sample_rate": 8000}})
        >>> save_classifier(folder, Classifier(recipe, ["dog", "rain"]))
        >>> load_classifier(folder, "cpu").classes
        ['dog', 'rain']
    """
    saved: SavedModel = load_model(folder, KIND)
    recipe = parse_settings(ClassifierRecipe, saved.recipe, str(saved.path))
    classifier = Classifier(recipe, saved.facts["classes"], saved.facts["members"])
    saved.restore(classifier.members)
    return classifier.eval().to(choose_device(device))
