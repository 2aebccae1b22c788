"""Settings from TOML files, and changes to them from the command line."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from passband.errors import InputError


def read_settings(
    path: Path, overrides: Sequence[str] = (), *, expected: str = "a TOML file"
) -> dict[str, Any]:
    """The nested dictionary of the TOML file ``path``, with ``overrides``.

    Args:
        path: the file.
        overrides: texts ``key.path=value``, see :func:`override_settings`.
        expected: what an error tells to pass instead of a file that cannot be read.

    Raises:
        InputError: the file is missing or no TOML, or an override is none.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "recipe.toml"
        >>> _ = path.write_text("[training]\\nsteps = 10")
        >>> read_settings(path, ["training.steps=20"])
        {'training': {'steps': 20}}
    """
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"{path} cannot be read: {reason}. Pass {expected}.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML: {error}. Correct that line.") from error
    override_settings(plain, overrides)
    return plain


def override_settings(plain: dict[str, Any], overrides: Sequence[str]) -> None:
    """Set ``a.b=value`` in the nested dictionary ``plain``, for every override in turn.

    A value is read as TOML where it is TOML (numbers, booleans, lists, tables), else as text.

    Raises:
        InputError: an override is not of the form ``key=value``.

    Example:
        >>> plain = {"training": {"steps": 600}}
        >>> override_settings(plain, ["training.steps=50", "target.path=a b.png"])
        >>> plain
        {'training': {'steps': 50}, 'target': {'path': 'a b.png'}}
    """
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not all(key.split(".")):
            raise InputError(
                f"`--set {override}` must read key.path=value, as in training.steps=300."
            )
        *tables, name = key.strip().split(".")
        table = plain
        for part in tables:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise InputError(f"`--set {override}`: {part} is a value, not a table.")
        table[name] = _value(text)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text


def settings_problem(problems: Sequence[Mapping[str, Any]]) -> str:
    """One line on the first thing that a settings file has wrong.

    Args:
        problems: the ``errors()`` of pydantic's ValidationError.

    Example:
        >>> from pydantic import BaseModel, ValidationError
        >>> class Training(BaseModel):
        ...     steps: int
        >>> try:
        ...     Training(steps="many")
        ... except ValidationError as error:
        ...     print(settings_problem(error.errors()))
        `steps` (='many'): it should be a valid integer, unable to parse string as an integer.
    """
    problem = problems[0]
    key = ".".join(str(part) for part in problem["loc"])
    rule = problem["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    if problem["type"] == "extra_forbidden":
        return f"unknown key `{key}`. Compare it with the keys in the files that come along."
    if not key:
        return f"{rule}. Change one of them."
    shown = "" if isinstance(problem["input"], dict) else f" (={problem['input']!r})"
    return f"`{key}`{shown}: {rule}."
