"""A run folder: free for a run, or already its own."""

from pathlib import Path

from passband.atomic import TEMPORARY_FILES, write_text_atomic
from passband.errors import InputError, OutputError


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
    try:
        entries = list(folder.iterdir()) if folder.exists() else []
        if any(not entry.name.startswith(".") for entry in entries):
            _require_own(folder, folder / name, text, resume=resume)
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(TEMPORARY_FILES):
            leftover.unlink()
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be made a run folder: {error.strerror}. Choose another with --out."
        ) from error
    write_text_atomic(folder / name, text)


def _require_own(folder: Path, file: Path, text: str, *, resume: bool) -> None:
    if not resume:
        raise InputError(
            f"{folder} is not empty. Pass --resume to go on with it, or another --out."
        )
    if not file.is_file():
        raise InputError(f"{folder} holds other things than a run. Choose another --out.")
    if file.read_text(encoding="utf-8") != text:
        raise InputError(
            f"{folder} is another run (its {file.name} differs from this one). Resume with the "
            "settings it was made with, or choose another --out."
        )
