"""The line that says how far a command is."""

import pytest

from passband.cli._count import CountReporter


def test_before_the_first_is_done_there_is_no_time_left_to_tell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with CountReporter("bands", interval=0.0) as reporter:
        reporter.update(0, 4, failed=0)
        reporter.update(4, 4, failed=1)
    first, last = capsys.readouterr().err.splitlines()
    assert first == "0/4 bands"
    assert last.startswith("4/4 bands  1 failed  ")
    assert last.endswith(" 0:00 left")
