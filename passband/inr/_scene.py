"""Scenes: one fit a person could want, as a checked model of its TOML file."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Match = Literal["match"]


class Settings(BaseModel):
    """Base of every table in a scene: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IdentityEncoding(Settings):
    """The coordinates themselves."""

    kind: Literal["identity"] = "identity"


class PositionalEncoding(Settings):
    """Sines and cosines of octaves of pi."""

    kind: Literal["positional"] = "positional"
    octaves: Annotated[int, Field(ge=1, le=24)] | Match = "match"
    include_input: bool = True


class FourierEncoding(Settings):
    """Random Fourier features; ``sigma`` in cycles per unit of the coordinate."""

    kind: Literal["fourier"] = "fourier"
    num_bands: Annotated[int, Field(ge=1, le=65536)] = 128
    sigma: Annotated[float, Field(gt=0, le=1e6)] | Match = "match"


class HashGridEncoding(Settings):
    """Multi-resolution hash grid; resolutions count vertices per axis."""

    kind: Literal["hashgrid"] = "hashgrid"
    n_levels: Annotated[int, Field(ge=1, le=32)] = 16
    n_features_per_level: Annotated[int, Field(ge=1, le=8)] = 2
    log2_hashmap_size: Annotated[int, Field(ge=3, le=24)] = 14
    base_resolution: Annotated[int, Field(ge=2, le=65536)] = 16
    finest_resolution: Annotated[int, Field(ge=2, le=2**24)] | Match = "match"
    backend: Literal["auto", "reference", "cpu"] = "auto"

    @model_validator(mode="after")
    def _finest_is_finest(self) -> "HashGridEncoding":
        if self.finest_resolution != "match" and self.finest_resolution < self.base_resolution:
            raise ValueError(
                f"finest_resolution (={self.finest_resolution}) must be at least "
                f"base_resolution (={self.base_resolution})"
            )
        return self


Width = Annotated[int, Field(ge=1, le=65536)]
Depth = Annotated[int, Field(ge=0, le=64)]
Omega = Annotated[float, Field(gt=0, le=1e7)]


class ReluNetwork(Settings):
    """Multilayer perceptron with ReLU."""

    kind: Literal["relu"] = "relu"
    hidden_features: Width = 64
    hidden_layers: Depth = 2


class SirenNetwork(Settings):
    """Sine layers ``sin(omega (W x + b))``: omega outside the bias."""

    kind: Literal["siren"] = "siren"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    first_omega: Omega | Match = "match"
    hidden_omega: Omega = 30.0


class FinerNetwork(Settings):
    """Variable-periodic sine layers ``sin(omega (|z| + 1) z)``."""

    kind: Literal["finer"] = "finer"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    first_omega: Omega | Match = "match"
    hidden_omega: Omega = 30.0
    first_bias_scale: Annotated[float, Field(ge=0, le=1e3)] | Match | None = None


class WireNetwork(Settings):
    """Complex Gabor layers ``exp(j omega z - |scale z|^2)``."""

    kind: Literal["wire"] = "wire"
    hidden_features: Width = 256
    hidden_layers: Depth = 2
    omega: Omega = 20.0
    scale: Annotated[float, Field(gt=0, le=1e4)] = 10.0


class GaussNetwork(Settings):
    """Gaussian layers ``exp(-(scale z)^2)``."""

    kind: Literal["gauss"] = "gauss"
    hidden_features: Width = 256
    hidden_layers: Depth = 3
    scale: Annotated[float, Field(gt=0, le=1e4)] = 30.0


Encoding = Annotated[
    IdentityEncoding | PositionalEncoding | FourierEncoding | HashGridEncoding,
    Field(discriminator="kind"),
]
Network = Annotated[
    ReluNetwork | SirenNetwork | FinerNetwork | WireNetwork | GaussNetwork,
    Field(discriminator="kind"),
]


class FieldSettings(Settings):
    """An encoding and the network behind it; at most one knob is ``"match"``.

    Without an encoding, a ReLU network gets a hash grid and any other the coordinates themselves.
    """

    encoding: Encoding = HashGridEncoding()
    network: Network = ReluNetwork()

    @model_validator(mode="before")
    @classmethod
    def _periodic_networks_take_plain_coordinates(cls, plain: Any) -> Any:
        if isinstance(plain, dict) and "encoding" not in plain:
            network = plain.get("network")
            named = network.get("kind") if isinstance(network, dict) else network
            kind = getattr(named, "kind", named) or "relu"
            if kind != "relu":
                return {**plain, "encoding": {"kind": "identity"}}
        return plain

    @model_validator(mode="after")
    def _one_knob(self) -> "FieldSettings":
        knobs = matched_knobs(self)
        if len(knobs) > 1:
            raise ValueError(
                f"only one knob can be matched, and {' and '.join(knobs)} ask for it; "
                "give the others a number"
            )
        return self


