"""tiny-cuda-nn's JSON: the same modules and defaults, from files, tables and scenes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from passband.inr import FieldSettings, build_field, parse_scene
from passband.inr.encodings import (
    Composite,
    Frequency,
    HashGrid,
    OneBlob,
    SphericalHarmonics,
    TriangleWave,
    UnitIdentity,
)
from passband.inr.networks import TcnnMLP
from passband.inr.settings import GridEncoding, TcnnNetwork
from passband.inr.tcnn import from_tcnn_json, tcnn_field_settings, tcnn_training_settings

HASH = {
    "loss": {"otype": "RelativeL2"},
    "optimizer": {
        "otype": "Adam",
        "learning_rate": 1e-2,
        "beta1": 0.9,
        "beta2": 0.99,
        "epsilon": 1e-15,
        "l2_reg": 1e-6,
    },
    "encoding": {
        "otype": "HashGrid",
        "n_levels": 16,
        "n_features_per_level": 2,
        "log2_hashmap_size": 15,
        "base_resolution": 16,
        "per_level_scale": 1.5,
        "fixed_point_pos": False,
    },
    "network": {
        "otype": "FullyFusedMLP",
        "activation": "ReLU",
        "output_activation": "None",
        "n_neurons": 64,
        "n_hidden_layers": 2,
    },
}
ONEBLOB = {
    "loss": {"otype": "RelativeL2"},
    "optimizer": {"otype": "Adam", "learning_rate": 1e-2, "beta2": 0.99, "l2_reg": 1e-8},
    "encoding": {"otype": "OneBlob", "n_bins": 64},
    "network": {"otype": "FullyFusedMLP", "n_neurons": 128, "n_hidden_layers": 5},
}
SMALL = {"otype": "CutlassMLP", "n_neurons": 16, "n_hidden_layers": 1}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def encoding_of(table: dict[str, Any], in_features: int) -> torch.nn.Module:
    config = {"encoding": table, "network": SMALL}
    return from_tcnn_json(config, in_features, 1, generator=seeded()).encoding


def widths(network: TcnnMLP) -> list[tuple[int, ...]]:
    return [tuple(layer.weight.shape) for layer in network.layers]


def test_the_sample_with_a_hash_grid(tmp_path: Path) -> None:
    path = tmp_path / "config_hash.json"
    path.write_text(json.dumps(HASH, indent="\t"))
    field = from_tcnn_json(path, 2, 3, generator=seeded())
    grid, network = field.encoding, field.network
    assert isinstance(grid, HashGrid)
    same = HashGrid(2, n_levels=16, n_features_per_level=2, log2_hashmap_size=15,
                    base_resolution=16, per_level_scale=1.5, generator=seeded())  # fmt: skip
    assert grid.layout == same.layout
    assert torch.equal(grid.table, same.table)
    assert widths(network) == [(64, 32), (64, 64), (3, 64)]
    assert network.l2_reg == 1e-6
    assert field(torch.zeros(5, 2)).shape == (5, 3)
    assert from_tcnn_json(str(path), 2, 3).parameter_count == field.parameter_count


def test_the_sample_with_blobs() -> None:
    field = from_tcnn_json(ONEBLOB, 2, 3)
    assert isinstance(field.encoding, OneBlob)
    assert field.encoding.n_bins == 64
    assert widths(field.network) == [(128, 128), *[(128, 128)] * 4, (3, 128)]
    assert all(layer.bias is None for layer in field.network.layers)


def test_the_samples_give_training_settings() -> None:
    settings = tcnn_training_settings(HASH, steps=200)
    assert settings.loss == "relative_l2"
    adam = settings.optimizer
    assert (adam.lr, adam.beta1, adam.beta2, adam.eps) == (1e-2, 0.9, 0.99, 1e-15)
    assert (settings.steps, settings.schedule.kind) == (200, "constant")
    assert tcnn_training_settings({"loss": {"otype": "l2"}}, steps=1).loss == "l2"


def test_nothing_given_means_tiny_cuda_nns_defaults() -> None:
    field = from_tcnn_json({}, 3, 1)
    assert isinstance(field.encoding, OneBlob)
    assert field.encoding.n_bins == 16
    assert widths(field.network) == [(128, 48), *[(128, 128)] * 4, (1, 128)]
    assert field.network.l2_reg == 0.0
    adam = tcnn_training_settings({}, steps=10).optimizer
    assert (adam.lr, adam.beta1, adam.beta2, adam.eps) == (1e-3, 0.9, 0.999, 1e-8)


@pytest.mark.parametrize(
    ("table", "kind", "features"),
    [
        ({"otype": "Frequency"}, Frequency, 3 * 24),
        ({"otype": "frequency", "n_frequencies": 5}, Frequency, 3 * 10),
        ({"otype": "TriangleWave"}, TriangleWave, 3 * 12),
        ({"otype": "ONEBLOB"}, OneBlob, 3 * 16),
        ({"otype": "SphericalHarmonics"}, SphericalHarmonics, 16),
        ({"otype": "Identity", "scale": 2, "offset": -1.0}, UnitIdentity, 3),
        ({"otype": "Grid", "n_levels": 3, "log2_hashmap_size": 4}, HashGrid, 6),
        ({"otype": "HashGrid", "n_levels": 2, "n_features_per_level": 4, "log2_hashmap_size": 5},
         HashGrid, 8),
    ],
)  # fmt: skip
def test_every_otype_builds(table: dict[str, Any], kind: type, features: int) -> None:
    encoding = encoding_of(table, 3)
    assert isinstance(encoding, kind)
    assert encoding.out_features == features


def test_an_identity_is_of_the_unit_interval() -> None:
    encoding = encoding_of({"otype": "Identity", "scale": 2, "offset": -0.5}, 2)
    u = torch.rand(9, 2, generator=seeded())
    torch.testing.assert_close(encoding(2 * u - 1), 2 * u - 0.5)


def test_grid_defaults_and_types() -> None:
    plain = tcnn_field_settings({"encoding": {"otype": "Grid"}}, 3).encoding
    assert plain == GridEncoding()
    assert (plain.n_levels, plain.n_features_per_level, plain.log2_hashmap_size) == (16, 2, 19)
    assert (plain.base_resolution, plain.growth, plain.interpolation) == (16, 2.0, "Linear")
    named = tcnn_field_settings({"encoding": {"otype": "tiledgrid", "n_levels": 3}}, 3).encoding
    assert named.type == "Tiled"
    table = {"otype": "Grid", "type": "dense", "n_levels": 5, "interpolation": "smoothstep"}
    dense = tcnn_field_settings({"encoding": table}, 2).encoding
    assert (dense.type, dense.interpolation) == ("Dense", "Smoothstep")
    # Not given, the growth of a dense grid ends at 256 vertices.
    assert dense.growth == pytest.approx((256 / 16) ** (1 / 4))


@pytest.mark.parametrize("name", ["DenseGrid", "TiledGrid"])
@pytest.mark.parametrize("interpolation", ["Nearest", "Linear", "Smoothstep"])
def test_other_grids_reach_the_kernel(name: str, interpolation: str) -> None:
    table = {"otype": name, "n_levels": 3, "base_resolution": 4, "interpolation": interpolation}
    grid = encoding_of(table, 2)
    assert (grid.layout.interpolation, grid.out_features) == (interpolation.lower(), 6)
    sizes = [level.entries for level in grid.layout.levels]
    assert sizes == ([16, 1024, 65536] if name == "DenseGrid" else [16, 16, 16])


def test_the_composite_of_the_documentation() -> None:
    table = {
        "otype": "Composite",
        "nested": [
            {"n_dims_to_encode": 3, "otype": "TriangleWave", "n_frequencies": 12},
            {"n_dims_to_encode": 5, "otype": "OneBlob", "n_bins": 4},
            {"otype": "Identity"},
        ],
    }
    encoding = encoding_of(table, 10)
    assert isinstance(encoding, Composite)
    assert [type(part) for part in encoding.nested] == [TriangleWave, OneBlob, UnitIdentity]
    assert encoding.out_features == 36 + 20 + 2
    x = 2 * torch.rand(6, 10, generator=seeded()) - 1
    expected = torch.cat(
        (TriangleWave(3)(x[:, :3]), OneBlob(5, 4)(x[:, 3:8]), (x[:, 8:] + 1) / 2), dim=-1
    )
    torch.testing.assert_close(encoding(x), expected)


def test_composites_within_composites_and_places() -> None:
    inner = {"otype": "Composite", "reduction": "product",
             "nested": [{"otype": "OneBlob", "n_bins": 8, "n_dims_to_encode": 1},
                        {"otype": "TriangleWave", "n_frequencies": 8}]}  # fmt: skip
    table = {"otype": "Composite",
             "nested": [
                 {**inner, "n_dims_to_encode": 2, "dims_to_encode_begin": 1},
                 {"otype": "Frequency", "n_dims_to_encode": 0},
                 {"otype": "Identity", "n_dims_to_encode": 1, "dims_to_encode_begin": 0},
             ]}  # fmt: skip
    encoding = encoding_of(table, 3)
    x = 2 * torch.rand(6, 3, generator=seeded()) - 1
    product = OneBlob(1, 8)(x[:, 1:2]) * TriangleWave(1, 8)(x[:, 2:])
    torch.testing.assert_close(encoding(x), torch.cat((product, (x[:, :1] + 1) / 2), dim=-1))


@pytest.mark.parametrize(
    ("table", "in_features", "ones"),
    [
        ({"otype": "OneBlob", "n_bins": 4}, 3, 4),
        ({"otype": "Identity"}, 2, 14),
        ({"otype": "Frequency", "n_frequencies": 8}, 2, 0),
        ({"otype": "HashGrid", "n_levels": 5, "log2_hashmap_size": 4}, 2, 0),
        # 9 harmonics are filled up to 10 before rows of 2, and the grid fills 14 up with zeros.
        ({"otype": "Composite", "nested": [
            {"otype": "SphericalHarmonics", "degree": 3, "n_dims_to_encode": 3},
            {"otype": "HashGrid", "n_levels": 2, "log2_hashmap_size": 4}]}, 5, 1),
        ({"otype": "Composite", "nested": [
            {"otype": "HashGrid", "n_levels": 2, "log2_hashmap_size": 4, "n_dims_to_encode": 2},
            {"otype": "Identity"}]}, 5, 9),
        ({"otype": "Composite", "reduction": "Product", "nested": [
            {"otype": "HashGrid", "n_levels": 2, "log2_hashmap_size": 4, "n_dims_to_encode": 2},
            {"otype": "OneBlob", "n_bins": 4}]}, 3, 0),
        ({"otype": "Composite", "reduction": "Sum", "nested": [
            {"otype": "HashGrid", "n_levels": 2, "log2_hashmap_size": 4, "n_dims_to_encode": 2},
            {"otype": "OneBlob", "n_bins": 4}]}, 3, 12),
    ],
)  # fmt: skip
def test_ones_behind_the_features(table: dict[str, Any], in_features: int, ones: int) -> None:
    field = from_tcnn_json({"encoding": table, "network": SMALL}, in_features, 1)
    assert field.network.constant_inputs == ones
    width = field.encoding.out_features + ones
    assert field.network.layers[0].weight.shape == (16, width)


def test_comments_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{ // a comment with "quotes"\n "encoding": {"otype": /* x */ "Frequency"}}')
    assert tcnn_field_settings(path, 2).encoding.n_frequencies == 12


def test_the_same_by_name_from_a_scene() -> None:
    config = {
        "encoding": {"otype": "Composite", "nested": [
            {"otype": "OneBlob", "n_bins": 8, "n_dims_to_encode": 1},
            {"otype": "HashGrid", "n_levels": 2, "log2_hashmap_size": 6}]},
        "network": SMALL,
    }  # fmt: skip
    settings = tcnn_field_settings(config, 3)
    plain = json.loads(settings.model_dump_json(exclude_none=True))
    scene = parse_scene(
        {"kind": "image", "target": {"path": "/a.png"}, "field": plain}, source="scene"
    )
    assert scene.field == settings
    assert FieldSettings.model_validate({"network": {"kind": "tcnn_mlp"}}).network == TcnnNetwork()
    one = build_field(settings, 3, 1, generator=seeded())
    other = from_tcnn_json(config, 3, 1, generator=seeded())
    x = torch.rand(7, 3)
    torch.testing.assert_close(one(x), other(x))


def test_a_decay_after_the_end_is_none() -> None:
    nested = {"otype": "Adam", "learning_rate": 1e-4, "l2_reg": 1e-5}
    table = {"otype": "ExponentialDecay", "decay_base": 0.33, "nested": nested}
    settings = tcnn_training_settings({"optimizer": table}, steps=10_000)
    assert settings.optimizer.lr == 1e-4
    field = tcnn_field_settings({"optimizer": table, "network": SMALL}, 2)
    assert field.network.l2_reg == 1e-5
