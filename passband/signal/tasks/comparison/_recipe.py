"""Recipe of a comparison: one task, and the representations it is to be learned on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from passband.errors import InputError
from passband.training import read_settings
from passband.training.recipes import Settings, load_settings

_NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._+-]*$"  # of a folder on any system


class Contender(Settings):
    """A representation by its transform and settings, once for every one of ``window_lengths``.

    A window length is a number of samples and sets ``n_fft``, and the hop to a quarter of it
    unless ``settings`` has one. ``task`` changes keys of the task's recipe for this one alone.

    Example:
        >>> mel = Contender(name="mel", transform="mel", window_lengths=(256, 1024))
        >>> [(name, settings) for name, settings in mel.variants()]
        [('mel 256', {'n_fft': 256}), ('mel 1024', {'n_fft': 1024})]
    """

    name: Annotated[str, Field(pattern=_NAME, max_length=60)]
    transform: str
    settings: dict[str, Any] = Field(default_factory=dict)
    window_lengths: tuple[Annotated[int, Field(ge=2, le=2**24)], ...] = ()
    task: dict[str, Any] = Field(default_factory=dict)

    def variants(self) -> list[tuple[str, dict[str, Any]]]:
        """Names and settings, one for each window length, or the only one."""
        if not self.window_lengths:
            return [(self.name, dict(self.settings))]
        return [
            (f"{self.name} {length}", {**self.settings, "n_fft": length})
            for length in self.window_lengths
        ]


class ComparisonRecipe(Settings):
    """The same task over ``representations`` and ``seeds``.

    ``base`` is the path of the task's recipe, from the folder of this file; ``task`` holds the
    recipe itself, or what of the base's is changed. ``measure`` is one of the task's, by default
    its first; ``reference`` is what every other is compared with, pair by pair, by default the
    first representation.

    Example:
        >>> mel, cqt = (Contender(name=name, transform=name) for name in ("mel", "cqt"))
        >>> recipe = ComparisonRecipe(task={"kind": "classifier"}, representations=(mel, cqt))
        >>> recipe.names(), recipe.compared_with()
        (['mel', 'cqt'], 'mel')
    """

    kind: Literal["comparison"] = "comparison"
    base: str | None = None
    task: dict[str, Any] = Field(default_factory=dict)
    measure: str | None = None
    reference: str | None = None
    seeds: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=2**63)], ...], Field(min_length=1, max_length=1000)
    ] = (0,)
    representations: Annotated[tuple[Contender, ...], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _distinct(self) -> "ComparisonRecipe":
        names = [name.lower() for name in self.names()]
        if len(set(names)) < len(names):
            raise ValueError("representations must have names of their own")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds must differ")
        if self.reference is not None and self.reference not in self.names():
            raise ValueError(f"reference must be one of {', '.join(self.names())}")
        return self

    def names(self) -> list[str]:
        """Of every representation and window length, in order."""
        return [name for contender in self.representations for name, _ in contender.variants()]

    def compared_with(self) -> str:
        """Name of the one that the others are compared with."""
        return self.reference or self.names()[0]


def load_comparison(path: Path, overrides: Sequence[str] = ()) -> ComparisonRecipe:
    """Read the recipe at ``path``, its base put into ``task``, so that it stands alone.

    Args:
        path: TOML file.
        overrides: texts such as ``task.training.steps=100`` or ``seeds=[0,1]``.

    Raises:
        InputError: a file is missing or no TOML, a key is unknown, or a value is not allowed.
    """
    recipe = load_settings(ComparisonRecipe, path, overrides, expected="a comparison's recipe")
    if recipe.base is None:
        if not recipe.task:
            raise InputError(
                f"{path}: `base` or `task` must say what is learned. Add base = FILE.toml."
            )
        return recipe
    base = read_settings(path.parent / recipe.base, (), expected="the task's recipe as `base`")
    return recipe.model_copy(update={"base": None, "task": merged(base, recipe.task)})


def merged(plain: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """``plain`` with ``changes``, tables key by key.

    Example:
        >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}, "d": 4})
        {'a': {'b': 1, 'c': 3}, 'd': 4}
    """
    both = dict(plain)
    for key, value in changes.items():
        old = both.get(key)
        nested = isinstance(value, dict) and isinstance(old, dict)
        both[key] = merged(old, value) if nested and isinstance(old, dict) else value
    return both
