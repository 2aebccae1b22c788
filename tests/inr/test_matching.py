import math
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from passband.errors import InputError
from passband.inr import Field, encodings, networks
from passband.inr.families import FAMILIES
from passband.inr.matching import (
    add_winner_noise,
    default_candidates,
    match_fresh,
    match_spectrum,
    measured_builder,
    spectral_centroid,
    winner_scales,
)
from passband.inr.targets import image_target


def fourier_builder(dims: int):
    def build(sigma: float, generator: torch.Generator) -> Field:
        encoding = encodings.RandomFourier(dims, 64, sigma, generator=generator)
        network = networks.ReluMLP(128, 1, hidden_features=64, hidden_layers=2, generator=generator)
        return Field(encoding, network)

    return build


def rendered(field: Field, size: tuple[int, ...]) -> Tensor:
    axes = torch.meshgrid(*[torch.linspace(-1, 1, n) for n in size], indexing="ij")
    with torch.no_grad():
        return field(torch.stack(axes[::-1], dim=-1)).movedim(-1, 0)


@pytest.mark.parametrize(
    ("size", "sigmas"),
    [
        ((8000,), [5.0, 20.0, 80.0, 320.0]),
        ((96, 96), [1.0, 3.0, 9.0, 20.0]),
        ((80, 120), [1.0, 3.0, 9.0, 20.0]),
        ((32, 32, 32), [0.5, 1.5, 4.0]),
    ],
)
def test_finds_the_sigma_that_made_the_signal(size: tuple[int, ...], sigmas: list[float]) -> None:
    build = fourier_builder(len(size))
    for number, sigma in enumerate(sigmas):
        signal = rendered(build(sigma, torch.Generator().manual_seed(100 + number)), size)
        match = match_spectrum(signal, build, sigmas, initialisations=4)
        assert match.value == sigma
        distances = [row.distance for row in match.rows]
        assert distances == sorted(distances)


def test_distances_are_scipys_on_the_spectra(monkeypatch: pytest.MonkeyPatch) -> None:
    build = fourier_builder(2)
    signal = rendered(build(4.0, torch.Generator().manual_seed(5)), (64, 64))
    match = match_spectrum(signal, build, [2.0], initialisations=1, bins=20)
    bins = np.arange(20)
    expected = scipy.stats.wasserstein_distance(
        bins, bins, match.signal_spectrum, match.field_spectrum
    )
    assert match.rows[0].distance == pytest.approx(expected, rel=1e-4)
    assert match.rows[0].standard_error == 0.0


def test_initialisations_share_their_random_numbers_between_candidates() -> None:
    seen: list[Tensor] = []

    def build(value: float, generator: torch.Generator):
        seen.append(torch.rand(3, generator=generator))
        return lambda x: torch.sin(value * x[..., :1])

    match_spectrum(torch.rand(1, 32, 32), build, [5.0, 9.0], initialisations=3)
    assert all(torch.equal(a, b) for a, b in zip(seen[:3], seen[3:], strict=True))
    assert not torch.equal(seen[0], seen[1])


def test_standard_error_is_std_over_root_n() -> None:
    build = fourier_builder(2)
    signal = torch.rand(1, 64, 64)
    rows = [
        match_spectrum(signal, build, [4.0], initialisations=1, seed=0).rows[0].distance,
        match_spectrum(signal, build, [4.0], initialisations=2, seed=0).rows[0],
    ]
    second = 2 * rows[1].distance - rows[0]
    assert rows[1].standard_error == pytest.approx(
        np.std([rows[0], second], ddof=1) / math.sqrt(2), rel=1e-3
    )


def test_same_seed_same_table() -> None:
    build = fourier_builder(2)
    signal = torch.rand(3, 40, 50)
    first = match_spectrum(signal, build, [1.0, 8.0], initialisations=2, seed=7)
    again = match_spectrum(signal, build, [1.0, 8.0], initialisations=2, seed=7)
    assert first.rows == again.rows


