"""A tone planted in one class is found as its shortcut, in exactly its band; without it, none is.

Sounds: three classes of ESC-10 (1 s, 16 kHz), a small CNN on mel levels; folds 1 to 3 are learned
from, 4 and 5 tested on. Pictures: 32 x 32 grey crops of three Kodak photographs, of mean 0 and
deviation 1, a small CNN on pixels; every other crop is learned from, the rest tested on. In all
items of one class stands a sine wave of a known frequency and low level, or none does. The class
is one of the two that the network confuses: what it tells well already, it tells without the wave.

Run over seeds 0, 1 and 2, at once or one by one: python benchmarks/shortcuts.py --seeds 0 1 2
"""

import argparse
import csv
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from record import RESULTS, data_folder, write_result
from torch import Tensor, nn

from passband.media import read_image
from passband.signal.tasks import Recordings, Representation, built_with_seed
from passband.signal.tasks.shortcuts import (
    ClassShortcut,
    Frequencies,
    Items,
    class_spectra,
    find_shortcuts,
    mel_edges,
    picture_frequencies,
    sound_bands,
)
from passband.training import make_generator

CLASSES = ("rain", "sea_waves", "crackling_fire")
RATE, SAMPLES, BANDS = 16000, 16000, 64
TONES = (440.0, 1500.0, 5000.0)  # Hz
TONE_DB = -3.0  # of the tone's power against that of its clip
PICTURES = ("kodim03", "kodim07", "kodim12")
SIDE, PATCH = 32, 2
GRATINGS = ((0.0, 10.0), (5.0, 7.0), (-11.0, 4.0))  # cycles per picture, down and across
GRATING = 0.3  # amplitude, in deviations of a crop's pixels
STEPS = 600
SETTINGS: dict[str, dict[str, Any]] = {
    "sounds": {"tones_hz": TONES, "level_db": TONE_DB, "bands": BANDS, "steps": STEPS},
    "pictures": {
        "gratings": GRATINGS, "amplitude": GRATING, "side": SIDE, "patch": PATCH, "steps": STEPS,
    },
}  # fmt: skip


class SoundCNN(nn.Module):
    """Three convolutions over mel levels, the mean over time, one linear layer."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        settings = {"n_fft": 1024, "hop_length": 512, "n_mels": 64}
        self.levels = Representation("mel", RATE, settings)
        self.layers = layers((8, 16, 16), last=nn.MaxPool2d((2, 1)))
        self.out = nn.Linear(16 * 8, len(CLASSES))
        self.register_buffer("mean", torch.zeros(64, 1))
        self.register_buffer("std", torch.ones(64, 1))

    def standardise_as(self, sounds: Tensor) -> None:
        """Take mean and deviation of every bin."""
        levels = self.levels(sounds)
        self.mean = levels.mean(dim=(0, 2))[:, None]
        self.std = levels.std(dim=(0, 2))[:, None]

    def features(self, sounds: Tensor) -> Tensor:
        """What does not learn."""
        standardised: Tensor = (self.levels(sounds) - self.mean) / self.std
        return standardised[:, None]

    def of_features(self, features: Tensor) -> Tensor:
        """Logits."""
        scores: Tensor = self.out(self.layers(features).mean(dim=-1).flatten(1))
        return scores

    def forward(self, sounds: Tensor) -> Tensor:
        return self.of_features(self.features(sounds))


class PictureCNN(nn.Module):
    """Three convolutions over pixels, the mean of all places, one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = layers((8, 16, 16), last=nn.AdaptiveAvgPool2d(1))
        self.out = nn.Linear(16, len(PICTURES))

    def features(self, pictures: Tensor) -> Tensor:
        """What does not learn."""
        return pictures

    def of_features(self, features: Tensor) -> Tensor:
        """Logits."""
        scores: Tensor = self.out(self.layers(features).flatten(1))
        return scores

    def forward(self, pictures: Tensor) -> Tensor:
        return self.of_features(self.features(pictures))


def layers(channels: tuple[int, int, int], *, last: nn.Module) -> nn.Sequential:
    """Convolutions with ReLU, pooled by 2, 2 and ``last``."""
    parts: list[nn.Module] = []
    pools = (nn.MaxPool2d(2), nn.MaxPool2d(2), last)
    for given, made, pool in zip((1, *channels), channels, pools, strict=False):
        parts += [nn.Conv2d(given, made, 3, padding=1), nn.ReLU(), pool]
    return nn.Sequential(*parts)


NETWORKS: dict[str, Callable[[], SoundCNN | PictureCNN]] = {
    "sounds": SoundCNN,
    "pictures": PictureCNN,
}


@dataclass(frozen=True)
class Split:
    """Items to learn from and to test on."""

    learned: Items
    test: Items

    def changed(self, change: Callable[[Items], Tensor]) -> "Split":
        """With other inputs."""
        return Split(*(Items(change(part), part.labels) for part in (self.learned, self.test)))


