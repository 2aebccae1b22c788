"""Fields from tiny-cuda-nn's JSON."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from passband.errors import InputError
from passband.inr._field import Field, build_field
from passband.inr._scene import FieldSettings
from passband.inr.networks._tcnn_mlp import ACTIVATIONS
from passband.inr.settings import (
    CompositeEncoding,
    CompositePart,
    FrequencyEncoding,
    GridEncoding,
    OneBlobEncoding,
    Settings,
    SphericalHarmonicsEncoding,
    TcnnNetwork,
    TriangleWaveEncoding,
    UnitIdentityEncoding,
)
from passband.inr.tcnn._config import Otype, otype_of, read_config, read_table, table_of
from passband.inr.tcnn._padding import constant_inputs
from passband.inr.tcnn._training import l2_reg

_FUSED_WIDTHS = (16, 32, 64, 128)
_BINS = tuple(2**power for power in range(13))
_TABLES = ("encoding", "network", "loss", "optimizer")


def _same(*keys: str) -> dict[str, str | None]:
    return {key: key for key in keys}


def _grid(kind: str) -> Otype:
    return Otype(
        GridEncoding,
        _same(
            "type",
            "n_levels",
            "n_features_per_level",
            "log2_hashmap_size",
            "base_resolution",
            "per_level_scale",
            "interpolation",
        ),
        words={
            "type": ("Hash", "Dense", "Tiled"),
            "interpolation": ("Nearest", "Linear", "Smoothstep"),
        },
        only={"hash": "CoherentPrime", "fixed_point_pos": False, "stochastic_interpolation": False},
        preset={"type": kind},
    )


_ENCODINGS: dict[str, Otype] = {
    "Composite": Otype(
        CompositeEncoding,
        {"nested": None, "reduction": "reduction"},
        words={"reduction": ("Concatenation", "Sum", "Product")},
    ),
    "Frequency": Otype(FrequencyEncoding, _same("n_frequencies")),
    "Grid": _grid("Hash"),
    "HashGrid": _grid("Hash"),
    "DenseGrid": _grid("Dense"),
    "TiledGrid": _grid("Tiled"),
    "Identity": Otype(UnitIdentityEncoding, _same("scale", "offset")),
    "OneBlob": Otype(OneBlobEncoding, _same("n_bins")),
    "SphericalHarmonics": Otype(SphericalHarmonicsEncoding, _same("degree")),
    "TriangleWave": Otype(TriangleWaveEncoding, _same("n_frequencies")),
}

_MLP = Otype(
    TcnnNetwork,
    {
        "n_neurons": "hidden_features",
        "n_hidden_layers": "hidden_layers",
        "activation": "activation",
        "output_activation": "output_activation",
    },
    words={"activation": tuple(ACTIVATIONS), "output_activation": tuple(ACTIVATIONS)},
)
_NETWORKS = {"FullyFusedMLP": _MLP, "CutlassMLP": _MLP, "MLP": _MLP}


def from_tcnn_json(
    config: Mapping[str, Any] | str | Path,
    in_features: int,
    out_features: int,
    *,
    generator: torch.Generator | None = None,
) -> Field:
    """The field that a tiny-cuda-nn definition describes, with its defaults and initial laws.

    **Coordinates are in [-1, 1], as everywhere here**, and mapped to tiny-cuda-nn's [0, 1] by
    ``u = (x + 1) / 2``; at ``x = 2 u - 1`` the field is tiny-cuda-nn's at u. Padding is built in:
    features are filled up as there, see :class:`~passband.inr.networks.TcnnMLP`. Values are
    float32, not half precision. FullyFusedMLP and CutlassMLP are the same function, and the same
    code here.

    Args:
        config: the definition, or a JSON file of it; comments are allowed. Tables ``encoding`` and
            ``network`` are read; ``loss`` and ``optimizer`` by :func:`tcnn_training_settings`.
        in_features: coordinates of a point.
        out_features: values per point.
        generator: source of the initial values.

    Raises:
        InputError: an unknown otype or key or a value that is not allowed, by name.

    Example:
        >>> field = from_tcnn_json(
        ...     {"encoding": {"otype": "OneBlob", "n_bins": 32},
        ...      "network": {"otype": "FullyFusedMLP", "n_neurons": 64, "n_hidden_layers": 2}},
        ...     in_features=2, out_features=3,
        ... )
        >>> field(torch.zeros(5, 2)).shape, field.parameter_count
        (torch.Size([5, 3]), 8384)

    Reference: Müller, *tiny-cuda-nn*, 2021, its documentation of the JSON configuration.
    """
    settings = tcnn_field_settings(config, in_features)
    return build_field(settings, in_features, out_features, generator=generator)


def tcnn_field_settings(config: Mapping[str, Any] | str | Path, in_features: int) -> FieldSettings:
    """The settings of :func:`from_tcnn_json`'s field, for a scene.

    ``l2_reg`` of the optimiser becomes the network's, which adds it to the loss.

    Args:
        config: the definition, or a JSON file of it.
        in_features: coordinates of a point; how many ones the network gets depends on them.

    Raises:
        InputError: an unknown otype or key or a value that is not allowed, by name.

    Example:
        >>> settings = tcnn_field_settings({"encoding": {"otype": "HashGrid", "n_levels": 4}}, 2)
        >>> settings.encoding.n_levels, settings.network.hidden_features
        (4, 128)
    """
    tables, source = read_config(config)
    for key in tables:
        if key not in _TABLES:
            raise InputError(f"{source}: unknown key `{key}`. Allowed here: {', '.join(_TABLES)}.")
    encoding = _encoding(table_of(tables, "encoding", source), f"{source}: encoding")
    network = _network(table_of(tables, "network", source), f"{source}: network")
    try:
        # Widths without memory: nothing is allocated on this device.
        with torch.device("meta"):
            module = encoding.build(in_features)  # type: ignore[attr-defined]
    except InputError as error:
        raise InputError(f"{source}: encoding: {error}") from error
    ones = constant_inputs(encoding, module)
    update = {"constant_inputs": ones, "l2_reg": l2_reg(tables, source)}
    network = network.model_copy(update=update)
    return FieldSettings.model_validate({"encoding": encoding, "network": network})


def _encoding(table: Mapping[str, Any], where: str) -> Settings:
    name = otype_of(table, _ENCODINGS, "OneBlob", where)
    if name == "Composite":
        return _composite(table, where)
    settings = read_table(table, _ENCODINGS[name], where)
    if isinstance(settings, OneBlobEncoding) and settings.n_bins not in _BINS:
        raise InputError(f"{where}: `n_bins` (={settings.n_bins}) must be a power of two.")
    return settings


def _composite(table: Mapping[str, Any], where: str) -> Settings:
    nested = table.get("nested")
    if not isinstance(nested, list) or not nested:
        raise InputError(f"{where}: `nested` (={nested!r}) must be a list of encodings.")
    dims = {"n_dims_to_encode": "n_dims", "dims_to_encode_begin": "start"}
    parts = []
    for number, part in enumerate(nested):
        place = f"{where}.nested[{number}]"
        if not isinstance(part, Mapping):
            raise InputError(f"{place}: {part!r} must be a table {{...}}.")
        plain = {key: value for key, value in part.items() if key not in dims}
        given = {key: value for key, value in part.items() if key in dims}
        for key, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InputError(f"{place}: `{key}` (={value!r}) must be an integer of at least 0.")
        counts = {dims[key]: value for key, value in given.items()}
        parts.append(CompositePart.model_validate({**counts, "encoding": _encoding(plain, place)}))
    whole = replace(_ENCODINGS["Composite"], preset={"nested": tuple(parts)})
    return read_table(table, whole, where)


def _network(table: Mapping[str, Any], where: str) -> Settings:
    name = otype_of(table, _NETWORKS, "MLP", where)
    settings = read_table(table, _MLP, where)
    assert isinstance(settings, TcnnNetwork)
    if name == "FullyFusedMLP":
        if settings.hidden_features not in _FUSED_WIDTHS:
            raise InputError(
                f"{where}: `n_neurons` (={settings.hidden_features}) must be one of "
                f"{', '.join(map(str, _FUSED_WIDTHS))} in a FullyFusedMLP. Use CutlassMLP."
            )
        if settings.hidden_layers < 1:
            raise InputError(
                f"{where}: `n_hidden_layers` (={settings.hidden_layers}) must be at least 1 in a "
                "FullyFusedMLP. Use CutlassMLP."
            )
    return settings
