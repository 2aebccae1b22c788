"""The settings of a transform, read off its constructor: named, typed and checked in one line."""

import inspect
import json
import math
import tomllib
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    create_model,
)

from passband.errors import InputError

# What a file or the caller decides, and what no text can say.
_NOT_SETTINGS = frozenset({"sample_rate", "sr", "trainable", "device", "dtype"})
# Strict, so that hop_length=true is no hop of 1; whole numbers still count as floats.
_PLAIN: dict[Any, Any] = {
    int: StrictInt, float: StrictFloat, bool: StrictBool, str: str, type(None): None,
}  # fmt: skip
_GROUPS = (tuple, list, dict, Sequence, Mapping)


def constructor_settings(constructor: type) -> dict[str, tuple[Any, Any]]:
    """Type and default of every argument of ``constructor`` that text can give.

    Example:
        >>> from passband.signal import Spectrogram
        >>> constructor_settings(Spectrogram)["n_fft"][1]
        400
    """
    found: dict[str, tuple[Any, Any]] = {}
    for name, (kind, default) in arguments_of(constructor).items():
        textual = _textual(kind)
        if textual is not None and name not in _NOT_SETTINGS and not name.endswith("kwargs"):
            found[name] = (textual, default)
    return found


def arguments_of(constructor: type) -> dict[str, tuple[Any, Any]]:
    """Type and default of every argument of ``constructor``, those it hands on included.

    Example:
        >>> from passband.signal import SynchrosqueezedCWT
        >>> {"gamma", "sample_rate"} <= set(arguments_of(SynchrosqueezedCWT))
        True
    """
    found: dict[str, tuple[Any, Any]] = {}
    for owner in constructor.__mro__:
        function = vars(owner).get("__init__")
        if function is None:
            continue
        hints = get_type_hints(function)
        parameters = inspect.signature(function).parameters.values()
        for p in parameters:
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name != "self":
                default = ... if p.default is p.empty else p.default
                found.setdefault(p.name, (hints.get(p.name, Any), default))
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break  # nothing is handed on
    return found


def read_settings(
    assignments: Sequence[str], allowed: Mapping[str, tuple[Any, Any]], *, owner: str
) -> dict[str, Any]:
    """The values in ``assignments`` such as ``hop_length=256``, checked against ``allowed``.

    A value is read as TOML where it is TOML (numbers, booleans, lists, tables), else as text;
    ``none`` is None.

    Args:
        assignments: texts of the form ``name=value``; a later one wins.
        allowed: type and default by name, as `constructor_settings` gives them.
        owner: what the settings belong to, for the message.

    Raises:
        InputError: naming the setting, its value and what is allowed.

    Example:
        >>> read_settings(["hop_length=256"], {"hop_length": (int, 512)}, owner="stft")
        {'hop_length': 256}
    """
    given: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals or not name:
            raise InputError(
                f"`--set {assignment}` must read name=value, as in hop_length=256. "
                f"Settings of {owner}: {', '.join(allowed)}."
            )
        given[name] = _value(text)
    fields: dict[str, Any] = {name: (kind, None) for name, (kind, _) in allowed.items()}
    strict = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
    model: type[BaseModel] = create_model("Settings", __config__=strict, **fields)
    try:
        return model(**given).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise InputError(_problem(error, allowed, owner)) from error


def as_json(settings: Mapping[str, Any]) -> str:
    """Settings as one line of JSON, in the order of their names; functions by their name.

    Example:
        >>> as_json({"power": 2.0, "f_max": None})
        '{"f_max": null, "power": 2.0}'
    """
    plain = {name: _finite(value) for name, value in settings.items()}
    return json.dumps(plain, sort_keys=True, default=_name)


def _finite(value: Any) -> Any:
    """``value``, or its name where JSON has no number for it."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _name(value: Any) -> str:
    return str(getattr(value, "__name__", value))


def _textual(kind: Any) -> Any:
    """The part of a type that text can give, or None: tensors and functions fall out."""
    origin = get_origin(kind)
    if origin is None and kind in _PLAIN:
        return type(None) if kind is type(None) else _PLAIN[kind]
    if origin is Literal or origin in _GROUPS or kind in _GROUPS:
        return kind
    if origin in (Union, types.UnionType):
        parts = [part for part in map(_textual, get_args(kind)) if part is not None]
        if set(parts) - {type(None)}:
            return Union[tuple(parts)]  # noqa: UP007  the members are known at run time only
    return None


def _value(text: str) -> Any:
    if text.lower() in ("none", "null"):
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text


def _problem(error: ValidationError, allowed: Mapping[str, Any], owner: str) -> str:
    problems = error.errors()
    problem = problems[0]
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return f"unknown setting `{name}` of {owner}. Allowed: {', '.join(allowed)}."
    rules = {p["msg"] for p in problems if p["loc"][0] == name}
    listed = " or ".join(sorted(rules)).replace("Input should", "should")
    return f"setting `{name}` (={problem['input']!r}) of {owner}: it {listed}."
