"""The fused network: its Triton kernels, interpreted and compiled, and what runs off CUDA.

Run as a script it computes what the tests compare: see ``triton_offline.py``.
"""

import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from passband.errors import InputError, MissingDependencyError
from passband.inr.kernels import mlp
from passband.inr.kernels.mlp import _reference, check_choices, fused_mlp
from passband.inr.networks import FusedMLP, ReluMLP

# Points, inputs, width, hidden layers, outputs, activation: one point, no multiple of anything,
# several chunks of inputs and outputs, no activation, two programs of every width's block and more.
CASES: dict[str, tuple[int, int, int, int, int, str]] = {
    "one point": (1, 3, 16, 1, 1, "relu"),
    "odd sizes": (70, 37, 32, 2, 3, "relu"),
    "chunks": (130, 70, 64, 3, 66, "relu"),
    "wide": (65, 20, 128, 2, 4, "relu"),
    "linear": (300, 16, 16, 2, 2, "none"),
}
# One rounding of a factor, and sums of up to 128 of them whose errors cancel in part.
LIMITS = {torch.float16: 1e-3, torch.bfloat16: 8e-3}
RUNS = [
    *[(case, torch.float16) for case in CASES],
    ("odd sizes", torch.bfloat16),
    ("wide", torch.bfloat16),
]


def inputs(case: str) -> tuple[torch.Tensor, list[torch.Tensor]]:
    points, features, width, layers, out, _ = CASES[case]
    generator = torch.Generator().manual_seed(points)
    x = 2 * torch.rand(points, features, generator=generator) - 1
    widths = [features, *[width] * layers, out]
    weights = [
        (6 / a) ** 0.5 * (2 * torch.rand(b, a, generator=generator) - 1)
        for a, b in pairwise(widths)
    ]
    return x.requires_grad_(), [weight.requires_grad_() for weight in weights]


def upstream(values: torch.Tensor) -> torch.Tensor:
    """Gradients as small as those of a mean over many points: zero in float16 as they stand."""
    return 1e-9 * torch.randn(values.shape, generator=torch.Generator().manual_seed(1))


def compute(function: Any, case: str, precision: torch.dtype) -> list[torch.Tensor]:
    """Values and all gradients."""
    x, weights = inputs(case)
    values = function(x, weights, CASES[case][-1], precision)
    return [values.detach(), *torch.autograd.grad(values, (x, *weights), upstream(values))]


def second(function: Any) -> tuple[torch.Tensor, ...]:
    """Gradients of an eikonal loss in inputs and weights."""
    x, weights = inputs("odd sizes")
    values = function(x, weights, "relu", torch.float16)
    (slope,) = torch.autograd.grad(values.square().sum(), x, create_graph=True)
    return torch.autograd.grad((slope.norm(dim=-1) - 1).square().sum(), (x, *weights))


def only_some(function: Any) -> tuple[torch.Tensor, ...]:
    """One weight trained, then the inputs alone; half precision inputs."""
    x, weights = inputs("odd sizes")
    x = x.detach().half()
    weights = [weight.detach() for weight in weights]
    weights[1].requires_grad_()
    values = function(x, weights, "relu", torch.float16)
    (found,) = torch.autograd.grad(values.float().square().sum(), weights[1])
    weights[1].requires_grad_(False)
    values = function(x.requires_grad_(), weights, "relu", torch.float16)
    (slope,) = torch.autograd.grad(values.float().square().sum(), x)
    with torch.no_grad():
        values = function(x, weights, "relu", torch.float16)
    return found, slope, values


def main(mode: str, out: str) -> None:
    from triton_offline import compile_instead_of_launch, compute_bfloat16_right

    from passband.inr.kernels.mlp import _cuda, _triton_backward, _triton_forward

    found: dict[str, Any] = {}
    if mode == "interpret":
        compute_bfloat16_right()
        for case, precision in RUNS:
            found[f"{case} {precision}"] = compute(_cuda.linear_output, case, precision)
        found["second"] = second(_cuda.linear_output)
        found["some"] = only_some(_cuda.linear_output)
        x, weights = inputs("odd sizes")
        weights[0].detach()[0, 0] = torch.nan
        found["nan"] = _cuda.linear_output(x, weights, "relu", torch.float16).detach()
    else:
        kernels = {
            _triton_forward: ["_forward"],
            _triton_backward: ["_point_gradients", "_weight_gradient"],
        }
        found = compile_instead_of_launch(kernels, capability=90)
        compute(_cuda.linear_output, "one point", torch.bfloat16)
        compute(_cuda.linear_output, "odd sizes", torch.float16)
    torch.save(found, out)


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory, offline: ModuleType) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("interpreted")
    found: dict[str, Any] = offline.run_script(__file__, "interpret", folder / "found.pt")
    return found


