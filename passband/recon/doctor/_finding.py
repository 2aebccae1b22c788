"""What an examination says, line by line."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line on one thing.

    Args:
        severity: "error" where a fit will fail or mislead, "warning" where it may, "note" else.
        topic: "poses", "sphere", "masks", "coverage", "pictures" or "reading".
        text: what is, and where it is wrong how to mend it.
    """

    severity: Literal["error", "warning", "note"]
    topic: str
    text: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.topic}: {self.text}"
