"""Recipes from and to TOML, with overrides from the command line."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from passband.errors import InputError
from passband.training import read_settings, settings_problem
from passband.vocoder.learning._recipe import Recipe


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read the recipe in the TOML file ``path``, with ``overrides`` such as ``training.steps=100``.

    Args:
        path: the file.
        overrides: texts ``key.path=value``; a later one wins.

    Raises:
        InputError: the file is missing or no TOML, a key is unknown, or a value is not allowed.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "recipe.toml"
        >>> _ = path.write_text("[training]\\nsteps = 10")
        >>> load_recipe(path, ["training.steps=20"]).training.steps
        20
    """
    plain = read_settings(path, overrides, expected="a recipe")
    try:
        return Recipe.model_validate(plain)
    except ValidationError as error:
        raise InputError(f"{path}: {settings_problem(error.errors())}") from error


def dump_recipe(recipe: Recipe) -> str:
    """The TOML text of ``recipe``, every setting written out.

    Example:
        >>> import tomllib
        >>> Recipe.model_validate(tomllib.loads(dump_recipe(Recipe()))) == Recipe()
        True
    """
    import tomli_w  # noqa: PLC0415  only a run writes TOML

    return tomli_w.dumps(recipe.model_dump(exclude_none=True))
