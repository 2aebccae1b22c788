"""Planted frequencies are found, in exactly their group; without them nothing is."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from passband.errors import InputError
from passband.media import write_audio
from passband.signal.tasks import built_with_seed
from passband.signal.tasks.classification import ClassifierRecipe, train_classifier
from passband.signal.tasks.shortcuts import (
    Items,
    ShortcutSettings,
    class_spectra,
    find_shortcuts,
    mel_edges,
    picture_frequencies,
    search_run,
    sound_bands,
)

RATE, SAMPLES = 8000, 1600
ONE = ShortcutSettings(fraction=0.02)  # a single group
BANDS = sound_bands(SAMPLES, RATE, mel_edges(RATE, 32))


class Powers(nn.Module):
    """A small network on the logarithm of power in 40 bands of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(40, 24), nn.ReLU(), nn.Linear(24, 3))

    def forward(self, sounds: Tensor) -> Tensor:
        logits: Tensor = self.layers(self.features(sounds))
        return logits

    def features(self, sounds: Tensor) -> Tensor:
        power = torch.fft.rfft(sounds).abs().square()[:, 1:].reshape(-1, 40, 20).mean(dim=2)
        levels: Tensor = (power + 1e-3).log() / 4
        return levels


def noises(seed: int) -> Items:
    """Three classes of noise, each somewhat louder or softer in every band; no band tells much."""
    generator = torch.Generator().manual_seed(seed)
    spectra = torch.fft.rfft(torch.randn(90, SAMPLES, generator=generator))
    labels = torch.arange(90) % 3
    pattern = torch.randn(3, 32, generator=torch.Generator().manual_seed(99)).sign()
    level = 0.2 * pattern[labels] + 0.4 * torch.randn(90, 32, generator=generator)
    return Items(torch.fft.irfft(spectra * (10**level)[:, BANDS.groups], n=SAMPLES), labels)


def with_tone(items: Items, hertz: float) -> Items:
    t = torch.arange(SAMPLES) / RATE
    tone = 4.0 * (2 * math.pi * hertz * t).sin()
    return Items(items.inputs + tone * (items.labels == 1)[:, None], items.labels)


def train(network: nn.Module, inputs: Tensor, labels: Tensor, steps: int) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs), labels)
        loss.backward()
        optimizer.step()
    network.eval()


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("hertz", [None, 430.0, 2950.0])
def test_a_planted_tone_is_the_shortcut_of_its_class(hertz: float | None, seed: int) -> None:
    learned, test = noises(2 * seed), noises(2 * seed + 1)
    wanted: tuple[int, ...] = ()
    if hertz is not None:
        learned, test = with_tone(learned, hertz), with_tone(test, hertz)
        wanted = (int(BANDS.groups[round(hertz * SAMPLES / RATE)]),)
    network = built_with_seed(Powers, seed).eval()
    train(network.layers, network.features(learned.inputs), learned.labels, steps=150)
    spectra = class_spectra(*learned, BANDS)
    results = find_shortcuts(network, learned, test, BANDS, settings=ONE, spectra=spectra)
    assert [each.found for each in results] == [(), wanted, ()]
    if wanted:
        assert results[1].tests[0].true >= 0.8
        assert results[1].tests[0].false <= 0.2
        assert results[1].chance < 0.4


