"""What is known of a family of fields before it meets a signal."""

from dataclasses import dataclass

from passband.inr._scene import FieldSettings, matched_knobs


@dataclass(frozen=True)
class Family:
    """A family of fields, with one knob for frequency and one number for size.

    Attributes:
        name: what the command line calls it.
        settings: a usual member, its knob at ``"match"`` where it has one.
        symbol: what papers call the knob, or "".
        grows: dotted name of the setting that makes a member larger, a whole number.
        lr: learning rate of Adam that suits it.
        paper: author, venue and year of its source.
        axes: coordinates that it can take.
        exponent: whether ``grows`` counts powers of two.
        least: smallest value of ``grows`` worth having.
    """

    name: str
    settings: FieldSettings
    symbol: str
    grows: str
    lr: float
    paper: str
    axes: tuple[int, ...] = (1, 2, 3)
    exponent: bool = False
    least: int = 8

    @property
    def knob(self) -> str | None:
        """Dotted name of the setting that is matched, such as ``network.first_omega``."""
        knobs = matched_knobs(self.settings)
        return knobs[0] if knobs else None
