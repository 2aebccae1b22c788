"""tiny-cuda-nn as a backend, as far as it goes without it: what it is asked for, and refusals."""

import math
import sys
import types

import pytest
import torch

from passband.errors import InputError, MissingDependencyError
from passband.inr.kernels.hashgrid import HashGridLayout, _tcnn, hashgrid_encode

LAYOUTS = [
    (2, {"per_level_scale": 1.5, "log2_hashmap_size": 15}),
    (3, {"per_level_scale": 2.0}),
    (3, {"finest_resolution": 2048, "log2_hashmap_size": 14}),
    (2, {"n_levels": 1, "base_resolution": 7, "finest_resolution": 7}),
    (4, {"n_levels": 3, "per_level_scale": 1.0, "base_resolution": 1}),
    (2, {"n_levels": 6, "finest_resolution": 100, "grid_type": "dense", "base_resolution": 5}),
    (2, {"n_levels": 6, "finest_resolution": 100, "grid_type": "tiled", "base_resolution": 8}),
    (3, {"n_levels": 5, "per_level_scale": 1.38191288, "interpolation": "smoothstep"}),
]


@pytest.mark.parametrize(("d", "arguments"), LAYOUTS)
def test_configuration_describes_the_layout_bit_for_bit(d: int, arguments: dict) -> None:
    layout = HashGridLayout.build(d, **arguments)
    found = _tcnn.configuration(layout)
    assert found["otype"] == "Grid"
    again = HashGridLayout.build(
        d,
        n_levels=found["n_levels"],
        n_features_per_level=found["n_features_per_level"],
        log2_hashmap_size=max(3, found["log2_hashmap_size"]),
        base_resolution=found["base_resolution"],
        per_level_scale=found["per_level_scale"],
        grid_type=found["type"].lower(),
        interpolation=found["interpolation"].lower(),
    )
    assert again == layout


def test_growth_of_a_published_configuration_comes_back() -> None:
    layout = HashGridLayout.build(3, per_level_scale=math.exp2(0.5), base_resolution=16)
    found = _tcnn.configuration(layout)["per_level_scale"]
    assert found == pytest.approx(math.sqrt(2), rel=1e-6)


def test_parameters_are_the_rows_of_the_table_in_order_and_come_back() -> None:
    layout = HashGridLayout.build(2, n_levels=3, per_level_scale=1.5, log2_hashmap_size=8)
    table = torch.rand(layout.total_entries, 2, dtype=torch.float16, requires_grad=True)
    parameters = _tcnn.parameters_from_table(table)
    assert parameters.dtype == torch.float32
    start = 2 * layout.levels[1].offset
    assert parameters[start + 3] == table[layout.levels[1].offset + 1, 1]
    assert torch.equal(_tcnn.table_from_parameters(parameters, layout).half(), table)
    parameters.sum().backward()
    assert torch.equal(table.grad, torch.ones_like(table))


def test_without_tinycudann_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tcnn, "find_spec", lambda name: None)
    layout = HashGridLayout.build(2, n_levels=2, per_level_scale=1.5)
    table = torch.zeros(layout.total_entries, 2)
    with pytest.raises(MissingDependencyError, match=r"pip install git\+https://.*tiny-cuda-nn"):
        _tcnn.encode(torch.zeros(4, 2), table, layout)


def test_it_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from passband.inr.kernels import hashgrid

    monkeypatch.setattr(hashgrid, "find_spec", lambda name: None)
    layout = HashGridLayout.build(2, n_levels=2, per_level_scale=1.5)
    table = torch.zeros(layout.total_entries, 2)
    with pytest.raises(MissingDependencyError, match="pip install"):
        hashgrid_encode(torch.zeros(4, 2), table, layout, backend="tcnn")


def test_it_needs_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tcnn, "find_spec", lambda name: object())
    layout = HashGridLayout.build(2, n_levels=2, per_level_scale=1.5)
    table = torch.zeros(layout.total_entries, 2)
    with pytest.raises(InputError, match=r"needs tensors on one CUDA GPU; `x01` is on cpu"):
        _tcnn.encode(torch.zeros(4, 2), table, layout)


@pytest.mark.parametrize(("d", "features"), [(1, 2), (5, 2), (3, 3)])
def test_grids_it_has_no_kernel_for(d: int, features: int) -> None:
    layout = HashGridLayout.build(
        d, n_levels=2, n_features_per_level=features, per_level_scale=1.5, log2_hashmap_size=8
    )
    with pytest.raises(InputError, match="1, 2, 4 or 8 features per level in 2 to 4 dimensions"):
        _tcnn.configuration(layout)


def test_levels_that_do_not_grow_by_a_factor() -> None:
    even = HashGridLayout.build(2, n_levels=3, per_level_scale=1.5)
    other = HashGridLayout(2, 2, (*even.levels[:1], even.levels[0], even.levels[2]))
    with pytest.raises(InputError, match="no growth from level to level"):
        _tcnn.configuration(other)


class _Encoding(torch.nn.Module):
    """Stands for the binding's: one parameter vector, one row per point."""

    def __init__(self, d: int, configuration: dict) -> None:
        super().__init__()
        self.params = torch.nn.Parameter(torch.zeros(configuration["size"]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.params.reshape(x.shape[1], -1)


def test_a_grid_laid_out_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tinycudann", types.SimpleNamespace(Encoding=_Encoding))
    monkeypatch.setattr(_tcnn, "configuration", lambda layout: {"size": 6})
    monkeypatch.setattr(torch.cuda, "device", lambda device: torch.device("cpu"))
    layout = HashGridLayout.build(2, n_levels=2, per_level_scale=1.5, log2_hashmap_size=6)
    with pytest.raises(InputError, match="lays this grid out in 6 parameters"):
        _tcnn._module.__wrapped__(layout, torch.device("cpu"))
