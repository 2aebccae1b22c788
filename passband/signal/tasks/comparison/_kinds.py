"""The tasks that can be compared: how one is run on a representation, and what it measures."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from passband.errors import InputError
from passband.training.recipes import Settings, parse_settings

Metrics = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of task in a comparison.

    Attributes:
        room: module below `passband.signal.tasks`.
        recipe: name of its recipe's class.
        run: name of the function that trains it into a folder and returns metrics.
        place: changes of the recipe that put a transform and its settings in.
        measures: that can be compared; the first is what is, unless the recipe says otherwise.
        unit: what a value is of, such as a fold; each stands for itself in a comparison of pairs.
        values: of a measure, by the name of their unit.
        overlap: ratio of what a unit tests to what was learned from, given the number of units.
        rate: of the sounds in a recipe, in Hz; None where no front end is built.
        cached: whether the recipe's data can say where features are kept.
    """

    room: str
    recipe: str
    run: str
    place: Callable[[str, dict[str, Any]], dict[str, Any]]
    measures: tuple[str, ...]
    unit: str
    values: Callable[[Metrics, str], dict[str, float]]
    overlap: Callable[[int], float]
    rate: Callable[[Any], int] | None = None
    cached: bool = False

    def parse(self, plain: dict[str, Any], source: str) -> Settings:
        """Check ``plain`` as a recipe of this kind."""
        model: type[Settings] = getattr(self._module(), self.recipe)
        return parse_settings(model, plain, source)

    def runner(self) -> Callable[..., Metrics]:
        """The function that trains."""
        run: Callable[..., Metrics] = getattr(self._module(), self.run)
        return run

    def _module(self) -> Any:
        return import_module(f"passband.signal.tasks.{self.room}")


def _front_end(transform: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"representation": {"transform": transform, "settings": settings}}


def _own_spectrum(transform: str, settings: dict[str, Any]) -> dict[str, Any]:
    if transform != "stft":
        raise InputError(
            f"`transform` (={transform!r}) must be 'stft' for a denoiser: it masks short-time "
            "spectra, and only their frames can be compared. Change it."
        )
    length = settings.get("n_fft")
    frames = {} if length is None else {"win_length": length, "hop_length": max(1, length // 4)}
    return {"model": {**frames, **settings}}


def _folds(metrics: Metrics, measure: str) -> dict[str, float]:
    return {f"fold {fold['fold']}": float(fold[measure]) for fold in metrics["folds"]}


def _pieces(metrics: Metrics, measure: str) -> dict[str, float]:
    return {str(piece["name"]): float(piece[measure]) for piece in metrics["pieces"]}


def _whole(metrics: Metrics, measure: str) -> dict[str, float]:
    return {"all": float(metrics[measure])}


KINDS = {
    "classifier": Kind(
        "classification", "ClassifierRecipe", "cross_validate", _front_end, ("accuracy",), "fold",
        _folds, lambda folds: 1 / (folds - 1) if folds > 1 else 0.0,
        rate=lambda recipe: int(recipe.data.sample_rate), cached=True,
    ),
    "transcriber": Kind(
        "transcription", "TranscriberRecipe", "train_transcriber", _front_end,
        ("note_f1", "offset_f1", "average_precision", "frame_accuracy"), "piece",
        _pieces, lambda pieces: 0.0, rate=lambda recipe: int(recipe.sample_rate),
    ),
    "denoiser": Kind(
        "denoising", "DenoiserRecipe", "train_denoiser", _own_spectrum,
        ("snr_gain", "correlation"), "median", _whole, lambda one: 0.0,
    ),
}  # fmt: skip


def find_kind(name: object) -> Kind:
    """The kind called ``name``.

    Raises:
        InputError: there is none.

    Example:
        >>> find_kind("classifier").unit
        'fold'
    """
    if not isinstance(name, str) or name not in KINDS:
        raise InputError(f"`task.kind` (={name!r}) must be one of {', '.join(KINDS)}. Change it.")
    return KINDS[name]
