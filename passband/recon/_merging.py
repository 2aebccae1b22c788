"""Settings over settings."""

from typing import Any


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """The nested table ``above``, with what ``below`` has besides.

    A table whose ``kind`` is another than below is taken as it is; one without takes the kind of
    below. A length in ``steps`` drives out one in ``seconds``, and the other way.

    Example:
        >>> below = {"kind": "grid", "size": {"kind": "a", "x": 1}, "seconds": 9}
        >>> merged(below, {"size": {"x": 2}, "steps": 7})
        {'kind': 'grid', 'size': {'kind': 'a', 'x': 2}, 'steps': 7}
        >>> merged(below, {"size": {"kind": "b"}})["size"]
        {'kind': 'b'}
    """
    if "kind" in above and above["kind"] != below.get("kind", above["kind"]):
        return above
    both = {**below, **above}
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            both[key] = merged(below[key], value)
    for given, other in (("steps", "seconds"), ("seconds", "steps")):
        if given in above and other not in above:
            both.pop(other, None)
    return both
