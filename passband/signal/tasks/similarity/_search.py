"""Windows of sounds as points, and which file's points are nearest to those of a query."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from passband.signal.tasks.similarity._audible import audible_span
from passband.signal.tasks.similarity._embedder import Embedder

_PER_WINDOW = 4  # windows start every quarter of their length
_SECTION = 60.0  # seconds under the representation at a time
_BATCH = 256
_QUIET_DB = 60.0


def window_starts(frames: int, length: int, step: int) -> list[int]:
    """Where windows of ``length`` frames start: every ``step``, and one that ends with the last.

    Example:
        >>> window_starts(10, 4, 4), window_starts(12, 4, 4), window_starts(3, 4, 4)
        ([0, 4, 6], [0, 4, 8], [0])
    """
    last = max(0, frames - length)
    starts = list(range(0, last + 1, step))
    return starts if starts[-1] == last else [*starts, last]


def step_of(embedder: Embedder) -> int:
    """Frames from one window of a search to the next."""
    return max(1, round(embedder.samples / _PER_WINDOW / embedder.hop_length))


@torch.no_grad()
def points_of_levels(
    embedder: Embedder, levels: Float[Tensor, "bins frames"]
) -> tuple[list[int], Float[Tensor, "windows dim"]]:
    """First frames and points of all windows in ``levels`` but those 60 dB below the loudest."""
    length = embedder.frames
    starts = window_starts(levels.shape[-1], length, step_of(embedder))
    loudest = float(levels.max()) - _QUIET_DB
    starts = [k for k in starts if float(levels[:, k : k + length].max()) >= loudest]
    points = []
    for first in range(0, len(starts), _BATCH):
        some = torch.stack([levels[:, k : k + length] for k in starts[first : first + _BATCH]])
        points.append(embedder.of_levels(some))
    return starts, torch.cat(points)


@torch.no_grad()
def embed_sound(
    embedder: Embedder, sound: Float[Tensor, " time"]
) -> tuple[Float[Tensor, " windows"], Float[Tensor, "windows dim"]]:
    """Starts in seconds and points, on the CPU, of the windows of a sound; none of silence.

    Args:
        embedder: in evaluation mode, on any device.
        sound: mono, at the embedder's rate, of any length.

    Example:
        >>> from passband.signal.tasks.similarity import EmbedderRecipe
        >>> starts, points = embed_sound(Embedder(EmbedderRecipe()).eval(), torch.randn(48000))
        >>> starts.tolist(), points.shape
        ([0.0, 0.5, 1.0], torch.Size([3, 128]))
    """
    rate, hop = embedder.recipe.data.sample_rate, embedder.hop_length
    start, stop = audible_span(sound)
    if start == stop:
        return torch.empty(0), torch.empty(0, embedder.recipe.model.dim)
    device = embedder.point.weight.device
    sound = sound[start:stop].to(device)
    sound = pad(sound, (0, max(0, embedder.samples - len(sound))))
    stride = step_of(embedder) * hop
    section = max(1, round(_SECTION * rate / stride)) * stride
    times, points = [], []
    # Sections overlap by a window less a step, so that every window lies in one of them.
    for first in range(0, max(1, len(sound) - embedder.samples + stride), section):
        piece = sound[first : first + section - stride + embedder.samples]
        if len(piece) < embedder.samples:
            break
        frames, found = points_of_levels(embedder, embedder.representation(piece))
        times += [(start + first + k * hop) / rate for k in frames]
        points.append(found.float().cpu())
    return torch.tensor(times), torch.cat(points)


def file_scores(
    query: Float[Tensor, "windows dim"],
    points: Float[Tensor, "points dim"],
    owners: Int[Tensor, " points"],
    count: int,
) -> tuple[Float[Tensor, " {count}"], Float[Tensor, "windows {count}"]]:
    """How like a query every file is: mean over its windows of the greatest cosine in the file.

    Args:
        query: points of the query's windows.
        points: of all files' windows.
        owners: the number of each one's file.
        count: files; one without windows scores -1.

    Returns:
        The mean, and the greatest cosine of every window and file.

    Example:
        >>> scores, _ = file_scores(torch.eye(2), torch.eye(2), torch.tensor([0, 1]), 2)
        >>> scores.tolist()
        [0.5, 0.5]
    """
    cosines = query @ points.T
    best = torch.full((len(query), count), -1.0, dtype=query.dtype, device=query.device)
    best = best.scatter_reduce(1, owners.expand_as(cosines), cosines, "amax")
    return best.mean(0), best
