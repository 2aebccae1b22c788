"""Jacobian and second derivatives of the compiled hash grid, against the reference."""

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.inr.encodings import HashGrid
from passband.inr.kernels.hashgrid import (
    HashGridLayout,
    _cpu,
    _implementation,
    hashgrid_encode,
    hashgrid_encode_with_jacobian,
)

KINDS = [(1, 2), (2, 2), (2, 1), (3, 2), (3, 3), (3, 4), (4, 2), (5, 1)]  # axes, features


def grid(d: int, features: int = 2, interpolation: str = "linear", levels: int = 4):
    # Scales are whole numbers: a position of few bits is the same in float32 and float64.
    return HashGridLayout.build(
        d,
        n_levels=levels,
        n_features_per_level=features,
        log2_hashmap_size=8,
        base_resolution=4,
        per_level_scale=2.0,
        interpolation=interpolation,
    )


def inputs(layout: HashGridLayout, count: int) -> list[Tensor]:
    """Points of ten bits, a table, a gradient of features, of points and of the table."""
    generator = torch.Generator().manual_seed(count)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    x01 = torch.randint(1024, (count, layout.in_features), generator=generator) / 1024
    rows = (layout.total_entries, layout.n_features_per_level)
    return [x01, normal(*rows), normal(count, layout.out_features), normal(*x01.shape),
            normal(*rows)]  # fmt: skip


def relative(ours: Tensor, theirs: Tensor) -> float:
    return ((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-9)).item()


def second(layout: HashGridLayout, given: list[Tensor], backend: str, which: str) -> list[Tensor]:
    """Gradients of ``sum(v x_grad) + sum(V table_grad)`` by features' gradient, points, table."""
    x01, table, grad, direction, added = given
    x01, table, grad = (tensor.detach().requires_grad_() for tensor in (x01, table, grad))
    encoded = hashgrid_encode(x01, table, layout, backend=backend)
    firsts = torch.autograd.grad(encoded, (x01, table), grad, create_graph=True)
    total = firsts[0].new_zeros(())
    if "x" in which:
        total = total + (firsts[0] * direction).sum()
    if "t" in which:
        total = total + (firsts[1] * added).sum()
    found = torch.autograd.grad(total, (grad, x01, table), allow_unused=True)
    return [
        torch.zeros_like(tensor) if tensor_grad is None else tensor_grad
        for tensor_grad, tensor in zip(found, (grad, x01, table), strict=True)
    ]


@pytest.mark.parametrize("which", ["x", "t", "xt"])
@pytest.mark.parametrize("interpolation", ["linear", "smoothstep", "nearest"])
@pytest.mark.parametrize(("d", "features"), KINDS)
def test_gradients_of_gradients_match_the_reference_in_float64(
    d: int, features: int, interpolation: str, which: str
) -> None:
    layout = grid(d, features, interpolation)
    given = inputs(layout, 300)
    found = second(layout, given, "cpu", which)
    wanted = second(layout, [tensor.double() for tensor in given], "reference", which)
    for ours, theirs in zip(found, wanted, strict=True):
        assert relative(ours, theirs) < 5e-6


def test_gradients_of_gradients_are_those_of_differences() -> None:
    layout = grid(3, interpolation="smoothstep", levels=2)
    x01, table, grad, direction, _ = inputs(layout, 40)
    x01 = 0.1 + 0.8 * x01

    def slope(points: Tensor) -> Tensor:
        points = points.detach().requires_grad_()
        encoded = hashgrid_encode(points, table, layout, backend="cpu")
        (found,) = torch.autograd.grad(encoded, points, grad)
        return (found * direction).sum(dim=-1)

    found = second(layout, [x01, table, grad, direction, table], "cpu", "x")[1]
    for axis in range(3):
        step = torch.zeros(3)
        step[axis] = 1e-3
        difference = (slope(x01 + step) - slope(x01 - step)) / 2e-3
        # Curvature is bounded by scale^2; third derivatives of a point in a cell jump at its end.
        close = (found[:, axis] - difference).abs() < 0.02 * found.abs().max()
        assert close.float().mean() > 0.9