def sounds() -> Split:
    """Clips of the three classes, their first second."""
    folder = data_folder() / "audio" / "esc10"
    with (folder / "meta" / "esc10.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["category"] in CLASSES]
    clips = Recordings([folder / row["path"] for row in rows], RATE)
    read = [clips(k) for k in range(len(rows))]
    inputs = torch.stack([clip[:SAMPLES] for clip in read if clip is not None])
    labels = torch.tensor([CLASSES.index(row["category"]) for row in rows])
    held = torch.tensor([int(row["fold"]) >= 4 for row in rows])
    return Split(Items(inputs[~held], labels[~held]), Items(inputs[held], labels[held]))


def pictures() -> Split:
    """Crops of the photographs, 64 pixels apart; every other one is tested on."""
    crops, labels = [], []
    for label, name in enumerate(PICTURES):
        grey = read_image(data_folder() / "images" / "kodak" / f"{name}.png").pixels.mean(dim=0)
        cut = grey.unfold(0, SIDE, 64).unfold(1, SIDE, 64).reshape(-1, 1, SIDE, SIDE)
        # Brightness and contrast would tell some photographs: a shortcut that nobody planted.
        spread, mean = torch.std_mean(cut, dim=(-2, -1), keepdim=True)
        crops.append((cut - mean) / spread.clamp_min(0.01))
        labels += [label] * len(cut)
    inputs, numbers = torch.cat(crops), torch.tensor(labels)
    return Split(Items(inputs[::2], numbers[::2]), Items(inputs[1::2], numbers[1::2]))


def with_tone(items: Items, label: int | None, hertz: float, seed: int) -> Tensor:
    """A sine wave in each clip of the class (of all, without one), its phase by chance."""
    inputs = items.inputs.clone()
    own = items.labels == label if label is not None else items.labels >= 0
    phase = torch.rand(int(own.sum()), 1, generator=make_generator(seed, 1)) * 2 * torch.pi
    time_ = torch.arange(SAMPLES) / RATE
    power = inputs[own].square().mean(dim=1, keepdim=True) * 10 ** (TONE_DB / 10)
    inputs[own] += (2 * power).sqrt() * (2 * torch.pi * hertz * time_ + phase).sin()
    return inputs


def with_grating(items: Items, label: int | None, cycles: tuple[float, float], seed: int) -> Tensor:
    """A sine wave in each picture of the class (of all, without one), its phase by chance."""
    inputs = items.inputs.clone()
    own = items.labels == label if label is not None else items.labels >= 0
    phase = torch.rand(int(own.sum()), 1, 1, 1, generator=make_generator(seed, 2)) * 2 * torch.pi
    step = torch.arange(SIDE) / SIDE
    wave = cycles[0] * step[:, None] + cycles[1] * step
    inputs[own] += GRATING * (2 * torch.pi * wave + phase).sin()
    return inputs


def trained(network: SoundCNN | PictureCNN, items: Items, seed: int) -> SoundCNN | PictureCNN:
    """AdamW, batches of 16 drawn by ``seed``."""
    if isinstance(network, SoundCNN):
        network.standardise_as(items.inputs)
    with torch.no_grad():
        features = torch.cat([network.features(part) for part in items.inputs.split(32)])
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=0.01)
    for step in range(STEPS):
        drawn = torch.randint(len(features), (16,), generator=make_generator(seed, 3, step))
        scores = network.of_features(features[drawn])
        loss = nn.functional.cross_entropy(scores, items.labels[drawn])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def summary(found: ClassShortcut, bands: Frequencies) -> dict[str, Any]:
    """One class's result, for the file."""
    shown = next((test for test in found.tests if test.size == len(found.found)), found.tests[0])
    return {
        "class": found.label,
        "found": [bands.names[group] for group in found.found],
        "dominant": bands.names[found.dominant[0]],
        "tpr_unfiltered": found.true,
        "fpr_unfiltered": found.false,
        **shown._asdict(),
        "chance": found.chance,
        "deviation": found.deviation,
    }


@dataclass(frozen=True)
class Planted:
    """What stands in all items of a class, and the group that holds it."""

    label: int
    group: int
    add: Callable[[Items, int | None], Tensor]

    def in_its_class(self, items: Items) -> Tensor:
        """The inputs with it."""
        return self.add(items, self.label)

    def truth(self, network: nn.Module, clean: Items) -> dict[str, float]:
        """Whether the network goes by it, told by planting alone: shares of the test items taken
        for the class, its own without the wave and the others with it."""
        own = clean.labels == self.label
        with torch.no_grad():
            bare = network(clean.inputs).argmax(dim=1) == self.label
            everywhere = network(self.add(clean, None)).argmax(dim=1) == self.label
        return {
            "own_told_without_wave": bare[own].double().mean().item(),
            "others_fooled_by_wave": everywhere[~own].double().mean().item(),
        }


