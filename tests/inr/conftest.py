import os

import pytest


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints at every step would spend seconds in fsync, which only a power cut can tell."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
