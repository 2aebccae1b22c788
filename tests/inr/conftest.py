import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


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
