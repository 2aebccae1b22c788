"""The compiled colour network against torch in float64."""

import pytest
import torch
from torch import Tensor

from passband.recon.surfaces import ColorNetwork

pytest.importorskip("numba")

from passband.recon.surfaces import _cpu_color


def network(degree: int | None, units: int, layers: int = 2) -> ColorNetwork:
    return ColorNetwork(
        15, hidden_features=units, hidden_layers=layers, degree=degree,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip


def results(of: ColorNetwork, count: int, dtype: torch.dtype) -> list[Tensor]:
    """Colours and gradients of inputs and weights, for one draw."""
    draws = torch.Generator().manual_seed(count)
    raw = [torch.randn(count, size, generator=draws) for size in (3, 3, 3, 15, 3)]
    raw[2] = torch.nn.functional.normalize(raw[2], dim=1)
    x, normal, direction, features = (t.to(dtype).requires_grad_() for t in raw[:4])
    color = of(x, normal, direction, features)
    wanted = [x, normal, features, *of.parameters()]
    if of.direction is not None:
        wanted.append(direction)
    return [color.detach(), *torch.autograd.grad((color * raw[4].to(dtype)).sum(), wanted)]


@pytest.mark.parametrize("degree", [None, 3])
@pytest.mark.parametrize(("units", "count"), [(64, 5000), (10, 257), (64, 1)])
def test_values_and_gradients(degree: int | None, units: int, count: int) -> None:
    ours = results(network(degree, units), count, torch.float32)
    theirs = results(network(degree, units).double(), count, torch.float64)
    for a, b in zip(ours, theirs, strict=True):
        scale = float(b.abs().max())
        torch.testing.assert_close(a.double(), b, atol=1e-5 * scale, rtol=0)


def test_it_is_the_compiled_way_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_: object) -> None:
        raise RuntimeError("compiled")

    monkeypatch.setattr(_cpu_color, "rectified_network", called)
    with pytest.raises(RuntimeError, match="compiled"):
        results(network(None, 8), 5, torch.float32)
    results(network(None, 8, layers=3), 5, torch.float32)
    some = network(None, 8)
    assert some(*[torch.zeros(0, n) for n in (3, 3, 3, 15)]).shape == (0, 3)
