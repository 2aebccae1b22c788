"""Frames as a video file."""

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from torch import Tensor
from torch.nn.functional import pad

from passband.atomic import atomic_path
from passband.errors import InputError, MissingDependencyError

_QUALITY = "18"  # x264's scale, on which differences are hard to see from here down


def write_video(
    path: str | os.PathLike[str],
    frames: Iterable[UInt8[Tensor, "height width 3"]],
    fps: float = 24.0,
) -> int:
    """Write frames as H.264 in an .mp4, whole or not at all, one at a time.

    Colours are halved in resolution (4:2:0), as all players want them. An odd row or column at the
    end is repeated, since H.264 has none.

    Args:
        path: ends in .mp4.
        frames: red, green and blue, all of one size; taken one after the other.
        fps: frames per second, above 0.

    Returns:
        The number of frames written.

    Raises:
        InputError: another suffix, no frames, frames of several sizes, or fps not above 0.
        MissingDependencyError: without av.
        OutputError: the file cannot be written.
    """
    if Path(path).suffix.lower() != ".mp4":
        raise InputError(f"{path} must end in .mp4. Name a video, or a folder for pictures.")
    if not 0 < fps <= 1000:
        raise InputError(f"`fps` (={fps:g}) must be above 0, up to 1000. Pass 24.")
    av = _av()
    waiting = iter(frames)
    first = next(waiting, None)
    if first is None:
        raise InputError("`frames` are empty, so there is no video. Pass at least one camera.")
    with atomic_path(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = _stream(container, first, fps)
        count = _encode(av, container, stream, first)
        for frame in waiting:
            if frame.shape != first.shape:
                raise InputError(
                    f"frame {count} (={_size(frame)}) must be {_size(first)} pixels as the first. "
                    "Render all cameras at one size."
                )
            count += _encode(av, container, stream, frame)
        container.mux(stream.encode())
    return count


def _stream(container: Any, frame: Tensor, fps: float) -> Any:
    height, width = frame.shape[:2]
    stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
    stream.width, stream.height = width + width % 2, height + height % 2
    stream.pix_fmt = "yuv420p"
    stream.options = {"crf": _QUALITY}
    return stream


def _encode(av: Any, container: Any, stream: Any, frame: Tensor) -> int:
    height, width = frame.shape[:2]
    planes = frame.cpu().permute(2, 0, 1).float()
    even = pad(planes[None], (0, width % 2, 0, height % 2), mode="replicate")[0]
    pixels = even.permute(1, 2, 0).byte().contiguous().numpy()
    container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
    return 1


def _size(frame: Tensor) -> str:
    return f"{frame.shape[1]}x{frame.shape[0]}"


def _av() -> Any:
    try:
        import av  # noqa: PLC0415  an extra
    except ImportError as error:
        raise MissingDependencyError(
            "Videos need the package av. Install it with: pip install 'passband[video]'"
        ) from error
    return av
