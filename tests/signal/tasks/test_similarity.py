"""Similarity search: transformations, triplets, training and its resumption, the index."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.frequency import stft
from passband.media import write_audio
from passband.signal.tasks import FeatureCache, Recordings
from passband.signal.tasks.similarity import (
    Embedder,
    EmbedderRecipe,
    Index,
    audible_span,
    embed_file,
    embed_sound,
    equalised,
    file_scores,
    load_embedder,
    pitch_shifted,
    stretched,
    train_embedder,
    triplet_loss,
    update_index,
)
from passband.signal.tasks.similarity import _train as train_module
from passband.signal.tasks.similarity._copies import Copies
from passband.signal.tasks.similarity._search import window_starts
from passband.signal.tasks.similarity._transformations import vocoded_frames
from passband.training import make_generator, read_events

RATE = 8000


def chirps(index: int, seconds: float = 1.0) -> Tensor:
    """A sound of its own: a rhythm and a melody of decaying tones drawn by ``index``."""
    drawn = make_generator(index, 5)
    t = torch.arange(round(seconds * RATE)) / RATE
    sound = torch.zeros_like(t)
    for _ in range(8):
        start, pitch = torch.rand(2, generator=drawn).tolist()
        since = (t - start * seconds).clamp_min(0)
        tone = torch.sin(2 * torch.pi * 200 * 12**pitch * since) * (-12 * since).exp()
        sound += tone * (since > 0)
    return 0.2 * sound


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for index in range(8):
        write_audio(folder / f"{index}.wav", chirps(index)[None], RATE)
    return folder


def recipe(sounds: Path, **training: object) -> EmbedderRecipe:
    plain = {
        "representation": {
            "transform": "mel", "settings": {"n_fft": 256, "hop_length": 100, "n_mels": 24},
        },
        "data": {
            "folder": str(sounds), "sample_rate": RATE, "seconds": 0.4, "held_out": 3,
            "batch_size": 5,
        },
        "transformations": {"copies": 2},
        "model": {"channels": [8, 16], "dim": 16},
        "training": {
            "steps": 6, "log_every": 1, "checkpoint_seconds": 0.0, "evaluations": 1, "lr": 3e-3,
        } | training,
    }  # fmt: skip
    return EmbedderRecipe.model_validate(plain)


@pytest.mark.parametrize("tempo", [0.5, 0.83, 1.0, 1.27, 2.0])
def test_the_phase_vocoder_is_librosas(tempo: float) -> None:
    import librosa

    sound = torch.randn(6000, dtype=torch.float64)
    frames = stft(sound, n_fft=512, pad_mode="constant")
    theirs = librosa.phase_vocoder(frames.numpy(), rate=tempo, hop_length=128, n_fft=512)
    ours = vocoded_frames(frames, tempo)
    torch.testing.assert_close(ours, torch.from_numpy(theirs), atol=1e-8, rtol=0)


def peak_hz(sound: Tensor) -> float:
    middle = sound[len(sound) // 4 : -len(sound) // 4]
    spectrum = torch.fft.rfft(middle * torch.hann_window(len(middle)), 2**17).abs()
    return float(spectrum.argmax()) * RATE / 2**17


@pytest.mark.parametrize("semitones", [-12.0, -3.0, 0.0, 1.5, 7.0])
def test_a_shifted_tone_has_the_new_pitch_and_the_old_length(semitones: float) -> None:
    tone = torch.sin(2 * torch.pi * 500 * torch.arange(2 * RATE) / RATE)
    shifted = pitch_shifted(tone, semitones, RATE)
    assert len(shifted) == len(tone)
    cents = 1200 * torch.tensor(peak_hz(shifted) / 500).log2()
    assert float(cents) == pytest.approx(100 * semitones, abs=6)


@pytest.mark.parametrize("tempo", [0.5, 1.25, 3.0])
def test_a_stretched_sound_has_the_old_pitch_and_the_new_rhythm(tempo: float) -> None:
    t = torch.arange(4 * RATE) / RATE
    clicks = torch.sin(2 * torch.pi * 500 * t) * (((t * 2) % 1) < 0.2)  # two bursts a second
    played = stretched(clicks, tempo)
    assert len(played) == round(len(clicks) / tempo)
    assert peak_hz(stretched(torch.sin(2 * torch.pi * 500 * t), tempo)) == pytest.approx(500, abs=2)
    envelope = played[: len(played) // 40 * 40].square().reshape(-1, 40).mean(-1)
    spectrum = torch.fft.rfft(envelope - envelope.mean(), 2**15).abs()
    assert float(spectrum.argmax()) * RATE / 40 / 2**15 == pytest.approx(2 * tempo, rel=0.03)


def test_an_equaliser_has_the_gains_it_was_given() -> None:
    click = torch.zeros(4096, dtype=torch.float64)
    click[2048] = 1
    heard = equalised(click, RATE, gains_db=(6.0, -9.0, 3.0), corners_hz=(100.0, 1000.0, 3000.0))
    levels = 20 * torch.fft.rfft(heard).abs().log10()
    frequency = torch.fft.rfftfreq(4096, 1 / RATE, dtype=torch.float64)
    for f in (20.0, 100.0, 1000.0, 3900.0):
        octaves = float(torch.tensor(f / 1000).log2())
        wanted = 6 / (1 + (f / 100) ** 2) + 3 / (1 + (3000 / f) ** 2)
        wanted -= 9 * float(torch.tensor(-((octaves / 0.7) ** 2) / 2).exp())
        at = int((frequency - f).abs().argmin())
        assert float(levels[at]) == pytest.approx(wanted, abs=0.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: stretched(x, 0.1), r"`tempo` \(=0.1\) must lie in 0.25 to 4"),
        (lambda x: pitch_shifted(x, 13.0, RATE), r"`semitones` \(=13.0\) must lie in -12 to 12"),
    ],
)
def test_transformations_out_of_range(call: Callable[[Tensor], Tensor], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(torch.zeros(100))


@pytest.mark.parametrize("samples", [1, 7, 100])
def test_the_shortest_sounds_are_transformed_too(samples: int) -> None:
    sound = torch.randn(samples)
    assert len(stretched(sound, 0.5)) == round(samples / 0.5)
    assert len(pitch_shifted(sound, 2.0, RATE)) == samples
    assert torch.isfinite(pitch_shifted(sound, -2.0, RATE)).all()


def looped_loss(anchors: Tensor, positives: Tensor, margin: float) -> float:
    """The loss in words: for every term and item, the nearest negative beyond the positive."""
    total = 0.0
    for term in positives:
        for i, anchor in enumerate(anchors):
            wanted = float((anchor - term[i]).square().sum())
            negatives = [
                float((anchor - other[j]).square().sum())
                for other in (anchors, *positives)
                for j in range(len(anchors))
                if j != i
            ]
            beyond = [distance for distance in negatives if distance > wanted]
            chosen = min(beyond) if beyond else max(negatives)
            total += max(0.0, wanted - chosen + margin) / len(anchors)
    return total


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("noise", [0.1, 3.0])  # positives nearer, and farther, than negatives
def test_the_loss_against_a_loop(seed: int, noise: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    anchors = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    positives = anchors + noise * torch.randn(2, 5, 3, generator=generator, dtype=torch.float64)
    anchors, positives = (torch.nn.functional.normalize(x, dim=-1) for x in (anchors, positives))
    expected = looped_loss(anchors, positives, 0.3)
    assert float(triplet_loss(anchors, positives, 0.3)) == pytest.approx(expected, abs=1e-12)


def test_gradients_of_the_loss() -> None:
    points = torch.randn(3, 4, 3, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda x: triplet_loss(x[0], x[1:], 5.0), points)


def test_gain_is_not_heard_and_points_have_length_one(sounds: Path) -> None:
    embedder = Embedder(recipe(sounds)).eval()
    windows = torch.stack([chirps(k)[: embedder.samples] for k in range(3)])
    points = embedder(windows)
    torch.testing.assert_close(points.norm(dim=-1), torch.ones(3))
    torch.testing.assert_close(embedder(0.25 * windows), points, atol=1e-4, rtol=0)


def test_a_sound_is_its_windows_and_silence_is_none(sounds: Path) -> None:
    embedder = Embedder(recipe(sounds)).eval()
    step = embedder.samples // 4
    sound = torch.cat((torch.zeros(512), torch.randn(7 * step) / 4, torch.zeros(4 * step)))
    starts, points = embed_sound(embedder, sound)
    first, stop = audible_span(sound)
    assert starts[0].item() * RATE == pytest.approx(first, abs=1e-2)
    gaps = starts.diff() * RATE
    assert gaps[:-1].tolist() == pytest.approx([step] * (len(gaps) - 1), abs=1e-2)
    assert float(starts[-1]) * RATE + embedder.samples <= stop
    assert float(starts[-1]) * RATE + embedder.samples > stop - embedder.hop_length
    assert len(points) == len(starts)
    nothing, none = embed_sound(embedder, torch.zeros(3000))
    assert (len(nothing), none.shape) == (0, (0, 16))


def test_long_sounds_are_cut_into_sections_without_a_seam(
    sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from passband.signal.tasks.similarity import _search

    embedder = Embedder(recipe(sounds)).eval()
    sound = torch.randn(3 * RATE) / 4
    starts, points = embed_sound(embedder, sound)
    monkeypatch.setattr(_search, "_SECTION", 0.7)
    pieces, apart = embed_sound(embedder, sound)
    inner = {round(float(t), 3): k for k, t in enumerate(pieces)}
    assert [round(float(t), 3) for t in starts if round(float(t), 3) not in inner] == []
    same = torch.stack([apart[inner[round(float(t), 3)]] for t in starts])
    assert float((same * points).sum(-1).min()) > 0.98  # but for frames at a section's ends


def test_scores_are_means_of_the_best() -> None:
    query = torch.nn.functional.normalize(torch.randn(3, 4), dim=-1)
    points = torch.nn.functional.normalize(torch.randn(6, 4), dim=-1)
    owners = torch.tensor([0, 0, 2, 2, 2, 3])
    scores, best = file_scores(query, points, owners, 4)
    for file in (0, 2, 3):
        for k in range(3):
            wanted = max(float(query[k] @ points[j]) for j in range(6) if owners[j] == file)
            assert float(best[k, file]) == pytest.approx(wanted, abs=1e-6)
    assert float(scores[1]) == -1.0
    assert window_starts(9, 4, 2) == [0, 2, 4, 5]


def test_copies_depend_on_content_and_seed_alone(sounds: Path, tmp_path: Path) -> None:
    def made(folder: Path, seed: int = 0) -> tuple[Tensor, Tensor]:
        settings = recipe(folder, seed=seed)
        paths = sorted(folder.glob("*.wav"))
        copies = Copies(
            Recordings(paths, RATE), settings, Embedder(settings), FeatureCache(tmp_path / "c")
        )
        return copies(len(paths) - 1, "pitch", 0)[0], copies(len(paths) - 1, "equaliser", 1)[0]

    first = made(sounds)
    (sounds / "0.wav").unlink()
    for one, other in zip(first, made(sounds), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(first[0], made(sounds, seed=1)[0])


def test_a_run_is_complete(sounds: Path, tmp_path: Path) -> None:
    (sounds / "bad.wav").write_bytes(b"RIFF no")
    write_audio(sounds / "silent.wav", torch.zeros(1, 4000), RATE)
    run = tmp_path / "run"
    metrics = train_embedder(
        recipe(sounds, steps=60, evaluations=2, checkpoint_seconds=99), run, device="cpu"
    )
    assert json.loads((run / "metrics.json").read_text()) == metrics
    assert sorted(Path(path).name for path in metrics["left_out"]) == ["bad.wav", "silent.wav"]
    assert metrics["searched_files"] == 8
    assert metrics["queries"] == 12
    assert set(metrics["first_neighbour_of"]) == {"pitch", "tempo", "equaliser", "crop"}
    assert metrics["first_neighbour"] >= 0.75
    losses = [event["loss"] for event in read_events(run)]
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])
    assert (run / "report.html").read_text().count("data:image/png") == 2

    embedder = load_embedder(run, "cpu")
    index = update_index(sounds, embedder, run / "index")
    drawn = chirps(6)[1000:5000]
    path = tmp_path / "query.wav"
    write_audio(path, stretched(drawn, 1.1)[None], RATE)
    best = index.search(*embed_file(path, embedder), most=2)[0]
    assert best.path == sounds / "6.wav"
    assert best.start == pytest.approx(1000 / RATE + 1.1 * best.query_start, abs=0.15)


def test_a_run_that_died_resumes_to_the_same_bits(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_embedder(recipe(sounds), tmp_path / "whole", device="cpu")
    calls = 0

    def dying(*arguments: object) -> Tensor:
        nonlocal calls
        calls += 1
        if calls > 4:
            raise RuntimeError("killed")
        return triplet_loss(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(train_module, "triplet_loss", dying)
        with pytest.raises(RuntimeError, match="killed"):
            train_embedder(recipe(sounds), tmp_path / "broken", device="cpu")
    train_embedder(recipe(sounds), tmp_path / "broken", device="cpu", resume=True)
    assert read_events(tmp_path / "broken") == read_events(tmp_path / "whole")
    whole, broken = (load_embedder(tmp_path / name, "cpu") for name in ("whole", "broken"))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, broken.state_dict()[name]), name


def test_an_index_follows_its_folder(sounds: Path, tmp_path: Path) -> None:
    embedder = Embedder(recipe(sounds)).eval()
    cache = tmp_path / "index"

    def made() -> tuple[Index, int]:
        index = update_index(sounds, embedder, cache)
        assert sum(entry.points for entry in index.entries.values()) == len(index.table)
        return index, index.made

    assert made()[1] == 8
    first, again = made()
    assert again == 0
    (sounds / "0.wav").rename(sounds / "z.wav")  # moved: its points are known
    (sounds / "1.wav").unlink()
    write_audio(sounds / "2.wav", chirps(20)[None], RATE)  # changed
    (sounds / "bad.wav").write_bytes(b"RIFF no")
    index, count = made()
    assert count == 1
    assert list(index.entries) == ["2.wav", *(f"{k}.wav" for k in range(3, 8)), "z.wav"]
    assert list(index.faults) == ["bad.wav"]
    moved, before = index.entries["z.wav"].points, first.entries["0.wav"].points
    assert torch.equal(index.table[-moved:], first.table[:before])
    os.truncate(next(cache.glob("index-*")), 100)  # damaged: made again of the points that are kept
    assert made()[1] == 0
    other = Embedder(recipe(sounds)).eval()  # other weights: other points
    assert update_index(sounds, other, cache).made == 7


def test_what_cannot_be_searched(sounds: Path, tmp_path: Path) -> None:
    embedder = Embedder(recipe(sounds)).eval()
    with pytest.raises(InputError, match="is not a folder"):
        update_index(tmp_path / "none", embedder, tmp_path / "index")
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.wav").write_bytes(b"no")
    with pytest.raises(InputError, match=r"none of the sound files in .* can be read"):
        update_index(bad, embedder, tmp_path / "index")
    index = update_index(sounds, embedder, tmp_path / "index")
    with pytest.raises(InputError, match="the query is silent"):
        index.search(torch.empty(0), torch.empty(0, 16))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"folder": ""}}, "`data.folder` must name a folder"),
        ({"data": {"held_out": 7}}, r"`data.held_out` \(=7\) must leave at least 2 of the 8"),
        (
            {"transformations": dict.fromkeys(("pitch", "tempo", "equaliser", "crop"), 0.0)},
            "`transformations` must leave at least one",
        ),
        ({"representation": {"transform": "nonsense"}}, "must be one of"),
    ],
)
def test_bad_recipes(
    sounds: Path, tmp_path: Path, changes: dict[str, dict[str, object]], message: str
) -> None:
    plain = recipe(sounds).model_dump()
    for key, change in changes.items():
        plain[key] = {**plain[key], "settings": {}, **change} if key == "representation" else {
            **plain[key], **change,
        }  # fmt: skip
    with pytest.raises(InputError, match=message):
        train_embedder(EmbedderRecipe.model_validate(plain), tmp_path / "run", device="cpu")


def test_a_model_of_another_task_is_refused(sounds: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not the folder of a run"):
        load_embedder(tmp_path, "cpu")
