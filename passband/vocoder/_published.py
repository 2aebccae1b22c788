"""The published layout of settings: class paths and arguments, read as names and values only."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from passband.errors import InputError
from passband.vocoder._settings import (
    ConvNeXtSettings,
    EncodecFeatureSettings,
    IMDCTCosHeadSettings,
    IMDCTSymExpHeadSettings,
    ISTFTHeadSettings,
    MelFeatureSettings,
    ResNetSettings,
    VocosSettings,
)

_PREFIX = {
    "feature_extractor": "vocos.feature_extractors",
    "backbone": "vocos.models",
    "head": "vocos.heads",
}

# Class name -> settings, and their argument names where those differ from ours. An argument named
# None follows from the other parts, and is checked against them.
_NAMES: dict[str, dict[str, tuple[type[BaseModel], dict[str, str | None]]]] = {
    "feature_extractor": {
        "MelSpectrogramFeatures": (MelFeatureSettings, {}),
        "EncodecFeatures": (EncodecFeatureSettings, {"encodec_model": None}),
    },
    "backbone": {
        "VocosBackbone": (
            ConvNeXtSettings,
            {
                "input_channels": None,
                "layer_scale_init_value": "layer_scale",
                "adanorm_num_embeddings": "conditions",
            },
        ),
        "VocosResNetBackbone": (
            ResNetSettings,
            {"input_channels": None, "layer_scale_init_value": "layer_scale"},
        ),
    },
    "head": {
        "ISTFTHead": (ISTFTHeadSettings, {"dim": None, "hop_length": None}),
        "IMDCTSymExpHead": (
            IMDCTSymExpHeadSettings,
            {"dim": None, "mdct_frame_len": None, "sample_rate": None},
        ),
        "IMDCTCosHead": (IMDCTCosHeadSettings, {"dim": None, "mdct_frame_len": None}),
    },
}
# What the published class takes where its settings say nothing, and ours would take another value.
_THEIR_DEFAULTS = {"ISTFTHead": {"padding": "same"}}


def settings_from_published(config: object) -> VocosSettings:
    """Settings out of a published ``config.yaml`` that was read as plain data.

    Args:
        config: mapping with ``feature_extractor``, ``backbone`` and ``head``, each of a
            ``class_path`` and ``init_args``; no class is imported. Other keys are for training.

    Raises:
        InputError: for a class that is not known here, an argument it does not have, or parts that
            do not fit each other.

    Example:
        >>> settings_from_published(published_settings(VocosSettings())) == VocosSettings()
        True
    """
    if not isinstance(config, Mapping):
        raise InputError("config.yaml must hold feature_extractor, backbone and head.")
    parts: dict[str, Any] = {}
    given: dict[str, dict[str, Any]] = {}
    for part in _NAMES:
        kind, arguments = _class_and_arguments(config, part)
        settings, names = _NAMES[part][kind]
        plain: dict[str, Any] = dict(_THEIR_DEFAULTS.get(kind, {}))
        for name, value in arguments.items():
            ours = names.get(name, name)
            if ours is None:
                given.setdefault(part, {})[name] = value
            elif ours in settings.model_fields:
                plain[ours] = value
            else:
                raise InputError(f"config.yaml: {part} {kind} has no argument `{name}`.")
        if kind == "IMDCTSymExpHead":
            plain["mel_scaled"] = arguments.get("sample_rate") is not None
        parts[part] = {"kind": settings.model_fields["kind"].default, **plain}
    settings_found = _validated(parts)
    _check_derived(given, published_settings(settings_found))
    return settings_found


def published_settings(settings: VocosSettings) -> dict[str, Any]:
    """The published layout of ``settings``, as plain data for ``config.yaml``.

    Raises:
        InputError: for settings that the published classes cannot express.

    Example:
        >>> published_settings(VocosSettings())["head"]["init_args"]["hop_length"]
        256
    """
    if settings.input is not None:
        raise InputError("pseudo-inverse input has no published layout. Keep passband's own.")
    features, backbone, head = settings.feature_extractor, settings.backbone, settings.head
    if isinstance(backbone, ResNetSettings) and backbone.conditions is not None:
        raise InputError("a resnet with conditions has no published layout. Keep passband's own.")
    if isinstance(features, MelFeatureSettings):
        channels, hop, rate = features.n_mels, features.hop_length, features.sample_rate
    else:
        channels, hop, rate = 128, 320, 24000
    derived: dict[str, Any] = {
        "encodec_model": "encodec_24khz",
        "input_channels": channels,
        "dim": backbone.dim,
        "hop_length": hop,
        "mdct_frame_len": 2 * hop,
        "sample_rate": rate if getattr(head, "mel_scaled", False) else None,
    }
    parts = (("feature_extractor", features), ("backbone", backbone), ("head", head))
    return {part: _published_part(part, value, derived) for part, value in parts}


def _published_part(part: str, settings: BaseModel, derived: Mapping[str, Any]) -> dict[str, Any]:
    for kind, (model, names) in _NAMES[part].items():
        if isinstance(settings, model):
            ours = {value: name for name, value in names.items() if value is not None}
            plain = settings.model_dump(mode="json", exclude={"kind", "mel_scaled"})
            arguments = {ours.get(name, name): value for name, value in plain.items()}
            if isinstance(settings, ResNetSettings):
                arguments.pop("conditions")
            arguments |= {name: derived[name] for name, value in names.items() if value is None}
            arguments = {name: value for name, value in arguments.items() if value is not None}
            return {"class_path": f"{_PREFIX[part]}.{kind}", "init_args": arguments}
    raise InputError(f"a {part} of this kind has no published layout. Keep passband's own.")


def _class_and_arguments(config: Mapping[Any, Any], part: str) -> tuple[str, dict[str, Any]]:
    table = config.get(part)
    path = table.get("class_path") if isinstance(table, Mapping) else None
    arguments = table.get("init_args") or {} if isinstance(table, Mapping) else {}
    known = [f"{_PREFIX[part]}.{name}" for name in _NAMES[part]]
    if path not in known or not isinstance(arguments, Mapping):
        raise InputError(
            f"config.yaml: {part}.class_path (={path!r}) must be one of {', '.join(known)}. "
            "No other class is read."
        )
    return str(path).rsplit(".", 1)[1], dict(arguments)


def _validated(parts: dict[str, Any]) -> VocosSettings:
    try:
        return VocosSettings.model_validate(parts)
    except ValueError as error:
        raise InputError(f"config.yaml: {first_problem(error)}") from error


def first_problem(error: ValueError) -> str:
    """The first thing that a validation found wrong, in one line."""
    problems: Any = getattr(error, "errors", lambda: [])()
    if not problems:
        return str(error)
    key = ".".join(str(step) for step in problems[0]["loc"]) or "the settings"
    return f"{key}: {problems[0]['msg'].removeprefix('Value error, ')}."


def _check_derived(given: Mapping[str, Mapping[str, Any]], expected: Mapping[str, Any]) -> None:
    """Raise where an argument that follows from the other parts says otherwise."""
    for part, arguments in given.items():
        for name, value in arguments.items():
            fitting = expected[part]["init_args"].get(name)
            if value is not None and value != fitting:
                raise InputError(
                    f"config.yaml: {part}.{name} (={value!r}) must be {fitting!r} to fit the other "
                    "parts."
                )
