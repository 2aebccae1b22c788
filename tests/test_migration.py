"""Every row of the tables from another library's calls to ours runs, and agrees as it says.

torchaudio loads only beside the torch it was built for. What its calls gave where it did is kept in
`torchaudio_facts.json`: of every result the shape, the norm and a few random projections, enough to
tell how far another result is. ``python tests/test_migration.py`` writes that file anew.
"""

import contextlib
import functools
import importlib
import io
import json
import re
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

DOCS = Path(__file__).parents[1] / "docs"
FACTS = Path(__file__).with_name("torchaudio_facts.json")

# What the cells of a page call the other library, and its module.
PEERS = {
    "from_torchaudio.md": ("torchaudio", "torchaudio"),
    "from_nnaudio.md": ("features", "nnAudio.features"),
    "from_librosa.md": ("librosa", "librosa"),
}

# torchaudio's own need TorchCodec, or are gone.
FILE_CALLS = {
    "torchaudio.load(path)[0]": "soundfile.read(path, dtype='float32', always_2d=True)[0].T",
    "torchaudio.load(path)[1]": "soundfile.info(path).samplerate",
    "torchaudio.save(path, w, 22050)": "w",
    "torchaudio.info(path).sample_rate": "soundfile.info(path).samplerate",
    "torchaudio.info(path).num_frames": "soundfile.info(path).frames",
}

AGREEMENT = re.compile(r"(?P<claim>[125]e-\d+|same|shape|fails)(?P<note>\[\^\w+\])?")
PROJECTIONS = 8
# The most that rounding leaves of such sums in float32.
ROUNDING = 1e-5


@dataclass(frozen=True)
class Row:
    page: str
    theirs: str
    ours: str
    claim: str

    def check(self, error: float, *, least: float = 0.0) -> None:
        bounds = {"same": 0.0, "shape": np.inf}
        bound = bounds[self.claim] if self.claim in bounds else float(self.claim)
        # Where only rounding is left, another processor rounds otherwise.
        assert error <= max(least, 2 * bound if bound < ROUNDING else bound)


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def rows(page: str) -> list[Row]:
    found = []
    for line in read(page).splitlines():
        if line.startswith("| `"):
            theirs, ours, agreement = (cell.strip() for cell in line.strip("| ").split(" | "))
            match = AGREEMENT.fullmatch(agreement)
            assert match, line
            found.append(Row(page, theirs.strip("`"), ours.strip("`"), match["claim"]))
    return found


ROWS = [row for page in PEERS for row in rows(page)]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Others print their settings and warn of what they are built on."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@functools.cache
def definitions(page: str) -> dict[str, Any]:
    """What the Python of a page defines."""
    scope: dict[str, Any] = {"soundfile": soundfile}
    for code in re.findall(r"```python\n(.*?)```", read(page), re.DOTALL):
        exec(compile(code, page, "exec"), scope)
    return scope


