import os
from pathlib import Path

import pytest
import torch


@pytest.fixture
def data() -> Path:
    """Real images and sounds."""
    default = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("PASSBAND_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no data folder {folder}; set PASSBAND_DATA")
    return folder


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture(autouse=True)
def _quiet(capfd: pytest.CaptureFixture[str]):
    """No library under `passband.media` may print."""
    yield
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""
