"""Recipes: what to learn, on what and how, as a checked model of its TOML file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from passband.errors import InputError
from passband.training._settings_file import read_settings, settings_problem

__all__ = ["Settings", "SettingsT", "dump_settings", "load_settings", "parse_settings"]


class Settings(BaseModel):
    """Settings whose unknown keys are refused and whose values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SettingsT = TypeVar("SettingsT", bound=BaseModel)


def load_settings(
    model: type[SettingsT], path: Path, overrides: Sequence[str] = (), *, expected: str = "a recipe"
) -> SettingsT:
    """Read the TOML file ``path`` as ``model``, with ``overrides`` such as ``training.steps=100``.

    Args:
        model: what the file is to say.
        path: the file.
        overrides: texts ``key.path=value``; a later one wins.
        expected: what an error tells to pass instead of a file that cannot be read.

    Raises:
        InputError: the file is missing or no TOML, a key is unknown, or a value is not allowed.

    Example:
        >>> import tempfile
        >>> class Steps(Settings):
        ...     steps: int = 5
        >>> path = Path(tempfile.mkdtemp()) / "recipe.toml"
        >>> _ = path.write_text("steps = 10")
        >>> load_settings(Steps, path, ["steps=20"]).steps
        20
    """
    return parse_settings(model, read_settings(path, overrides, expected=expected), str(path))


def parse_settings(model: type[SettingsT], plain: object, source: str) -> SettingsT:
    """Check the nested dictionary ``plain`` and return it as ``model``.

    Args:
        model: what it is to be.
        plain: what a file holds.
        source: name to put before an error.

    Raises:
        InputError: names the first key that is unknown or whose value is not allowed.

    Example:
        >>> class Steps(Settings):
        ...     steps: int = 5
        >>> parse_settings(Steps, {}, "recipe.toml").steps
        5
    """
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise InputError(f"{source}: {settings_problem(error.errors())}") from error


def dump_settings(settings: BaseModel) -> str:
    """The TOML text of ``settings``, every value written out.

    Example:
        >>> class Steps(Settings):
        ...     steps: int = 5
        >>> dump_settings(Steps())
        'steps = 5\\n'
    """
    import tomli_w  # noqa: PLC0415  only a run writes TOML

    return tomli_w.dumps(settings.model_dump(exclude_none=True))
