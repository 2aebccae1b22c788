"""Lists of notes, pieces, mixtures and rolls."""

from pathlib import Path

import pytest
import torch

from passband.errors import InputError
from passband.media import write_audio
from passband.signal.tasks.transcription import Note, read_notes, write_midi, write_note_table
from passband.signal.tasks.transcription._mixtures import (
    SingleNote,
    load_single_notes,
    mixture,
    pitch_of,
)
from passband.signal.tasks.transcription._pieces import load_pieces, pair_files, split_pieces
from passband.signal.tasks.transcription._rolls import frame_roll, onset_roll, velocity_roll

RATE = 8000


def tone(pitch: float, seconds: float) -> torch.Tensor:
    t = torch.arange(round(seconds * RATE)) / RATE
    return 0.5 * torch.sin(2 * torch.pi * 440 * 2 ** ((pitch - 69) / 12) * t)


def table(path: Path, *lines: str) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text("# onset,offset,note,velocity\n" + "".join(f"{line}\n" for line in lines))
    return path


def test_a_table_and_a_midi_file_say_the_same(tmp_path: Path) -> None:
    path = table(tmp_path / "a.tsv", "1.0\t2.0\t61.0\t50.0", "", "0.5 1.5 60 80")
    notes = read_notes(path)
    assert notes == [Note(0.5, 1.5, 60, 80), Note(1.0, 2.0, 61, 50)]
    write_midi(tmp_path / "a.MID", notes)
    assert read_notes(tmp_path / "a.MID") == notes
    write_note_table(tmp_path / "a.csv", notes)
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == "0.5000,1.5000,60,80,1.000"


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("1.0 x 60", r"a\.tsv, line 2 \(='1.0 x 60'\) must be numbers"),
        ("1.0 2.0", "must be onset, offset, MIDI number and velocity"),
        ("1 2 60 70 8", "must be onset, offset, MIDI number and velocity"),
        ("1 nan 60", "must be onset, offset"),
        ("-1 2 60", r"onset \(=-1 s\) must lie in 0 to the offset"),
        ("3 2 60", r"onset \(=3 s\) must lie in 0 to the offset"),
        ("1 2 60.5", r"MIDI number \(=60.5\) must be one of 0 to 127"),
        ("1 2 128", r"MIDI number \(=128\)"),
        ("1 2 60 200", r"velocity \(=200\) must be in 0 to 127"),
    ],
)
def test_a_line_that_is_no_note_is_named(tmp_path: Path, line: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        read_notes(table(tmp_path / "a.tsv", line))


def test_what_is_no_list_of_notes(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="is no text"):
        read_notes(tmp_path / "a.tsv")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_notes(tmp_path / "b.tsv")
    with pytest.raises(InputError, match=r"must end in \.tsv"):
        read_notes(tmp_path / "a.wav")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good pieces in the layouts there are, and one of every fault."""
    place = tmp_path / "pieces"
    (place / "flac").mkdir(parents=True)
    for name in ("good", "beside", "lonely", "beyond", "short", "empty", "wrong", "high"):
        seconds = 0.2 if name == "short" else 2.0
        write_audio(place / "flac" / f"{name}.flac", tone(69, seconds)[None], RATE)
    (place / "flac" / "corrupt.flac").write_bytes(b"fLaC no")
    good = "0.5 1.0 69 80"
    for name in ("good", "short", "corrupt", "silent sister"):
        table(place / "tsv" / f"{name}.tsv", good, "0.6 9.0 70 80", "0.1 0.2 5 60")
    write_midi(place / "flac" / "beside.mid", [(0.5, 1.0, 69, 80)])
    table(place / "tsv" / "beside.tsv", "0 1 60")  # the one beside it goes before it
    table(place / "tsv" / "beyond.tsv", good, "2.5 3 60", "7 8 60")
    table(place / "tsv" / "empty.tsv")
    table(place / "tsv" / "wrong.tsv", "1 2 x")
    table(place / "tsv" / "high.tsv", "1 2 120")
    return place


def test_pieces_and_what_is_left_out(folder: Path) -> None:
    pairs, left_out = pair_files(folder)
    assert {path.name: why.split(" has ")[1] for path, why in left_out.items()} == {
        "lonely.flac": "no list of notes of its name (.tsv, .mid, .midi).",
        "beside.tsv": "no sound of its name.",
        "silent sister.tsv": "no sound of its name.",
    }
    said: list[str] = []
    pieces, faults = load_pieces(pairs, RATE, shortest=0.5, report=said.append)
    assert [piece.name for piece in pieces] == ["beside", "good"]
    # Its last note is held to the end of the sound, and a note below the keyboard is gone.
    assert pieces[1].notes == [Note(0.5, 1.0, 69, 80), Note(0.6, 2.0, 70, 80)]
    assert pieces[1].sound.abs().max() == 1.0
    reasons = {path.stem: why for path, why in faults.items()}
    assert len(said) == len(reasons) == 6
    assert "corrupt.flac is cut short" in reasons["corrupt"]
    assert reasons["beyond"].endswith(
        "has 2 of 3 notes beyond the end of beyond.flac (2.0 s). They belong to different "
        "recordings."
    )
    assert "(=0.20 s) must last at least 0.50 s" in reasons["short"]
    assert "holds no notes" in reasons["empty"]
    assert "must be numbers" in reasons["wrong"]
    assert "no note on a piano's keys" in reasons["high"]


def test_a_folder_without_pieces(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", tone(69, 0.5)[None], RATE)
    with pytest.raises(InputError, match="holds no sound with a list of notes"):
        pair_files(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        pair_files(tmp_path / "none")


def test_two_lists_of_one_name(tmp_path: Path) -> None:
    for name in ("x/a.tsv", "y/a.mid", "y/b.tsv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for name in ("a.wav", "b.wav"):
        write_audio(tmp_path / name, tone(69, 0.5)[None], RATE)
    pairs, left_out = pair_files(tmp_path)
    assert [path.name for path in pairs] == ["b.wav"]
    assert "has 2 lists of notes of its name" in left_out[tmp_path / "a.wav"]


def test_names_that_are_held_out() -> None:
    files = [Path("a.wav"), Path("b.wav")]
    with pytest.raises(InputError, match=r"`data.held_out` \(='c'\) must name pieces"):
        split_pieces(files, ["b", "c"])
    with pytest.raises(InputError, match="names all pieces"):
        split_pieces(files, ["a", "b"])


def test_real_lists_and_sounds(data: Path) -> None:
    folder = data / "audio" / "maps_enst"
    pairs, left_out = pair_files(folder)
    assert (len(pairs), left_out) == (10, {})
    first = next(iter(pairs))
    (piece,), faults = load_pieces({first: pairs[first]}, 16000, shortest=1.0)
    assert faults == {}
    assert len(piece.notes) == 434
    assert piece.notes[0] == Note(0.519987, 0.649994, 39, 42)


def test_rolls_by_the_definition() -> None:
    notes = [Note(0.09, 0.34, 60, 100), Note(0.31, 0.5, 60, 50), Note(0.41, 0.42, 62, 127)]
    hop, frames = 0.032, 20
    truth, onset = frame_roll(notes, frames, hop), onset_roll(notes, frames, hop)
    for k in range(frames):
        sounding = any(n.onset <= k * hop < n.offset for n in notes if n.pitch == 60)
        assert bool(truth[39, k]) == sounding
        near = max(1 - abs(k - n.onset / hop) / 1.5 for n in notes[:2])
        assert float(onset[39, k]) == pytest.approx(max(0.0, near), abs=1e-6)
    assert truth[41].nonzero().flatten().tolist() == [13]  # between two centres: the nearer one
    velocity = velocity_roll(notes, frames, hop)
    assert torch.equal(velocity > 0, onset > 0)
    assert float(velocity[41, 13]) == 1.0
    assert not truth[:39].any()
    assert not frame_roll([Note(99.0, 100.0, 60), Note(0.0, 1.0, 5)], frames, hop).any()


def test_notes_struck_again_are_parted_in_pictures() -> None:
    from passband.signal.tasks.transcription._figures import _parted_roll

    notes = [Note(0.0, 0.5, 60), Note(0.5, 1.0, 60)]
    shown = _parted_roll(notes, 12, 0.1)[39].tolist()
    assert shown == [True] * 4 + [False] + [True] * 4 + [False] * 3


def test_names_of_pitches() -> None:
    named = {"C4": 60, "C-1": 0, "Db4": 61, "C#4": 61, "b3": 59, "As2": 46, "H2": None, "A": None}
    assert {name: pitch_of(name) for name in named} == named


def test_a_mixture_sounds_when_it_says() -> None:
    notes = [SingleNote(pitch, tone(pitch, 1.2)) for pitch in (60, 67, 76)]
    piece = mixture(notes, 6.0, RATE, seed=3, number=1)
    again = mixture(notes, 6.0, RATE, seed=3, number=1)
    other = mixture(notes, 6.0, RATE, seed=3, number=2)
    assert torch.equal(piece.sound, again.sound)
    assert piece.notes == again.notes != other.notes
    assert len({(note.onset, note.pitch) for note in piece.notes}) == len(piece.notes) > 5
    assert float(piece.sound.abs().max()) == pytest.approx(1.0)
    quiet = torch.ones(len(piece.sound), dtype=torch.bool)
    for note in piece.notes:
        quiet[round(note.onset * RATE) : round(note.offset * RATE) + 1] = False
    assert not piece.sound[quiet].any()
    first = piece.notes[0].onset
    assert piece.sound[: round(first * RATE) + 200].abs().max() > 0.01


def test_single_notes_and_what_is_left_out(tmp_path: Path) -> None:
    silence = torch.zeros(800)
    write_audio(tmp_path / "A4.wav", torch.cat((silence, tone(69, 0.5)))[None], RATE)
    write_audio(tmp_path / "kick.wav", tone(69, 0.5)[None], RATE)
    write_audio(tmp_path / "A0.wav", torch.zeros(1, 4000), RATE)
    (tmp_path / "B4.wav").write_bytes(b"RIFF no")
    (note,), faults = load_single_notes(tmp_path, RATE)
    assert note.pitch == 69
    assert abs(len(note.sound) - 4000) < 3
    assert sorted(path.name for path in faults) == ["B4.wav", "kick.wav"]
    (tmp_path / "A4.wav").unlink()
    with pytest.raises(InputError, match="holds no note that can be heard"):
        load_single_notes(tmp_path, RATE)


def test_real_single_notes_sound_at_their_names(data: Path) -> None:
    """Each has power at its pitch, and next to none an octave below, as notes named wrongly had."""
    notes, faults = load_single_notes(data / "audio" / "notes" / "bass", 16000)
    assert (len(notes), faults) == (28, {})
    frequencies = torch.arange(32769) * 16000 / 65536
    for note in notes:
        sound = note.sound[1600:9792]
        power = torch.fft.rfft(sound * torch.hann_window(len(sound)), 65536).abs()
        hertz = 440 * 2 ** ((note.pitch - 69) / 12)

        def near(f: float, power: torch.Tensor = power) -> float:
            return float(power[(frequencies - f).abs() < 0.015 * f].max())

        assert near(hertz / 2) < 0.1 * max(near(hertz), near(3 * hertz))
