"""What networks compute, and notes from their probabilities."""

import math

import pytest
import torch

from passband.errors import InputError
from passband.signal.tasks import RepresentationSettings
from passband.signal.tasks.transcription import (
    HarmonicCRNN,
    Note,
    SingleLayer,
    notes_from_frames,
    notes_from_onsets,
)
from passband.signal.tasks.transcription._crnn import Harmonics
from passband.signal.tasks.transcription._crops import Augmentation, Crops, Example, kept, move
from passband.signal.tasks.transcription._pitch_axis import PitchAxis
from passband.signal.tasks.transcription._recipe import DataSettings
from passband.signal.tasks.transcription._rolls import frame_roll, onset_roll, velocity_roll


def test_the_single_layer_is_the_sum_of_the_paper() -> None:
    layer = SingleLayer(bins=6, window=3).double()
    assert not layer.weight.any()
    with torch.no_grad():
        layer.weight.normal_()
    levels = torch.randn(2, 6, 5, dtype=torch.float64) * 20
    logits = layer(levels)
    for t in range(5):
        for p in (0, 40, 87):
            total = torch.zeros(2, dtype=torch.float64)
            for k in range(3):
                magnitude = torch.full((2, 6), 1e-5, dtype=torch.float64)  # beyond the ends
                if 0 <= t + k - 1 < 5:
                    magnitude = 10 ** (levels[:, :, t + k - 1] / 20)
                total += (layer.weight[p, :, k] * magnitude.log()).sum(dim=-1)
            torch.testing.assert_close(logits[:, 0, p, t], total, rtol=0, atol=1e-10)
    torch.testing.assert_close(layer.centre(levels[..., 1:4]), logits[:, 0, :, 2])
    assert list(dict(layer.named_parameters())) == ["weight"]


def test_gradients_of_the_networks() -> None:
    layer = SingleLayer(bins=2, window=3).double()
    levels = torch.randn(1, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, levels)
    network = HarmonicCRNN(channels=2, hidden=2).double().eval()
    levels = torch.randn(1, 295, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, levels, fast_mode=True)


def test_harmonics_stand_at_their_pitch() -> None:
    """A tone with harmonics at multiples of a bin's frequency fills every channel at that bin."""
    ratios = (0.5, 1, 2, 3, 4, 5, 6, 7, 8)
    stack = Harmonics(ratios, octave=36, steps=264)
    for base in (0, 100, 200):
        levels = torch.zeros(1, 295, 1)
        expected = torch.zeros(9)
        for number, ratio in enumerate(ratios):
            place = base + round(36 * math.log2(ratio))
            if 0 <= place < 295:
                levels[0, place] = expected[number] = 1.0
        torch.testing.assert_close(stack(levels)[0, :, base, 0], expected)


def test_a_transposed_piece_is_a_transposed_answer() -> None:
    network = HarmonicCRNN(channels=4, hidden=4).eval()
    levels = torch.zeros(1, 400, 6)
    levels[:, 150:200] = torch.randn(1, 50, 6)
    moved = torch.roll(levels, 3 * 5, dims=1)
    before, after = network(levels), network(moved)
    torch.testing.assert_close(after[:, :, 30:70], before[:, :, 25:65], rtol=0, atol=1e-5)
    assert (after - before).abs().max() > 1e-3


def test_the_network_measures_what_it_hears() -> None:
    network = HarmonicCRNN(channels=2, hidden=2)
    parts = [torch.randn(295, 40) * 20 - 50, torch.randn(295, 10) * 20 - 50]
    network.measure(parts)
    values = torch.cat([part.flatten() for part in parts])
    assert float(network.mean) == pytest.approx(float(values.mean()), rel=1e-5)
    assert float(network.scale) == pytest.approx(float(values.std()), rel=1e-5)
    assert {"mean", "scale"} <= set(network.state_dict())


