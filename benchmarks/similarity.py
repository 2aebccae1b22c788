"""How often a transformed excerpt finds the clip it was cut from, first of all clips.

Goal: at least 90 % of the queries over the ESC-10 and music clips. Searched are 400 clips of ESC-10
and five pieces of music; learned from are folds 1 to 4 and two of the pieces, less 20 that the run
holds out. Queries are 3 s of every clip (seed 0), as they are or transformed; beside the embedder
stand means and deviations of 20 MFCC in the same windows, standardised, under the same search.

    python benchmarks/similarity.py --learn-from links
    OMP_NUM_THREADS=1 passband train recipes/similarity.toml --data links --out runs/similarity

Then: python benchmarks/similarity.py runs/similarity
"""

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from record import data_folder, write_result
from torch import Tensor

from passband.signal.tasks import Recordings, RepresentationSettings, unit_peak
from passband.signal.tasks.similarity import (
    Embedder,
    Index,
    audible_span,
    embed_sound,
    file_scores,
    load_embedder,
    update_index,
)
from passband.signal.tasks.similarity._copies import transformation
from passband.training import make_generator

SECONDS = 3.0
SEED = 0
QUERIES = {
    "as it is": (),
    "pitch": ("pitch",),
    "tempo": ("tempo",),
    "equaliser": ("equaliser",),
    "all three": ("pitch", "tempo", "equaliser"),
}
LEARNED_MUSIC = ("Kevin", "sorohanro")
EMBEDDER, BASELINE = "embedder", "MFCC statistics"


def sources() -> dict[str, Path]:
    """The clips by name, ESC-10's after their fold and class; of each piece of music one file."""
    audio = data_folder() / "audio"
    found = {}
    with (audio / "esc10" / "meta" / "esc10.csv").open() as file:
        for row in csv.DictReader(file):
            path = audio / "esc10" / row["path"]
            found[f"{row['fold']}_{row['category']}_{path.name}".replace(" ", "_")] = path
    music = sorted((audio / "music").glob("*.ogg"))
    return found | {path.name: path for path in music if ".hq." not in path.name}


def is_learned_from(name: str) -> bool:
    """Whether the clip is in the folder of the training."""
    return name.startswith((*(f"{fold}_" for fold in range(1, 5)), *LEARNED_MUSIC))


def link(folder: Path, names: dict[str, Path]) -> None:
    """Links to the clips, as one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in names.items():
        (folder / name).symlink_to(path.resolve())


def excerpt(sound: Tensor, rate: int, number: int) -> Tensor:
    """Three seconds of what is audible, from a place that the clip's number gives."""
    start, stop = audible_span(sound)
    length = min(stop - start, round(SECONDS * rate))
    generator = make_generator(SEED, 1, number)
    first = start + int(torch.randint(stop - start - length + 1, (), generator=generator))
    return sound[first : first + length]


def transformed(sound: Tensor, terms: tuple[str, ...], embedder: Embedder, number: int) -> Tensor:
    """The excerpt after each of ``terms``, drawn within the recipe's limits."""
    recipe = embedder.recipe
    for k, term in enumerate(terms):
        generator = make_generator(SEED, 2, number, k, len(terms))
        change = transformation(term, recipe.transformations, recipe.data.sample_rate, generator)[2]
        sound = change(sound)
    return unit_peak(sound)


class Statistics:
    """Mean and deviation over a window of 20 MFCC, standardised over all windows searched."""

    def __init__(self, embedder: Embedder) -> None:
        self.rate, self.samples = embedder.recipe.data.sample_rate, embedder.samples
        self.mfcc = RepresentationSettings(transform="mfcc").build(self.rate)
        self.mean, self.deviation = torch.tensor(0.0), torch.tensor(1.0)

    def raw(self, sound: Tensor, starts: Tensor) -> Tensor:
        """Of the windows that start at these seconds, a row each."""
        firsts = (starts * self.rate).round().long().tolist()
        windows = [sound[first : first + self.samples] for first in firsts]
        values = [self.mfcc(window) for window in windows]
        return torch.stack([torch.cat((v.mean(-1), v.std(-1))) for v in values])

    def points(self, raw: Tensor) -> Tensor:
        """Of unit length, for the same search."""
        return torch.nn.functional.normalize((raw - self.mean) / self.deviation, dim=-1)


