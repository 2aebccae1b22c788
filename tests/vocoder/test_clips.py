import threading
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.media import Audio, read_audio, write_audio
from passband.signal.tasks import _recordings as recordings_module
from passband.vocoder.learning import Clips, Recordings, crop, find_audio, hold_out
from passband.vocoder.learning._ahead import Ahead

RATE = 8000


def write(folder: Path, name: str, samples: Tensor, rate: int = RATE) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, samples.reshape(-1, samples.shape[-1]), rate, bit_depth=16)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven sounds, each a different constant times a ramp, so that a crop tells its file."""
    for index in range(7):
        write(tmp_path, f"{index}.wav", torch.linspace(0.1, 0.9, 3000) * (index + 2) / 10)
    return tmp_path


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counts: Counter[str] = Counter()

    def counting(path: Path) -> Audio:
        counts[Path(path).name] += 1
        return read_audio(path)

    monkeypatch.setattr(recordings_module, "read_audio", counting)
    return counts


def clips(folder: Path, **options) -> Clips:
    keywords = {"samples": 512, "batch_size": 4, "seed": 3} | options
    return Clips(Recordings(find_audio(folder), RATE), **keywords)


def test_a_batch_is_a_function_of_seed_and_step(folder: Path) -> None:
    there, here = clips(folder), clips(folder)
    forward = [there(step) for step in range(6)]
    backward = [here(step) for step in reversed(range(6))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forward, backward, strict=True))
    assert not torch.equal(forward[0], forward[1])
    assert not torch.equal(forward[0], clips(folder, seed=4)(0))


def test_processes_share_the_batch_of_one(folder: Path) -> None:
    whole = clips(folder)(5)
    parts = [clips(folder, process=index, processes=2)(5) for index in range(2)]
    assert torch.equal(torch.cat(parts), whole)
    with pytest.raises(InputError, match=r"`data.batch_size` \(=4\) must be a multiple .*, 3"):
        clips(folder, processes=3)


def test_every_epoch_has_every_file_once_in_an_order_of_its_own(folder: Path) -> None:
    recordings = Recordings(find_audio(folder), RATE)
    asked: list[int] = []
    inner = recordings.__call__

    class Asked(Recordings):
        def __call__(self, index: int) -> Tensor | None:
            asked.append(index)
            return inner(index)

    source = Clips(Asked(recordings.files, RATE), samples=64, batch_size=7, seed=0)
    for step in range(3):
        source(step)
    epochs = [asked[:7], asked[7:14], asked[14:]]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_gain_is_the_peak_of_the_whole_file(tmp_path: Path) -> None:
    write(tmp_path, "a.wav", torch.sin(torch.arange(4000.0)) * 0.01)
    source = clips(tmp_path, samples=4000, batch_size=64, gain_db=(-6.0, -1.0))
    peaks = 20 * torch.log10(source(0).abs().amax(-1))
    assert -6.01 < float(peaks.min()) < -5.8
    assert -1.2 < float(peaks.max()) < -0.99
    assert abs(float(peaks.mean()) + 3.5) < 0.5  # even in decibels


def test_crops_begin_anywhere_and_short_files_are_repeated() -> None:
    sound = torch.arange(10.0)
    starts = {int(crop(sound, 4, where)[0]) for where in torch.linspace(0, 0.9999, 500).tolist()}
    assert starts == set(range(7))
    assert crop(torch.arange(3.0), 7, 0.9).tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert torch.equal(crop(sound, 10, 0.99), sound)


def test_rates_channels_and_formats_become_one(tmp_path: Path) -> None:
    t = torch.arange(22050) / 22050
    tone = 0.5 * torch.sin(2 * torch.pi * 440 * t)
    for suffix in ("wav", "flac", "ogg", "mp3"):
        write(tmp_path, f"deep/{suffix}/a.{suffix}", torch.stack((tone, tone)), 22050)
    files = find_audio(tmp_path)
    assert [path.suffix for path in files] == [".flac", ".mp3", ".ogg", ".wav"]
    recordings = Recordings(files, RATE)
    expected = torch.sin(2 * torch.pi * 440 * torch.arange(8000) / RATE)
    for index in range(4):
        sound = recordings(index)
        assert sound is not None
        assert float(sound.abs().max()) == pytest.approx(1, abs=1e-6)
        peak = torch.fft.rfft(sound[:8000]).abs().argmax()
        assert int(peak) == 440
    wav = recordings(3)
    assert wav is not None
    torch.testing.assert_close(wav[100:7900], expected[100:7900], rtol=0, atol=2e-2)


def test_a_damaged_file_is_reported_once_and_left_out(folder: Path) -> None:
    (folder / "3.wav").write_bytes(b"RIFF what is this")
    (folder / "5.wav").write_bytes((folder / "4.wav").read_bytes()[:900])
    said: list[str] = []
    source = Clips(
        Recordings(find_audio(folder), RATE, report=said.append), samples=64, batch_size=7, seed=0
    )
    batches = [source(step) for step in range(5)]
    assert all(batch.shape == (7, 64) for batch in batches)
    assert len(said) == 2
    assert any("3.wav" in line for line in said)
    assert {path.name for path in source.recordings.faults} == {"3.wav", "5.wav"}
    again = Clips(Recordings(find_audio(folder), RATE), samples=64, batch_size=7, seed=0)
    assert torch.equal(again(4), batches[4])


def test_nothing_to_learn_from_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`data` \(=.*nowhere\) is not a folder"):
        find_audio(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no sound")
    with pytest.raises(InputError, match=r"holds no sound files.*\.flac"):
        find_audio(tmp_path)
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(InputError, match=r"none of the 1 sound files can be read\. The first says"):
        clips(tmp_path)(0)


def test_silence_stays_silent(tmp_path: Path) -> None:
    write(tmp_path, "a.wav", torch.zeros(1000))
    assert not clips(tmp_path)(0).any()


def test_no_file_is_decoded_twice_while_there_is_room(folder: Path, decoded) -> None:
    source = clips(folder)
    for step in range(20):
        source(step)
    assert set(decoded.values()) == {1}
    assert len(decoded) == 7


def test_the_cache_is_bounded(folder: Path, decoded) -> None:
    recordings = Recordings(find_audio(folder), RATE, cache_bytes=3 * 3000 * 4)
    for index in (0, 1, 2, 0, 3, 0, 1):  # 3 takes the place of 1, 1 that of 2
        recordings(index)
    assert decoded == {"0.wav": 1, "1.wav": 2, "2.wav": 1, "3.wav": 1}
    small = Recordings(find_audio(folder), RATE, cache_bytes=0)
    assert small(0) is not None


def test_threads_do_not_decode_what_another_is_at(folder: Path, decoded) -> None:
    recordings = Recordings(find_audio(folder), RATE)
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        for index in range(7):
            assert recordings(index) is not None

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(decoded.values()) == {1}


def test_batches_made_ahead_are_the_same(folder: Path) -> None:
    plain = clips(folder)
    with Ahead(clips(folder), 3) as batches:
        assert all(torch.equal(batches(step), plain(step)) for step in (0, 1, 2, 7, 8))


def test_an_error_ahead_reaches_who_asks(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with Ahead(clips(tmp_path), 2) as batches, pytest.raises(InputError, match="can be read"):
        batches(0)


def test_the_split_is_fixed_by_its_seed() -> None:
    files = [Path(f"{index}.wav") for index in range(32)]
    learned, held = hold_out(files, 8, seed=0)
    assert (learned, held) == hold_out(files, 8, seed=0)
    assert held != hold_out(files, 8, seed=1)[1]
    assert sorted(learned + held) == sorted(files)
    with pytest.raises(InputError, match=r"`data.held_out` \(=32\) must be less than .* 32"):
        hold_out(files, 32, seed=0)
