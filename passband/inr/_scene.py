"""Scenes: one fit a person could want, as a checked model of its TOML file."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from passband.inr.settings import Encoding, HashGridEncoding, Network, ReluNetwork, Settings


class FieldSettings(Settings):
    """An encoding and the network behind it; at most one knob is ``"match"``.

    Where no encoding is given, networks with frequencies of their own, such as SIREN, get the
    coordinates themselves and the others a hash grid.
    """

    encoding: Encoding = HashGridEncoding()
    network: Network = ReluNetwork()

    @model_validator(mode="before")
    @classmethod
    def _networks_with_frequencies_take_plain_coordinates(cls, plain: Any) -> Any:
        if isinstance(plain, dict) and "encoding" not in plain:
            network = plain.get("network")
            named = network.get("kind") if isinstance(network, dict) else network
            kind = getattr(named, "kind", named) or "relu"
            if kind not in _encoded_networks():
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


def _encoded_networks() -> set[str]:
    """Kinds of networks that are nothing without an encoding before them."""
    union = get_args(get_args(Network)[0])
    return {kind.model_fields["kind"].default for kind in union if kind.needs_encoding}


def matched_knobs(field: FieldSettings) -> list[str]:
    """Dotted names, such as ``network.first_omega``, of the knobs set to ``"match"``.

    Example:
        >>> matched_knobs(FieldSettings())
        ['encoding.finest_resolution']
    """
    return _matched(field.model_dump(), "")


def _matched(plain: Any, path: str) -> list[str]:
    if plain == "match":
        return [path]
    if isinstance(plain, dict):
        items: Iterable[tuple[object, Any]] = plain.items()
    elif isinstance(plain, list | tuple):
        items = enumerate(plain)
    else:
        return []
    before = f"{path}." if path else ""
    return [knob for name, value in items for knob in _matched(value, f"{before}{name}")]


def with_knob(field: FieldSettings, knob: str, value: float) -> FieldSettings:
    """``field`` with the knob of that dotted name set to ``value``, checked.

    Example:
        >>> with_knob(FieldSettings(), "encoding.finest_resolution", 512).encoding.finest_resolution
        512
    """
    plain: Any = field.model_dump()
    *path, name = knob.split(".")
    table = plain
    for step in path:
        table = table[int(step)] if isinstance(table, list | tuple) else table[step]
    table[name] = value
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


class AutoSettings(Settings):
    """Let the family be chosen by short fits, for a budget of parameters or of seconds.

    What is chosen takes the place of ``field``, of its learning rate and, under a budget of
    seconds, of the number of steps.
    """

    parameters: Annotated[int, Field(ge=100, le=10**9)] | None = None
    seconds: Annotated[float, Field(gt=0, le=10**7)] | None = None
    families: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_budget(self) -> "AutoSettings":
        if (self.parameters is None) == (self.seconds is None):
            raise ValueError(
                f"parameters (={self.parameters}) or seconds (={self.seconds}) must be given, "
                "and not both"
            )
        return self


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
    auto: AutoSettings | None = None
    matching: MatchingSettings = MatchingSettings()
    training: TrainingSettings = TrainingSettings()


class AudioScene(Settings):
    """Fit a field to a sound."""

    kind: Literal["audio"] = "audio"
    target: AudioTargetSettings
    field: FieldSettings = FieldSettings()
    auto: AutoSettings | None = None
    matching: MatchingSettings = MatchingSettings()
    training: TrainingSettings = TrainingSettings()


class ShapeTargetSettings(Settings):
    """A solid shape: the path of a mesh of at most ``max_faces`` triangles."""

    path: str
    max_faces: Annotated[int, Field(ge=4)] = 2**21


class ShapeScene(Settings):
    """Fit a field to the signed distance to a mesh."""

    kind: Literal["shape"] = "shape"
    target: ShapeTargetSettings
    field: FieldSettings = FieldSettings()
    auto: AutoSettings | None = None
    matching: MatchingSettings = MatchingSettings()
    training: TrainingSettings = TrainingSettings()


Scene = ImageScene | AudioScene | ShapeScene
