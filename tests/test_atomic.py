"""Files appear whole or not at all."""

import errno
import os
import stat
import threading

import pytest
import torch

from passband.atomic import atomic_path, write_bytes_atomic, write_text_atomic
from passband.errors import InputError, OutputError
from passband.media import read_image, write_audio, write_image

WRITERS = {
    "a.bin": lambda path: write_bytes_atomic(path, b"new"),
    "a.txt": lambda path: write_text_atomic(path, "new"),
    "a.png": lambda path: write_image(path, torch.zeros(3, 4, 4)),
    "a.jpg": lambda path: write_image(path, torch.zeros(3, 4, 4)),
    "a.tif": lambda path: write_image(path, torch.zeros(3, 4, 4)),
    "a.exr": lambda path: write_image(path, torch.zeros(3, 4, 4)),
    "a.wav": lambda path: write_audio(path, torch.zeros(1, 4), 8000),
    "a.flac": lambda path: write_audio(path, torch.zeros(1, 4), 8000),
    "a.ogg": lambda path: write_audio(path, torch.zeros(1, 4), 8000),
    "a.mp3": lambda path: write_audio(path, torch.zeros(1, 4), 8000),
}


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_but_the_file_is_left(tmp_path, name):
    (tmp_path / name).write_bytes(b"old")
    WRITERS[name](tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() != b"old"


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt, SystemExit, InputError])
def test_a_stop_in_the_middle_leaves_the_old_file(tmp_path, stop):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            assert temporary.parent == path.parent
            assert temporary.suffix == ".txt"
            raise stop("stop")

    with pytest.raises(stop):
        write_half()
    assert os.listdir(tmp_path) == ["a.txt"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
@pytest.mark.parametrize(
    ("number", "match"),
    [
        (errno.ENOSPC, r"cannot be written: there is no space left on the device holding .*--out"),
        (errno.EDQUOT, r"the disk quota of .* is used up; .*--out"),
        (errno.EROFS, r"is read-only; choose another folder with --out"),
        (errno.EACCES, r"permission denied; change the permissions of .* or .*--out"),
        (errno.EIO, r"cannot be written: Input/output error; choose another folder with --out"),
    ],
)
def test_a_failing_device(tmp_path, monkeypatch, name, call, number, match):
    (tmp_path / name).write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OutputError, match=match) as caught:
        WRITERS[name](tmp_path / name)
    monkeypatch.undo()
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"old"


def test_a_device_that_fills_up_while_writing(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def write() -> None:
        with (
            atomic_path(path) as temporary,
            temporary.open("wb") as file,
            open("/dev/full", "wb", buffering=0) as full,
        ):
            file.write(b"half")
            full.write(b"the other half")

    with pytest.raises(OutputError, match="no space left"):
        write()
    assert os.listdir(tmp_path) == ["a.bin"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("none/a.png", "the folder .*none does not exist; make it or choose another with --out"),
        ("file/a.png", "file is not a folder; choose another with --out"),
        ("folder.png", "it is a folder; name a file inside it"),
        ("x" * 300 + ".png", "its name is too long"),
        ("pipe.png", "it is not a regular file"),
    ],
)
def test_no_place(tmp_path, name, match):
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(OutputError, match=match):
        write_image(tmp_path / name, torch.zeros(1, 2, 2))
    assert sorted(os.listdir(tmp_path)) == before


def test_no_permission_in_the_folder(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    user = os.geteuid()
    try:
        if user == 0:  # root may write everywhere; look as nobody
            os.seteuid(65534)
        with pytest.raises(OutputError, match="permission denied; change the permissions of"):
            write_text_atomic(folder / "a.txt", "text")
    finally:
        os.seteuid(user)
    assert os.listdir(folder) == []


def test_errors_about_other_files_pass_through(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        (tmp_path / "other.txt").read_text()
    assert os.listdir(tmp_path) == []


def test_permissions_and_links_are_kept(tmp_path):
    path, link = tmp_path / "a.txt", tmp_path / "link.txt"
    umask = os.umask(0o027)
    try:
        write_text_atomic(path, "one")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        link.symlink_to("a.txt")
        write_text_atomic(link, "two")
    finally:
        os.umask(umask)
    assert link.is_symlink()
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_synced_before_the_rename_and_the_folder_after(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def note_replace(source: object, target: object) -> None:
        calls.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    write_text_atomic(tmp_path / "a.txt", "text")
    assert calls == ["file", "rename", "folder"]


def test_a_reader_never_sees_a_part(tmp_path):
    path = tmp_path / "a.png"
    write_image(path, torch.zeros(1, 64, 64))
    done = threading.Event()

    def rewrite() -> None:
        for step in range(30):
            write_image(path, torch.full((1, 64, 64), step / 30))
        done.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    while not done.is_set():
        assert read_image(path).pixels.unique().numel() == 1
    writer.join()


def test_text_is_written_as_it_is(tmp_path):
    write_text_atomic(tmp_path / "a.txt", "ω = 30\r\n\n")
    assert (tmp_path / "a.txt").read_bytes() == "ω = 30\r\n\n".encode()
