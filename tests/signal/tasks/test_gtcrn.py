"""GTCRN against its authors' output, and against itself in pieces, batches and rates."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from passband.errors import InputError
from passband.media import read_audio
from passband.signal.tasks.enhancement import (
    GTCRN,
    CausalEnhancer,
    Enhancer,
    RateStream,
    enhance,
    load_enhancer,
)
from passband.signal.tasks.enhancement.gtcrn import ErbBands
from passband.signal.tasks.enhancement.gtcrn._recurrence import SmallGRU


@pytest.fixture(scope="module")
def weights(data: Path) -> Path:
    return data / "weights" / "gtcrn" / "model_trained_on_vctk.tar"


@pytest.fixture(scope="module")
def model(weights: Path) -> GTCRN:
    found = load_enhancer(weights)
    assert isinstance(found, GTCRN)
    return found


@pytest.fixture(scope="module")
def noisy(data: Path) -> torch.Tensor:
    return read_audio(data / "audio" / "noisy_speech" / "noisy" / "p287_001.wav").samples[0]


def published(weights: Path) -> dict[str, torch.Tensor]:
    return torch.load(weights, weights_only=True)["model"]


def test_it_is_what_its_authors_code_makes(model: GTCRN, noisy: torch.Tensor) -> None:
    # Every 1500th sample of their gtcrn.py on p287_001 with these weights: torch.stft(x, 512, 256,
    # 512, hann_window(512) ** 0.5), the model, torch.istft alike; torch 2.13 on a processor.
    theirs = (
        0.0028799, 0.002683, -0.0000973, -0.0000158, -0.0021161, 0.0046447, -0.0589775, -0.2506577,
        0.0356559, 0.0039457, 0.1915105, 0.1374322, -0.0359214, -0.0477455, -0.0377626, 0.1647679,
        -0.0041833, 0.007458, 0.0069148, -0.0074656,
    )  # fmt: skip
    with torch.no_grad():
        ours = model(noisy)[1500:30500:1500]
    torch.testing.assert_close(ours, torch.tensor(theirs), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [1, 100, 255, 256, 257, 5000])
def test_pieces_are_the_whole(model: GTCRN, noisy: torch.Tensor, size: int) -> None:
    sound = noisy[: 1200 if size == 1 else 12345]
    stream = model.stream()
    behind, pieces, pushed = 0, [], 0
    for block in sound.split(size):
        pieces.append(stream.push(block))
        pushed += len(block)
        behind = max(behind, pushed - sum(map(len, pieces)))
    assert behind <= stream.latency == 512
    with torch.no_grad():
        whole = model(sound)
    torch.testing.assert_close(torch.cat([*pieces, stream.finish()]), whole, atol=1e-5, rtol=0)


@settings(deadline=None, max_examples=8)
@given(sizes=st.lists(st.integers(0, 900), min_size=1, max_size=6))
def test_pieces_of_any_lengths_are_the_whole(sizes: list[int]) -> None:
    torch.manual_seed(0)
    model, sound = GTCRN().eval(), torch.randn(2, sum(sizes))
    stream = model.stream()
    pieces = [stream.push(block) for block in sound.split(sizes, dim=-1)]
    with torch.no_grad():
        torch.testing.assert_close(
            torch.cat([*pieces, stream.finish()], dim=-1), model(sound), atol=1e-5, rtol=0
        )


def test_nothing_but_the_frame_itself_lies_ahead(model: GTCRN, noisy: torch.Tensor) -> None:
    changed = noisy[:16000].clone()
    changed[8000:] = torch.randn(8000)
    with torch.no_grad():
        one, other = model(noisy[:16000]), model(changed)
    first = int((one != other).nonzero()[0])
    assert 8000 - 512 <= first <= 8000


@pytest.mark.parametrize(
    "shape", [(0,), (1,), (255,), (256,), (257,), (512,), (3, 2, 1000), (0, 9)]
)
def test_every_length_and_batch(shape: tuple[int, ...]) -> None:
    model, sound = GTCRN().eval(), torch.randn(shape)
    with torch.no_grad():
        out = model(sound)
    assert out.shape == sound.shape
    assert bool(out.isfinite().all())


def test_a_batch_is_its_items(model: GTCRN, noisy: torch.Tensor) -> None:
    batch = torch.stack([noisy[:5000], noisy[9000:14000]])
    with torch.no_grad():
        apart = torch.stack([model(item) for item in batch])
        torch.testing.assert_close(model(batch), apart, atol=1e-6, rtol=0)


def test_silence_stays_silent(model: GTCRN) -> None:
    with torch.no_grad():
        assert not model(torch.zeros(3000)).any()


def test_every_parameter_learns() -> None:
    model = GTCRN()
    model(torch.randn(2, 4000)).square().mean().backward()
    assert all(bool(value.grad.any()) for value in model.parameters() if value.grad is not None)
    assert all(value.grad is not None for value in model.parameters())
    assert sum(value.numel() for value in model.parameters()) == 23669


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_compiled_recurrence_is_torchs(bidirectional: bool) -> None:
    gru = SmallGRU(8, 4, bidirectional=bidirectional)
    x, state = torch.randn(3, 20, 8), torch.randn(1 + bidirectional, 3, 4)
    for start in (None, state):
        expected = torch.nn.GRU.forward(gru, x, start)
        with torch.no_grad():
            found = gru(x, start)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert found[0].grad_fn is None


def test_the_bands_interpolate_between_their_centres(weights: Path) -> None:
    table = published(weights)["erb.erb_fc.weight"]
    ours = ErbBands(65, 64, 512, 16000)
    torch.testing.assert_close(ours.weights, table, atol=1e-6, rtol=0)
    ones = ours.spread(torch.ones(129))
    torch.testing.assert_close(ones, torch.ones(257))


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_any_rate_in_pieces_is_the_whole(model: GTCRN, rate: int) -> None:
    sound = torch.randn(2, round(0.7 * rate) + 13) / 10
    stream = RateStream(model, rate)
    pieces = [stream.push(block) for block in sound.split(rate // 5, dim=-1)]
    with torch.no_grad():
        whole = enhance(model, sound, rate)
    assert whole.shape == sound.shape
    found = torch.cat([*pieces, stream.finish()], dim=-1)
    torch.testing.assert_close(found, whole, atol=1e-5, rtol=0)


def test_another_rate_changes_little(model: GTCRN, noisy: torch.Tensor) -> None:
    from passband.frequency import resample

    with torch.no_grad():
        there = enhance(model, resample(noisy, 16000, 48000), 48000)
        back, here = resample(there, 48000, 16000), model(noisy)
    assert float((back - here).square().sum() / here.square().sum()) < 0.02


def test_it_is_an_enhancer(model: GTCRN) -> None:
    assert isinstance(model, Enhancer)
    assert isinstance(model, CausalEnhancer)


def test_a_stream_says_what_it_cannot_do(model: GTCRN) -> None:
    with pytest.raises(InputError, match="must follow a push"):
        model.stream().finish()
    with pytest.raises(InputError, match="must follow a push"):
        RateStream(model, 8000).finish()
    stream = model.stream()
    stream.push(torch.zeros(2, 100))
    with pytest.raises(InputError, match="items the stream began with"):
        stream.push(torch.zeros(100))
    with pytest.raises(ValueError, match="training mode"):
        GTCRN().stream()
    with pytest.raises(ValueError, match="must be finite"):
        model.stream().push(torch.full((2000,), torch.nan))


def test_files_that_hold_no_enhancer(tmp_path: Path, weights: Path) -> None:
    table = published(weights)
    cases: dict[str, object] = {
        "other": {"a": torch.ones(2)},
        "names": {"a": 1},
        "list": [1, 2],
        "short": {key: value for key, value in table.items() if "dpgrnn2" not in key},
        "shapes": {**table, "dpgrnn1.intra_fc.bias": torch.ones(3)},
        "bands": {**table, "erb.erb_fc.weight": torch.ones(64, 192)},
    }
    for name, content in cases.items():
        torch.save(content, tmp_path / name)
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("no weights")
    for name in (*cases, "empty", "text", "absent"):
        with pytest.raises(InputError, match="--model") as raised:
            load_enhancer(tmp_path / name)
        assert "\n" not in str(raised.value)
    (tmp_path / "run").mkdir()
    with pytest.raises(InputError, match="holds no model"):
        load_enhancer(tmp_path / "run")


def test_a_plain_state_is_read_too(tmp_path: Path, weights: Path, noisy: torch.Tensor) -> None:
    torch.save(published(weights), tmp_path / "plain.pt")
    with torch.no_grad():
        one = load_enhancer(tmp_path / "plain.pt")(noisy[:3000])
        assert torch.equal(one, load_enhancer(weights)(noisy[:3000]))


def test_without_numba_torchs_own_recurrence_runs(model: GTCRN, monkeypatch, noisy) -> None:
    with torch.no_grad():
        expected = model(noisy[:4000])
        from passband.signal.tasks.enhancement.gtcrn import _recurrence

        monkeypatch.setattr(_recurrence, "find_spec", lambda name: None)
        monkeypatch.setitem(sys.modules, "passband.signal.tasks.enhancement.gtcrn._gru_loop", None)
        found = model(noisy[:4000])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert np.isfinite(found.numpy()).all()
