"""What the settings of encodings and networks share."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Match = Literal["match"]
"""Leave this number to spectrum matching."""

_USUAL_TABLE = 24

Width = Annotated[int, Field(ge=1, le=65536)]
Depth = Annotated[int, Field(ge=0, le=64)]
Omega = Annotated[float, Field(gt=0, le=1e7)]


class Settings(BaseModel):
    """Base of every table in a scene: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def arguments(self) -> dict[str, object]:
        """The values by name, without ``kind``: what the module they describe takes."""
        return {name: value for name, value in self if name != "kind"}


def check_table_size(log2_hashmap_size: int, *, allow_large: bool) -> None:
    """Raise for tables of more than 2^24 entries a level, gigabytes in all, unless they are meant.

    Example:
        >>> check_table_size(26, allow_large=True)
    """
    if log2_hashmap_size > _USUAL_TABLE and not allow_large:
        raise ValueError(
            f"log2_hashmap_size (={log2_hashmap_size}) must be at most {_USUAL_TABLE} unless "
            "allow_large is true (--force on the command line)"
        )