def one_run(
    kind: str, clean: Split, bands: Frequencies, planted: Planted | None, seed: int
) -> dict[str, Any]:
    """Train on planted items, test for shortcuts; right if they are exactly what was planted."""
    split, wanted = clean, {}
    if planted is not None:
        split = clean.changed(planted.in_its_class)
        wanted = {planted.label: (planted.group,)}
    began = time.perf_counter()
    network = trained(built_with_seed(NETWORKS[kind], seed), split.learned, seed)
    trained_at = time.perf_counter()
    spectra = class_spectra(*split.learned, bands)
    ranked_on = Items(*(part[::2] for part in split.learned))
    results = find_shortcuts(network, ranked_on, split.test, bands, spectra=spectra)
    searched_at = time.perf_counter()
    with torch.no_grad():
        right = network(split.test.inputs).argmax(dim=1) == split.test.labels
    flagged = {each.label: each.found for each in results if each.found}
    return {
        "kind": kind,
        "seed": seed,
        "planted": planted and bands.names[planted.group],
        "planted_class": planted and planted.label,
        **(planted.truth(network, clean.test) if planted else {}),
        "accuracy": right.double().mean().item(),
        "exact": flagged == wanted,
        "flagged_wrongly": sum(found != wanted.get(k) for k, found in flagged.items()),
        "classes": [summary(each, bands) for each in results],
        "train_seconds": round(trained_at - began, 1),
        "test_seconds": round(searched_at - trained_at, 1),
    }


def runs(kind: str, seeds: list[int]) -> list[dict[str, Any]]:
    """With every planted frequency and without, for every seed; the class goes round."""
    if kind == "sounds":
        split, bands = sounds(), sound_bands(SAMPLES, RATE, mel_edges(RATE, BANDS))
    else:
        split, bands = pictures(), picture_frequencies(SIDE, SIDE, patch_size=PATCH)
    done = []
    for seed in seeds:
        plans: list[Planted | None] = [None]
        for k in range(3):
            label = (seed + k) % 2
            if kind == "sounds":
                group = int(bands.groups[round(TONES[k] * SAMPLES / RATE)])
                plans.append(Planted(label, group, partial(with_tone, hertz=TONES[k], seed=seed)))
            else:
                u, v = GRATINGS[k]
                add = partial(with_grating, cycles=(u, v), seed=seed)
                plans.append(Planted(label, int(bands.groups[round(u), round(v)]), add))
        for planted in plans:
            done.append(one_run(kind, split, bands, planted, seed))
            show(done[-1])
    return done


def show(run: dict[str, Any]) -> None:
    """One line."""
    found = {each["class"]: each["found"] for each in run["classes"] if each["found"]}
    planted = run["planted"] and f"{run['planted']} in {run['planted_class']}"
    print(
        f"{run['kind']:9}seed {run['seed']}  planted {planted!s:20} found {found!s:36}"
        f"accuracy {run['accuracy']:.2f}  fools {run.get('others_fooled_by_wave', 0):.2f}  "
        f"{'exact' if run['exact'] else 'WRONG'}  "
        f"{run['train_seconds']} + {run['test_seconds']} s",
        flush=True,
    )


def measured() -> dict[str, Any]:
    """What the committed file holds, by kind."""
    path = RESULTS / "shortcuts.json"
    held = json.loads(path.read_text()) if path.exists() else {}
    return {kind: held[kind] for kind in SETTINGS if kind in held}


def kept(kind: str, seeds: list[int]) -> list[dict[str, Any]]:
    """Runs of other seeds that the committed file holds, if its settings are these."""
    held = measured().get(kind)
    if held is None or held["settings"] != json.loads(json.dumps(SETTINGS[kind])):
        return []
    return [run for run in held["runs"] if run["seed"] not in seeds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--kinds", nargs="+", default=["sounds", "pictures"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    for kind in given.kinds:
        done = runs(kind, given.seeds)
        done = sorted(kept(kind, given.seeds) + done, key=lambda run: int(run["seed"]))
        planted = [run for run in done if run["planted"]]
        clean = [run for run in done if not run["planted"]]
        counts = {
            "planted": len(planted),
            "found_exactly": sum(run["exact"] for run in planted),
            "clean": len(clean),
            "clean_without_alarm": sum(run["exact"] for run in clean),
            "wrong_flags": sum(run["flagged_wrongly"] for run in done),
        }
        print(kind, counts)
        found = {"settings": SETTINGS[kind], **counts, "runs": done}
        write_result("shortcuts", measured() | {kind: found})


if __name__ == "__main__":
    main()
