"""The Hugging Face hub: files in, a folder out."""

import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from passband.errors import InputError, MissingDependencyError, OutputError

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def fetch(repo: str, names: Sequence[str], revision: str | None) -> dict[str, Path]:
    """Those of the files ``names`` that the repository has, downloaded or from the cache.

    Raises:
        InputError: ``repo`` is no folder and cannot be read as a repository.
        MissingDependencyError: without ``huggingface_hub``.
    """
    if _REPOSITORY.fullmatch(repo) is None:
        raise InputError(
            f"{repo} is no folder. Pass one that holds a vocoder, or a repository of the hub such "
            "as charactr/vocos-mel-24khz."
        )
    hub = _hub(f"{repo} is no folder, and reading it from the hub")
    download = hub.hf_hub_download  # imported here, which sets the level of its words
    found: dict[str, Path] = {}
    for name in names:
        try:
            with _quiet():
                found[name] = Path(download(repo, name, revision=revision))
        except hub.errors.LocalEntryNotFoundError as error:
            # No connection and nothing in the cache, which says nothing about the repository.
            raise InputError(_unreadable(repo, error)) from error
        except hub.errors.EntryNotFoundError:
            continue
        except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
            raise InputError(_unreadable(repo, error)) from error
    return found


def push_folder(
    write: Callable[[str | os.PathLike[str]], None], repo: str, *, private: bool
) -> str:
    """Upload what ``write`` writes into a folder to ``repo``; the address of the commit."""
    hub = _hub("uploading to the hub")
    with tempfile.TemporaryDirectory() as folder:
        write(folder)
        try:
            api = hub.HfApi()
            api.create_repo(repo, private=private, exist_ok=True)
            return str(api.upload_folder(repo_id=repo, folder_path=folder))
        except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
            raise OutputError(
                f"{repo} cannot be written: {_first_line(error)}. Check the name and log in with "
                "huggingface-cli login."
            ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the hub's words about every attempt; the last one's failure is raised."""
    log = logging.getLogger("huggingface_hub")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _unreadable(repo: str, error: Exception) -> str:
    return (
        f"{repo} is no folder, and cannot be read from the hub: {_first_line(error)}. Check the "
        "name and the connection."
    )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def _hub(purpose: str) -> Any:
    try:
        import huggingface_hub  # noqa: PLC0415  optional
        import huggingface_hub.errors  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"{purpose} needs huggingface_hub, which is not installed. "
            "Run: pip install huggingface_hub"
        ) from error
    return huggingface_hub
