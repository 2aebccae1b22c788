import os
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
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
    """One: waking a second costs more than the small tensors of tests have to gain."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _one_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Call as users do, without the shape checks of the tests, to meet our own messages."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints at every step would spend seconds in fsync, which only a power cut can tell."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