@pytest.mark.parametrize("interpolation", ["linear", "smoothstep", "nearest"])
@pytest.mark.parametrize(("d", "features"), KINDS)
def test_jacobian_and_its_gradients_match_the_reference(
    d: int, features: int, interpolation: str
) -> None:
    layout = grid(d, features, interpolation)
    given = inputs(layout, 1500)
    slopes = torch.randn(1500, layout.out_features, d, generator=torch.Generator().manual_seed(3))
    found = []
    for backend in ("cpu", "reference"):
        kept = given[:3] if backend == "cpu" else [tensor.double() for tensor in given[:3]]
        x01, table = (tensor.detach().requires_grad_() for tensor in kept[:2])
        outputs = hashgrid_encode_with_jacobian(x01, table, layout, backend=backend)
        grads = (kept[2], slopes.to(x01.dtype))
        both = torch.autograd.grad(outputs, (x01, table), grads, retain_graph=True)
        values = torch.autograd.grad(outputs[0], (x01, table), grads[0], retain_graph=True)
        normals = torch.autograd.grad(outputs[1], (x01, table), grads[1])
        found.append((*outputs, *both, *values, *normals))
    for ours, theirs in zip(*found, strict=True):
        assert relative(ours, theirs) < 1e-5


def test_jacobian_over_several_chunks_and_in_batches() -> None:
    layout = grid(3, levels=2)
    x01, table, *_ = inputs(layout, 17_000)
    table.requires_grad_()
    encoded, jacobian = hashgrid_encode_with_jacobian(x01, table, layout, backend="cpu")
    (found,) = torch.autograd.grad((encoded.sum(), jacobian.sum()), table)
    encoded, jacobian = hashgrid_encode_with_jacobian(
        x01.reshape(4, 4250, 3), table, layout, backend="reference"
    )
    assert jacobian.shape == (4, 4250, layout.out_features, 3)
    (wanted,) = torch.autograd.grad((encoded.sum(), jacobian.sum()), table)
    assert relative(found, wanted) < 1e-4


def test_only_the_gradients_asked_for_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = grid(2)
    x01, table, grad, direction, _ = inputs(layout, 50)
    x01.requires_grad_()
    monkeypatch.setattr(_cpu.passes, "table_gradient", None)
    monkeypatch.setattr(_cpu.passes, "second_table_gradient", None)
    encoded = hashgrid_encode(x01, table, layout, backend="cpu")
    (slope,) = torch.autograd.grad(encoded, x01, grad, create_graph=True)
    (found,) = torch.autograd.grad((slope * direction).sum(), x01)
    assert relative(found, second(layout, [x01, table, grad, direction, table],
                                  "reference", "x")[1]) < 1e-5  # fmt: skip


@pytest.mark.parametrize("with_jacobian", [False, True])
def test_third_derivatives_are_those_of_the_reference(with_jacobian: bool) -> None:
    layout = grid(2, interpolation="smoothstep")
    given = inputs(layout, 30)
    found = []
    for backend in ("cpu", "reference"):
        x01, table = (tensor.detach().requires_grad_() for tensor in given[:2])
        if with_jacobian:
            jacobian = hashgrid_encode_with_jacobian(x01, table, layout, backend=backend)[1]
            slope = jacobian.sum(dim=1)
        else:
            encoded = hashgrid_encode(x01, table, layout, backend=backend)
            (slope,) = torch.autograd.grad(encoded.sum(), x01, create_graph=True)
        (bend,) = torch.autograd.grad(slope.square().sum(), x01, create_graph=True)
        found.append(torch.autograd.grad(bend.square().sum(), (x01, table)))
    for ours, theirs in zip(*found, strict=True):
        assert relative(ours, theirs) < 1e-4


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_bitwise_the_same_with_any_number_of_threads(threads: int) -> None:
    layout = grid(3)
    given = inputs(layout, 20_000)
    x01, table = (tensor.requires_grad_() for tensor in given[:2])

    def once() -> list[Tensor]:
        outputs = hashgrid_encode_with_jacobian(x01, table, layout, backend="cpu")
        total = outputs[0].sum() + outputs[1].square().sum()
        return [*outputs, *torch.autograd.grad(total, (x01, table)),
                *second(layout, given, "cpu", "xt")]  # fmt: skip

    before = torch.get_num_threads()
    first = once()
    try:
        torch.set_num_threads(threads)
        again = once()
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_jacobian_of_no_points(backend: str) -> None:
    layout = grid(3)
    encoded, jacobian = hashgrid_encode_with_jacobian(
        torch.zeros(0, 2, 3), inputs(layout, 1)[1], layout, backend=backend
    )
    assert encoded.shape == (0, 2, layout.out_features)
    assert jacobian.shape == (0, 2, layout.out_features, 3)


