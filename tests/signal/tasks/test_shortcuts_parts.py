"""Spectra, filtering, maps and rates against plain loops in float64."""

import cmath
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from passband.errors import InputError
from passband.signal.tasks.shortcuts import (
    Frequencies,
    adcs,
    band_stop_changes,
    class_spectra,
    dominant_frequencies,
    filtered_logits,
    mel_edges,
    picture_frequencies,
    random_masks,
    removal_losses,
    shortcut_rates,
    sound_bands,
    spectrogram_bins,
)

LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0])


def linear_classifier(*shape: int, classes: int = 3) -> nn.Module:
    layer = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), classes))
    return layer.double().eval()


def pictures(count: int = 7) -> Tensor:
    return torch.randn(count, 3, 6, 5, dtype=torch.float64)


def plain_dft2(picture: Tensor) -> np.ndarray:
    """The transform by its definition, at all frequencies."""
    height, width = picture.shape
    found = np.zeros((height, width), dtype=complex)
    for u in range(height):
        for v in range(width):
            for y in range(height):
                for x in range(width):
                    turn = cmath.exp(-2j * math.pi * (u * y / height + v * x / width))
                    found[u, v] += float(picture[y, x]) * turn
    return found


def plain_removed(picture: Tensor, removed: set[tuple[int, int]]) -> Tensor:
    """A picture without some frequencies, back from its whole spectrum."""
    height, width = picture.shape[-2:]
    channels = []
    for channel in picture:
        spectrum = plain_dft2(channel)
        for u, v in removed:
            spectrum[u, v] = 0
            spectrum[-u % height, -v % width] = 0
        back = np.fft.ifft2(spectrum)
        assert np.abs(back.imag).max() < 1e-12  # conjugates went together
        channels.append(torch.from_numpy(back.real.copy()))
    return torch.stack(channels)


def test_class_spectra_are_means_over_items_and_channels() -> None:
    inputs = pictures()
    found = class_spectra(inputs, LABELS, picture_frequencies(6, 5), batch=3)
    for label in range(3):
        own = [item for item, each in zip(inputs, LABELS, strict=True) if each == label]
        expected = sum(np.abs(plain_dft2(channel)) for item in own for channel in item)
        expected = expected / (3 * len(own))
        np.testing.assert_allclose(found[label], expected[:, :3], atol=1e-12)


def test_adcs_counts_the_weaker_less_the_stronger() -> None:
    spectra = torch.randint(0, 3, (4, 3, 2)).double()
    found = adcs(spectra)
    for c, u, v in np.ndindex(4, 3, 2):
        others = [float(spectra[j, u, v]) for j in range(4) if j != c]
        own = float(spectra[c, u, v])
        assert found[c, u, v] == sum(own > e for e in others) - sum(own < e for e in others)
    assert (found.sum(dim=0) == 0).all()


