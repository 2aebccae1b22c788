"""From sounds to the pictures that classifiers see."""

import math

import pytest
import torch

from passband.signal.tasks.classification import Classifier, ClassifierRecipe, Frontend

RATE = 8000


def test_short_sounds_are_repeated_and_long_ones_cut() -> None:
    settings = ClassifierRecipe.model_validate({"data": {"sample_rate": RATE, "seconds": 1.0}})
    frontend = Frontend(settings.representation, settings.data)
    starts, windows = frontend.windows(torch.arange(1.0, 3001.0), 4000)
    assert starts == [0]
    assert torch.equal(windows[0, 3000:6000], windows[0, :3000])
    assert float(windows.max()) == 1.0
    starts, windows = frontend.windows(torch.ones(17_000), 4000)
    assert starts == [0, 4000, 8000, 9000]
    assert windows.shape == (4, 8000)
    assert frontend.windows(torch.ones(8010), 4000)[0] == [0]


@pytest.mark.parametrize("transform", ["stft", "mel", "cqt", "cwt", "mfcc", "cochleagram"])
def test_any_transform_is_made_a_picture_of_the_size_wanted(transform: str) -> None:
    settings = ClassifierRecipe.model_validate(
        {
            "representation": {"transform": transform},
            "data": {"sample_rate": RATE, "seconds": 1, "frame_rate": 20, "most_bins": 32},
        }
    )
    frontend = Frontend(settings.representation, settings.data)
    tone = torch.sin(2 * math.pi * 440 * torch.arange(RATE) / RATE)
    loud, quiet = frontend(tone[None]), frontend(0.1 * tone[None])
    assert loud.shape[1] <= 32
    assert 16 <= loud.shape[2] <= 26
    if transform != "mfcc":
        # Twenty decibels less, but for what lies at the floor.
        torch.testing.assert_close(loud.amax() - quiet.amax(), torch.tensor(20.0), atol=0.1, rtol=0)
        assert float(loud.max() - loud.min()) <= 80.01


def test_power_is_what_is_averaged() -> None:
    data = ClassifierRecipe().data.model_copy(
        update={"sample_rate": RATE, "seconds": 1.0, "frame_rate": 31.25, "range_db": 200.0}
    )
    settings = ClassifierRecipe.model_validate(
        {"representation": {"transform": "mel", "settings": {"n_fft": 256, "n_mels": 20}}}
    ).representation
    frontend = Frontend(settings, data)
    assert frontend.pooled == 4
    noise = torch.randn(1, RATE)
    power = 10 ** (settings.build(RATE)(noise).double() / 10)
    frames = power.shape[-1] // 4
    expected = power[..., : 4 * frames].reshape(1, 20, frames, 4).mean(dim=-1)
    torch.testing.assert_close(
        frontend(noise).double(), 10 * expected.log10(), atol=1e-3, rtol=1e-5
    )


def test_members_standardise_as_one_plain_mean_and_deviation() -> None:
    member = Classifier(ClassifierRecipe(), ["a", "b"]).members[0]
    features = [torch.randn(2, 128, 7) * 3 + 5, torch.randn(1, 128, 9)]
    member.standardise_as(features)
    flat = torch.cat([f.permute(1, 0, 2).flatten(1) for f in features], dim=1)
    torch.testing.assert_close(member.mean[:, 0], flat.mean(dim=1))
    torch.testing.assert_close(member.std[:, 0], flat.std(dim=1, correction=0))
