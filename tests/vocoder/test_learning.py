"""Training as a whole, on sounds and models small enough for a second."""

import json
import math
import os
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from passband.errors import InputError, MissingDependencyError, TrainingError
from passband.media import read_audio, write_audio
from passband.training import StepOutput, read_events
from passband.vocoder import Vocos
from passband.vocoder.learning import (
    Adversary,
    HeldOut,
    Recipe,
    copy_synthesis,
    intelligibility,
    pesq_wideband,
    score,
    track_pitch,
    train_vocoder,
    voicing_errors,
)
from passband.vocoder.learning import _train as train_module
from passband.vocoder.learning._train import build, split_files

RATE = 8000


def voice(seconds: float, low: float, high: float) -> Tensor:
    """Harmonics of a pitch that glides from ``low`` to ``high`` Hz."""
    t = torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE
    turns = low * t + (high - low) * t.square() / (2 * seconds)
    return sum(torch.sin(2 * torch.pi * k * turns) / k for k in range(1, 6)).float() * 0.2


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for index in range(6):
        sound = voice(0.5, 100 + 20 * index, 160 + 10 * index)
        write_audio(folder / f"{index}.wav", sound[None], RATE)
    return folder


def recipe(sounds: Path, **training: object) -> Recipe:
    plain = {
        "model": {
            "feature_extractor": {
                "kind": "mel", "sample_rate": RATE, "n_fft": 256, "hop_length": 64, "n_mels": 20,
            },
            "backbone": {"kind": "convnext", "dim": 16, "intermediate_dim": 32, "num_layers": 1},
            "head": {"kind": "istft", "n_fft": 256},
        },
        "data": {
            "folder": str(sounds), "held_out": 2, "samples": 1024, "batch_size": 4, "workers": 1,
            "held_out_seconds": 0.4,
        },
        "discriminators": {
            "period": {"periods": [2, 3], "channels": [4, 8]},
            "resolution": {"lengths": [256], "channels": 2},
        },
        "losses": {"n_mels": 20, "n_fft": 256, "hop_length": 64},
        "training": {
            "steps": 12, "log_every": 1, "checkpoint_seconds": 0.0, "evaluations": 1,
            "optimizer": {"lr": 1e-3},
        } | training,
    }  # fmt: skip
    return Recipe.model_validate(plain)


@pytest.fixture(autouse=True)
def _no_packages_with_a_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """PESQ of synthetic clips at 8 kHz says nothing and takes its time."""
    from passband.vocoder.learning import _evaluation

    monkeypatch.setattr(_evaluation, "_OPTIONAL", {})


def weights(folder: Path) -> Tensor:
    state = Vocos.from_pretrained(folder / "model").state_dict()
    return torch.cat([value.flatten().double() for value in state.values()])


def test_a_run_is_complete(sounds: Path, tmp_path: Path) -> None:
    (sounds / "bad.wav").write_bytes(b"RIFF no")
    run = tmp_path / "run"
    metrics = train_vocoder(
        recipe(sounds, steps=40, evaluations=2, checkpoint_seconds=99), run, device="cpu"
    )
    events = read_events(run)
    assert [event["step"] for event in events] == list(range(40))
    first, last = (np.mean([e["mel"] for e in part]) for part in (events[:5], events[-5:]))
    assert last < 0.9 * first
    assert {"loss", "mel", "adversarial", "matching", "discriminator"} < set(events[0])

    assert json.loads((run / "metrics.json").read_text()) == metrics
    assert [entry["step"] for entry in metrics["history"]] == [20, 40]
    assert metrics["vocoder"]["mel"] == pytest.approx(metrics["history"][-1]["mel"], rel=1e-5)
    assert list(metrics["left_out"]) == [str(sounds / "bad.wav")]
    assert len(metrics["clips"]) == 2
    samples = sorted(path.name for path in (run / "samples").iterdir())
    assert len(samples) == 6
    assert read_audio(run / "samples" / samples[0]).sample_rate == RATE
    page = (run / "report.html").read_text()
    assert page.count("data:audio/wav") == 6
    assert page.count("data:image/png") == 8
    assert "Griffin-Lim" in page

    vocoder = Vocos.from_pretrained(run / "model")
    clip, made = (read_audio(run / "samples" / samples[k]).samples[0] for k in (1, 2))
    with torch.no_grad():
        again = copy_synthesis(vocoder)(clip)
    assert float((again - made).abs().max()) < 1e-3  # 16 bits
    assert metrics["history"][1]["mel"] < 0.95 * metrics["history"][0]["mel"]


