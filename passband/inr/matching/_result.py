"""What a matching found."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class MatchRow:
    """One candidate: how far the spectra of its untrained fields are from the signal's.

    Attributes:
        value: the knob.
        distance: mean 1-D Wasserstein distance over the initialisations, in bins.
        standard_error: of that mean.
    """

    value: float
    distance: float
    standard_error: float


@dataclass(frozen=True)
class SpectrumMatch:
    """Candidates ranked by distance, nearest first.

    Attributes:
        rows: the ranked table.
        reduction: how spectra were reduced to one dimension.
        signal_spectrum: of the target, normalised to sum 1, one number a bin.
        field_spectrum: mean over the initialisations of the nearest candidate, likewise.
        bin_cycles: cycles per side of the signal that one bin stands for.
        seconds: what it cost.
    """

    rows: list[MatchRow]
    reduction: str
    signal_spectrum: list[float]
    field_spectrum: list[float]
    bin_cycles: float
    seconds: float

    @property
    def value(self) -> float:
        """The knob of the nearest candidate."""
        return self.rows[0].value

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {"value": self.value, **asdict(self)}