def matched_knobs(field: FieldSettings) -> list[str]:
    """Dotted names, such as ``network.first_omega``, of the knobs set to ``"match"``.

    Example:
        >>> matched_knobs(FieldSettings())
        ['encoding.finest_resolution']
    """
    return [
        f"{part}.{name}"
        for part in ("encoding", "network")
        for name, value in getattr(field, part)
        if value == "match"
    ]


def with_knob(field: FieldSettings, knob: str, value: float) -> FieldSettings:
    """``field`` with the knob called ``encoding.x`` or ``network.x`` set to ``value``, checked.

    Example:
        >>> with_knob(FieldSettings(), "encoding.finest_resolution", 512).encoding.finest_resolution
        512
    """
    part, name = knob.split(".")
    plain = field.model_dump()
    plain[part][name] = value
    return FieldSettings.model_validate(plain)


class MatchingSettings(Settings):
    """How a knob set to ``"match"`` is found."""

    method: Literal["spectrum", "fresh", "winner"] = "spectrum"
    reduction: Literal["fresh", "l1", "radial"] = "radial"
    initialisations: Annotated[int, Field(ge=1, le=1000)] = 10
    bins: Annotated[int, Field(ge=2, le=2**20)] | None = None
    candidates: list[Annotated[float, Field(ge=0)]] | None = None


class Adam(Settings):
    """Adam (Kingma and Ba, ICLR 2015)."""

    lr: Annotated[float, Field(gt=0, le=10)] = 1e-2
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.99
    eps: Annotated[float, Field(gt=0)] = 1e-15


class ConstantSchedule(Settings):
    """The learning rate stays."""

    kind: Literal["constant"] = "constant"


class CosineSchedule(Settings):
    """Half a cosine down to ``final`` times the learning rate, after a linear warm-up."""

    kind: Literal["cosine"] = "cosine"
    final: Annotated[float, Field(ge=0, le=1)] = 0.01
    warmup: Annotated[int, Field(ge=0)] = 0


class ExponentialSchedule(Settings):
    """Geometric decay down to ``final`` times the learning rate."""

    kind: Literal["exponential"] = "exponential"
    final: Annotated[float, Field(gt=0, le=1)] = 0.01


Schedule = Annotated[
    ConstantSchedule | CosineSchedule | ExponentialSchedule, Field(discriminator="kind")
]


class TrainingSettings(Settings):
    """How long and how a field is trained."""

    steps: Annotated[int, Field(ge=1, le=10**8)] = 600
    batch_size: Annotated[int, Field(ge=1, le=2**26)] = 32768
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    loss: Literal["l2", "l1", "relative_l2"] = "l2"
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    optimizer: Adam = Adam()
    schedule: Schedule = CosineSchedule()
    evaluations: Annotated[int, Field(ge=1, le=1000)] = 10
    log_every: Annotated[int, Field(ge=1)] = 10
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 10.0


class ImageTargetSettings(Settings):
    """A picture: a path, or ``skimage:NAME`` for one that ships inside scikit-image."""

    path: str
    max_samples: Annotated[int, Field(ge=1)] = 2**27


class AudioTargetSettings(Settings):
    """A sound: ``duration`` seconds of it from ``start``, or all."""

    path: str
    start: Annotated[float, Field(ge=0)] = 0.0
    duration: Annotated[float, Field(gt=0)] | None = None
    max_samples: Annotated[int, Field(ge=1)] = 2**27


class ImageScene(Settings):
    """Fit a field to a picture."""

    kind: Literal["image"] = "image"
    target: ImageTargetSettings
    field: FieldSettings = FieldSettings()
    matching: MatchingSettings = MatchingSettings()
    training: TrainingSettings = TrainingSettings()


class AudioScene(Settings):
    """Fit a field to a sound."""

    kind: Literal["audio"] = "audio"
    target: AudioTargetSettings
    field: FieldSettings = FieldSettings()
    matching: MatchingSettings = MatchingSettings()
    training: TrainingSettings = TrainingSettings()


Scene = Annotated[ImageScene | AudioScene, Field(discriminator="kind")]
