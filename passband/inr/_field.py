"""A neural field: an encoding and the network behind it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from passband.inr import encodings, networks
from passband.inr._scene import (
    Encoding,
    FieldSettings,
    FinerNetwork,
    FourierEncoding,
    GaussNetwork,
    HashGridEncoding,
    Network,
    PositionalEncoding,
    ReluNetwork,
    SirenNetwork,
    WireNetwork,
    matched_knobs,
)


class Field(nn.Module):
    """``network(encoding(x))``: coordinates ``(..., d_in)`` in [-1, 1] to values ``(..., d_out)``.

    Args:
        encoding: a module with ``in_features`` and ``out_features``.
        network: a module that takes the encoding's features.

    Example:
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
        """Numbers that training changes."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


def build_field(
    settings: FieldSettings,
    in_features: int,
    out_features: int,
    *,
    generator: torch.Generator | None = None,
    grid_init_scale: float = 1e-4,
) -> Field:
    """The field that ``settings`` describe, with initial values drawn from ``generator``.

    Args:
        settings: encoding and network, no knob left at ``"match"``.
        in_features: axes of the signal.
        out_features: its channels.
        generator: source of the initial values; torch's own by default.
        grid_init_scale: half-width of the uniform law of a hash grid's entries.

    Raises:
        ValueError: a knob is still to be matched.

    Example:
        >>> settings = FieldSettings(network=SirenNetwork(first_omega=30.0, hidden_features=16))
        >>> build_field(settings, 1, 1).parameter_count
        865
    """
    if knobs := matched_knobs(settings):
        raise ValueError(f"{knobs[0]} is still 'match'. Choose a value with with_knob first.")
    encoding = _build_encoding(settings.encoding, in_features, grid_init_scale, generator)
    width = int(encoding.out_features)  # type: ignore[arg-type]
    return Field(encoding, _build_network(settings.network, width, out_features, generator))


def _build_encoding(
    settings: Encoding,
    in_features: int,
    grid_init_scale: float,
    generator: torch.Generator | None,
) -> nn.Module:
    match settings:
        case HashGridEncoding():
            plain = settings.model_dump(exclude={"kind"})
            return encodings.HashGrid(
                in_features, **plain, init_scale=grid_init_scale, generator=generator
            )
        case FourierEncoding():
            plain = settings.model_dump(exclude={"kind"})
            return encodings.RandomFourier(in_features, **plain, generator=generator)
        case PositionalEncoding():
            return encodings.Positional(in_features, **settings.model_dump(exclude={"kind"}))
        case _:
            return encodings.Identity(in_features)


def _build_network(
    settings: Network, width: int, out_features: int, generator: torch.Generator | None
) -> nn.Module:
    kinds: dict[type, type[nn.Module]] = {
        ReluNetwork: networks.ReluMLP,
        SirenNetwork: networks.Siren,
        FinerNetwork: networks.Finer,
        WireNetwork: networks.Wire,
        GaussNetwork: networks.Gauss,
    }
    plain = settings.model_dump(exclude={"kind"})
    return kinds[type(settings)](width, out_features, **plain, generator=generator)