@pytest.mark.parametrize(
    ("transform", "settings"),
    [
        ("stft", {"n_fft": 4096}),
        ("mel", {"n_fft": 2048, "n_mels": 229}),
        ("logfrequency", {"n_fft": 4096, "f_min": 27.5, "f_max": 7900, "n_bins": 300}),
        ("cqt", {"f_min": 27.5, "n_bins": 288, "bins_per_octave": 36}),
        ("cwt", {"hop_length": 256, "voices": 24}),
    ],
)
def test_a_tone_stands_at_its_pitch_on_the_axis(transform: str, settings: dict) -> None:
    representation = RepresentationSettings(transform=transform, settings=settings).build(16000)
    axis = PitchAxis(representation)
    t = torch.arange(8000) / 16000
    for pitch in (69, 81, 90):
        sound = torch.sin(2 * torch.pi * 440 * 2 ** ((pitch - 69) / 12) * t)
        levels = axis(representation(sound))
        middle = levels[:, levels.shape[1] // 2]
        assert abs(int(middle.argmax()) - (3 * (pitch - 21) + 1)) <= 1


def test_the_axis_interpolates_between_bins() -> None:
    representation = RepresentationSettings(transform="stft", settings={"n_fft": 2048}).build(16000)
    axis = PitchAxis(representation)
    frequencies = torch.arange(1025, dtype=torch.float64) * 16000 / 2048
    line = (12 * torch.log2(frequencies.clamp_min(1e-3) / 27.5)).float()  # semitones above A0
    values = axis(line[:, None])[:, 0]
    steps = (torch.arange(len(values)) - 1) / 3
    torch.testing.assert_close(values, steps, rtol=0, atol=1e-3)


def test_bins_that_are_no_frequencies_or_too_low() -> None:
    for transform in ("mfcc", "chroma"):
        representation = RepresentationSettings(transform=transform).build(16000)
        with pytest.raises(InputError, match="must have bins that are frequencies"):
            PitchAxis(representation)
    low = RepresentationSettings(transform="cqt", settings={"n_bins": 60}).build(16000)
    with pytest.raises(InputError, match="must reach the highest key of a piano, 4186 Hz"):
        PitchAxis(low)


def decoded(notes: list[Note], hop: float = 0.032, frames: int = 120, **thresholds: float):
    rolls = (roll(notes, frames, hop) for roll in (onset_roll, frame_roll, velocity_roll))
    chosen = {"onset_threshold": 0.5, "frame_threshold": 0.5} | thresholds
    return notes_from_onsets(*rolls, hop, **chosen)


def test_notes_come_back_from_their_targets() -> None:
    """Onsets to a thousandth of a second between frames, offsets to half a frame."""
    notes = [
        Note(0.101, 0.5, 60, 90), Note(0.222, 1.0, 64, 40), Note(1.0, 1.3, 60, 127),
        Note(1.3, 2.0, 60, 1), Note(3.5, 99.0, 21, 64),
    ]  # fmt: skip
    found = decoded(notes)
    assert [note.pitch for note in found] == [note.pitch for note in notes]
    for ours, theirs in zip(found, notes, strict=True):
        assert ours.onset == pytest.approx(theirs.onset, abs=1e-3)
        assert ours.velocity == theirs.velocity
        assert ours.offset == pytest.approx(min(theirs.offset, 120 * 0.032), abs=0.0165)
    assert all(2 / 3 - 1e-6 <= note.confidence <= 1 for note in found)


def test_thresholds_and_the_ends_of_the_rolls() -> None:
    notes = [Note(0.0, 0.2, 60), Note(119 * 0.032, 9.0, 61)]
    assert [note.pitch for note in decoded(notes)] == [60, 61]
    assert decoded(notes, onset_threshold=0.999)[0].confidence == 1.0
    assert decoded([Note(0.016, 1.0, 60)], onset_threshold=0.7) == []
    assert decoded([]) == []
    empty = torch.zeros(88, 0)
    assert notes_from_frames(empty, 0.032, frame_threshold=0.5) == []


def test_runs_of_frames_are_notes() -> None:
    notes = [Note(0.1, 0.5, 60), Note(0.6, 1.0, 60), Note(0.0, 0.3, 61)]
    found = notes_from_frames(frame_roll(notes, 100, 0.01), 0.01, frame_threshold=0.4)
    assert [(note.pitch, note.confidence) for note in found] == [(61, 1.0), (60, 1.0), (60, 1.0)]
    times = [time for note in found for time in note[:2]]
    assert times == pytest.approx([0.0, 0.295, 0.095, 0.495, 0.595, 0.995], abs=1e-6)


def examples() -> list[Example]:
    made = []
    for number, frames in enumerate((40, 25)):
        place = torch.arange(frames) + 100.0 * number
        made.append(Example(place.expand(6, frames), place.expand(3, 88, frames)))
    return made


def test_crops_are_pieces_of_pieces_and_every_place_is_as_likely() -> None:
    crops = Crops(examples(), 20, 5, seed=1)
    starts = []
    for step in range(120):
        levels, targets = crops(step)
        torch.testing.assert_close(levels[:, 0], levels[:, :1, 0] + torch.arange(20.0))
        torch.testing.assert_close(targets[:, 1, 5], levels[:, 0])
        starts += levels[:, 0, 0].tolist()
    assert set(starts) == {*range(21), *range(100, 106)}
    assert torch.equal(crops(3)[0], Crops(examples(), 20, 5, seed=1)(3)[0])
    assert not torch.equal(crops(3)[0], crops(4)[0])


def test_moves_fill_with_the_outermost_bin() -> None:
    values = torch.arange(5.0)[:, None]
    assert move(values, 2)[:, 0].tolist() == [0, 0, 0, 1, 2]
    assert move(values, -2)[:, 0].tolist() == [2, 3, 4, 4, 4]
    assert kept(5, 2).tolist() == [False, False, True, True, True]
    assert kept(5, -1).tolist() == [True, True, True, True, False]


def test_augmentation_moves_sound_and_targets_alike() -> None:
    levels, targets = torch.full((64, 297, 4), -100.0), torch.zeros(64, 3, 88, 4)
    levels[:, 3 * 40 + 1] = 0.0
    targets[:, :, 40] = 1.0
    targets[:, :, 0] = 1.0
    still = DataSettings(pitch_shift=5, gain_db=0.0, colour_db=0.0)
    moved, sounding = Augmentation(still, seed=0)(levels, targets, 7)
    at = moved[:, :, 0].argmax(dim=1)
    assert set(((at - 1) / 3 - 40).tolist()) == set(range(-5, 6))
    for row in range(64):
        key = int(at[row] - 1) // 3
        there = {key, key - 40} if key >= 40 else {key}
        assert set(sounding[row, 0, :, 0].nonzero().flatten().tolist()) == there
    loud = DataSettings(pitch_shift=0, gain_db=6.0, colour_db=3.0)
    changed, same = Augmentation(loud, seed=0)(levels, targets, 7)
    assert torch.equal(same, targets)
    difference = (changed - levels)[..., 0]
    assert 2.0 < float(difference.abs().max()) <= 9.0
    assert float(difference.diff(dim=1).abs().max()) < 0.2
    again, _ = Augmentation(loud, seed=0)(levels, targets, 7)
    assert torch.equal(again, changed)
