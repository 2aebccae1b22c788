"""Diagnosis, against plain loops, closed forms, and what the paper saw."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from passband.errors import InputError, OutputError
from passband.inr import Field, encodings, fit, networks, parse_scene
from passband.inr.diagnosis import (
    GridSamples,
    SignalPairs,
    SignalPoints,
    SignalSamples,
    activation_patterns,
    count_patterns,
    diagnose,
    gradient_cosines,
    hamming_distances,
    kernel_spectrum,
    measure,
    parameter_parts,
    tangent_kernel,
)
from passband.inr.diagnosis import _gradients as gradients
from passband.inr.diagnosis._gradients import plain_copy, sample_gradients, squared_error
from passband.inr.diagnosis._layers import trace_network
from passband.inr.targets import GridTarget, SignalInfo, grid_coordinates
from passband.media import write_image


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*size: int, channels: int = 1, seed: int = 0) -> GridTarget:
    signal = 2 * torch.rand(channels, *size, generator=seeded(seed)) - 1
    kind = "audio" if len(size) == 1 else "image"
    return GridTarget(SignalInfo(kind, "noise", channels, size, 0.5, 0.5, True), signal)


def grid_field(channels: int = 1, **changes: object) -> Field:
    arguments = {"n_levels": 3, "log2_hashmap_size": 6, "base_resolution": 4, "init_scale": 0.5,
                 "finest_resolution": 20, "generator": seeded()}  # fmt: skip
    grid = encodings.HashGrid(2, **{**arguments, **changes})
    return Field(grid, networks.ReluMLP(6, channels, hidden_features=8, generator=seeded(1)))


def plain_field(name: str, channels: int = 1) -> Field:
    small = {"hidden_features": 12, "generator": seeded()}
    return Field(encodings.Identity(2), getattr(networks, name)(2, channels, **small))


FIELDS = ["ReluMLP", "Siren", "Finer", "Gauss", "Wire"]


# Points and pairs


def test_neighbours_are_adjacent_and_carry_their_values() -> None:
    target = noise(11, 17, channels=2)
    samples = GridSamples(target)
    assert isinstance(samples, SignalSamples)
    pairs = samples.local_pairs(20, seeded())
    assert len(pairs.first) == 20 * 36
    steps = torch.tensor([16 / 2, 10 / 2])
    apart = (pairs.points.x[pairs.first] - pairs.points.x[pairs.second]) * steps
    assert float(apart.abs().max()) == pytest.approx(2.0, abs=1e-5)
    assert int((apart.abs().amax(dim=1) < 0.5).sum()) == 0
    at = ((pairs.points.x + 1) * steps).round().long()
    assert torch.equal(pairs.points.y, target.signal[:, at[:, 1], at[:, 0]].T)


def test_opposite_pairs_lie_in_the_corners_of_the_paper() -> None:
    pairs = GridSamples(noise(64, 64)).global_pairs(500, seeded())
    pixels = (pairs.points.x + 1) * 63 / 2
    near, far = pixels[pairs.first], pixels[pairs.second]
    assert 22 < float(near.max()) < 24.5  # [0, 25)
    assert 34.5 < float(far.min()) < 37  # [35, 64)


@pytest.mark.parametrize("size", [(2,), (40,), (2, 2), (1, 9), (3, 5, 4)])
def test_signals_of_any_shape_have_pairs(size: tuple[int, ...]) -> None:
    samples = GridSamples(noise(*size))
    local = samples.local_pairs(3, seeded())
    side = math.prod(min(3, count) for count in size)
    assert len(local.first) == 3 * side * (side - 1) // 2
    assert (local.first != local.second).all()
    assert samples.global_pairs(7, seeded()).points.x.shape == (14, len(size))
    points = samples.points(1000, seeded())
    assert len(points.x) == math.prod(size)
    assert len(torch.unique(points.x, dim=0)) == len(points.x)


def test_pairs_among_the_first_points() -> None:
    pairs = GridSamples(noise(9, 9)).local_pairs(5, seeded()).among(18)
    assert len(pairs.points.x) == 18
    assert len(pairs.first) == 72


# Gradients


def loop_cosine(field: Field, names: list[str], pairs: SignalPairs, index: int) -> float:
    """Two backward passes in float64."""
    wide = plain_copy(field).double()
    chosen = [dict(wide.named_parameters())[name] for name in names]
    rows = []
    for end in (pairs.first[index], pairs.second[index]):
        given = wide(pairs.points.x[end][None].double())[0]
        loss = (given - pairs.points.y[end].double()).square().mean()
        rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, chosen)]).numpy())
    return float(rows[0] @ rows[1] / np.linalg.norm(rows[0]) / np.linalg.norm(rows[1]))


@pytest.mark.parametrize("name", [*FIELDS, "hashgrid"])
def test_cosines_are_those_of_two_backward_passes(name: str) -> None:
    field = grid_field(3) if name == "hashgrid" else plain_field(name, 3)
    pairs = GridSamples(noise(9, 9, channels=3)).local_pairs(2, seeded())
    parts = parameter_parts(plain_copy(field), pairs.points.x[:1])
    assert list(parts) == (["hidden", "encoding"] if name == "hashgrid" else ["hidden"])
    found = gradient_cosines(plain_copy(field), parts, pairs)
    for part, names in parts.items():
        for index in (0, 20, 71):
            expected = loop_cosine(field, names, pairs, index)
            assert float(found[part][index]) == pytest.approx(expected, abs=2e-4)


def test_the_output_layer_is_left_out() -> None:
    hidden = parameter_parts(plain_field("ReluMLP"), torch.zeros(1, 2))["hidden"]
    assert [name for name in hidden if "weight" in name] == [
        "network.layers.0.weight", "network.layers.1.weight"
    ]  # fmt: skip
    linear = Field(encodings.Identity(2), networks.ReluMLP(2, 1, hidden_layers=0))
    assert len(parameter_parts(linear, torch.zeros(1, 2))["hidden"]) == 2


def test_fields_that_cannot_be_vectorised_are_looped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    one_by_one = gradients._one_by_one
    monkeypatch.setattr(gradients, "_one_by_one", lambda *a: calls.append(1) or one_by_one(*a))
    compiled, plain = grid_field(), plain_copy(grid_field())
    x, y = 2 * torch.rand(5, 2, generator=seeded()) - 1, torch.zeros(5, 1)
    names = ["encoding.table", "network.layers.0.weight"]
    fast = sample_gradients(plain, names, squared_error, x, y)
    assert not calls
    slow = sample_gradients(compiled, names, squared_error, x, y)
    assert calls
    for name in names:
        torch.testing.assert_close(fast[name], slow[name], atol=1e-6, rtol=1e-4)


def test_samples_without_gradient_have_cosine_zero() -> None:
    field = plain_field("ReluMLP")
    x = torch.tensor([[0.1, 0.2], [0.3, -0.4]])
    exact = SignalPoints(x, field(x).detach() + torch.tensor([[0.0], [1.0]]))
    pairs = SignalPairs(exact, torch.tensor([0]), torch.tensor([1]))
    assert float(gradient_cosines(field, parameter_parts(field, x), pairs)["hidden"]) == 0.0


def test_one_chunk_or_many(monkeypatch: pytest.MonkeyPatch) -> None:
    field = plain_field("Siren")
    pairs = GridSamples(noise(9, 9)).global_pairs(50, seeded())
    parts = parameter_parts(field, pairs.points.x[:1])
    whole = gradient_cosines(field, parts, pairs)["hidden"]
    monkeypatch.setattr(gradients, "CHUNK_VALUES", 3000)
    torch.testing.assert_close(gradient_cosines(field, parts, pairs)["hidden"], whole)


# Patterns


def pre_activations(field: Field, x: Tensor) -> list[Tensor]:
    """By hand: the affine values of every hidden layer of a plain stack of them."""
    network, found = field.network, []
    h = x
    for number, layer in enumerate(network.layers[:-1]):
        z = h @ layer.weight.T + layer.bias
        if isinstance(network, networks.Siren):
            z = network.omegas[number] * z
        found.append(z)
        h = torch.sin(z) if isinstance(network, networks.Siren) else torch.relu(z)
    return found


@pytest.mark.parametrize("name", ["ReluMLP", "Siren"])
def test_patterns_are_the_signs_of_the_slopes(name: str) -> None:
    field = plain_field(name)
    x = 2 * torch.rand(200, 2, generator=seeded()) - 1
    z = torch.cat(pre_activations(field, x), dim=1)
    expected = z > 0 if name == "ReluMLP" else torch.cos(z) > 0
    assert float((activation_patterns(field, x).bits != expected).float().mean()) < 1e-3


@pytest.mark.parametrize("name", FIELDS)
def test_patterns_of_every_network(name: str) -> None:
    field = plain_field(name)
    before = [parameter.clone() for parameter in field.parameters()]
    x = 2 * torch.rand(300, 2, generator=seeded()) - 1
    patterns = activation_patterns(field, x)
    assert 0.1 < float(patterns.bits.float().mean()) < 0.9
    assert (patterns.distance is not None) == (name == "ReluMLP")
    assert all(torch.equal(a, b) for a, b in zip(before, field.parameters(), strict=True))
    assert not any(module._forward_hooks for module in field.modules())


def test_slopes_of_gauss_and_of_a_product() -> None:
    class Product(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.out = nn.Linear(1, 3), nn.Linear(1, 3), nn.Linear(3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.a(x) * torch.sin(self.b(x)))

    network, x = Product(), torch.linspace(-1, 1, 9)[:, None]
    trace = trace_network(network, x)
    slopes = {layer.name: layer.slopes for layer in trace.layers}
    torch.testing.assert_close(slopes["a"], torch.sin(network.b(x)).detach())
    torch.testing.assert_close(slopes["b"], (network.a(x) * torch.cos(network.b(x))).detach())
    assert trace.outputs == ["out"]
    gauss = networks.Gauss(1, 1, hidden_features=4, hidden_layers=0, generator=seeded())
    z = gauss.layers[0](x, gain=gauss.scale).detach()
    (layer,) = trace_network(gauss, x).layers
    torch.testing.assert_close(layer.slopes, -2 * z * torch.exp(-(z**2)))


def test_regions_and_boundaries_of_a_line() -> None:
    network = networks.ReluMLP(1, 1, hidden_features=3, hidden_layers=1)
    with torch.no_grad():  # kinks at -0.5, 0 and 0.25
        network.layers[0].weight.copy_(torch.tensor([[2.0], [-3.0], [4.0]]))
        network.layers[0].bias.copy_(torch.tensor([1.0, 0.0, -1.0]))
    field = Field(encodings.Identity(1), network)
    x = torch.linspace(-1, 1, 4097)[:, None] + 1e-5
    patterns = activation_patterns(field, x)
    assert count_patterns(patterns.bits) == 4
    kinks = torch.tensor([[-0.5, 0.0, 0.25]])
    torch.testing.assert_close(patterns.distance, (x - kinks).abs().amin(dim=1), atol=1e-5, rtol=0)
    ends = SignalPoints(torch.tensor([[-0.9], [0.9]]), torch.zeros(2, 1))
    pairs = SignalPairs(ends, torch.tensor([0]), torch.tensor([1]))
    assert hamming_distances(field, pairs).tolist() == [3]


# Tangent kernel


def loop_kernel(field: Field, x: Tensor) -> np.ndarray:
    wide = plain_copy(field).double()
    rows = []
    for point in x.double():
        values = wide(point[None])[0]
        row = [
            torch.cat([g.flatten() for g in torch.autograd.grad(
                value, list(wide.parameters()), retain_graph=True)])
            for value in values
        ]  # fmt: skip
        rows.append(torch.stack(row).numpy())
    return np.einsum("icp,jcp->ij", np.stack(rows), np.stack(rows))


@pytest.mark.parametrize("name", [*FIELDS, "hashgrid"])
def test_the_kernel_is_that_of_a_plain_loop(name: str) -> None:
    field = grid_field(2) if name == "hashgrid" else plain_field(name, 2)
    x = 2 * torch.rand(7, 2, generator=seeded()) - 1
    expected = loop_kernel(field, x)
    found = tangent_kernel(field, x).numpy()
    assert np.abs(found - expected).max() < 1e-10 * np.abs(expected).max()
    assert next(field.parameters()).dtype == torch.float32


def test_the_kernel_of_a_linear_model_is_that_of_its_inputs() -> None:
    linear = networks.ReluMLP(5, 3, hidden_layers=0, bias=False)
    x = 2 * torch.rand(20, 5, generator=seeded()) - 1
    expected = 3 * x.double() @ x.double().T  # once for each output
    torch.testing.assert_close(tangent_kernel(Field(encodings.Identity(5), linear), x), expected)
    target = torch.zeros(20, 1)
    spectrum = kernel_spectrum(expected, target, target)
    assert int((spectrum.eigenvalues > 1e-9).sum()) == 5
    assert 1 < spectrum.effective_rank < 5
    assert spectrum.target is None


def test_frozen_parameters_are_no_part_of_the_kernel() -> None:
    field = plain_field("ReluMLP")
    field.network.layers[0].requires_grad_(False)
    x = torch.rand(4, 2, generator=seeded())
    whole = tangent_kernel(plain_field("ReluMLP"), x)
    assert float((whole - tangent_kernel(field, x)).diagonal().min()) > 0
    assert parameter_parts(field, x)["hidden"][0] == "network.layers.1.weight"


def test_gradient_flow_follows_the_eigenvalues() -> None:
    """A step of size h multiplies the residual along eigenvector i by 1 - 2 h lambda_i / n."""
    field = plain_field("Siren").double()
    x = (2 * torch.rand(6, 2, generator=seeded()) - 1).double()
    y = torch.rand(6, 1, generator=seeded(1)).double()
    values, vectors = torch.linalg.eigh(tangent_kernel(field, x))
    before = vectors.T @ (y - field(x).detach())
    loss = (field(x) - y).square().mean()
    step = 1e-4 / float(values.max())
    for parameter, g in zip(
        field.parameters(),
        torch.autograd.grad(loss, list(field.parameters())),
        strict=True,
    ):
        parameter.data -= step * g
    after = vectors.T @ (y - field(x).detach())
    change = ((before - after) / before)[:, 0]
    torch.testing.assert_close(change, 2 * step * values / 6, rtol=0.02, atol=2e-7)


# All of it


def train(field: Field, target: GridTarget, *, steps: int) -> float:
    x = grid_coordinates(torch.arange(target.info.count), target.info.size)
    y = target.signal.flatten(1).T
    adam = torch.optim.Adam(field.parameters(), lr=1e-3)
    generator = seeded(5)
    for _ in range(steps):
        batch = torch.randperm(len(x), generator=generator)[:256]
        loss = (field(x[batch]) - y[batch]).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return float((field(x) - y).square().mean().detach())


def test_noise_confuses_plain_coordinates_and_encodings_part_it() -> None:
    """Lazzari & Liu's noise study: raw coordinates against the positional encoding of 5 octaves."""
    target, found, losses = noise(32, 32), {}, {}
    for name, encoding in (
        ("raw", encodings.Identity(2)),
        ("encoded", encodings.Positional(2, 5, include_input=False)),
    ):
        network = networks.ReluMLP(
            encoding.out_features, 1, hidden_features=64, hidden_layers=3, generator=seeded(2)
        )
        field = Field(encoding, network)
        losses[name] = train(field, target, steps=500)
        found[name] = measure(field, GridSamples(target), patches=40, pairs=200, count=64)
    raw, encoded = found["raw"], found["encoded"]
    near = {name: d.patterns.hamming["local"].double().mean() for name, d in found.items()}
    assert 3 * near["raw"] < near["encoded"]
    assert raw.patterns.regions < 0.7 * encoded.patterns.regions
    cosines = {name: d.confusion["hidden"].cosines["local"] for name, d in found.items()}
    opposed = {name: float((c < -0.5).double().mean()) for name, c in cosines.items()}
    assert opposed["raw"] > 0.4
    assert opposed["encoded"] < 0.5 * opposed["raw"]
    assert cosines["raw"].min() < cosines["encoded"].min()
    assert 3 * raw.spectrum.effective_rank < encoded.spectrum.effective_rank
    assert losses["encoded"] < 0.5 * losses["raw"]