def test_a_backend_without_a_jacobian(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = grid(2)
    x01, table, *_ = inputs(layout, 3)
    monkeypatch.delattr(_cpu, "encode_with_jacobian")
    assert _implementation("cpu", x01) is _cpu
    with pytest.raises(InputError, match=r"`backend` \(='cpu'\) has no Jacobian"):
        hashgrid_encode_with_jacobian(x01, table, layout, backend="cpu")


def sphere_loss(field: torch.nn.Module, encoding: HashGrid, x: Tensor, analytic: bool) -> Tensor:
    """Signed distance of a sphere of radius 0.5, and slopes of length one."""
    if analytic:
        features, jacobian = encoding.with_jacobian(x)
        hidden = field[0](features)
        distance = field[2](field[1](hidden))
        inner = field[2].weight * (1 - torch.tanh(hidden).square())
        slope = torch.einsum("nc,ncd->nd", inner @ field[0].weight, jacobian)
    else:
        x = x.detach().requires_grad_()
        distance = field(encoding(x))
        (slope,) = torch.autograd.grad(distance.sum(), x, create_graph=True)
    wanted = x.detach().norm(dim=-1, keepdim=True) - 0.5
    eikonal = (slope.norm(dim=-1) - 1).square().mean()
    return (distance - wanted).abs().mean() + 0.1 * eikonal


def sphere_field(backend: str) -> tuple[torch.nn.Module, HashGrid]:
    generator = torch.Generator().manual_seed(0)
    encoding = HashGrid(
        3, n_levels=6, log2_hashmap_size=10, base_resolution=4, finest_resolution=32,
        init_scale=0.1, backend=backend, generator=generator,
    )  # fmt: skip
    field = torch.nn.Sequential(torch.nn.Linear(12, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.uniform_(-0.3, 0.3, generator=generator)
    return field, encoding


def test_eikonal_losses_have_the_gradients_of_the_reference() -> None:
    x = 2 * torch.rand(400, 3, generator=torch.Generator().manual_seed(1)) - 1
    found = []
    for backend, analytic in (("reference", False), ("cpu", False), ("cpu", True)):
        field, encoding = sphere_field(backend)
        loss = sphere_loss(field, encoding, x, analytic)
        parameters = [encoding.table, *field.parameters()]
        found.append((loss, *torch.autograd.grad(loss, parameters)))
    for other in found[1:]:
        for ours, theirs in zip(other, found[0], strict=True):
            assert relative(ours, theirs) < 1e-4


@pytest.mark.parametrize("analytic", [False, True])
def test_a_sphere_is_learned_with_analytic_normals(analytic: bool) -> None:
    field, encoding = sphere_field("cpu")
    optimizer = torch.optim.Adam([encoding.table, *field.parameters()], lr=1e-2)
    generator = torch.Generator().manual_seed(1)
    losses = []
    for _ in range(40):
        loss = sphere_loss(
            field, encoding, 2 * torch.rand(250, 3, generator=generator) - 1, analytic
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.3 * sum(losses[:5])
