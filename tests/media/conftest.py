import pytest


@pytest.fixture(autouse=True)
def _quiet(capfd: pytest.CaptureFixture[str]):
    """No library under `passband.media` may print."""
    yield
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""
