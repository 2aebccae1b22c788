"""Every row of the tables from another library's calls to ours runs and agrees as it says.

torchaudio loads only beside the torch it was built for. What its calls gave where it loaded is kept
in `torchaudio_facts.json`, a few projections of each result; its rows are compared with those, and
with the calls themselves where they run. ``python tests/test_migration.py`` writes that file anew.
"""

import contextlib
import importlib
import io
import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

ROOT = Path(__file__).parents[1]
FACTS = Path(__file__).with_name("torchaudio_facts.json")
PEERS = {
    "from_torchaudio.md": ("torchaudio", "torchaudio"),
    "from_nnaudio.md": ("features", "nnAudio.features"),
    "from_librosa.md": ("librosa", "librosa"),
}
AGREEMENT = re.compile(r"(?P<bound>[125]e-\d+|same|shape|fails)(?P<note>\[\^\w+\])?")
PROJECTIONS = 8


@dataclass(frozen=True)
class Row:
    page: str
    theirs: str
    ours: str
    agreement: str
    note: str | None


def text(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def table(page: str) -> list[Row]:
    """Rows of three cells, of which the first two are code."""
    rows = []
    for line in text(page).splitlines():
        if not line.startswith("| `"):
            continue
        theirs, ours, agreement = (cell.strip() for cell in line.strip("| ").split(" | "))
        match = AGREEMENT.fullmatch(agreement)
        assert match, f"{page}: {line}"
        rows.append(Row(page, theirs.strip("`"), ours.strip("`"), match["bound"], match["note"]))
    return rows


ROWS = [row for page in PEERS for row in table(page)]


@pytest.fixture(scope="module")
def sound_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("sound") / "sound.wav")
    write_sound(path)
    return path


def write_sound(path: str) -> None:
    soundfile.write(path, np.random.default_rng(0).uniform(-1, 1, (4000, 2)), 22050, "PCM_16")


def load(module: str) -> ModuleType:
    with quiet():
        return importlib.import_module(module)


@contextlib.contextmanager
def quiet():
    """Others print their settings and warn of what they are built on."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


_NAMES: dict[str, dict[str, Any]] = {}


def names(page: str, sound_file: str) -> dict[str, Any]:
    """What the Python of a page defines."""
    if page not in _NAMES:
        scope: dict[str, Any] = {}
        for code in re.findall(r"```python\n(.*?)```", text(page), re.DOTALL):
            with quiet():
                exec(compile(code, page, "exec"), scope)
        _NAMES[page] = scope
    return {**_NAMES[page], "path": sound_file}


def parts(value: Any) -> list[np.ndarray]:
    """The arrays in a result."""
    if isinstance(value, tuple | list):
        return [array for item in value for array in parts(item)]
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().resolve_conj().numpy()
    return [np.asarray(value)]


def evaluate(cell: str, scope: dict[str, Any]) -> list[np.ndarray]:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  the others draw from it
    return parts(eval(cell, scope))


def alike(theirs: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """Theirs, where pairs of reals stand for complex numbers as such."""
    if np.iscomplexobj(ours) and theirs.shape == (*ours.shape, 2):
        return theirs[..., 0] + 1j * theirs[..., 1]
    return theirs


def distance(theirs: list[np.ndarray], ours: list[np.ndarray]) -> float:
    """The largest relative error of any part, in its norm."""
    assert len(theirs) == len(ours)
    worst = 0.0
    for peer, mine in zip(theirs, ours, strict=True):
        peer = alike(peer, mine)
        assert peer.shape == mine.shape
        peer, mine = (np.asarray(a, np.result_type(a, np.float64)) for a in (peer, mine))
        worst = max(worst, float(np.linalg.norm(peer - mine) / max(np.linalg.norm(peer), 1e-300)))
    return worst


def project(arrays: list[np.ndarray]) -> list[dict[str, Any]]:
    """Shape, norm and random projections of each array: enough to tell how far another one is."""
    facts = []
    for array in arrays:
        flat = array.astype(np.result_type(array, np.float64)).reshape(-1)
        flat = np.concatenate((flat.real, flat.imag)) if np.iscomplexobj(flat) else flat
        random = np.random.RandomState(0)
        norm = float(np.linalg.norm(flat))
        values = [float(random.standard_normal(flat.size) @ flat) for _ in range(PROJECTIONS)]
        facts.append({"shape": list(array.shape), "norm": norm, "projections": values})
    return facts


def distance_to_facts(facts: list[dict[str, Any]], ours: list[np.ndarray]) -> float:
    """An estimate of `distance`, seldom more than twice as large."""
    mine = project(ours)
    assert [fact["shape"] for fact in facts] == [fact["shape"] for fact in mine]
    errors = [
        np.sqrt(np.mean(np.square(np.subtract(a["projections"], b["projections"])))) / a["norm"]
        for a, b in zip(facts, mine, strict=True)
    ]
    return float(max(errors))


def check(row: Row, distance: float) -> None:
    if row.agreement == "same":
        assert distance == 0
    elif row.agreement != "shape":
        assert distance <= float(row.agreement)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.page[5:-3]}-{row.theirs}")
def test_row(row: Row, sound_file: str) -> None:
    scope = names(row.page, sound_file)
    ours = evaluate(row.ours, scope)
    assert all(np.isfinite(part).all() for part in ours)
    name, module = PEERS[row.page]
    if name == "torchaudio":
        facts = json.loads(FACTS.read_text(encoding="utf-8"))[row.theirs]
        check(row, distance_to_facts(facts, ours) / 2)
    try:
        scope[name] = load(module)
    except (ImportError, OSError, RuntimeError) as error:
        pytest.skip(f"compared with stored facts, as {module} does not load here: {error}")
    with quiet():
        if row.agreement == "fails":
            with pytest.raises(Exception):  # noqa: B017  whatever it raises
                evaluate(row.theirs, scope)
            return
        try:
            theirs = evaluate(row.theirs, scope)
        except ImportError as error:
            pytest.skip(f"compared with stored facts: {error}")
    error = distance(theirs, ours)
    check(row, error)
