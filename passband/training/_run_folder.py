"""A run folder: free for a run, or already its own."""

from pathlib import Path

from passband.atomic import TEMPORARY_FILES, write_text_atomic
from passband.errors import InputError, OutputError


def check_folder(folder: Path, name: str, text: str, *, resume: bool) -> None:
    """Make sure that ``folder`` is free for the run that ``text`` describes, or its own already.

    Nothing is written. Names that start with a dot, such as temporary files of a run that was
    killed, do not count.

    Args:
        folder: may be missing; empty, or with ``resume`` that of the same run.
        name: of the file that says what is run.
        text: what it says.
        resume: go on with what the folder holds.

    Raises:
        InputError: the folder is in use, or by another run.
        OutputError: it cannot be looked into.

    Example:
        >>> check_folder(Path("a/folder/to/be"), "recipe.toml", "steps = 3", resume=False)
    """
    try:
        entries = list(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise _unusable(folder, error) from error
    if all(entry.name.startswith(".") for entry in entries):
        return
    if not resume:
        raise InputError(
            f"{folder} is not empty. Pass --resume to go on with it, or another --out."
        )
    file = folder / name
    if not file.is_file():
        raise InputError(f"{folder} holds other things than a run. Choose another --out.")
    if file.read_text(encoding="utf-8") != text:
        raise InputError(
            f"{folder} is another run (its {name} differs from this one). Resume with the "
            "settings it was made with, or choose another --out."
        )


def claim_folder(folder: Path, name: str, text: str, *, resume: bool) -> None:
    """Make ``folder`` the run that the file ``name`` with content ``text`` describes.

    What a kill left half-written is removed.

    Args:
        folder: made if needed; empty, or with ``resume`` that of the same run.
        name: of the file that says what is run.
        text: what it says.
        resume: go on with what the folder holds.

    Raises:
        InputError: the folder is in use, or by another run.
        OutputError: it cannot be made or written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "run"
        >>> claim_folder(folder, "recipe.toml", "steps = 3", resume=False)
        >>> claim_folder(folder, "recipe.toml", "steps = 3", resume=True)
        >>> [path.name for path in folder.iterdir()]
        ['recipe.toml']
    """
    check_folder(folder, name, text, resume=resume)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(TEMPORARY_FILES):
            leftover.unlink()
    except OSError as error:
        raise _unusable(folder, error) from error
    write_text_atomic(folder / name, text)


def _unusable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{folder} cannot be made a run folder: {error.strerror}. Choose another with --out."
    )
