"""An index of a folder: the points of all its files, kept so that the next search is immediate."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.frequency import resample
from passband.media import read_audio
from passband.signal.tasks import FeatureCache, find_audio, unit_peak
from passband.signal.tasks.similarity._embedder import Embedder
from passband.signal.tasks.similarity._search import embed_sound, file_scores
from passband.training import load_tensors, save_tensors


@dataclass(frozen=True)
class Entry:
    """A file of the index: its size and time of change, and how many points are its own."""

    size: int
    changed: int
    points: int


@dataclass(frozen=True)
class Neighbour:
    """A file like the query, and where the two are most alike.

    Attributes:
        path: of the file.
        similarity: mean over the query's windows of the greatest cosine with one of the file's.
        query_start: of the most similar pair of windows, in seconds of the query.
        start: in seconds of the file.
        window_similarity: cosine of that pair.
    """

    path: Path
    similarity: float
    query_start: float
    start: float
    window_similarity: float


@dataclass(frozen=True)
class Index:
    """Points of the windows of every file of a folder.

    Args:
        folder: of the files.
        entries: by path below the folder, in the order of the points.
        table: ``(points, 1 + dim)``: the start of a window in seconds, and its point.
        faults: files left out, and why.
        made: files that were embedded for this index rather than found.
    """

    folder: Path
    entries: dict[str, Entry]
    table: Float[Tensor, "points columns"]
    faults: dict[str, str]
    made: int = 0

    def search(
        self,
        starts: Float[Tensor, " windows"],
        query: Float[Tensor, "windows dim"],
        *,
        most: int = 10,
    ) -> list[Neighbour]:
        """The files most like a query, the best first.

        Args:
            starts: of the query's windows, in seconds.
            query: their points, as `embed_sound` gives them.
            most: how many files.

        Raises:
            InputError: the query has no windows.
        """
        if not len(query):
            raise InputError("the query is silent: there is nothing to compare. Pass another.")
        counts = torch.tensor([entry.points for entry in self.entries.values()])
        owners = torch.repeat_interleave(torch.arange(len(counts)), counts)
        scores, best = file_scores(query, self.table[:, 1:], owners, len(counts))
        firsts = [0, *counts.cumsum(0).tolist()]
        names = list(self.entries)
        found = []
        for number in scores.argsort(descending=True, stable=True)[:most].tolist():
            if firsts[number] == firsts[number + 1]:
                continue
            window = int(best[:, number].argmax())
            own = self.table[firsts[number] : firsts[number + 1]]
            place = int((own[:, 1:] @ query[window]).argmax())
            found.append(
                Neighbour(
                    self.folder / names[number],
                    float(scores[number]),
                    float(starts[window]),
                    float(own[place, 0]),
                    float(best[window, number]),
                )
            )
        return found


def update_index(
    folder: Path,
    embedder: Embedder,
    cache: Path,
    *,
    progress: Callable[[int, int, int], None] = lambda done, total, failed: None,
) -> Index:
    """The index of ``folder`` as it is now; files that did not change are not read again.

    Points are kept under their file's content, so that one that was moved or copied is found too,
    and an interrupted indexing goes on where it was.

    Args:
        folder: with sound files in it or below.
        embedder: in evaluation mode.
        cache: folder to keep points in, of any number of folders and embedders.
        progress: takes the number of files done, of all and of those left out.

    Raises:
        InputError: no such folder, no sound files in it, or none that can be read.
        OutputError: ``cache`` cannot be written.

    Example:
        >>> import tempfile
        >>> from passband.media import write_audio
        >>> from passband.signal.tasks.similarity import EmbedderRecipe
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_audio(folder / "a.wav", torch.randn(1, 40000) / 8, 16000)
        >>> embedder = Embedder(EmbedderRecipe()).eval()
        >>> index = update_index(folder, embedder, folder / "points")
        >>> index.search(*embed_file(folder / "a.wav", embedder))[0].path.name
        'a.wav'
    """
    files = find_audio(folder)
    identity = _identity(embedder)
    name = hashlib.sha256(f"{identity} {folder.resolve()}".encode()).hexdigest()
    place = cache / f"index-{name[:32]}.safetensors"
    before = _load(place, folder)
    kept = dict(zip(before.entries, _split(before), strict=True))
    points = FeatureCache(cache)
    entries: dict[str, Entry] = {}
    tables: list[Tensor] = []
    faults: dict[str, str] = {}
    for done, path in enumerate(files, 1):
        relative = path.relative_to(folder).as_posix()
        try:
            status = path.stat()
            entry = Entry(status.st_size, status.st_mtime_ns, 0)
            known = before.entries.get(relative)
            if known is not None and replace(known, points=0) == entry:
                table = kept[relative]
            else:
                table = points.get(path, identity, partial(_table, path, embedder))
        except (InputError, OSError) as error:
            faults[relative] = " ".join(str(error).split())
        else:
            entries[relative] = replace(entry, points=len(table))
            tables.append(table)
        progress(done, len(files), len(faults))
    if not entries:
        raise InputError(f"none of the sound files in {folder} can be read: {faults.popitem()[1]}")
    index = Index(folder, entries, torch.cat(tables), faults, points.made)
    if index.entries != before.entries:
        _save(place, index)
    return index


def embed_file(path: Path, embedder: Embedder) -> tuple[Tensor, Tensor]:
    """Starts and points of the windows of a file; see `embed_sound`.

    Raises:
        InputError: the file cannot be read.
    """
    audio = read_audio(path)
    rate = embedder.recipe.data.sample_rate
    sound = unit_peak(resample(audio.samples.mean(dim=0), audio.sample_rate, rate))
    return embed_sound(embedder, sound)


def _table(path: Path, embedder: Embedder) -> Tensor:
    try:
        starts, points = embed_file(path, embedder)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    return torch.cat((starts[:, None], points), dim=1)


def _identity(embedder: Embedder) -> str:
    """Digest of the weights and the recipe: another model's points are other points."""
    digest = hashlib.sha256(embedder.recipe.model_dump_json().encode())
    for name, value in embedder.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _split(index: Index) -> tuple[Tensor, ...]:
    parts: tuple[Tensor, ...] = index.table.split([e.points for e in index.entries.values()])
    return parts


def _load(place: Path, folder: Path) -> Index:
    """What was kept; nothing where there is nothing, or it is damaged."""
    try:
        tensors, meta = load_tensors(place)
        entries = {name: Entry(*values) for name, values in meta["entries"].items()}
        return Index(folder, entries, tensors["table"], {})
    except (InputError, OSError, KeyError, TypeError):
        return Index(folder, {}, torch.empty(0, 1), {})


def _save(place: Path, index: Index) -> None:
    rows: dict[str, Any] = {
        name: [entry.size, entry.changed, entry.points] for name, entry in index.entries.items()
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(place, {"table": index.table}, {"entries": rows})
