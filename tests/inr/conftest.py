import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tiny steps cost less on one thread than two threads cost to wake."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def offline() -> ModuleType:
    """The module that runs a test file's kernels in a process of their own."""
    pytest.importorskip("triton")
    path = Path(__file__).with_name("triton_offline.py")
    spec = importlib.util.spec_from_file_location("triton_offline", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