def evaluate(cell: str, page: str, **names: Any) -> list[np.ndarray]:
    """The arrays a cell results in; what it wrote to a file if it returns nothing."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  librosa draws from it
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/sound.wav"
        samples = np.random.default_rng(0).uniform(-1, 1, (4000, 2))
        soundfile.write(path, samples, 22050, "PCM_16")
        value = eval(cell, {**definitions(page), **names, "path": path})
        if value is None:
            value = soundfile.read(path, always_2d=True)[0].T
    results = arrays(value)
    assert all(np.isfinite(result).all() for result in results)
    return results


def arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, tuple | list):
        return [array for item in value for array in arrays(item)]
    if isinstance(value, torch.Tensor):
        value = value.detach().resolve_conj().numpy()
    return [np.asarray(value)]


def distance(theirs: list[np.ndarray], ours: list[np.ndarray]) -> float:
    """The largest relative error of any part, in its norm."""
    errors = []
    for peer, mine in zip(theirs, ours, strict=True):
        if np.iscomplexobj(mine) and peer.shape == (*mine.shape, 2):
            peer = peer[..., 0] + 1j * peer[..., 1]
        assert peer.shape == mine.shape
        peer = peer.astype(np.result_type(peer, np.float64))
        errors.append(np.linalg.norm(peer - mine) / max(np.linalg.norm(peer), 1e-300))
    return float(max(errors))


def facts_of(results: list[np.ndarray]) -> list[dict[str, Any]]:
    facts = []
    for array in results:
        flat = array.astype(np.result_type(array, np.float64)).reshape(-1)
        flat = np.concatenate((flat.real, flat.imag))
        random = np.random.RandomState(0)
        projections = [float(random.standard_normal(flat.size) @ flat) for _ in range(PROJECTIONS)]
        norm = float(np.linalg.norm(flat))
        facts.append({"shape": list(array.shape), "norm": norm, "projections": projections})
    return facts


def distance_to_facts(theirs: list[dict[str, Any]], ours: list[np.ndarray]) -> float:
    """An estimate of `distance`: a projection has its square in the mean."""
    errors = []
    for peer, mine in zip(theirs, facts_of(ours), strict=True):
        assert peer["shape"] == mine["shape"]
        difference = np.subtract(peer["projections"], mine["projections"])
        errors.append(np.sqrt(np.mean(difference**2)) / peer["norm"])
    return float(max(errors))


def load(page: str) -> dict[str, Any]:
    """The other library under the name its cells use, or a skip."""
    name, module = PEERS[page]
    try:
        with quiet():
            return {name: importlib.import_module(module)}
    except (ImportError, OSError, RuntimeError) as error:
        pytest.skip(f"{module} does not load here: {error}")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.theirs)
def test_row(row: Row) -> None:
    if row.page == "from_torchaudio.md":
        ours = evaluate(row.ours, row.page)
        if row.theirs in FILE_CALLS:
            row.check(distance(evaluate(FILE_CALLS[row.theirs], row.page), ours))
        else:
            facts = json.loads(FACTS.read_text(encoding="utf-8"))
            # Eight projections put the estimate above twice the distance once in a million times.
            row.check(distance_to_facts(facts[row.theirs], ours) / 2, least=ROUNDING)
        return
    peer = load(row.page)
    ours = evaluate(row.ours, row.page)
    with quiet():
        if row.claim == "fails":
            with pytest.raises(RuntimeError):
                evaluate(row.theirs, row.page, **peer)
        else:
            row.check(distance(evaluate(row.theirs, row.page, **peer), ours))


def test_torchaudio_itself() -> None:
    page = "from_torchaudio.md"
    peer = load(page)
    for row in rows(page):
        if row.theirs not in FILE_CALLS:
            with quiet():
                theirs = evaluate(row.theirs, page, **peer)
            row.check(distance(theirs, evaluate(row.ours, page)))
    for name in peer["torchaudio"].transforms.__all__:
        assert name in read(page)


def test_every_class_of_nnaudio_is_on_its_page() -> None:
    features = load("from_nnaudio.md")["features"]
    for name, value in vars(features).items():
        if isinstance(value, type) and issubclass(value, torch.nn.Module) and name != "STFTBase":
            assert re.search(rf"\b{name}\b", read("from_nnaudio.md")), name


@pytest.mark.parametrize("page", PEERS)
def test_notes_are_there(page: str) -> None:
    body = read(page)
    named = set(re.findall(r"\[\^(\w+)\](?!:)", body))
    assert named == set(re.findall(r"^\[\^(\w+)\]:", body, re.MULTILINE))
    assert len(rows(page)) > 20


def record() -> None:
    """Write what torchaudio's calls give, where it loads."""
    page = "from_torchaudio.md"
    peer = load(page)
    facts = {}
    for row in rows(page):
        if row.theirs not in FILE_CALLS:
            with quiet():
                facts[row.theirs] = facts_of(evaluate(row.theirs, page, **peer))
    lines = (f"{json.dumps(call)}: {json.dumps(fact)}" for call, fact in facts.items())
    FACTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    record()
