"""Folders and repositories that hold a vocoder: read without running code, written whole."""

import json
import os
import pickle
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from passband.atomic import atomic_path, write_text_atomic
from passband.errors import InputError, MissingDependencyError, OutputError
from passband.training import save_tensors
from passband.vocoder._hub import fetch
from passband.vocoder._published import (
    first_problem,
    published_settings,
    settings_from_published,
)
from passband.vocoder._settings import VocosSettings

WEIGHTS, CONFIG = "model.safetensors", "config.json"
PUBLISHED_WEIGHTS, PUBLISHED_CONFIG = "pytorch_model.bin", "config.yaml"
_OF_RUN = "model"  # where a run folder of training has its vocoder
_KIND = "passband-vocoder"
_METADATA = "passband"


def read_pretrained(
    source: str | os.PathLike[str], revision: str | None = None
) -> tuple[VocosSettings, dict[str, Tensor]]:
    """Settings and weights from a folder or a repository, in either layout, or a run folder."""
    folder = Path(source)
    if not (folder / WEIGHTS).exists() and (folder / _OF_RUN / WEIGHTS).exists():
        folder /= _OF_RUN
    if not folder.is_dir():
        names = (WEIGHTS, CONFIG, PUBLISHED_WEIGHTS, PUBLISHED_CONFIG)
        files = fetch(os.fspath(source), names, revision)
    else:
        files = {path.name: path for path in folder.iterdir() if path.is_file()}
    if WEIGHTS in files:
        weights, plain = _read_safetensors(files[WEIGHTS])
    elif PUBLISHED_WEIGHTS in files:
        weights, plain = _read_pickle(files[PUBLISHED_WEIGHTS]), None
    else:
        raise InputError(
            f"{os.fspath(source)} holds no {WEIGHTS} and no {PUBLISHED_WEIGHTS}. Pass the folder "
            "of a vocoder."
        )
    settings = _settings(files, plain, os.fspath(source))
    # Files written by training the original carry the codec itself; ours is not part of the model.
    codec = "feature_extractor.encodec."
    return settings, {name: value for name, value in weights.items() if not name.startswith(codec)}


def load_weights(vocos: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Put ``weights`` into ``vocos``; tensors missing, left over or misshapen are listed."""
    wanted = vocos.state_dict()
    missing = sorted(wanted.keys() - weights.keys())
    extra = sorted(weights.keys() - wanted.keys())
    shapes = [
        f"{name} {tuple(weights[name].shape)} instead of {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in weights and weights[name].shape != value.shape
    ]
    faults = [
        f"{word} {_listed(names)}"
        for word, names in (("lacks", missing), ("has left over", extra), ("has", shapes))
        if names
    ]
    if faults:
        raise InputError(
            f"{source} does not fit its settings: it {'; it '.join(faults)}. "
            "Pass weights and settings of one model."
        )
    vocos.load_state_dict(weights)


def write_pretrained(folder: Path, settings: VocosSettings, weights: Mapping[str, Tensor]) -> None:
    """Write our layout: ``model.safetensors``, which knows its settings, and ``config.json``."""
    _make(folder)
    plain = {"kind": _KIND, **settings.model_dump(mode="json")}
    save_tensors(folder / WEIGHTS, weights, plain)
    write_text_atomic(folder / CONFIG, json.dumps(plain, indent=2) + "\n")


def write_published(folder: Path, settings: VocosSettings, weights: Mapping[str, Tensor]) -> None:
    """Write the published layout: ``pytorch_model.bin`` and ``config.yaml``."""
    text = str(_yaml().safe_dump(published_settings(settings), sort_keys=False))
    _make(folder)
    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    with atomic_path(folder / PUBLISHED_WEIGHTS) as temporary:
        torch.save(tensors, temporary)
    write_text_atomic(folder / PUBLISHED_CONFIG, text)


def _listed(names: list[str], most: int = 12) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be made: {error.strerror}. Choose another folder."
        ) from error


def _settings(files: Mapping[str, Path], plain: object, source: str) -> VocosSettings:
    if plain is None and CONFIG in files:
        plain = _read_json(files[CONFIG])
    if isinstance(plain, Mapping) and plain.get("kind") == _KIND:
        rest = {name: value for name, value in plain.items() if name != "kind"}
        try:
            return VocosSettings.model_validate(rest)
        except ValueError as error:
            raise InputError(f"{source}: {first_problem(error)}") from error
    if PUBLISHED_CONFIG in files:
        return settings_from_published(_read_yaml(files[PUBLISHED_CONFIG]))
    raise InputError(
        f"{source} holds neither a {CONFIG} that passband wrote nor a {PUBLISHED_CONFIG}. "
        "Put the vocoder's settings beside its weights."
    )


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], object]:
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415  its import costs 0.2 s

    try:
        with safe_open(path, framework="pt") as file:
            plain = (file.metadata() or {}).get(_METADATA)
            # A copy owns aligned memory; a view of the mapped file would not.
            weights = {name: torch.clone(file.get_tensor(name)) for name in file.keys()}
        return weights, None if plain is None else json.loads(plain)
    except (SafetensorError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is damaged or no safetensors file. Fetch it again.") from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that are no archive; they are refused
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is refused: it holds pickled code or objects beside tensors, which reading "
            "would run. Ask for a file of plain tensors, or for safetensors."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError(f"{path} is damaged or no file of weights. Fetch it again.") from error
    plain = isinstance(weights, Mapping) and all(isinstance(v, Tensor) for v in weights.values())
    if not plain:
        raise InputError(
            f"{path} must hold names and tensors only, as model.state_dict() gives them."
        )
    return dict(weights)


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}. Correct it.") from error


def _read_yaml(path: Path) -> object:
    yaml = _yaml()
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not plain YAML: {reason}. No code is read.") from error


def _yaml() -> Any:
    try:
        return import_module("yaml")  # only published checkpoints have YAML
    except ImportError as error:
        raise MissingDependencyError(
            "config.yaml needs PyYAML, which is not installed. Run: pip install PyYAML"
        ) from error
