"""Recipes from and to TOML, with overrides from the command line."""

from collections.abc import Sequence
from pathlib import Path

from passband.training.recipes import dump_settings, load_settings
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
    return load_settings(Recipe, path, overrides)


def dump_recipe(recipe: Recipe) -> str:
    """The TOML text of ``recipe``, every setting written out.

    Example:
        >>> import tomllib
        >>> Recipe.model_validate(tomllib.loads(dump_recipe(Recipe()))) == Recipe()
        True
    """
    return dump_settings(recipe)
