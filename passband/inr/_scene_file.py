"""Scenes from and to TOML, overrides from the command line, and errors a person can act on."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from passband.errors import InputError
from passband.inr._scene import Scene
from passband.training import read_settings

_ADAPTER: TypeAdapter[Scene] = TypeAdapter(Annotated[Scene, Field(discriminator="kind")])


def load_scene(path: Path, overrides: Sequence[str] = ()) -> Scene:
    """Read the scene in the TOML file ``path``, with ``overrides`` such as ``training.steps=100``.

    The target's path is taken relative to the file, with ``~`` and ``$VARIABLES`` expanded.

    Raises:
        InputError: the file is missing or no TOML, a key is unknown, or a value is not allowed.
    """
    plain = read_settings(path, overrides, expected="a scene file or a signal")
    return parse_scene(plain, source=str(path), base=path.parent)


def parse_scene(plain: Mapping[str, Any], *, source: str, base: Path | None = None) -> Scene:
    """Check the nested mapping ``plain`` and return its scene.

    Args:
        plain: what the TOML file holds.
        source: name to put before an error.
        base: folder that a relative target path starts from; the working folder by default.

    Raises:
        InputError: a key is unknown or a value is not allowed; names the first such key.

    Example:
        >>> parse_scene({"kind": "image", "target": {"path": "skimage:astronaut"}}, source="x").kind
        'image'
    """
    try:
        scene = _ADAPTER.validate_python(plain)
    except ValidationError as error:
        raise InputError(f"{source}: {_first_problem(error)}") from error
    path = resolve_path(scene.target.path, base or Path())
    target = scene.target.model_copy(update={"path": path})
    return scene.model_copy(update={"target": target})


def resolve_path(text: str, base: Path) -> str:
    """``text`` as an absolute path from ``base``; ``skimage:NAME`` stays.

    Example:
        >>> resolve_path("skimage:astronaut", Path("/a")), resolve_path("b.png", Path("/a"))
        ('skimage:astronaut', '/a/b.png')
    """
    if text.startswith("skimage:"):
        return text
    return str((base / Path(os.path.expandvars(text)).expanduser()).absolute())


def dump_scene(scene: Scene) -> str:
    """The TOML text of ``scene``, every setting written out.

    Example:
        >>> scene = parse_scene({"kind": "image", "target": {"path": "/a.png"}}, source="x")
        >>> import tomllib
        >>> parse_scene(tomllib.loads(dump_scene(scene)), source="x") == scene
        True
    """
    import tomli_w  # noqa: PLC0415  only a fit writes TOML

    return tomli_w.dumps(scene.model_dump(exclude_none=True))


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    location = problem["loc"]
    kind = problem["type"]
    key, place = _walk(location)
    if kind == "extra_forbidden":
        allowed = ", ".join(getattr(place, "model_fields", ()))
        return f"unknown key `{key}`. Allowed here: {allowed}."
    if kind == "missing":
        return f"`{key}` is missing. Add it."
    if kind.startswith("union_tag"):
        key = f"{key}.kind" if key else "kind"
        expected = problem["ctx"].get("expected_tags") or ", ".join(_kinds(place))
        given = problem["ctx"].get("tag")
        said = "is missing" if given is None else f"(={given!r}) is unknown"
        return f"`{key}` {said}. Allowed: {expected}."
    value = problem["input"]
    message = problem["msg"].removeprefix("Value error, ")
    others = {
        p["msg"] for p in error.errors()[1:] if p["loc"][: len(location) - 1] == location[:-1]
    }
    rule = " or ".join([message, *sorted(others)]).replace("Input should", "it should")
    shown = "" if isinstance(value, (dict, BaseModel)) else f" (={value!r})"
    return f"`{key}`{shown}: {rule}."


def _kinds(union: Any) -> dict[str, type[BaseModel]]:
    """The tables that a union tells apart by their kind."""
    tables = (t for t in get_args(union) if "kind" in getattr(t, "model_fields", {}))
    return {table.model_fields["kind"].default: table for table in tables}


def _walk(location: tuple[int | str, ...]) -> tuple[str, Any]:
    """Dotted key of a pydantic location, without the tags of its unions, and what stands there."""
    if not location:
        return "", Scene
    model: Any = _kinds(Scene).get(str(location[0]))
    names = []
    for part in location[1:] if model else location:
        fields = getattr(model, "model_fields", {})
        if part in fields:
            names.append(str(part))
            annotation, _previous = fields[part].annotation, model
            model = annotation
        elif isinstance(part, int):
            names.append(str(part))
            model = next(iter(get_args(model)), None)
        elif part in (kinds := _kinds(model)):
            model = kinds[part]
        elif isinstance(part, str) and part[:1].islower() and not _is_branch(part):
            names.append(part)
    return ".".join(names), model


def _is_branch(part: str) -> bool:
    """Whether ``part`` names a branch of an untagged union, such as ``constrained-int``."""
    return part.startswith(("constrained", "literal", "int", "float", "list", "function"))