def relative(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    assert ours.shape == theirs.shape
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


@pytest.mark.parametrize(("case", "precision"), RUNS)
def test_kernels_match_plain_torch_in_the_same_precision(
    interpreted: dict, case: str, precision: torch.dtype
) -> None:
    found = interpreted[f"{case} {precision}"]
    wanted = compute(_reference.rounded_linear_output, case, precision)
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.dtype == torch.float32
        assert relative(ours, theirs) < LIMITS[precision]


def test_plain_torch_in_the_same_precision_is_near_the_exact_values() -> None:
    for case, precision in RUNS:
        rounded = compute(_reference.rounded_linear_output, case, precision)
        x, weights = inputs(case)
        layer, *rest = (weight.double() for weight in weights)
        exact = x.double() @ layer.T
        for weight in rest:
            exact = (exact.relu() if CASES[case][-1] == "relu" else exact) @ weight.T
        # A rounding error per layer.
        assert relative(rounded[0].double(), exact) < 3 * LIMITS[precision]
        assert relative(rounded[0].double(), exact) > 1e-6


def test_second_derivatives(interpreted: dict) -> None:
    for ours, theirs in zip(
        interpreted["second"], second(_reference.rounded_linear_output), strict=True
    ):
        assert theirs.abs().max() > 0
        assert relative(ours, theirs) < LIMITS[torch.float16]


def test_only_the_gradients_asked_for(interpreted: dict) -> None:
    wanted = only_some(_reference.rounded_linear_output)
    for ours, theirs in zip(interpreted["some"], wanted, strict=True):
        assert relative(ours.float(), theirs.float()) < 2 * LIMITS[torch.float16]
    assert interpreted["some"][1].dtype == interpreted["some"][2].dtype == torch.float16


def test_a_weight_that_is_no_number_shows(interpreted: dict) -> None:
    assert interpreted["nan"].isnan().all()


def test_kernels_compile_for_a_gpu_without_one(tmp_path: Path, offline: ModuleType) -> None:
    found = offline.run_script(__file__, "compile", tmp_path / "found.pt")
    names = {name.split()[0] for name in found}
    assert names == {"_forward", "_point_gradients", "_weight_gradient"}
    assert all(shared <= 64 * 1024 for shared in found.values())


@pytest.mark.parametrize("output", ["none", "relu", "sigmoid"])
def test_off_cuda_it_is_the_formula_in_the_dtype_of_its_input(output: str) -> None:
    x, weights = inputs("odd sizes")
    x = x.detach().double().reshape(7, 10, -1)
    finish = {"none": lambda z: z, "relu": torch.relu, "sigmoid": torch.sigmoid}[output]
    w0, w1, w2 = (weight.double() for weight in weights)
    expected = finish(((x @ w0.T).relu() @ w1.T).relu() @ w2.T)
    found = fused_mlp(x, weights, output_activation=output)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, expected)
    assert fused_mlp(x[:0], weights).shape == (0, 10, 3)


def test_derivatives_off_cuda() -> None:
    network = FusedMLP(3, 2, hidden_features=16, activation="none", output_activation="sigmoid")
    x = torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, x)
    assert torch.autograd.gradgradcheck(network, x)


def test_module_has_the_weights_of_a_relu_mlp_without_biases() -> None:
    def seeded() -> torch.Generator:
        return torch.Generator().manual_seed(3)

    fused = FusedMLP(5, 3, hidden_features=32, hidden_layers=2, generator=seeded())
    plain = ReluMLP(5, 3, hidden_features=32, hidden_layers=2, bias=False, generator=seeded())
    x = torch.rand(6, 2, 5)
    torch.testing.assert_close(fused(x), plain(x))
    other = FusedMLP(5, 3, hidden_features=32)
    other.load_state_dict(plain.state_dict())
    assert torch.equal(other(x), fused(x))
    assert all(weight.dtype == torch.float32 for weight in fused.parameters())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_features": 48}, r"`hidden_features` \(=48\) must be 16, 32, 64 or 128"),
        ({"hidden_layers": 0}, r"`hidden_layers` \(=0\)"),
    ],
)
def test_sizes_that_cannot_be(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        FusedMLP(3, 2, **arguments)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (("gelu", "none", "float16"), r"`activation` \(='gelu'\) must be one of relu, none"),
        (("relu", "gelu", "float16"), r"`output_activation` \(='gelu'\) must be one of none, relu"),
        (("relu", "none", "float32"), r"`precision` \(='float32'\) must be one of float16, bfl"),
    ],
)
def test_choices_that_there_are_not(choices: tuple[str, str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_choices(*choices)


def test_weights_that_do_not_follow_on_one_another() -> None:
    x, (first, inner, last) = inputs("odd sizes")
    with pytest.raises(InputError, match="at least two"):
        fused_mlp(x, [first])
    with pytest.raises(InputError, match="must follow on one another from 37 features"):
        fused_mlp(x, [first.T, inner, last])
    with pytest.raises(InputError, match="one width"):
        fused_mlp(x, [first, inner[:16], last[:, :16]])
    with pytest.raises(InputError, match=r"hidden width \(=8\) must be 16, 32, 64 or 128"):
        fused_mlp(x, [first[:8], last[:, :8]])


def test_cuda_without_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnCuda(torch.Tensor):
        device = torch.device("cuda")

    x, weights = inputs("odd sizes")
    monkeypatch.setattr(mlp, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install triton"):
        fused_mlp(x.detach().as_subclass(OnCuda), weights)


if __name__ == "__main__":
    main(*sys.argv[1:])