def diagonal_texture(side: int = 128) -> Tensor:
    """Fine stripes of many widths along one diagonal, over a faint smooth shading."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    generator = torch.Generator().manual_seed(0)
    phases = 2 * torch.pi * torch.rand(30, generator=generator)
    waves = [
        torch.cos(2 * torch.pi * cycles * (x - y) / side + phase)
        for cycles, phase in zip(range(10, 40), phases, strict=True)
    ]
    smooth = torch.cos(2 * torch.pi * 2 * (x + y) / side)
    return (torch.stack(waves).mean(dim=0) + 0.1 * smooth)[None]


def test_the_released_reduction_misses_one_diagonal_and_the_others_do_not() -> None:
    build = fourier_builder(2)
    sigmas = [1.0, 2.0, 4.0, 8.0, 12.0, 16.0]
    chosen = {
        reduction: match_spectrum(
            diagonal_texture(), build, sigmas, reduction=reduction, initialisations=4
        ).value
        for reduction in ("fresh", "l1", "radial")
    }
    faithful = match_fresh(diagonal_texture(), build, sigmas, initialisations=4).value
    assert faithful <= 2.0
    assert chosen["fresh"] <= 2.0
    assert chosen["l1"] >= 8.0
    assert chosen["radial"] >= 8.0


@pytest.mark.parametrize("name", sorted(n for n, family in FAMILIES.items() if family.knob))
def test_every_family_is_matched_to_a_picture_in_seconds(name: str) -> None:
    family = FAMILIES[name]
    signal = image_target("skimage:astronaut").signal[:, ::4, ::4]
    candidates = default_candidates(family.knob, signal.shape[1:])[::2]
    build = measured_builder(family.settings, family.knob, 2, 3)
    match = match_spectrum(signal, build, candidates, initialisations=2, bins=32)
    assert match.value in candidates
    assert len(match.rows) == len(candidates)
    assert match.rows[0].distance < match.rows[-1].distance


@pytest.mark.parametrize(
    ("knob", "size"),
    [
        (knob, size)
        for knob in sorted({family.knob for family in FAMILIES.values() if family.knob})
        for size in [(9,), (30, 40), (8, 8, 8)]
    ],
)
def test_default_candidates_rise(knob: str, size: tuple[int, ...]) -> None:
    candidates = default_candidates(knob, size)
    assert len(candidates) >= 2
    assert candidates == sorted(set(candidates))


def test_sounds_reach_far_higher_omegas_than_pictures() -> None:
    assert max(default_candidates("network.first_omega", (154_000,))) > 1e5
    assert max(default_candidates("network.first_omega", (512, 512))) <= 250


@pytest.mark.parametrize(
    ("signal", "candidates", "message"),
    [
        (torch.zeros(1, 32, 32), [1.0], "does not vary"),
        (torch.rand(1, 32, 32), [], "`candidates` is empty"),
        (torch.rand(1, 2, 2), [1.0], "too small to have a spectrum"),
        (torch.rand(8), [1.0], "must be .channels, .grid."),
    ],
)
def test_signals_without_a_spectrum(signal: Tensor, candidates: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        match_spectrum(signal, fourier_builder(max(signal.ndim - 1, 1)), candidates)


def test_the_released_procedure_refuses_a_constant_picture_too() -> None:
    with pytest.raises(InputError, match="does not vary"):
        match_fresh(torch.zeros(1, 32, 32), fourier_builder(2), [1.0], initialisations=1)


def test_winner_scales_follow_the_published_constants() -> None:
    tone = torch.sin(torch.pi * 0.5 * torch.arange(4096))[None]
    centroid = spectral_centroid(tone)
    assert centroid == pytest.approx(0.5, abs=1e-3)
    scales = winner_scales(tone)
    assert scales.first == pytest.approx(3500 * (1 - math.exp(-7 * centroid)))
    assert scales.second == pytest.approx(3 * centroid)
    picture = tone[:, :1024].reshape(1, 32, 32).expand(3, -1, -1)
    centroid = spectral_centroid(picture) / 3
    assert winner_scales(picture).first == pytest.approx(50 * (1 - math.exp(-5 * centroid)))
    with pytest.raises(InputError, match="sounds and pictures"):
        winner_scales(torch.rand(1, 4, 4, 4))


def test_winner_noise_has_the_stated_spread_and_spares_the_rest() -> None:
    generator = torch.Generator().manual_seed(0)
    network = networks.Siren(1, 1, hidden_features=256, generator=generator)
    before = [layer.weight.detach().clone() for layer in network.layers]
    scales = winner_scales(torch.randn(1, 4096, generator=generator))
    add_winner_noise(network, scales, generator=generator)
    changes = [layer.weight.detach() - w for layer, w in zip(network.layers, before, strict=True)]
    assert float(changes[0].std()) == pytest.approx(scales.first / 30, rel=0.15)
    assert float(changes[1].std()) == pytest.approx(scales.second / 30, rel=0.05)
    assert not any(change.any() for change in changes[2:])


def test_a_real_sound_is_matched_within_its_band(data: Path) -> None:
    from passband.inr.targets import audio_target

    path = data / "audio" / "music" / "sorohanro_-_solo-trumpet-06.ogg"
    signal = audio_target(str(path), duration=2.0).signal
    family = FAMILIES["siren"]
    build = measured_builder(family.settings, family.knob, 1, 1)
    candidates = default_candidates(family.knob, signal.shape[1:])
    match = match_spectrum(signal, build, candidates, initialisations=2, bins=512)
    assert 300 < match.value < 30_000
