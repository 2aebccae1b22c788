"""Surfaces by name: what TOML can ask for."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from passband.errors import InputError
from passband.recon.rendering import Surface
from passband.recon.surfaces import BoundedSurface, GridSurface, SurfaceSettings

SURFACES: TypeAdapter[Any] = TypeAdapter(SurfaceSettings)
SMALL = {"hidden_features": 64, "hidden_layers": 2, "skip": None}
TAPS = {"kind": "taps", "taps": 6, "resolutions": [16, 64], "coarse_to_fine": 0.3}
GRID = {"kind": "hashgrid", "n_levels": 4, "log2_hashmap_size": 8, "finest_resolution": 64}
PLANES = {"kind": "triplane", "n_levels": 2, "finest_resolution": 32}
FAN = {"kind": "fan", "hidden_features": 32, "first_omega": 5.0}
QUANTIZED = {
    "kind": "quantized", "extent": 2.5, "inner": {"kind": "positional", "octaves": 4},
}  # fmt: skip

KINDS = {
    "grid": {"kind": "grid", "encoding": GRID, "color": {"degree": 3}},
    "frequencies": {"kind": "mlp", **SMALL, "encoding": {"kind": "positional", "octaves": 4}},
    "skipped": {
        "kind": "mlp", "hidden_features": 64, "hidden_layers": 4, "skip": 2,
        "encoding": {"kind": "positional", "octaves": 2},
    },
    "quantized": {"kind": "mlp", **SMALL, "encoding": QUANTIZED},
    "planes": {"kind": "mlp", **SMALL, "encoding": PLANES, "footprint": 0.01},
    "grid and taps": {"kind": "mlp", **SMALL, "encoding": GRID, "normals": TAPS},
    "stratified": {
        "kind": "frebis",
        "encoding": {"kind": "frebis", "octaves": 4, "start": "sphere"},
    },
    "learned weights": {
        "kind": "frebis",
        "encoding": {"kind": "frebis_learned", "octaves": 4, "start": "sphere"},
    },
    "progressive": {"kind": "field", "network": {"kind": "progressive", "sigma": 2.0}},
    "fan": {"kind": "field", "network": FAN},
    "bounded": {"kind": "bounded", "inner": {"kind": "grid", "encoding": GRID}, "bound": 1.5},
}  # fmt: skip


def points() -> torch.Tensor:
    x = torch.randn(300, 3, generator=torch.Generator().manual_seed(0))
    return 0.5 * torch.nn.functional.normalize(x, dim=1)


def build(plain: dict[str, Any], seed: int = 0) -> Any:
    return SURFACES.validate_python(plain).build(torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_starts_near_the_sphere_and_learns(name: str) -> None:
    surface = build(KINDS[name])
    assert isinstance(surface, Surface)
    surface.set_progress(0.0)
    found = surface.geometry(points())
    assert found.distance.abs().mean() < 0.1
    assert 0.7 < found.gradient.norm(dim=1).mean() < 1.1
    normal = torch.nn.functional.normalize(found.gradient, dim=1)
    color = surface.color(points(), normal, normal, found.features)
    loss = (found.gradient.norm(dim=1) - 1).square().mean() + color.mean()
    (loss + found.distance.square().mean()).backward()
    gradients = [p.grad for p in surface.parameters() if p.grad is not None]
    assert all(grad.isfinite().all() for grad in gradients)
    surface.set_progress(1.0)
    surface.distance(points())


@pytest.mark.parametrize("name", KINDS)
def test_the_same_seed_gives_the_same_start(name: str) -> None:
    first, again = (build(KINDS[name], seed=5) for _ in range(2))
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_default_grid() -> None:
    surface = build({"kind": "grid"})
    assert isinstance(surface, GridSurface)
    layout = surface.encoding.layout
    assert len(layout.levels) == 16
    assert 384 <= layout.levels[-1].resolution <= 385
    assert max(level.entries for level in layout.levels) == 2**15
    assert isinstance(build(KINDS["bounded"]), BoundedSurface)


def test_settings_survive_a_round_trip() -> None:
    for plain in KINDS.values():
        settings = SURFACES.validate_python(plain)
        assert SURFACES.validate_python(settings.model_dump()) == settings


def test_what_is_left_to_matching_is_asked_for() -> None:
    waiting = {"kind": "mlp", "encoding": {**QUANTIZED, "inner": {"kind": "positional"}}}
    with pytest.raises(InputError, match=r"`surface.encoding.inner.octaves` \(='match'\) must be"):
        build(waiting)
    with pytest.raises(InputError, match=r"encoding.finest_resolution.*match_photographs"):
        build({"kind": "grid", "encoding": {**GRID, "finest_resolution": "match"}})
    with pytest.raises(InputError, match=r"network\.first_omega is still 'match'"):
        build({"kind": "field", "network": {"kind": "fan"}})


def test_parts_that_do_not_go_together() -> None:
    with pytest.raises(InputError, match=r"`footprint` \(=0.01\) needs feature planes"):
        build({"kind": "mlp", **SMALL, "encoding": GRID, "footprint": 0.01})
    with pytest.raises(InputError, match=r"`encoding.start` \(='random'\) must be 'sphere'"):
        build({"kind": "frebis", "encoding": {"kind": "frebis", "octaves": 4}})
    with pytest.raises(ValidationError, match="Input tag 'cube' found"):
        SURFACES.validate_python({"kind": "cube"})
    with pytest.raises(ValidationError, match="less than or equal to 8"):
        SURFACES.validate_python({"kind": "grid", "color": {"degree": 9}})
