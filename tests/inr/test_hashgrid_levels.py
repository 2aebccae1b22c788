"""The hash grid as a module: levels that open one after the other, and its Jacobian."""

import math

import pytest
import torch

from passband.errors import InputError
from passband.inr.encodings import HashGrid
from passband.inr.kernels.hashgrid import hashgrid_encode
from passband.inr.kernels.hashgrid._results import new_result


def grid(**changes: object) -> HashGrid:
    arguments = {
        "n_levels": 5,
        "log2_hashmap_size": 8,
        "base_resolution": 4,
        "finest_resolution": 40,
        "init_scale": 1.0,
        "generator": torch.Generator().manual_seed(0),
    }
    return HashGrid(2, **{**arguments, **changes})


X = 2 * torch.rand(50, 2, generator=torch.Generator().manual_seed(1)) - 1


def test_levels_open_from_coarse_to_fine() -> None:
    encoding = grid(coarse_to_fine=0.5)
    whole = encoding(X)  # never told: complete
    levels = whole.reshape(50, 5, 2)
    # Five levels open over half of the run: one per eighth.
    for done, open_levels, last in ((0.0, 1, 0.0), (0.125, 2, 0.0), (0.3125, 3, 0.5)):
        encoding.set_progress(done)
        found = encoding(X).reshape(50, 5, 2)
        assert torch.equal(found[:, :open_levels], levels[:, :open_levels])
        torch.testing.assert_close(found[:, open_levels], last * levels[:, open_levels])
        assert not found[:, open_levels + 1 :].any()
    for done in (0.5, 0.8, 1.0):
        encoding.set_progress(done)
        assert torch.equal(encoding(X), whole)
    encoding.set_progress(0.2)  # what was before leaves no trace
    again = grid(coarse_to_fine=0.5)
    again.set_progress(0.2)
    assert torch.equal(encoding(X), again(X))


def test_a_level_opens_smoothly() -> None:
    encoding = grid(coarse_to_fine=1.0)
    encoding.set_progress(0.25 * 0.25)
    assert encoding.level_weights[1] == pytest.approx((1 - math.cos(math.pi / 4)) / 2)


def test_closed_levels_have_no_gradient() -> None:
    encoding = grid(coarse_to_fine=0.5)
    encoding.set_progress(0.2)
    encoding(X).square().sum().backward()
    opened = encoding.layout.levels[2]
    assert encoding.table.grad[: opened.offset + opened.entries].any()
    assert not encoding.table.grad[opened.offset + opened.entries :].any()


def test_without_coarse_to_fine_progress_changes_nothing() -> None:
    encoding = grid()
    before = encoding(X)
    encoding.set_progress(0.0)
    assert torch.equal(encoding(X), before)


@pytest.mark.parametrize("done", [0.2, 1.0])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_jacobian_is_the_slope_in_the_module_s_coordinates(backend: str, done: float) -> None:
    encoding = grid(coarse_to_fine=0.5, backend=backend, interpolation="smoothstep")
    encoding.set_progress(done)
    x = X.clone().requires_grad_()
    features, jacobian = encoding.with_jacobian(X)
    wanted = encoding(x)
    torch.testing.assert_close(features, wanted)
    for column in range(encoding.out_features):
        (slope,) = torch.autograd.grad(wanted[:, column].sum(), x, retain_graph=True)
        torch.testing.assert_close(jacobian[:, column], slope, atol=1e-5, rtol=1e-5)


def test_types_of_grid_reach_the_layout() -> None:
    encoding = grid(grid_type="tiled", interpolation="nearest")
    assert encoding.layout.interpolation == "nearest"
    assert [level.entries for level in encoding.layout.levels] == [16] * 5
    expected = hashgrid_encode((X + 1) / 2, encoding.table, encoding.layout, backend="reference")
    torch.testing.assert_close(encoding(X), expected)


@pytest.mark.parametrize("value", [-0.1, 1.5, math.nan])
def test_fraction_of_the_run(value: float) -> None:
    with pytest.raises(InputError, match=r"`coarse_to_fine` \(=.*\) must be a fraction of the run"):
        grid(coarse_to_fine=value)


def test_large_tables_are_asked_about() -> None:
    with pytest.raises(InputError, match=r"allow_large=True` \(--force on the command line\)"):
        grid(log2_hashmap_size=26, finest_resolution=2**14)


def test_memory_of_a_result_is_used_again_only_when_nobody_holds_it() -> None:
    def result() -> torch.Tensor:
        return torch.from_numpy(new_result((513, 1024)))

    first = result()
    second = result()
    assert first.data_ptr() != second.data_ptr()
    part, address = first[3:].view(-1)[5:], first.data_ptr()
    del first
    assert result().data_ptr() not in (address, second.data_ptr())  # a part is still held
    del part
    found = [result(), result()]
    assert address in [tensor.data_ptr() for tensor in found]
    assert second.data_ptr() not in [tensor.data_ptr() for tensor in found]


def test_features_held_by_the_caller_stay_as_they_are() -> None:
    encoding = grid(n_features_per_level=8)
    x = torch.rand(10_000, 2, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        first = encoding(x)
        before = first.clone()
        second = encoding(-x)
    assert torch.equal(first, before)
    assert not torch.equal(first, second)