def test_networks_without_hidden_layers() -> None:
    field = Field(encodings.Identity(2), networks.ReluMLP(2, 1, hidden_layers=0))
    found = measure(field, GridSamples(noise(8, 8)), patches=2, pairs=5, count=9)
    assert (found.patterns.units, found.patterns.regions, found.patterns.distance) == (0, 1, None)


def small_run(folder: Path, **changes: object) -> Path:
    write_image(folder / "a.png", torch.rand(1, 24, 20, generator=seeded()))
    plain = {
        "kind": "image",
        "target": {"path": str(folder / "a.png")},
        "field": {"encoding": {"kind": "positional", "octaves": 3},
                  "network": {"kind": "relu", "hidden_features": 8}},
        "training": {"steps": 20, "batch_size": 128},
        **changes,
    }  # fmt: skip
    fit(parse_scene(plain, source="test"), folder / "run", device="cpu")
    return folder / "run"


def test_a_run_is_diagnosed_and_seeds_repeat(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    first = diagnose(run, samples=20, device="cpu")
    again = diagnose(run, tmp_path / "other", samples=20, device="cpu")
    assert first == again
    assert json.loads((run / "diagnosis.json").read_text()) == first
    page = (run / "diagnosis.html").read_text()
    assert page == (tmp_path / "other" / "diagnosis.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    other = diagnose(run, samples=20, device="cpu", seed=1)
    assert other["gradient_confusion"] != first["gradient_confusion"]
    metrics = json.loads((run / "metrics.json").read_text())
    bands = first["bands"]
    assert bands["steps"] == [entry["step"] for entry in metrics["history"]]
    assert [row[-1] for row in bands["error_db"]] == metrics["history"][-1]["band_error_db"]
    assert len(first["kernel"]["eigenvalues"]) == 20
    assert first["kernel"]["target_energy"][-1] == pytest.approx(1.0)


def test_what_cannot_be_diagnosed_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no run folder\. Pass one"):
        diagnose(tmp_path / "none")
    run = small_run(tmp_path)
    with pytest.raises(InputError, match=r"`samples` \(=1\) must be between 2 and 4096"):
        diagnose(run, samples=1)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        diagnose(run, tmp_path / "file" / "below", device="cpu")
    write_image(tmp_path / "a.png", torch.rand(1, 9, 9))
    with pytest.raises(InputError, match=r"is not what .* was fitted to: it has other sizes"):
        diagnose(run)
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match=r"is needed for its gradients: .*a\.png"):
        diagnose(run)
    (run / "metrics.json").unlink()
    with pytest.raises(InputError, match="its fit has not ended"):
        diagnose(run)
    (run / "field.safetensors").unlink()
    with pytest.raises(InputError, match="its fit has not ended"):
        diagnose(run)