@pytest.mark.parametrize(("height", "width"), [(6, 5), (5, 6), (4, 4)])
@pytest.mark.parametrize("patch_size", [1, 2, 3])
def test_every_frequency_is_in_one_group_with_its_conjugate(
    height: int, width: int, patch_size: int
) -> None:
    frequencies = picture_frequencies(height, width, patch_size=patch_size)
    groups = frequencies.groups
    assert sorted(set(groups.flatten().tolist())) == list(range(frequencies.count))
    for u, v in np.ndindex(height, width // 2 + 1):
        if v in (0, width - v):
            assert groups[u, v] == groups[-u % height, v]
    if patch_size == 1:
        pairs = {min((u, v), (-u % height, -v % width)) for u, v in np.ndindex(height, width)}
        assert frequencies.count == len(pairs)


def test_the_groups_of_patches_are_neighbours() -> None:
    groups = picture_frequencies(32, 32, patch_size=4).groups
    inner = torch.stack([groups[4 * r + 2 : 4 * r + 6, 4:8] for r in range(3)])
    assert [len(patch.unique()) for patch in inner] == [1, 1, 1]
    assert torch.bincount(groups.flatten()).max() <= 2 * 16


def test_removal_losses_are_those_of_a_plain_loop() -> None:
    inputs, classifier = pictures(4), linear_classifier(3, 6, 5)
    frequencies = picture_frequencies(6, 5, patch_size=2)
    found = removal_losses(classifier, inputs, 1, frequencies, batch=5)
    for group in range(frequencies.count):
        members = {tuple(each) for each in (frequencies.groups == group).nonzero().tolist()}
        loss = 0.0
        for item in inputs:
            logits = classifier(plain_removed(item, members)[None])[0].tolist()
            loss += math.log(sum(math.exp(each) for each in logits)) - logits[1]
        assert float(found[group]) == pytest.approx(loss, abs=1e-10)


@pytest.mark.parametrize("batch", [1, 3, 7, 1000])
def test_the_batch_changes_nothing_but_memory(batch: int) -> None:
    seen: list[int] = []
    classifier = linear_classifier(40)

    def counting(sounds: Tensor) -> Tensor:
        seen.append(len(sounds))
        logits: Tensor = classifier(sounds)
        return logits

    sounds, bands = torch.randn(7, 40).double(), sound_bands(40, 8000, [500, 1000, 2000])
    steps: list[tuple[int, int]] = []
    found = removal_losses(
        counting, sounds, 0, bands, batch=batch, progress=lambda *now: steps.append(now)
    )
    torch.testing.assert_close(found, removal_losses(classifier, sounds, 0, bands))
    assert max(seen) <= batch
    assert sum(seen) == 4 * 7
    assert steps[-1] == (28, 28)


def test_a_band_is_stopped_and_the_others_stay() -> None:
    t = torch.arange(800).double() / 8000
    low, high = (2 * torch.pi * 500 * t).cos(), (2 * torch.pi * 3000 * t + 1).cos()
    bands = sound_bands(800, 8000, mel_edges(8000, 8))
    removed = ~torch.eye(8, dtype=torch.bool)[bands.groups[50]][None]
    seen = []

    def watching(sounds: Tensor) -> Tensor:
        seen.append(sounds)
        return torch.zeros(len(sounds), 2)

    list(filtered_logits(watching, (low + high)[None], removed, bands))
    torch.testing.assert_close(seen[0][0], high, atol=1e-12, rtol=0)


def test_what_is_removed_takes_the_given_amplitude_and_keeps_its_phase() -> None:
    sounds, bands = torch.randn(2, 40).double(), sound_bands(40, 8000, [1000])
    fill = torch.rand(21).double()
    seen = []

    def watching(sounds: Tensor) -> Tensor:
        seen.append(sounds)
        return torch.zeros(len(sounds), 2)

    keep = torch.tensor([[False, True]])
    list(filtered_logits(watching, sounds, keep, bands, fill=fill))
    before, after = torch.fft.rfft(sounds), torch.fft.rfft(seen[0])
    for k in range(21):
        stopped = k * 200 < 1000
        expected = fill[k] * before[:, k] / before[:, k].abs() if stopped else before[:, k]
        torch.testing.assert_close(after[:, k], expected)


def test_bins_of_levels_are_replaced_in_every_frame() -> None:
    levels, bins = torch.randn(2, 5, 3), spectrogram_bins(5, size=2)
    fill = torch.arange(5.0)
    seen = []

    def watching(levels: Tensor) -> Tensor:
        seen.append(levels)
        return torch.zeros(len(levels), 2)

    list(filtered_logits(watching, levels, torch.tensor([[True, False, True]]), bins, fill=fill))
    expected = levels.clone()
    expected[:, 2:4] = fill[2:4, None]
    torch.testing.assert_close(seen[0], expected)
    spectra = class_spectra(levels, torch.tensor([0, 1]), bins)
    torch.testing.assert_close(spectra, levels.mean(dim=2).double())


def test_rates_and_changes_count_predictions() -> None:
    sounds, bands = torch.randn(7, 40).double(), sound_bands(40, 8000, [500, 1000, 2000])
    classifier = linear_classifier(40)
    masks = torch.rand(6, 4) < 0.5
    rates = shortcut_rates(classifier, sounds, LABELS, 1, masks, bands, batch=4)
    changes = band_stop_changes(classifier, sounds, bands, batch=4)

    def predictions(mask: Tensor) -> list[int]:
        spectrum = torch.fft.rfft(sounds) * mask[bands.groups]
        taken: list[int] = classifier(torch.fft.irfft(spectrum, n=40)).argmax(dim=1).tolist()
        return taken

    for k, mask in enumerate(masks):
        pairs = list(zip(predictions(mask), LABELS.tolist(), strict=True))
        assert rates.true[k] == sum(p == 1 == q for p, q in pairs) / 2
        assert rates.false[k] == sum(p == 1 != q for p, q in pairs) / 5
    plain = predictions(torch.ones(4))
    for group in range(4):
        stopped = predictions(1 - torch.eye(4)[group])
        for c in range(3):
            expected = 100 * (stopped.count(c) - plain.count(c)) / 7
            assert float(changes[group, c]) == pytest.approx(expected)


def test_random_masks_are_drawn_by_the_seed_outside_the_map() -> None:
    outside = torch.arange(20) < 5
    masks = random_masks(8, 3, outside, seed=4)
    assert masks.sum(dim=1).tolist() == [3] * 8
    assert not masks[:, :5].any()
    assert torch.equal(masks, random_masks(8, 3, outside, seed=4))
    assert not torch.equal(masks, random_masks(8, 3, outside, seed=5))


@pytest.mark.parametrize(("fraction", "kept"), [(0.05, 1), (0.1, 1), (0.25, 3), (1.0, 10)])
def test_the_map_keeps_what_costs_most(fraction: float, kept: int) -> None:
    losses = torch.randperm(10).double()
    mask = dominant_frequencies(losses, fraction)
    assert int(mask.sum()) == kept
    assert losses[mask].min() == 10 - kept


BANDS = sound_bands(40, 8000, [500, 1000, 2000])
SOUNDS = torch.randn(7, 40)
EVERYTHING = torch.ones(1, 4, dtype=torch.bool)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("classifier", "changes", "message"),
    [
        (lambda x: torch.zeros(len(x)), {}, r"logits of shape \(7,\) for 7 items"),
        (lambda x: torch.zeros(2, 3), {}, r"logits of shape \(2, 3\) for 7 items"),
        (lambda x: torch.zeros(len(x), 1), {}, "at least two classes"),
        (lambda x: torch.full((len(x), 2), torch.nan), {}, "not finite for a filtered item"),
        (nn.Linear(40, 2), {}, "evaluation mode"),
        (None, {"masks": torch.ones(1, 5, dtype=torch.bool)}, r"must be of shape \(masks, 4\)"),
        (None, {"fill": torch.ones(20)}, r"`fill` \(of shape \(20,\)\) must be of shape \(21,\)"),
        (None, {"batch": 0}, r"`batch` \(=0\) must be at least 1"),
        (None, {"inputs": torch.ones(2, 41)}, r"must be of shape \(batch, 40\)"),
    ],
)
def test_what_cannot_be_filtered_is_named(
    classifier: object, changes: dict[str, object], message: str
) -> None:
    given = {
        "classifier": classifier or (lambda x: torch.zeros(len(x), 2)),
        "inputs": SOUNDS,
        "masks": EVERYTHING,
        "frequencies": BANDS,
    }
    with pytest.raises(InputError, match=message):
        list(filtered_logits(**(given | changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inputs", "labels", "classes", "message"),
    [
        (SOUNDS[:2], [0, 2], None, "class 1 has no items"),
        (SOUNDS[:2], [0, 1], 3, "class 2 has no items"),
        (SOUNDS[:2], [0, 0], None, "at least two classes"),
        (SOUNDS[:2], [-1, 1], None, "from -1 to 1"),
        (SOUNDS[:0], [], None, "at least one"),
        (torch.full((2, 40), torch.nan), [0, 1], None, "NaN or infinite"),
    ],
)
def test_what_has_no_spectra_is_named(
    inputs: Tensor, labels: list[int], classes: int | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        class_spectra(inputs, torch.tensor(labels, dtype=torch.long), BANDS, classes=classes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sound_bands(40, 8000, [500, 400]), "must be ascending"),
        (lambda: sound_bands(40, 8000, [4000]), "below 4000 Hz"),
        (lambda: sound_bands(40, 8000, []), "must be ascending"),
        (lambda: sound_bands(40, 8000, [500, 510, 520]), "500-510 Hz has none"),
        (lambda: spectrogram_bins(6, size=4), "from 1 to 3"),
        (lambda: picture_frequencies(1, 8), r"`height` \(=1\) must be at least 2"),
        (lambda: picture_frequencies(8, 8, patch_size=0), r"`patch_size` \(=0\)"),
        (lambda: mel_edges(8000, 1), r"`bands` \(=1\) must be at least 2"),
        (lambda: adcs(torch.ones(1, 3)), "at least two classes"),
        (lambda: dominant_frequencies(torch.ones(3), 0.0), "above 0 and at most 1"),
        (lambda: random_masks(2, 3, torch.tensor([True, False, False])), "from 1 to 2"),
    ],
)
def test_what_cannot_be_asked_is_named(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()  # type: ignore[operator]


def test_losses_need_items_and_a_class_of_the_logits() -> None:
    classifier = linear_classifier(40, classes=2)
    with pytest.raises(InputError, match="class 0 has no items"):
        removal_losses(classifier, SOUNDS[:0].double(), 0, BANDS)
    with pytest.raises(InputError, match="from 0 to 1, the classes of the logits"):
        removal_losses(classifier, SOUNDS.double(), 2, BANDS)
    with pytest.raises(InputError, match="class 2 has no items in `labels`"):
        shortcut_rates(classifier, SOUNDS.double(), LABELS % 2, 2, EVERYTHING, BANDS)


def test_other_transforms_will_do() -> None:
    """A Frequencies of one's own: neighbours of the signal itself."""
    halves = Frequencies(
        torch.arange(40) // 20,
        lambda sounds: sounds[:, None],
        lambda coefficients: coefficients[:, 0],
        ("first half", "second half"),
    )
    classifier = linear_classifier(40)
    found = removal_losses(classifier, SOUNDS.double(), 0, halves)
    cut = SOUNDS.double().clone()
    cut[:, 20:] = 0
    targets = torch.zeros(7, dtype=torch.long)
    expected = nn.functional.cross_entropy(classifier(cut), targets, reduction="sum")
    torch.testing.assert_close(found[1], expected.detach())
