import os
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of real pictures and sounds; tests that need it are skipped where it is absent."""
    given = os.environ.get("PASSBAND_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real data: set PASSBAND_DATA to a folder that has it")
    return folder


@pytest.fixture(autouse=True, scope="session")
def threads() -> None:
    """Two, or the cores that fall to this process: threads that share a core wait in turns."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    torch.set_num_threads(max(1, min(2, (os.cpu_count() or 1) // processes)))


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints at every step would spend seconds in fsync, which only a power cut can tell."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
