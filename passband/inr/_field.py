"""A neural field: an encoding and the network behind it."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr._protocols import Adaptive, Levelled, Penalized, Staged
from passband.inr._scene import FieldSettings, matched_knobs


class Field(nn.Module):
    """``network(encoding(x))``: coordinates ``(..., d_in)`` in [-1, 1] to values ``(..., d_out)``.

    Args:
        encoding: a module with ``in_features`` and ``out_features``.
        network: a module that takes the encoding's features.

    Example:
        >>> from passband.inr import encodings, networks
        >>> field = Field(encodings.Identity(2), networks.Siren(2, 3, hidden_features=16))
        >>> field(torch.zeros(5, 2)).shape
        torch.Size([5, 3])
    """

    def __init__(self, encoding: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.encoding = encoding
        self.network = network

    def forward(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch d_out"]:
        """Values at the coordinates ``x``."""
        values: Tensor = self.network(self.encoding(x))
        return values

    @property
    def parameter_count(self) -> int:
        """Numbers that follow the signal: those training changes, and what adaptive parts keep."""
        trained: int = sum(p.numel() for p in self.parameters() if p.requires_grad)
        names = {name for name, _ in self.named_parameters()}
        adapted: int = sum(
            value.numel()
            for name, value in self.state_dict().items()
            if name not in names and value.is_floating_point() and self._adapts(name)
        )
        return trained + adapted

    def _adapts(self, name: str) -> bool:
        """Whether the entry ``name`` of the state belongs to a part that follows the signal."""
        return isinstance(getattr(self, name.partition(".")[0]), Adaptive)

    def level_outputs(self, x: Float[Tensor, "*batch d_in"]) -> list[Tensor]:
        """Values of each level of a network that has several, else those of the forward pass."""
        encoded = self.encoding(x)
        if isinstance(self.network, Levelled):
            return self.network.level_outputs(encoded)
        return [self.network(encoded)]

    def set_progress(self, done: float) -> None:
        """Tell the parts that open in the course of a run how much of it is over, 0 to 1."""
        for part in self._parts():
            if isinstance(part, Staged):
                part.set_progress(done)

    def adapt(
        self,
        points: Float[Tensor, "n d_in"],
        weights: Float[Tensor, " n"],
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        """Let the parts that follow the signal see where its detail is, before training."""
        for part in self._parts():
            if isinstance(part, Adaptive):
                part.adapt(points, weights, generator=generator)

    @property
    def adaptive(self) -> bool:
        """Whether a part follows the signal and is to be told of it before training."""
        return any(isinstance(part, Adaptive) for part in self._parts())

    def penalty(self) -> Tensor | None:
        """What the parts ask to add to the loss, or None."""
        asked = [part.penalty() for part in self._parts() if isinstance(part, Penalized)]
        return torch.stack(asked).sum() if asked else None

    def _parts(self) -> Iterator[nn.Module]:
        yield self.encoding
        yield self.network


def build_field(
    settings: FieldSettings,
    in_features: int,
    out_features: int,
    *,
    generator: torch.Generator | None = None,
) -> Field:
    """The field that ``settings`` describe, with initial values drawn from ``generator``.

    Args:
        settings: encoding and network, no knob left at ``"match"``.
        in_features: axes of the signal.
        out_features: its channels.
        generator: source of the initial values; torch's own by default.

    Raises:
        ValueError: a knob is still to be matched.

    Example:
        >>> from passband.inr import SirenNetwork
        >>> settings = FieldSettings(network=SirenNetwork(first_omega=30.0, hidden_features=16))
        >>> build_field(settings, 1, 1).parameter_count
        865
    """
    if knobs := matched_knobs(settings):
        raise ValueError(f"{knobs[0]} is still 'match'. Choose a value with with_knob first.")
    encoding = settings.encoding.build(in_features, generator=generator)
    width = int(encoding.out_features)  # type: ignore[arg-type]
    return Field(encoding, settings.network.build(width, out_features, generator=generator))
