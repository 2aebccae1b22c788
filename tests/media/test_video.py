import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from passband.errors import InputError, MissingDependencyError, OutputError
from passband.media import write_video


def frames(count: int, height: int, width: int) -> list[torch.Tensor]:
    """Plain pictures, each of another grey: chroma and blocks lose nothing of them."""
    return [torch.full((height, width, 3), 40 + 20 * k, dtype=torch.uint8) for k in range(count)]


@pytest.mark.parametrize(("height", "width"), [(48, 64), (49, 63)])
def test_a_video_has_its_frames(tmp_path: Path, height: int, width: int) -> None:
    wanted = frames(7, height, width)
    assert write_video(tmp_path / "a.mp4", iter(wanted), fps=12.5) == 7
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert float(stream.average_rate) == pytest.approx(12.5)
        assert (stream.height, stream.width) == (height + height % 2, width + width % 2)
        found = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(found) == 7
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.abs(ours[:height, :width].astype(int) - theirs.numpy()).max() <= 3


def test_videos_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"must end in \.mp4"):
        write_video(tmp_path / "a.avi", frames(1, 4, 4))
    with pytest.raises(InputError, match=r"`fps` \(=0\)"):
        write_video(tmp_path / "a.mp4", frames(1, 4, 4), fps=0.0)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'passband\[video\]'"):
        write_video(tmp_path / "a.mp4", frames(1, 4, 4))


def test_a_video_is_whole_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`frames` are empty"):
        write_video(tmp_path / "a.mp4", [])
    with pytest.raises(InputError, match=r"frame 1 \(=18x16\) must be 16x16"):
        write_video(tmp_path / "a.mp4", iter(frames(1, 16, 16) + frames(1, 16, 18)))
    with pytest.raises(OutputError, match="does not exist"):
        write_video(tmp_path / "none" / "a.mp4", frames(1, 16, 16))
    assert not list(tmp_path.iterdir())
