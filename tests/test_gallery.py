"""The gallery shows every transform there is, in pictures small enough for a page."""

import ast
import re
from pathlib import Path

import pytest
from torch import nn

from passband import signal

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"\]\((pictures/gallery/[^)]+)\)", PAGE)
# What others are made of, and the STFT again in pairs of real numbers.
NO_PICTURE = {"Transform", "FrameTransform", "RealISTFT", "RealSTFT", "RealTransform"}


def transforms() -> list[str]:
    found = []
    for name in signal.__all__:
        value = getattr(signal, name)
        if isinstance(value, type) and issubclass(value, nn.Module) and name not in NO_PICTURE:
            if not value.__module__.startswith("passband.signal.losses"):
                found.append(name)
    return found


@pytest.mark.parametrize("name", transforms())
def test_every_transform_is_used_for_a_picture(name: str) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    assert re.search(rf"\b{name}\(", code), f"{name} has no picture in docs/gallery.md"


def test_pictures_and_page_are_of_one_set_and_small() -> None:
    files = {path.relative_to(DOCS).as_posix() for path in (DOCS / "pictures/gallery").iterdir()}
    assert set(PICTURES) == files
    for name in files:
        assert (DOCS / name).stat().st_size < 60_000


def test_every_picture_has_its_drawing() -> None:
    tree = ast.parse((DOCS / "pictures" / "drawings.py").read_text(encoding="utf-8"))
    tables = [node for node in tree.body if isinstance(node, ast.AnnAssign)]
    (table,) = [node.value for node in tables if ast.unparse(node.target) == "DRAWINGS"]
    assert isinstance(table, ast.Dict)
    drawn = [ast.literal_eval(key) for key in table.keys if key is not None]
    assert drawn == [Path(name).stem for name in PICTURES]