def standardised(index: Index, sounds: list[Tensor], statistics: Statistics) -> Tensor:
    """The baseline's points of the windows of the index, in its order."""
    counts = [entry.points for entry in index.entries.values()]
    starts = index.table[:, 0].split(counts)
    raw = torch.cat([statistics.raw(x, at) for x, at in zip(sounds, starts, strict=True)])
    statistics.mean, statistics.deviation = raw.mean(0), raw.std(0)
    return statistics.points(raw)


@torch.no_grad()
def search_all(embedder: Embedder, index: Index, sounds: list[Tensor]) -> dict[str, list[Any]]:
    """The rank of every clip's own file, by kind of query, under the embedder and the baseline."""
    counts = torch.tensor([entry.points for entry in index.entries.values()])
    owners = torch.repeat_interleave(torch.arange(len(counts)), counts)
    baseline = Statistics(embedder)
    searched = {EMBEDDER: index.table[:, 1:], BASELINE: standardised(index, sounds, baseline)}
    ranks: dict[str, list[Any]] = {name: [] for name in QUERIES}
    for number, sound in enumerate(sounds):
        cut = excerpt(sound, embedder.recipe.data.sample_rate, number)
        for name, terms in QUERIES.items():
            query = transformed(cut, terms, embedder, number)
            starts, points = embed_sound(embedder, query)
            given = {EMBEDDER: points, BASELINE: baseline.points(baseline.raw(query, starts))}
            found = {}
            for way, windows in given.items():
                scores, _ = file_scores(windows, searched[way], owners, len(counts))
                found[way] = int((scores > scores[number]).sum()) + 1
            ranks[name].append(found)
        if (number + 1) % 50 == 0:
            print(f"{number + 1} of {len(sounds)} clips", file=sys.stderr, flush=True)
    return ranks


def table(ranks: dict[str, list[Any]], names: list[str], chosen: set[str]) -> dict[str, Any]:
    """Part found first, by kind of query and way."""
    rows: dict[str, Any] = {}
    for query, every in ranks.items():
        some = [rank for rank, name in zip(every, names, strict=True) if name in chosen]
        rows[query] = {way: sum(r[way] == 1 for r in some) / len(some) for way in some[0]}
    rows["mean"] = {
        way: sum(row[way] for row in rows.values()) / len(rows) for way in rows["pitch"]
    }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", help="folder of the finished run")
    parser.add_argument("--learn-from", type=Path, help="make this folder of links, and end")
    arguments = parser.parse_args()
    clips = sources()
    if arguments.learn_from is not None:
        link(arguments.learn_from, {n: p for n, p in clips.items() if is_learned_from(n)})
        return
    metrics = json.loads((arguments.run / "metrics.json").read_text())
    embedder = load_embedder(arguments.run, "cpu")
    with tempfile.TemporaryDirectory() as folder:
        link(Path(folder), clips)
        index = update_index(Path(folder), embedder, arguments.run / "index")
    names = list(index.entries)
    recordings = Recordings([clips[name] for name in names], embedder.recipe.data.sample_rate)
    sounds = [sound for k in range(len(names)) if (sound := recordings(k)) is not None]
    ranks = search_all(embedder, index, sounds)
    held_out = {Path(path).name for path in metrics["held_out"]}
    learned = {name for name in names if is_learned_from(name) and name not in held_out}
    groups = {
        "all clips": set(names),
        "clips not learned from": set(names) - learned,
        "music": {name for name in names if not name[0].isdigit() or "__" in name},
    }
    result: dict[str, Any] = {"clips": len(names), "learned_from": len(learned), "seed": SEED}
    result |= {"excerpt_seconds": SECONDS, "windows": len(index.table)}
    for group, chosen in groups.items():
        result[group] = {"clips": len(chosen), "found_first": table(ranks, names, chosen)}
        print(f"found first, {group} ({len(chosen)})")
        for query, row in result[group]["found_first"].items():
            print(
                f"  {query:12}" + "".join(f"{way:>18} {100 * p:5.1f} %" for way, p in row.items())
            )
    result["training"] = {k: metrics[k] for k in ("parameters", "steps", "files")}
    result["training"]["held_out_first_neighbour"] = metrics["first_neighbour"]
    write_result("similarity", result)


if __name__ == "__main__":
    main()
