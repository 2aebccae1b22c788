"""Scenes of photographs: one reconstruction a person could want, as a checked model of its TOML."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from passband.errors import InputError
from passband.inr._scene_file import resolve_path
from passband.inr.settings._base import Settings
from passband.recon._merging import merged
from passband.recon._presets import with_preset
from passband.recon._settings import (
    BackgroundSettings,
    CachedGridSettings,
    OpacitySettings,
    PlainSettings,
    SamplerSettings,
    ScheduledNeusSettings,
)
from passband.recon.surfaces import GridSurfaceSettings, SurfaceSettings
from passband.training import override_settings, read_settings, settings_problem

Weight = Annotated[float, Field(ge=0, le=1e3)]
Rate = Annotated[float, Field(gt=0, le=1)]


class PhotographsTarget(Settings):
    """Posed photographs: a folder in one of the known formats.

    One picture in ``held_out`` is kept to judge by, unless the data has a split of its own; of the
    others at most ``views``, evenly spread, are learned from. ``sphere``: centre and radius around
    the object in the world of the data, found where it is not given. With ``examine`` a data set in
    which `passband doctor` finds an error is refused.
    """

    path: str
    sphere: tuple[float, float, float, Annotated[float, Field(gt=0)]] | None = None
    examine: bool = True
    max_side: Annotated[int, Field(ge=16, le=2**15)] | None = None
    held_out: Annotated[int, Field(ge=2)] = 10
    masks: bool = True
    views: Annotated[int, Field(ge=1)] | None = None


class LossSettings(Settings):
    """Weights of what is minimised besides the mean absolute error of colours."""

    eikonal: Weight = 0.1
    mask: Weight = 0.1
    curvature: Weight = 0.0
    outside: Weight = 1.0
    outside_points: Annotated[int, Field(ge=1, le=2**20)] = 1000


class ReconstructionTraining(Settings):
    """How long and how a scene is learned: for a number of steps, or for a time.

    A time is turned into steps by a short trial on the machine at hand, before the run.
    """

    steps: Annotated[int, Field(ge=1, le=10**8)] | None = None
    seconds: Annotated[float, Field(gt=0, le=10**7)] | None = None
    rays: Annotated[int, Field(ge=1, le=2**22)] = 2000
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    grid_lr: Rate = 1e-2
    lr: Rate = 2e-3
    final: Annotated[float, Field(ge=0, le=1)] = 0.01
    warmup: Annotated[int, Field(ge=0)] = 100
    evaluations: Annotated[int, Field(ge=1, le=1000)] = 4
    log_every: Annotated[int, Field(ge=1)] = 20
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 20.0
    precision: Literal["float32", "bfloat16", "float16"] = "float32"

    @model_validator(mode="after")
    def _one_length(self) -> "ReconstructionTraining":
        if self.steps is not None and self.seconds is not None:
            raise ValueError(
                f"steps (={self.steps}) and seconds (={self.seconds:g}) exclude each other; "
                "give one of them"
            )
        return self


class PhotographsScene(Settings):
    """Learn a surface and its colour from posed photographs."""

    kind: Literal["photographs"] = "photographs"
    target: PhotographsTarget
    surface: SurfaceSettings = GridSurfaceSettings()
    opacity: OpacitySettings = ScheduledNeusSettings()
    sampler: SamplerSettings = CachedGridSettings()
    background: BackgroundSettings = PlainSettings()
    color_threshold: Annotated[float, Field(ge=0, lt=1)] = 2e-3
    losses: LossSettings = LossSettings()
    training: ReconstructionTraining = ReconstructionTraining()

    @model_validator(mode="after")
    def _bounded_errors_need_a_density(self) -> "PhotographsScene":
        if self.sampler.kind == "error_bounded" and "volsdf" not in self.opacity.kind:
            raise ValueError(
                f"sampler.kind 'error_bounded' needs opacity.kind 'volsdf' or 'scheduled_volsdf', "
                f"not {self.opacity.kind!r}"
            )
        return self


def load_photographs_scene(
    path: Path, overrides: Sequence[str] = (), *, preset: str | None = None
) -> PhotographsScene:
    """Read the scene in the TOML file ``path``, or make the usual one for a folder of photographs.

    The target's path is taken relative to the file, with ``~`` and ``$VARIABLES`` expanded.

    Args:
        path: a TOML file, or the folder itself.
        overrides: texts such as ``training.steps=100``; they come last.
        preset: settings for what the file leaves open, see `with_preset`; a folder without one
            gets ``laptop``.

    Raises:
        InputError: the file is missing or no TOML, a key is unknown, or a value is not allowed.
    """
    if path.is_dir():
        plain: dict[str, Any] = {"target": {"path": str(path.absolute())}}
        preset = preset or "laptop"
    else:
        plain = read_settings(path, expected="a scene file or a signal")
    override_settings(plain, overrides)
    if preset is not None:
        plain = with_preset(plain, preset)
    return parse_photographs_scene(plain, source=str(path), base=path.parent)


def parse_photographs_scene(
    plain: dict[str, Any], *, source: str, base: Path | None = None
) -> PhotographsScene:
    """Check the nested mapping ``plain``, put it over the usual settings and return the scene.

    Args:
        plain: what the TOML file holds; a table of another ``kind`` than usual stands alone.
        source: name to put before an error.
        base: folder that a relative target path starts from; the working folder by default.

    Raises:
        InputError: a key is unknown or a value is not allowed; names the first such key.

    Example:
        >>> scene = parse_photographs_scene({"target": {"path": "/photos"}}, source="x")
        >>> scene.training.rays
        2000
    """
    usual = PhotographsScene(target=PhotographsTarget(path="")).model_dump(exclude_none=True)
    try:
        scene = PhotographsScene.model_validate(merged(usual, plain))
    except ValidationError as error:
        raise InputError(f"{source}: {settings_problem(error.errors())}") from error
    path = resolve_path(scene.target.path, base or Path())
    target = scene.target.model_copy(update={"path": path})
    return scene.model_copy(update={"target": target})


def dump_photographs_scene(scene: PhotographsScene) -> str:
    """The TOML text of ``scene``, every setting written out.

    Example:
        >>> scene = parse_photographs_scene({"target": {"path": "/photos"}}, source="x")
        >>> import tomllib
        >>> text = dump_photographs_scene(scene)
        >>> parse_photographs_scene(tomllib.loads(text), source="x") == scene
        True
    """
    import tomli_w  # noqa: PLC0415  only a fit writes TOML

    return tomli_w.dumps(scene.model_dump(exclude_none=True))
