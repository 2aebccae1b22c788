"""Tables of a reconstruction's scene; each builds the part it describes."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from passband.inr.encodings import Composite, Positional
from passband.inr.networks import ReluMLP
from passband.inr.settings._base import Settings
from passband.recon.data import Hull
from passband.recon.rendering import (
    Background,
    InvertedSphere,
    LearnedBackground,
    Opacity,
    PlainBackground,
    Sampler,
)
from passband.recon.rendering.opacities import (
    NeusOpacity,
    ScheduledNeusOpacity,
    ScheduledVolsdfOpacity,
    VolsdfOpacity,
)
from passband.recon.rendering.samplers import (
    CachedGridSampler,
    ErrorBoundedSampler,
    HierarchicalSampler,
    OccupancySampler,
    UniformSampler,
)

Count = Annotated[int, Field(ge=1, le=4096)]
Resolution = Annotated[int, Field(ge=2, le=1024)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Share = Annotated[float, Field(ge=0, le=1)]
Color = tuple[Share, Share, Share]

_DIRECTION_OCTAVES = 2


class NeusSettings(Settings):
    """NeuS with a sharpness that is learned."""

    kind: Literal["neus"] = "neus"
    v: Annotated[float, Field(ge=-1, le=2)] = 0.3
    sharpest: Positive = 1e4
    anneal_over: Share = 0.15

    def build(self) -> Opacity:
        """The module."""
        return NeusOpacity(self.v, sharpest=self.sharpest, anneal_over=self.anneal_over)


class ScheduledNeusSettings(Settings):
    """NeuS with a sharpness that grows along the run."""

    kind: Literal["scheduled_neus"] = "scheduled_neus"
    first: Positive = 20.0
    last: Positive = 2000.0
    anneal_over: Share = 0.15

    def build(self) -> Opacity:
        """The module."""
        return ScheduledNeusOpacity(self.first, self.last, anneal_over=self.anneal_over)


class VolsdfSettings(Settings):
    """VolSDF with a width that is learned."""

    kind: Literal["volsdf"] = "volsdf"
    b: Positive = 0.1

    def build(self) -> Opacity:
        """The module."""
        return VolsdfOpacity(self.b)


class ScheduledVolsdfSettings(Settings):
    """VolSDF with a width that shrinks along the run."""

    kind: Literal["scheduled_volsdf"] = "scheduled_volsdf"
    first: Positive = 0.1
    last: Positive = 0.001

    def build(self) -> Opacity:
        """The module."""
        return ScheduledVolsdfOpacity(self.first, self.last)


OpacitySettings = Annotated[
    NeusSettings | ScheduledNeusSettings | VolsdfSettings | ScheduledVolsdfSettings,
    Field(discriminator="kind"),
]


class UniformSettings(Settings):
    """Equal sections."""

    kind: Literal["uniform"] = "uniform"
    count: Count = 128

    def build(self, hull: Hull | None) -> Sampler:
        """The sampler."""
        return UniformSampler(self.count)


class HierarchicalSettings(Settings):
    """Sections that close in on the surface in rounds, after NeuS."""

    kind: Literal["hierarchical"] = "hierarchical"
    coarse: Count = 64
    rounds: Annotated[int, Field(ge=0, le=16)] = 4
    added: Count = 16

    def build(self, hull: Hull | None) -> Sampler:
        """The sampler."""
        return HierarchicalSampler(self.coarse, rounds=self.rounds, added=self.added)


class ErrorBoundedSettings(Settings):
    """Sections that keep the error of the opacity below a bound, after VolSDF."""

    kind: Literal["error_bounded"] = "error_bounded"
    error: Annotated[float, Field(gt=0, lt=1)] = 0.1
    evaluated: Count = 128
    drawn: Count = 64
    spread: Count = 32

    def build(self, hull: Hull | None) -> Sampler:
        """The sampler."""
        return ErrorBoundedSampler(
            self.error, evaluated=self.evaluated, drawn=self.drawn, spread=self.spread
        )


class OccupancySettings(Settings):
    """Fine equal sections where a grid says that the surface can be."""

    kind: Literal["occupancy"] = "occupancy"
    count: Count = 256
    resolution: Resolution = 64

    def build(self, hull: Hull | None) -> Sampler:
        """The sampler."""
        return OccupancySampler(self.count, resolution=self.resolution)


class CachedGridSettings(Settings):
    """Few sections, placed by a grid of distances kept from some steps ago."""

    kind: Literal["cached_grid"] = "cached_grid"
    count: Annotated[int, Field(ge=2, le=4096)] = 24
    resolution: Resolution = 128
    uniform: Annotated[float, Field(gt=0, le=1)] = 0.15
    blur: Annotated[float, Field(gt=0, le=100)] = 0.5

    def build(self, hull: Hull | None) -> Sampler:
        """The sampler, its rays cut to the hull of the masks where there is one."""
        occupied = None if hull is None else hull.occupancy
        return CachedGridSampler(
            self.count,
            resolution=self.resolution,
            uniform=self.uniform,
            blur=self.blur,
            occupied=occupied,
        )


SamplerSettings = Annotated[
    UniformSettings
    | HierarchicalSettings
    | ErrorBoundedSettings
    | OccupancySettings
    | CachedGridSettings,
    Field(discriminator="kind"),
]


class PlainSettings(Settings):
    """One known colour; with masks it takes the place of what the pictures show around them."""

    kind: Literal["plain"] = "plain"
    color: Color = (1.0, 1.0, 1.0)

    def build(self, generator: torch.Generator) -> Background:
        """The module."""
        return PlainBackground(self.color)


class LearnedSettings(Settings):
    """One colour that is learned."""

    kind: Literal["learned"] = "learned"
    color: Color = (0.5, 0.5, 0.5)

    def build(self, generator: torch.Generator) -> Background:
        """The module."""
        return LearnedBackground(self.color)


class InvertedSphereSettings(Settings):
    """A radiance field around the unit sphere."""

    kind: Literal["inverted_sphere"] = "inverted_sphere"
    samples: Count = 32
    octaves: Annotated[int, Field(ge=1, le=16)] = 8
    hidden_features: Count = 64
    hidden_layers: Annotated[int, Field(ge=1, le=16)] = 3

    def build(self, generator: torch.Generator) -> Background:
        """The module."""
        encoding = Composite(7, [Positional(4, self.octaves), Positional(3, _DIRECTION_OCTAVES)])
        network = ReluMLP(
            encoding.out_features,
            4,
            hidden_features=self.hidden_features,
            hidden_layers=self.hidden_layers,
            generator=generator,
        )
        return InvertedSphere(nn.Sequential(encoding, network), samples=self.samples)


BackgroundSettings = Annotated[
    PlainSettings | LearnedSettings | InvertedSphereSettings, Field(discriminator="kind")
]
