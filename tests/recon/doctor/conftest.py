import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def writer() -> ModuleType:
    """``scene_writer.py``, the small scene of the tests of data."""
    path = Path(__file__).parents[1] / "data" / "scene_writer.py"
    spec = importlib.util.spec_from_file_location("scene_writer", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["scene_writer"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
