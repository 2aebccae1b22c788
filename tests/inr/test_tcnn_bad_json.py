"""Definitions of tiny-cuda-nn that cannot be: one line that names file, key, value and cure."""

from pathlib import Path
from typing import Any

import pytest

from passband.errors import InputError
from passband.inr.tcnn import from_tcnn_json, tcnn_field_settings, tcnn_training_settings


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"encodin": {}}, "config: unknown key `encodin`. Allowed here: encoding, network, loss"),
        ({"encoding": []}, r"config: `encoding` \(=\[\]\) must be a table"),
        ({"encoding": {"otype": "HashGird"}},
         r"config: encoding: `otype` \(='HashGird'\) must be one of Composite, Frequency, Grid"),
        ({"encoding": {"otype": 3}}, r"encoding: `otype` \(=3\) must be one of"),
        ({"encoding": {"otype": "OneBlob", "bins": 3}},
         "encoding: unknown key `bins`. Allowed here: otype, n_bins"),
        ({"encoding": {"otype": "OneBlob", "n_bins": "many"}},
         r"encoding: `n_bins` \(='many'\): it should be a valid integer"),
        ({"encoding": {"otype": "OneBlob", "n_bins": True}}, r"`n_bins` \(=True\)"),
        ({"encoding": {"otype": "OneBlob", "n_bins": "match"}}, r"`n_bins` .* must be a number"),
        ({"encoding": {"otype": "OneBlob", "n_bins": 12}}, r"`n_bins` \(=12\) must be a power of"),
        ({"encoding": {"otype": "HashGrid", "log2_hashmap_size": 25}},
         r"log2_hashmap_size \(=25\) must be at most 24 unless allow_large"),
        ({"encoding": {"otype": "HashGrid", "n_features_per_level": 3}},
         r"`n_features_per_level` \(=3\): it should be 1, 2, 4 or 8"),
        ({"encoding": {"otype": "HashGrid", "interpolation": "Cubic"}},
         r"`interpolation` \(='Cubic'\) must be one of Nearest, Linear, Smoothstep"),
        ({"encoding": {"otype": "HashGrid", "stochastic_interpolation": True}},
         r"`stochastic_interpolation` \(=True\) must be false here"),
        ({"encoding": {"otype": "HashGrid", "hash": "Rng"}}, r'`hash` .* must be "CoherentPrime"'),
        ({"encoding": {"otype": "SphericalHarmonics"}}, r"config: encoding: `in_features` \(=2\)"),
        ({"encoding": {"otype": "Composite"}}, r"`nested` \(=None\) must be a list of encodings"),
        ({"encoding": {"otype": "Composite", "nested": [{"otype": "OneBlobb"}]}},
         r"encoding.nested\[0\]: `otype` \(='OneBlobb'\)"),
        ({"encoding": {"otype": "Composite", "nested": [3]}}, r"nested\[0\]: 3 must be a table"),
        ({"encoding": {"otype": "Composite", "reduction": "Mean", "nested": [{}]}},
         r"`reduction` \(='Mean'\) must be one of Concatenation, Sum, Product"),
        ({"encoding": {"otype": "Composite", "nested": [{"n_dims_to_encode": -1}]}},
         r"nested\[0\]: `n_dims_to_encode` \(=-1\) must be an integer of at least 0"),
        ({"encoding": {"otype": "Composite", "nested": [{"n_dims_to_encode": 3}]}},
         "coordinates 0 to 2 must stay within the 2"),
        ({"encoding": {"otype": "Composite", "nested": [{"n_dims_to_encode": 3}, {}]}},
         "take 3 coordinates .* a point has 2"),
        ({"encoding": {"otype": "Composite", "nested": [{}, {}]}}, "`n_dims` may be left open in"),
        ({"encoding": {"otype": "Composite", "nested": [{"n_dims_to_encode": 0}]}}, "empty"),
        ({"network": {"otype": "FullyFusedMLP", "n_neurons": 48}},
         r"config: network: `n_neurons` \(=48\) must be one of 16, 32, 64, 128 in a FullyFusedMLP"),
        ({"network": {"otype": "FullyFusedMLP", "n_hidden_layers": 0}},
         r"network: `n_hidden_layers` \(=0\) must be at least 1"),
        ({"network": {"otype": "CutlassMLP", "n_neurons": 0}}, r"`n_neurons` \(=0\): it should be"),
        ({"network": {"otype": "CutlassResNet"}}, r"`otype` \(='CutlassResNet'\) must be one of"),
        ({"network": {"activation": "GELU"}}, r"`activation` \(='GELU'\) must be one of None"),
        ({"network": {"feedback_alignment": False}}, "unknown key `feedback_alignment`"),
    ],
)  # fmt: skip
def test_definitions_that_cannot_be(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        tcnn_field_settings(config, 2)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"loss": {"otype": "Variance"}},
         r"config: loss: `otype` \(=Variance\) is not offered here. Use one of L2, L1, RelativeL2"),
        ({"loss": {"otype": "L3"}}, r"loss: `otype` \(='L3'\) must be one of"),
        ({"loss": {"otype": "L2", "delta": 1}}, "loss: unknown key `delta`"),
        ({"optimizer": {"otype": "Shampoo"}}, r"`otype` \(=Shampoo\) is not offered here"),
        ({"optimizer": {"otype": "EMA", "nested": {"otype": "Adam"}}}, r"`otype` \(=EMA\) is not"),
        ({"optimizer": {"learning_rat": 1}}, "optimizer: unknown key `learning_rat`"),
        ({"optimizer": {"learning_rate": -1.0}}, r"`learning_rate` \(=-1.0\): it should be"),
        ({"optimizer": {"adabound": True}}, r"`adabound` \(=True\) must be false here"),
        ({"optimizer": {"otype": "ExponentialDecay", "decay_start": 5, "nested": {}}},
         r"`decay_start` \(=5\) must be at least the 100 steps"),
        ({"optimizer": {"otype": "ExponentialDecay", "nested": {"otype": "SGD"}}},
         r"optimizer.nested: `otype` \(=SGD\)"),
    ],
)  # fmt: skip
def test_training_that_cannot_be(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        tcnn_training_settings(config, steps=100)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "c.json is not JSON: .*Correct that place"),
        ("[1]", "c.json must hold a table"),
        ('{"network": {"otype": "x"}}', "c.json: network: `otype`"),
    ],
)
def test_files_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        from_tcnn_json(path, 2, 3)
    with pytest.raises(InputError, match=r"none.json cannot be read: No such file"):
        from_tcnn_json(tmp_path / "none.json", 2, 3)