def textures(seed: int) -> Items:
    """Noise of three colours."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(90) % 3
    noise = torch.randn(90, 1, 16, 16, generator=generator)
    smooth = nn.functional.avg_pool2d(noise, 3, stride=1, padding=1)
    return Items(noise + 0.5 * (labels[:, None, None, None] - 1) * smooth, labels)


def with_grating(items: Items, down: int, across: int) -> Items:
    y, x = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    phase = torch.arange(90.0)[:, None, None, None]
    wave = (2 * math.pi * (down * y + across * x) / 16 + phase).sin()
    return Items(items.inputs + 1.5 * (items.labels == 1)[:, None, None, None] * wave, items.labels)


@pytest.mark.parametrize("grating", [None, (3, 5), (0, 6)])
def test_a_planted_grating_is_the_shortcut_of_its_class(grating: tuple[int, int] | None) -> None:
    frequencies = picture_frequencies(16, 16, patch_size=2)
    learned, test = textures(0), textures(1)
    wanted: tuple[int, ...] = ()
    if grating is not None:
        learned, test = with_grating(learned, *grating), with_grating(test, *grating)
        wanted = (int(frequencies.groups[grating]),)
    layers = (nn.Conv2d(1, 12, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = built_with_seed(lambda: nn.Sequential(*layers, nn.Linear(12, 3)), 0)
    train(network, *learned, steps=100)
    results = find_shortcuts(network, learned, test, frequencies, settings=ONE)
    assert [each.found for each in results] == [(), wanted, ()]


def test_maps_grow_by_half_octaves_and_progress_reaches_every_class() -> None:
    items, bands = noises(0), sound_bands(SAMPLES, RATE, mel_edges(RATE, 32))
    network = built_with_seed(Powers, 0).eval()
    steps: list[tuple[int, int, int]] = []
    results = find_shortcuts(
        network, items, items, bands,
        settings=ShortcutSettings(fraction=0.5), progress=lambda *now: steps.append(now),
    )  # fmt: skip
    assert [test.size for test in results[0].tests] == [1, 2, 3, 4, 6, 8, 11, 16]
    assert len(set(results[0].dominant)) == 16
    assert results[0].losses[results[0].dominant[0]] == results[0].losses.max()
    assert {label for label, *_ in steps} == {0, 1, 2}
    assert steps[-1] == (2, 32 * 30, 32 * 30)


@pytest.mark.parametrize(
    ("settings", "spectra", "message"),
    [
        (ShortcutSettings(fraction=0.6), None, "at most 0.5"),
        (ShortcutSettings(random=1), None, "at least 2, for a deviation"),
        (None, torch.ones(2, SAMPLES // 2 + 1), "as many classes as the items have, 3"),
    ],
)
def test_a_search_that_cannot_be_is_named(
    settings: ShortcutSettings | None, spectra: Tensor | None, message: str
) -> None:
    items, network = noises(0), built_with_seed(Powers, 0).eval()
    with pytest.raises(InputError, match=message):
        find_shortcuts(network, items, items, BANDS, settings=settings, spectra=spectra)
    lacking = Items(items.inputs[::3], items.labels[::3])
    with pytest.raises(InputError, match="class 1 has no items"):
        find_shortcuts(network, items, lacking, BANDS)


@pytest.fixture(scope="module")
def run_and_data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A classifier of three noises, one with a tone, as ``passband train`` leaves it."""
    folder = tmp_path_factory.mktemp("shortcuts")
    items = with_tone(noises(0), 1500.0)
    for k, (sound, label) in enumerate(zip(*items, strict=True)):
        path = folder / "data" / ("dull", "tone", "zither")[int(label)] / f"{k}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_audio(path, 0.5 * (sound / sound.abs().max())[None], RATE)
    recipe = ClassifierRecipe.model_validate(
        {
            "representation": {"transform": "mel", "settings": {"n_fft": 256, "n_mels": 32}},
            "data": {
                "folder": str(folder / "data"), "sample_rate": RATE, "seconds": SAMPLES / RATE,
            },
            "model": {"kind": "square", "channels": [8, 8], "dropout": 0.0},
            "augmentation": {"mixup": 0.0, "frequency_masks": 0, "time_masks": 0},
            "training": {"steps": 60, "lr": 1e-2, "evaluations": 1},
        }
    )  # fmt: skip
    train_classifier(recipe, folder / "run", device="cpu")
    return folder / "run", folder / "data"


def test_the_run_of_a_classifier_is_searched(
    run_and_data: tuple[Path, Path], tmp_path: Path
) -> None:
    run, data = run_and_data
    found = search_run(run, data, tmp_path / "out", bands=32, most=12, device="cpu")
    dull, tone, zither = found["classes"]
    assert tone["shortcut"] == [BANDS.names[int(BANDS.groups[300])]]
    assert dull["shortcut"] == zither["shortcut"] == []
    assert (found["examples"], found["test"], found["unread"]) == (36, 18, [])
    assert json.loads((tmp_path / "out" / "shortcuts.json").read_text()) == found
    page = (tmp_path / "out" / "report.html").read_text()
    assert tone["shortcut"][0] in page
    assert page.count("<img") == 2


def test_sounds_of_other_classes_are_refused(
    run_and_data: tuple[Path, Path], tmp_path: Path
) -> None:
    for name in ("cat", "tone"):
        (tmp_path / name).mkdir()
        for k in range(5):
            write_audio(tmp_path / name / f"{k}.wav", torch.randn(1, SAMPLES) / 10, RATE)
    with pytest.raises(InputError, match=r"was not trained for: cat\. Pass clips of dull, tone"):
        search_run(run_and_data[0], tmp_path, tmp_path / "out", device="cpu")
    (tmp_path / "cat").rename(tmp_path / "dull")
    for k in range(5):
        (tmp_path / "dull" / f"{k}.wav").write_bytes(b"not a sound")
    with pytest.raises(InputError, match="no clips of class dull to rank on"):
        search_run(run_and_data[0], tmp_path, tmp_path / "out", device="cpu")
