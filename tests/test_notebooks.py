"""The notebooks run from top to bottom, and what they show is what is committed."""

import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]

_LARGEST = 900_000  # bytes, with the outputs
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
# Printed to a digit or two: what another machine's arithmetic may change, not another method.
_RELATIVE, _ABSOLUTE = 0.02, 0.11
# Errors this small are rounding, which no two machines share.
_ROUNDING_DB, _ROUNDING_SPREAD = -80.0, 15.0

nbformat = pytest.importorskip("nbformat", reason="notebooks need the extra: pip install .[test]")


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: Any) -> str:
    return "".join(out.text for out in cell.outputs if out.output_type == "stream")


def pictures(cell: Any) -> list[str]:
    data = [out.data for out in cell.outputs if "data" in out]
    return [kind for item in data for kind in item if kind.startswith("image/")]


def same_number(stored: float, fresh: float) -> bool:
    if max(stored, fresh) < _ROUNDING_DB:
        return abs(stored - fresh) <= _ROUNDING_SPREAD
    return abs(stored - fresh) <= _ABSOLUTE + _RELATIVE * abs(stored)


def same_text(stored: str, fresh: str) -> bool:
    """The same words, and numbers that agree."""
    words = [_NUMBER.sub("#", text).split() for text in (stored, fresh)]
    numbers = [[float(number) for number in _NUMBER.findall(text)] for text in (stored, fresh)]
    return words[0] == words[1] and all(map(same_number, *numbers))


def test_there_are_three() -> None:
    assert NAMES == ["back_to_sound", "reading_a_spectrum", "which_transform"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_outputs_are_committed_whole_and_small(path: Path) -> None:
    assert path.stat().st_size < _LARGEST
    notebook = read(path)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type in ("stream", "display_data")
            assert output.get("name", "stdout") == "stdout"
        if re.search(r"^(?:print|row)\(", cell.source, re.M):
            assert printed(cell)
        assert len(pictures(cell)) == len(re.findall(r"^(?:figure, .*=|show\()", cell.source, re.M))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_no_sound_and_no_path_of_a_machine_is_inside(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "audio/wav" not in text
    assert not re.search(r"/(?:home|Users|tmp|work|root)/", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_runs_from_top_to_bottom_to_the_same_numbers(
    path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient = pytest.importorskip("nbclient", reason="pip install .[test]")
    pytest.importorskip("ipykernel", reason="pip install .[test]")
    monkeypatch.setenv("PASSBAND_DATA", str(data))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # short transforms: threads would only wait
    stored, fresh = read(path), read(path)
    for cell in code_cells(fresh):
        cell.outputs = []
    here = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(
        fresh, timeout=300, kernel_name="python3", resources=here, coalesce_streams=True
    ).execute()
    for before, after in zip(code_cells(stored), code_cells(fresh), strict=True):
        assert same_text(printed(before), printed(after)), printed(after)
        assert pictures(before) == pictures(after)


@pytest.mark.parametrize(
    ("stored", "fresh", "same"),
    [
        ("error -31.4 dB", "error -31.5 dB", True),
        ("error -31.4 dB", "error -35.4 dB", False),
        ("float32  -142.1", "float32  -138.9", True),
        ("float32  -142.1", "float32  -60.2", False),
        ("best 2048 = 92.9 ms", "best 4096 = 185.8 ms", False),
        ("hop 16", "hop 16 17", False),
        ("longest hop 16", "shortest hop 16", False),
    ],
)
def test_what_counts_as_the_same(stored: str, fresh: str, same: bool) -> None:
    assert same_text(stored, fresh) is same