@pytest.mark.parametrize("stop_at", [1, 7])
def test_a_run_that_died_resumes_to_the_same_bits(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    train_vocoder(recipe(sounds), tmp_path / "whole", device="cpu")
    inner = Adversary.generate

    def dying(self: Adversary, step: int):
        if step == stop_at:
            raise RuntimeError("killed")
        return inner(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Adversary, "generate", dying)
        with pytest.raises(RuntimeError, match="killed"):
            train_vocoder(recipe(sounds), tmp_path / "broken", device="cpu")
    train_vocoder(recipe(sounds), tmp_path / "broken", device="cpu", resume=True)
    assert read_events(tmp_path / "broken") == read_events(tmp_path / "whole")
    assert torch.equal(weights(tmp_path / "broken"), weights(tmp_path / "whole"))


def test_a_folder_of_another_run_is_refused(sounds: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train_vocoder(recipe(sounds, steps=1), run, device="cpu")
    with pytest.raises(InputError, match=r"is not empty\. Pass --resume"):
        train_vocoder(recipe(sounds, steps=1), run, device="cpu")
    with pytest.raises(InputError, match=r"is another run \(its recipe\.toml differs"):
        train_vocoder(recipe(sounds, steps=2), run, device="cpu", resume=True)
    (sounds / "new.wav").write_bytes((sounds / "0.wav").read_bytes())
    with pytest.raises(InputError, match="is a checkpoint of another"):
        train_vocoder(recipe(sounds, steps=1), run, device="cpu", resume=True)


PROCESS = """
import sys, json, torch
torch.set_num_threads(1)
from pathlib import Path
from passband.vocoder.learning import load_recipe, train_vocoder
from passband.vocoder.learning import _evaluation
_evaluation._OPTIONAL = {}
train_vocoder(load_recipe(Path(sys.argv[1])), Path(sys.argv[2]), device="cpu")
"""


def test_two_processes_learn_what_one_does(sounds: Path, tmp_path: Path) -> None:
    from passband.vocoder.learning import dump_recipe

    settings = recipe(sounds, steps=6, checkpoint_seconds=99)
    (tmp_path / "recipe.toml").write_text(dump_recipe(settings))
    train_vocoder(settings, tmp_path / "one", device="cpu")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    arguments = [sys.executable, "-c", PROCESS, tmp_path / "recipe.toml", tmp_path / "two"]
    started = [
        subprocess.Popen(
            [str(argument) for argument in arguments],
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ, "WORLD_SIZE": "2", "RANK": rank, "LOCAL_RANK": rank,
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
                "PYTHONPATH": str(Path(__file__).parents[2]),
            },
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    ends = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], ends
    one, two = (read_events(tmp_path / name) for name in ("one", "two"))
    assert len(one) == len(two) == 6
    for alone, together in zip(one, two, strict=True):
        assert together == pytest.approx(alone, rel=1e-4)
    torch.testing.assert_close(
        weights(tmp_path / "two"), weights(tmp_path / "one"), rtol=0, atol=2e-4
    )
    assert json.loads((tmp_path / "two" / "metrics.json").read_text())["processes"] == 2


def adversary(sounds: Path, **changes: object) -> tuple[Adversary, Recipe]:
    settings = recipe(sounds)
    vocoder, judges = build(settings)
    keywords = {
        "vocoder": vocoder,
        "discriminators": judges,
        "weights": settings.discriminators.weights(),
        "losses": settings.losses,
        "batches": lambda step: torch.randn(2, 1024, generator=torch.manual_seed(step)) * 0.1,
    } | changes
    return Adversary(**keywords), settings


def test_each_turn_has_gradients_of_its_own(sounds: Path) -> None:
    game, _ = adversary(sounds)
    game.judge(0).loss.backward()
    assert all(p.grad is None for p in game.vocoder.parameters())
    assert all(p.grad is not None for p in game.discriminators.parameters())
    game.discriminators.zero_grad(set_to_none=True)
    game.generate(0).loss.backward()
    assert all(p.grad is None for p in game.discriminators.parameters())
    assert any(bool(p.grad.any()) for p in game.vocoder.parameters() if p.grad is not None)


def test_losses_add_up_as_the_recipe_weighs_them(sounds: Path) -> None:
    game, settings = adversary(sounds)
    game.weights = {"period": 2.0, "resolution": 0.0}
    whole = game.generate(0)
    only, _ = adversary(
        sounds, discriminators=nn.ModuleDict({"period": game.discriminators["period"]}),
        vocoder=game.vocoder, weights={"period": 1.0},
    )  # fmt: skip
    part = only.generate(0)
    mel = settings.losses.mel * part.measures["mel"]
    rest = part.measures["adversarial"] + part.measures["matching"]
    torch.testing.assert_close(whole.loss, mel + 2 * rest)
    quiet, _ = adversary(sounds, discriminators=nn.ModuleDict(), vocoder=game.vocoder)
    torch.testing.assert_close(quiet.generate(0).loss, mel)
    phased, _ = adversary(
        sounds, discriminators=nn.ModuleDict(), vocoder=game.vocoder,
        losses=settings.losses.model_copy(update={"phase": 3.0}),
    )  # fmt: skip
    output = phased.generate(0)
    torch.testing.assert_close(output.loss, mel + 3 * output.measures["phase"])


def test_sixteen_bits_come_near(sounds: Path) -> None:
    game, _ = adversary(sounds)
    whole = [game.judge(0).loss, game.generate(0).loss]
    rounded, _ = adversary(sounds, vocoder=game.vocoder, discriminators=game.discriminators)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        coarse = [rounded.judge(0).loss, rounded.generate(0).loss]
    for a, b in zip(coarse, whole, strict=True):
        assert a.dtype == torch.float32
        assert 0 < float((a - b).detach().abs()) < 1e-2 * float(b.detach())


def test_the_vocoder_runs_once_a_step(sounds: Path) -> None:
    game, _ = adversary(sounds)
    runs = []
    game.vocoder.register_forward_hook(lambda *_: runs.append(1))
    for step in range(3):
        game.judge(step)
        game.generate(step)
    assert len(runs) == 3


def test_without_discriminators_the_vocoder_learns_alone(sounds: Path, tmp_path: Path) -> None:
    plain = recipe(sounds, steps=3).model_dump(exclude_none=True)
    plain["discriminators"] = {"period": {"periods": []}, "resolution": {"lengths": []}}
    train_vocoder(Recipe.model_validate(plain), tmp_path / "run", device="cpu")
    assert set(read_events(tmp_path / "run")[0]) == {"step", "loss", "mel"}


class Bandwidths(nn.Module):
    """Features that say which bandwidth they were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def forward(self, audio: Tensor, bandwidth: int) -> Tensor:
        self.asked.append(bandwidth)
        return torch.randn(len(audio), 128, audio.shape[-1] // 320)


def test_a_bandwidth_is_drawn_for_every_step(sounds: Path) -> None:
    plain = {
        "model": {
            "feature_extractor": {"kind": "encodec"},
            "backbone": {"kind": "convnext", "dim": 8, "num_layers": 1, "conditions": 4},
            "head": {"kind": "istft", "n_fft": 1280, "padding": "same"},
        },
        "data": {"samples": 3200},
        "discriminators": {
            "period": {"periods": [2], "channels": [4, 8]},
            "resolution": {"lengths": [512], "channels": 2},
        },
    }
    settings = Recipe.model_validate(plain)
    vocoder, judges = build(settings)
    heard = Bandwidths()
    vocoder.feature_extractor.forward = heard.forward
    game = Adversary(
        vocoder.train(), judges, settings.discriminators.weights(), settings.losses,
        lambda step: torch.randn(2, 3200) * 0.1, conditions=settings.conditions, seed=0,
    )  # fmt: skip
    for step in range(24):
        game._begin(step)
    assert set(heard.asked) == {0, 1, 2, 3}
    again = list(heard.asked)
    heard.asked.clear()
    for step in range(24):
        game._begin(step)
    assert heard.asked[:-1] == again[:-1]
    game.judge(30).loss.backward()
    assert judges["period"].members[0].score.embedding.weight.grad is not None


def test_the_split_is_by_seed_or_by_folder(sounds: Path, tmp_path: Path) -> None:
    by_seed = split_files(recipe(sounds))
    assert (len(by_seed.learned), len(by_seed.held_out)) == (4, 2)
    plain = recipe(sounds).model_dump(exclude_none=True)
    apart = sounds / "apart"
    apart.mkdir()
    (sounds / "5.wav").rename(apart / "5.wav")
    plain["data"]["held_out_folder"] = str(apart)
    by_folder = split_files(Recipe.model_validate(plain))
    assert [path.name for path in by_folder.held_out] == ["5.wav"]
    assert [path.name for path in by_folder.learned] == [f"{index}.wav" for index in range(5)]
    plain["data"]["held_out_folder"] = str(sounds)
    with pytest.raises(InputError, match=r"holds all files of `data\.folder`"):
        split_files(Recipe.model_validate(plain))
    plain["data"]["folder"] = ""
    with pytest.raises(InputError, match="Pass --data DIR"):
        split_files(Recipe.model_validate(plain))


def test_a_loss_that_is_not_finite_stops(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = Adversary.judge

    def spoiled(self: Adversary, step: int) -> StepOutput:
        output = inner(self, step)
        return StepOutput(output.loss * math.nan) if step == 2 else output

    monkeypatch.setattr(Adversary, "judge", spoiled)
    with pytest.raises(TrainingError, match=r"loss is nan at step 3; the last good checkpoint"):
        train_vocoder(recipe(sounds), tmp_path / "run", device="cpu")


def test_the_learning_rate_falls_to_nothing(sounds: Path, tmp_path: Path, monkeypatch) -> None:
    seen = []
    inner = train_module.train_in_turns

    def looking(learners, **options):
        seen.extend(options["schedule"](step) for step in (0, 6, 12))
        return inner(learners, **options)

    monkeypatch.setattr(train_module, "train_in_turns", looking)
    train_vocoder(recipe(sounds), tmp_path / "run", device="cpu")
    assert seen == pytest.approx([1.0, 0.5, 0.0])


def test_pitch_of_a_voice_that_moves() -> None:
    rate = 22050
    t = torch.arange(3 * rate, dtype=torch.float64) / rate
    pitch = 140 + 50 * torch.sin(2 * torch.pi * 1.5 * t)
    turns = pitch.cumsum(0) / rate
    sound = sum(torch.sin(2 * torch.pi * k * turns) / k for k in range(1, 16)).float() * 0.2
    found = track_pitch(sound, rate)
    true = pitch[(torch.arange(len(found.voiced)) * 220).clamp(max=len(t) - 1)].float()
    cents = 1200 * torch.log2(found.frequency / true)
    assert bool(found.voiced.all())
    assert float(cents[8:-8].abs().max()) < 5
    louder = track_pitch(10 * sound, rate)
    torch.testing.assert_close(louder.frequency, found.frequency, rtol=1e-3, atol=0)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = torch.randn(RATE, generator=torch.manual_seed(0))
    assert float(track_pitch(noise, RATE).voiced.float().mean()) < 0.05
    assert not track_pitch(torch.zeros(RATE), RATE).voiced.any()
    with pytest.raises(InputError, match=r"`f_min` \(=600 Hz\) and `f_max` \(=550 Hz\) must rise"):
        track_pitch(noise, RATE, f_min=600)


def test_pitch_agrees_with_a_peer_on_speech(data: Path) -> None:
    import librosa

    audio = read_audio(data / "audio" / "speech" / "ljspeech" / "wavs" / "LJ001-0002.wav")
    found = track_pitch(audio.samples[0], audio.sample_rate)
    theirs = librosa.yin(
        audio.samples[0].numpy(), fmin=60, fmax=550, sr=audio.sample_rate, frame_length=1024,
        hop_length=round(0.01 * audio.sample_rate),
    )  # fmt: skip
    count = min(len(theirs), len(found.voiced))
    voiced = found.voiced[:count].numpy()
    cents = 1200 * np.log2(found.frequency[:count].numpy()[voiced] / theirs[:count][voiced])
    assert 0.3 < voiced.mean() < 0.95
    assert np.median(np.abs(cents)) < 20


def test_errors_of_voicing_count_what_they_should() -> None:
    sound, rate = voice(1.0, 120, 120), RATE
    same = voicing_errors(sound, sound, rate)
    assert same == {"periodicity": 0.0, "voicing_f1": 1.0, "pitch_cents": 0.0}
    half = sound.clone()
    half[rate // 2 :] = 0
    assert voicing_errors(sound, half, rate)["voicing_f1"] == pytest.approx(2 / 3, abs=0.03)
    semitone = voice(1.0, 120 * 2 ** (1 / 12), 120 * 2 ** (1 / 12))
    assert voicing_errors(sound, semitone, rate)["pitch_cents"] == pytest.approx(100, abs=3)
    silent = voicing_errors(torch.zeros(rate), torch.zeros(rate), rate)
    assert (silent["periodicity"], silent["voicing_f1"]) == (0.0, 1.0)
    assert math.isnan(silent["pitch_cents"])


@pytest.mark.parametrize("measure", [pesq_wideband, intelligibility])
def test_scores_of_speech_fall_with_noise(measure, data: Path) -> None:
    path = data / "audio" / "speech" / "ljspeech" / "wavs" / "LJ001-0002.wav"
    audio = read_audio(path)
    speech = audio.samples[0, : 2 * audio.sample_rate]
    noise = torch.randn(len(speech), generator=torch.manual_seed(0))
    marks = [measure(speech, speech + level * noise, audio.sample_rate) for level in (0, 0.01, 0.1)]
    assert all(better > worse for better, worse in pairwise(marks))
    assert marks[0] == pytest.approx(4.64 if measure is pesq_wideband else 1.0, abs=0.01)
    assert math.isnan(measure(torch.zeros(RATE), torch.zeros(RATE), RATE))


@pytest.mark.parametrize(
    ("package", "measure"), [("pesq", pesq_wideband), ("pystoi", intelligibility)]
)
def test_a_missing_package_is_named(package: str, measure, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=f"pip install {package}"):
        measure(torch.randn(RATE), torch.randn(RATE), RATE)


def test_a_measure_that_does_not_apply_is_left_out_of_the_mean(sounds: Path) -> None:
    clips = HeldOut(["voice", "silence"], [voice(0.4, 120, 150), torch.zeros(3200)], RATE)
    mel = recipe(sounds).losses.mel_loss(RATE)
    scores = score(lambda x: 0.5 * x, clips, mel)
    assert scores.rows[1]["pitch_cents"] is None
    assert scores.means["pitch_cents"] == scores.rows[0]["pitch_cents"]
    assert scores.rows[0]["mel"] == pytest.approx(math.log(2), rel=1e-3)
