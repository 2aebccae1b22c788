"""Features kept on the disk: found under their content, made anew when damaged, shared."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from passband.errors import InputError, OutputError
from passband.signal.tasks import FeatureCache


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    path.write_bytes(b"some sound")
    return path


def never() -> Tensor:
    raise AssertionError("computed what was kept")


def gives(*numbers: float) -> Callable[[], Tensor]:
    return lambda: torch.tensor(numbers)


@pytest.mark.parametrize("kept_on_disk", [True, False])
def test_content_and_key_count_and_names_do_not(
    sound: Path, tmp_path: Path, kept_on_disk: bool
) -> None:
    cache = FeatureCache(tmp_path / "cache" if kept_on_disk else None)
    first = cache.get(sound, "mel", gives(1.0))
    renamed = sound.rename(tmp_path / "b.wav")
    assert torch.equal(cache.get(renamed, "mel", never), first)
    assert cache.get(renamed, "cqt", gives(2.0)).item() == 2.0
    renamed.write_bytes(b"other sound")
    assert cache.get(renamed, "mel", gives(3.0)).item() == 3.0
    assert (cache.made, cache.found) == (3, 1)
    assert not list(tmp_path.rglob("*.safetensors")) or kept_on_disk


def test_the_place_is_the_digest_of_content_and_key(sound: Path, tmp_path: Path) -> None:
    FeatureCache(tmp_path / "cache").get(sound, "mel", gives(1.0))
    content = hashlib.sha256(b"some sound").hexdigest()
    name = hashlib.sha256(f"{content}\nmel".encode()).hexdigest()
    assert (tmp_path / "cache" / name[:2] / f"{name[2:]}.safetensors").is_file()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.complex64])
def test_a_later_process_reads_the_same_values(
    sound: Path, tmp_path: Path, dtype: torch.dtype
) -> None:
    values = (100 * torch.randn(3, 4, 5)).to(dtype).mT  # not contiguous
    FeatureCache(tmp_path / "cache").get(sound, "x", lambda: values)
    again = FeatureCache(tmp_path / "cache").get(sound, "x", never)
    assert again.dtype == dtype
    assert torch.equal(again, values)


@pytest.mark.parametrize("harm", ["empty", "cut", "flipped", "text"])
def test_a_damaged_entry_is_made_anew(sound: Path, tmp_path: Path, harm: str) -> None:
    FeatureCache(tmp_path / "cache").get(sound, "mel", gives(1.0, 2.0, 3.0))
    (entry,) = (tmp_path / "cache").rglob("*.safetensors")
    whole = entry.read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    entry.write_bytes({"empty": b"", "cut": whole[:-3], "flipped": flipped, "text": b"no"}[harm])
    cache = FeatureCache(tmp_path / "cache")
    assert cache.get(sound, "mel", gives(1.0, 2.0, 3.0)).tolist() == [1.0, 2.0, 3.0]
    assert cache.made == 1
    assert entry.read_bytes() == whole


def test_several_processes_share_a_folder(tmp_path: Path) -> None:
    for index in range(8):
        (tmp_path / f"{index}.wav").write_bytes(bytes([index]) * 100)
    code = (
        "import sys, torch; from pathlib import Path\n"
        "from passband.signal.tasks import FeatureCache\n"
        "folder = Path(sys.argv[1]); cache = FeatureCache(folder / 'cache')\n"
        "for turn in range(4):\n"
        "    for k in range(8):\n"
        "        x = cache.get(folder / f'{k}.wav', 'x', lambda: torch.full((5000,), float(k)))\n"
        "        assert (x == k).all()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment)
    while other.poll() is None:  # from its first entry to its last, and anew all the time
        cache = FeatureCache(tmp_path / "cache")
        for index in range(8):
            values = cache.get(tmp_path / f"{index}.wav", "x", gives(*[float(index)] * 5000))
            assert (values == index).all()
    assert other.returncode == 0
    cache = FeatureCache(tmp_path / "cache")
    for index in range(8):
        assert (cache.get(tmp_path / f"{index}.wav", "x", never) == index).all()


def test_what_fails_leaves_no_entry(sound: Path, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "cache")

    def fails() -> Tensor:
        raise InputError("too short")

    with pytest.raises(InputError, match="too short"):
        cache.get(sound, "mel", fails)
    assert cache.get(sound, "mel", gives(1.0)).item() == 1.0


def test_bad_places(sound: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.wav cannot be read: No such file"):
        FeatureCache(None).get(tmp_path / "none.wav", "mel", never)
    with pytest.raises(OutputError, match="cannot be made"):
        FeatureCache(sound / "below").get(sound, "mel", gives(1.0))
