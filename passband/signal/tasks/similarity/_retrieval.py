"""How often a transformed excerpt finds the file it was taken from."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from passband.signal.tasks.similarity._copies import Copies
from passband.signal.tasks.similarity._embedder import Embedder
from passband.signal.tasks.similarity._search import file_scores, points_of_levels
from passband.training import make_generator

_EXCERPT = 1.5  # windows
_STARTS = 331  # stream of where excerpts begin


@dataclass(frozen=True)
class Retrieval:
    """Parts of the queries whose own file came first, over all and by transformation."""

    first: float
    by_term: dict[str, float]
    queries: int


def measure(
    embedder: Embedder, copies: Copies, files: Sequence[int], terms: Sequence[str]
) -> Retrieval:
    """Search excerpts of copies that were never learned from among the windows of all files.

    An excerpt is one and a half windows long and starts where the number of its file says; its
    copy is the one after those of the training. The same for every call.

    Args:
        embedder: in evaluation mode.
        copies: of all files.
        files: numbers of those that excerpts are taken from.
        terms: transformations, one query of each file for each.
    """
    points, owners = _index(embedder, copies)
    count = len(copies.recordings)
    hits = {term: 0 for term in terms}
    for number in files:
        for term in terms:
            query = _excerpt(embedder, copies, number, term)
            scores, _ = file_scores(query, points, owners, count)
            hits[term] += int(int(scores.argmax()) == number)
    by_term = {term: found / len(files) for term, found in hits.items()}
    return Retrieval(sum(by_term.values()) / len(terms), by_term, len(files) * len(terms))


def _index(embedder: Embedder, copies: Copies) -> tuple[Tensor, Tensor]:
    device = embedder.point.weight.device
    points, owners = [], []
    for number in range(len(copies.recordings)):
        found = points_of_levels(embedder, copies(number)[0].to(device).float())[1]
        points.append(found)
        owners.append(torch.full((len(found),), number, device=device))
    return torch.cat(points), torch.cat(owners)


def _excerpt(embedder: Embedder, copies: Copies, number: int, term: str) -> Tensor:
    settings = embedder.recipe.transformations
    levels, _ = copies(number) if term == "crop" else copies(number, term, settings.copies)
    length = min(levels.shape[-1], round(_EXCERPT * embedder.frames))
    generator = make_generator(embedder.recipe.training.seed, _STARTS, number)
    start = int(torch.randint(levels.shape[-1] - length + 1, (), generator=generator))
    cut = levels[:, start : start + length].to(embedder.point.weight.device).float()
    return points_of_levels(embedder, cut)[1]
