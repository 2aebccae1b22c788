"""Reading tiny-cuda-nn's JSON: files with comments, tables by ``otype``, one-line errors."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from passband.errors import InputError
from passband.inr.settings import Settings

_STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


@dataclass(frozen=True)
class Otype:
    """What one ``otype`` may hold and what it stands for here.

    Attributes:
        settings: the class of settings it becomes.
        keys: name here of each of its keys; None for a key that is read elsewhere.
        words: keys whose value is one of these words, in any case.
        only: keys that may be there with this value alone, and are not needed here.
        preset: settings that the ``otype`` itself decides, unless a key does.
    """

    settings: type[Settings]
    keys: Mapping[str, str | None] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only: Mapping[str, Any] = field(default_factory=dict)
    preset: Mapping[str, Any] = field(default_factory=dict)


def read_config(config: Mapping[str, Any] | str | Path) -> tuple[Mapping[str, Any], str]:
    """The tables of ``config`` and what to call it in errors.

    ``//`` and ``/* */`` comments are skipped, as tiny-cuda-nn does.

    Raises:
        InputError: the file cannot be read or is no JSON table.

    Example:
        >>> read_config({"network": {}})
        ({'network': {}}, 'config')
    """
    if isinstance(config, Mapping):
        return config, "config"
    path = Path(config)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(
            f"{path} cannot be read: {reason}. Pass a tiny-cuda-nn JSON file."
        ) from error
    try:
        plain = json.loads(_STRING_OR_COMMENT.sub(_without_comment, text))
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}. Correct that place.") from error
    if not isinstance(plain, dict):
        raise InputError(f"{path} must hold a table {{...}} with `encoding` and `network`.")
    return plain, str(path)


def _without_comment(match: re.Match[str]) -> str:
    found = match.group()
    return found if found.startswith('"') else " "


def table_of(config: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    """The table under ``key``; an empty one where there is none."""
    table = config.get(key, {})
    if not isinstance(table, Mapping):
        raise InputError(f"{where}: `{key}` (={table!r}) must be a table {{...}}.")
    return table


def otype_of(table: Mapping[str, Any], known: Mapping[str, Any], default: str, where: str) -> str:
    """The name in ``known`` that ``otype`` means, in any case.

    Raises:
        InputError: another name.
    """
    return _word(table.get("otype", default), tuple(known), "otype", where)


def read_table(table: Mapping[str, Any], otype: Otype, where: str) -> Settings:
    """The settings that ``table`` describes.

    Raises:
        InputError: an unknown key, or a value that is not allowed; names the first.
    """
    values = dict(otype.preset)
    for key, value in table.items():
        if key == "otype":
            continue
        if key in otype.only:
            if value != otype.only[key]:
                raise InputError(
                    f"{where}: `{key}` (={value!r}) must be {_shown(otype.only[key])} here. "
                    "Leave it out."
                )
            continue
        if key not in otype.keys:
            allowed = ", ".join(["otype", *otype.keys, *otype.only])
            raise InputError(f"{where}: unknown key `{key}`. Allowed here: {allowed}.")
        if value == "match":
            raise InputError(f"{where}: `{key}` (='match') must be a number.")
        name = otype.keys[key]
        if name is None:
            continue
        values[name] = value
        if key in otype.words:
            values[name] = _word(value, otype.words[key], key, where)
    try:
        return otype.settings.model_validate(values, strict=True)
    except ValidationError as error:
        raise InputError(f"{where}: {_problem(error, otype)}") from error


def _word(value: Any, allowed: tuple[str, ...], key: str, where: str) -> str:
    for word in allowed:
        if isinstance(value, str) and value.lower() == word.lower():
            return word
    raise InputError(f"{where}: `{key}` (={value!r}) must be one of {', '.join(allowed)}.")


def _shown(value: Any) -> str:
    return json.dumps(value)


def _problem(error: ValidationError, otype: Otype) -> str:
    """The first refused value under its name in the JSON, with what would be allowed."""
    problems = error.errors()
    # A number that may also be "match" here is refused twice; only the number exists in JSON.
    problem = next((p for p in problems if p["type"] != "literal_error"), problems[0])
    here = str(problem["loc"][0]) if problem["loc"] else ""
    key = next((key for key, name in otype.keys.items() if name == here), here)
    rule = problem["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    if not key:
        return f"{rule}."
    return f"`{key}` (={problem['input']!r}): {rule}."
