"""MIDI files byte by byte, and there and back."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passband.errors import InputError
from passband.signal.tasks.transcription import read_midi, write_midi

NOTE_ON_OFF = bytes.fromhex("00 90 3c 40  83 60 80 3c 00  00 ff 2f 00")  # 480 ticks of C4


def midi(*tracks: bytes, division: int = 480, format_: int | None = None) -> bytes:
    kind = (len(tracks) > 1) if format_ is None else format_
    head = b"MThd" + bytes((0, 0, 0, 6, 0, kind, 0, len(tracks))) + division.to_bytes(2, "big")
    return head + b"".join(b"MTrk" + len(t).to_bytes(4, "big") + t for t in tracks)


def read(tmp_path: Path, data: bytes) -> list:
    path = tmp_path / "a.mid"
    path.write_bytes(data)
    return read_midi(path)


def test_bytes_that_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    write_midi(path, [(0.0, 0.5, 60, 64), (0.5, 1.0, 60, 100)])
    assert path.read_bytes() == bytes.fromhex(
        "4d546864 00000006 0000 0001 03c0"  # MThd, format 0, one track, 960 ticks
        "4d54726b 00000020"
        "00 ff5103 07a120"  # 500,000 microseconds a quarter note
        "00 c000"  # grand piano
        "00 903c40"
        "8740 803c00"  # 960 = 7 * 128 + 64
        "00 903c64"  # what ends in a tick does so before what begins
        "8740 803c00"
        "00 ff2f00"
    )


def test_a_quarter_note_at_the_usual_tempo(tmp_path: Path) -> None:
    assert read(tmp_path, midi(NOTE_ON_OFF)) == [(0.0, 0.5, 60, 64)]


def test_running_status_and_velocity_0(tmp_path: Path) -> None:
    track = bytes.fromhex("00 90 3c 40  00 40 50  83 60 3c 00  00 40 00  00 ff 2f 00")
    assert read(tmp_path, midi(track)) == [(0.0, 0.5, 60, 64), (0.0, 0.5, 64, 80)]


def test_running_status_goes_on_after_a_meta_event_of_old_files(tmp_path: Path) -> None:
    track = bytes.fromhex("00 90 3c 40  83 60 90 3c 00  00 c0 05  00 e0 00 40  00 ff 2f 00")
    assert read(tmp_path, midi(track)) == [(0.0, 0.5, 60, 64)]


def test_tempos_of_one_track_hold_for_all(tmp_path: Path) -> None:
    tempo = bytes.fromhex("00 ff 51 03 07 a1 20  81 70 ff 51 03 0f 42 40  00 ff 2f 00")
    # 240 ticks at 0.5 s a quarter note, 240 at 1 s
    assert read(tmp_path, midi(tempo, NOTE_ON_OFF)) == [(0.0, 0.75, 60, 64)]


def test_smpte_time(tmp_path: Path) -> None:
    division = (256 - 25) << 8 | 40  # 1000 ticks a second, whatever the tempo
    tempo = bytes.fromhex("00 ff 51 03 0f 42 40  00 ff 2f 00")
    assert read(tmp_path, midi(tempo, NOTE_ON_OFF, division=division)) == [(0.0, 0.48, 60, 64)]


def test_unknown_chunks_sysex_and_text_are_passed_over(tmp_path: Path) -> None:
    extra = bytes.fromhex("00 f0 03 01 02 f7  00 ff 01 02 68 69")
    data = midi(extra + NOTE_ON_OFF)
    data = data[:14] + b"XFIH\x00\x00\x00\x02ab" + data[14:]
    assert read(tmp_path, data) == [(0.0, 0.5, 60, 64)]


def test_struck_again_first_in_first_out_and_never_ended(tmp_path: Path) -> None:
    track = bytes.fromhex(
        "00 90 3c 40  81 70 90 3c 50  81 70 80 3c 00  81 70 80 3c 00  00 90 30 2083 60 ff 2f 00"
    )
    assert read(tmp_path, midi(track)) == [
        (0.0, 0.5, 60, 64), (0.25, 0.75, 60, 80), (0.75, 1.25, 48, 32),
    ]  # fmt: skip


def test_channels_keep_apart(tmp_path: Path) -> None:
    track = bytes.fromhex("00 90 3c 40  00 91 3c 50  83 60 81 3c 00  83 60 80 3c 00")
    assert read(tmp_path, midi(track)) == [(0.0, 0.5, 60, 80), (0.0, 1.0, 60, 64)]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "does not begin with MThd"),
        (b"RIFF0000", "does not begin with MThd"),
        (b"MThd\x00\x00", "is cut short"),
        (midi(NOTE_ON_OFF, format_=2), r"format \(=2\) must be 0 or 1"),
        (midi(NOTE_ON_OFF, division=0), "division is 0"),
        (midi(NOTE_ON_OFF)[:-3], "is cut short"),
        (midi(NOTE_ON_OFF[:3]), "is cut short"),
        (midi(b"\x00\x3c\x40"), "an event has no status"),
        (midi(b"\x00\x90\x3c\x90"), "a value is above 127"),
        (midi(b"\xff\xff\xff\xff\x00"), "longer than four bytes"),
        (midi(b"\x00\xf8"), "does not belong into a file"),
        (midi(b"\x00\xff\x01\x10a"), "is cut short"),
    ],
)
def test_damage_is_named(tmp_path: Path, data: bytes, match: str) -> None:
    with pytest.raises(InputError, match=match):
        read(tmp_path, data)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_it(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mid"
    for content in (midi(data), midi(NOTE_ON_OFF)[:20] + data):
        path.write_bytes(content)
        try:
            notes = read_midi(path)
        except InputError:
            continue
        assert all(on <= off and 0 <= pitch <= 127 for on, off, pitch, _ in notes)


notes = st.lists(
    st.tuples(st.floats(0, 5000), st.floats(0.002, 100), st.integers(0, 127), st.integers(1, 127)),
    max_size=20,
    unique_by=lambda note: note[2],
)


@settings(max_examples=25, deadline=None)
@given(notes)
def test_there_and_back(tmp_path_factory: pytest.TempPathFactory, drawn: list) -> None:
    path = tmp_path_factory.getbasetemp() / "round.mid"
    played = sorted((on, on + length, pitch, velocity) for on, length, pitch, velocity in drawn)
    write_midi(path, played)
    heard = {note[2]: note for note in read_midi(path)}
    assert len(heard) == len(played)
    for on, off, pitch, velocity in played:
        assert heard[pitch][:2] == pytest.approx((on, off), abs=0.27e-3)
        assert heard[pitch][3] == velocity


def test_a_note_lasts_a_tick(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    write_midi(path, [(1.0, 1.0, 60, 64)])
    assert read_midi(path) == [(1.0, 1.0 + 0.5 / 960, 60, 64)]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_midi(tmp_path / "none.mid")


def test_another_reader_agrees(tmp_path: Path) -> None:
    import mido

    path = tmp_path / "a.mid"
    write_midi(path, [(0.25, 0.75, 60, 64), (0.5, 2.0, 72, 100), (0.5, 0.501, 21, 1)])
    now, seen = 0.0, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type in ("note_on", "note_off"):
            seen.append((round(now, 3), message.type, message.note, message.velocity))
    assert sorted(seen) == [
        (0.25, "note_on", 60, 64), (0.5, "note_on", 21, 1), (0.5, "note_on", 72, 100),
        (0.501, "note_off", 21, 0), (0.75, "note_off", 60, 0), (2.0, "note_off", 72, 0),
    ]  # fmt: skip
    assert len(read_midi(path)) == 3
