"""Settings of surfaces: each describes one and builds it."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import nn

from passband import inr
from passband.errors import InputError
from passband.inr import FieldSettings, build_field, encodings
from passband.inr._scene import matched_knobs
from passband.inr.encodings import Composite, HashGrid, Identity
from passband.inr.networks import SphereHead
from passband.inr.settings import (
    Encoding,
    FrebisEncoding,
    HashGridEncoding,
    IdentityEncoding,
    LearnedFrebisEncoding,
    Network,
    PositionalEncoding,
    ProgressiveNetwork,
    QuantizedEncoding,
    Settings,
    TriPlaneEncoding,
    Width,
)
from passband.recon.rendering import numerical_gradient_4, numerical_gradient_6
from passband.recon.surfaces._color import ColorNetwork
from passband.recon.surfaces._encoded_surface import BoundedSurface, EncodedSurface
from passband.recon.surfaces._footprint import FootprintTriPlane
from passband.recon.surfaces._geometric_mlp import GeometricMLP
from passband.recon.surfaces._grid_surface import GridSurface
from passband.recon.surfaces._normals import AnalyticNormals, Normals, TapNormals
from passband.recon.surfaces._sphere_residual import SphereResidual

Layers = Annotated[int, Field(ge=1, le=64)]
Radius = Annotated[float, Field(gt=0, le=10)]
Share = Annotated[float, Field(ge=0, le=1)]


class ColorSettings(Settings):
    """The colour network; without ``degree`` colours are the same from all sides."""

    features: Annotated[int, Field(ge=0, le=4096)] = 15
    hidden_features: Width = 64
    hidden_layers: Annotated[int, Field(ge=0, le=64)] = 2
    degree: Annotated[int, Field(ge=1, le=8)] | None = None

    def build(self, generator: torch.Generator | None = None) -> ColorNetwork:
        """The module, its initial values drawn from ``generator``."""
        arguments: dict[str, Any] = self.arguments()
        return ColorNetwork(**arguments, generator=generator)


class AnalyticNormalSettings(Settings):
    """Normals are derivatives of the network."""

    kind: Literal["analytic"] = "analytic"

    def build(self) -> Normals:
        """The module."""
        return AnalyticNormals()


class TapNormalSettings(Settings):
    """Normals from ``taps`` values around a point, a cell of the finest open level away.

    ``resolutions`` are those of the levels of a grid over [-1, 1], coarsest first; a single one
    keeps its step of ``2 / resolution`` scene units.
    """

    kind: Literal["taps"] = "taps"
    taps: Literal[4, 6] = 4
    resolutions: Annotated[tuple[Annotated[int, Field(ge=1, le=2**24)], ...], Field(min_length=1)]
    coarse_to_fine: Share = 0.0

    def build(self) -> Normals:
        """The module."""
        taps = {4: numerical_gradient_4, 6: numerical_gradient_6}[self.taps]
        return TapNormals(taps, self.resolutions, coarse_to_fine=self.coarse_to_fine)


NormalSettings = Annotated[AnalyticNormalSettings | TapNormalSettings, Field(discriminator="kind")]


class GridSurfaceSettings(Settings):
    """The fast surface: a hash grid and one hidden layer, normals by hand."""

    kind: Literal["grid"] = "grid"
    encoding: HashGridEncoding = HashGridEncoding(
        log2_hashmap_size=15, finest_resolution=384, coarse_to_fine=0.3
    )
    hidden_features: Annotated[int, Field(ge=4, le=65536)] = 64
    softness: Annotated[float, Field(gt=0, le=10)] = 0.1
    radius: Radius = 0.5
    color: ColorSettings = ColorSettings()

    def build(self, generator: torch.Generator | None = None) -> GridSurface:
        """The surface, its initial values drawn from ``generator``."""
        grid = _encoding(self.encoding, generator)
        assert isinstance(grid, HashGrid)
        return GridSurface(
            grid,
            self.color.build(generator=generator),
            hidden_features=self.hidden_features,
            softness=self.softness,
            radius=self.radius,
            generator=generator,
        )


class EncodedSettings(Settings):
    """What surfaces of autograd share."""

    radius: Radius = 0.5
    color: ColorSettings = ColorSettings()
    normals: NormalSettings = AnalyticNormalSettings()

    def build(self, generator: torch.Generator | None = None) -> EncodedSurface:
        """The surface, its initial values drawn from ``generator``."""
        color = self.color.build(generator=generator)
        network = self._network(1 + color.features, generator)
        return EncodedSurface(network, color, normals=self.normals.build())

    def _network(self, outputs: int, generator: torch.Generator | None) -> nn.Module:
        raise NotImplementedError


class MlpSurfaceSettings(EncodedSettings):
    """NeuS's multilayer perceptron with geometric initialisation behind an encoding.

    Quantised coordinates, feature planes or a hash grid are a matter of ``encoding``; where it does
    not begin with the coordinates, they are put in front. ``footprint`` is the width of a pixel at
    the object in scene units: with it, feature planes are filtered over the cube around a point.
    """

    kind: Literal["mlp"] = "mlp"
    encoding: Encoding = PositionalEncoding(octaves=6)
    hidden_features: Width = 256
    hidden_layers: Layers = 8
    skip: Annotated[int, Field(ge=1, le=64)] | None = 4
    footprint: Annotated[float, Field(gt=0, le=1)] | None = None

    def _network(self, outputs: int, generator: torch.Generator | None) -> nn.Module:
        encoding = _encoding(self.encoding, generator)
        if self.footprint is not None:
            if not isinstance(encoding, encodings.TriPlane):
                raise InputError(
                    f"`footprint` (={self.footprint:g}) needs feature planes; `encoding.kind` is "
                    f"{self.encoding.kind!r}. Leave it out, or take encoding.kind = 'triplane'."
                )
            encoding = FootprintTriPlane(encoding, radius=self.footprint / 2)
        if not _begins_with_coordinates(self.encoding):
            encoding = Composite(3, [Identity(3), encoding], starts=[0, 0])
        network = GeometricMLP(
            int(encoding.out_features),  # type: ignore[arg-type]
            outputs,
            hidden_features=self.hidden_features,
            hidden_layers=self.hidden_layers,
            skip=self.skip,
            radius=self.radius,
            generator=generator,
        )
        return inr.Field(encoding, network)


class FrebisSurfaceSettings(EncodedSettings):
    """Stratified encoders of low, middle and high octaves before a linear head."""

    kind: Literal["frebis"] = "frebis"
    encoding: Annotated[FrebisEncoding | LearnedFrebisEncoding, Field(discriminator="kind")] = (
        FrebisEncoding(octaves=6, out_features=256, hidden_features=256, start="sphere")
    )

    def _network(self, outputs: int, generator: torch.Generator | None) -> nn.Module:
        if self.encoding.start != "sphere":
            raise InputError(
                f"`encoding.start` (={self.encoding.start!r}) must be 'sphere' for a surface."
            )
        encoding = _encoding(self.encoding, generator)
        width = self.encoding.out_features
        return inr.Field(
            encoding, SphereHead(width, outputs, radius=self.radius, generator=generator)
        )


class FieldSurfaceSettings(EncodedSettings):
    """Any encoding and network of :mod:`passband.inr`, added to a sphere with a gain from 0 on.

    Progressive networks (PINs), FAN, SIREN and the others by name.
    """

    kind: Literal["field"] = "field"
    encoding: Encoding = IdentityEncoding()
    network: Network = ProgressiveNetwork(sigma=4.0)

    def _network(self, outputs: int, generator: torch.Generator | None) -> nn.Module:
        settings = FieldSettings(encoding=self.encoding, network=self.network)
        try:
            field = build_field(settings, 3, outputs, generator=generator)
        except ValueError as fault:
            raise InputError(f"`surface`: {fault}") from fault
        return SphereResidual(field, radius=self.radius)


class BoundedSurfaceSettings(Settings):
    """A surface in a sphere whose wall is a surface too, as VolSDF has it."""

    kind: Literal["bounded"] = "bounded"
    inner: Annotated[
        GridSurfaceSettings | MlpSurfaceSettings | FrebisSurfaceSettings | FieldSurfaceSettings,
        Field(discriminator="kind"),
    ]
    bound: Radius = 3.0
    scale: Annotated[float, Field(gt=0, le=1e4)] = 20.0

    def build(self, generator: torch.Generator | None = None) -> BoundedSurface:
        """The surface, its initial values drawn from ``generator``."""
        inner = self.inner.build(generator=generator)
        return BoundedSurface(inner, radius=self.bound, scale=self.scale)


SurfaceSettings = Annotated[
    GridSurfaceSettings
    | MlpSurfaceSettings
    | FrebisSurfaceSettings
    | FieldSurfaceSettings
    | BoundedSurfaceSettings,
    Field(discriminator="kind"),
]


def _encoding(settings: Encoding, generator: torch.Generator | None) -> nn.Module:
    waiting = matched_knobs(FieldSettings(encoding=settings))
    if waiting:
        raise InputError(
            f"`surface.{waiting[0]}` (='match') must be a number here. "
            "Find it with match_photographs."
        )
    return settings.build(3, generator=generator)


def _begins_with_coordinates(settings: Encoding) -> bool:
    if isinstance(settings, QuantizedEncoding):
        return _begins_with_coordinates(settings.inner)
    if isinstance(settings, PositionalEncoding):
        return settings.include_input
    return isinstance(settings, TriPlaneEncoding | IdentityEncoding)
