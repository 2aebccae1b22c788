"""Recipes of sound classifiers, as checked models of their TOML files."""

from typing import Annotated, Literal

from pydantic import Field

from passband.signal.tasks import RepresentationSettings, TrainingSettings
from passband.signal.tasks.classification._networks import SquareSettings, TimeSettings
from passband.training.recipes import Settings

Network = Annotated[SquareSettings | TimeSettings, Field(discriminator="kind")]


class DataSettings(Settings):
    """Where the labelled clips are, and what of them the network sees.

    Every clip is cut into windows of ``seconds``, a shorter one repeated. Neighbouring bins beyond
    ``most_bins`` and frames beyond ``frame_rate`` a second are averaged as power, and levels more
    than ``range_db`` below the loudest of a window are raised to that. Of the folds ``held_out``
    is what accuracy is measured on; ``all`` takes each in turn. Where no table says them, ``folds``
    are drawn by ``split_seed``. ``cache`` is a folder that keeps the features.
    """

    folder: str = ""
    sample_rate: Annotated[int, Field(ge=1000, le=384_000)] = 22050
    seconds: Annotated[float, Field(ge=0.05, le=600)] = 5.0
    most_windows: Annotated[int, Field(ge=1, le=10_000)] = 12
    most_bins: Annotated[int, Field(ge=1, le=4096)] = 128
    frame_rate: Annotated[float, Field(gt=0, le=10_000)] = 43.1
    range_db: Annotated[float, Field(gt=0, le=200)] = 80.0
    folds: Annotated[int, Field(ge=2, le=100)] = 5
    held_out: Annotated[int, Field(ge=1)] | Literal["all"] = 1
    split_seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    batch_size: Annotated[int, Field(ge=1, le=2**16)] = 32
    cache: str | None = None


class AugmentationSettings(Settings):
    """How a batch is varied: circular shift in time, level, mixup and masks.

    ``shift`` is the largest shift as a part of the window, ``gain_db`` the largest change of level
    either way, ``mixup`` the parameter alpha of Beta(alpha, alpha), 0 for none. Masks stay below
    the given parts of all bins and frames.
    """

    shift: Annotated[float, Field(ge=0, le=1)] = 1.0
    gain_db: Annotated[float, Field(ge=0, le=60)] = 6.0
    mixup: Annotated[float, Field(ge=0, le=10)] = 0.2
    frequency_masks: Annotated[int, Field(ge=0, le=20)] = 2
    frequency_part: Annotated[float, Field(ge=0, le=1)] = 0.12
    time_masks: Annotated[int, Field(ge=0, le=20)] = 2
    time_part: Annotated[float, Field(ge=0, le=1)] = 0.12


class ClassifierRecipe(Settings):
    """One training of a sound classifier, or one for each fold.

    Example:
        >>> recipe = ClassifierRecipe(model=TimeSettings())
        >>> recipe.representation.transform, recipe.model.kind, recipe.data.held_out
        ('mel', 'time', 1)
    """

    kind: Literal["classifier"] = "classifier"
    representation: RepresentationSettings = RepresentationSettings()
    data: DataSettings = DataSettings()
    model: Network = SquareSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    training: TrainingSettings = TrainingSettings()
