"""Training as a whole, on tones that a second teaches."""

import json
from pathlib import Path

import pytest
import torch

from passband.errors import InputError
from passband.media import write_audio
from passband.signal.tasks.transcription import (
    Note,
    Transcriber,
    TranscriberRecipe,
    load_transcriber,
    train_transcriber,
)
from passband.signal.tasks.transcription import _objectives as objectives
from passband.signal.tasks.transcription import _train as train_module
from passband.signal.tasks.transcription import _transcriber as transcriber_module
from passband.training import read_events
from passband.training.recipes import load_settings

RATE = 10000
RECIPES = Path(__file__).parents[3] / "recipes"


def music(seed: int, seconds: float = 4.0) -> tuple[torch.Tensor, list[Note]]:
    """Decaying tones of a few pitches, one or two at a time."""
    generator = torch.Generator().manual_seed(seed)
    sound, notes = torch.zeros(round(seconds * RATE)), []
    for k in range(int(seconds / 0.4) - 1):
        for pitch in (60 + torch.randint(0, 12, (2,), generator=generator)).unique().tolist():
            onset = 0.1 + 0.4 * k
            t = torch.arange(round(0.3 * RATE)) / RATE
            hertz = 440 * 2 ** ((pitch - 69) / 12)
            tone = sum(torch.sin(2 * torch.pi * h * hertz * t) / h for h in (1, 2, 3))
            first = round(onset * RATE)
            sound[first : first + len(t)] += tone * torch.exp(-4 * t)
            notes.append(Note(onset, onset + 0.3, pitch, 80))
    return sound / sound.abs().max(), notes


@pytest.fixture
def pieces(tmp_path: Path) -> Path:
    folder = tmp_path / "pieces"
    (folder / "flac").mkdir(parents=True)
    (folder / "tsv").mkdir()
    for number in range(4):
        sound, notes = music(number)
        write_audio(folder / "flac" / f"{number}.flac", sound[None], RATE)
        lines = ["# onset,offset,note,velocity", *("\t".join(map(str, n[:4])) for n in notes)]
        (folder / "tsv" / f"{number}.tsv").write_text("\n".join(lines))
    return folder


@pytest.fixture
def single_notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    t = torch.arange(RATE) / RATE
    for name, hertz in (("A3", 220.0), ("A4", 440.0)):
        write_audio(folder / f"{name}.wav", torch.sin(2 * torch.pi * hertz * t)[None], RATE)
    return folder


def recipe(pieces: Path, model: dict, **training: object) -> TranscriberRecipe:
    plain = {
        "sample_rate": RATE,
        "representation": {
            "transform": "logfrequency",
            "settings": {
                "n_fft": 1024, "hop_length": 400, "f_min": 55.0, "f_max": 4900.0, "n_bins": 120,
            },
        },
        "model": model,
        "data": {"folder": str(pieces), "held_out": ["3"], "batch_size": 4},
        "training": {
            "steps": 6, "lr": 1e-2, "log_every": 1, "checkpoint_seconds": 0.0, "evaluations": 1,
        } | training,
    }  # fmt: skip
    return TranscriberRecipe.model_validate(plain)


CRNN = {"kind": "crnn", "channels": 4, "hidden": 4, "frames": 24}
LINEAR = {"kind": "linear", "window": 5}


def weights(run: Path) -> torch.Tensor:
    state = load_transcriber(run, "cpu").network.state_dict()
    return torch.cat([value.flatten().double() for value in state.values()])


def test_a_single_layer_learns(pieces: Path, tmp_path: Path) -> None:
    (pieces / "flac" / "bad.flac").write_bytes(b"fLaC no")
    (pieces / "tsv" / "bad.tsv").write_text("0 1 60 80")
    (pieces / "tsv" / "alone.tsv").write_text("0 1 60 80")
    run = tmp_path / "run"
    settings = recipe(
        pieces, LINEAR, steps=60, lr=2e-3, evaluations=3, weight_decay=0.0, checkpoint_seconds=99
    )
    metrics = train_transcriber(settings, run, device="cpu")
    assert json.loads((run / "metrics.json").read_text()) == metrics
    assert [entry["step"] for entry in metrics["history"]] == [20, 40, 60]
    assert metrics["average_precision"] > 0.4
    assert metrics["average_precision"] == metrics["history"][-1]["average_precision"]
    assert 0 <= metrics["note_f1"] <= 1
    assert metrics["parameters"] == 88 * 120 * 5
    assert [row["name"] for row in metrics["pieces"]] == ["3"]
    assert metrics["learned_from"] == ["0", "1", "2"]
    assert {Path(path).name for path in metrics["left_out"]} == {"bad.flac", "alone.tsv"}
    events = read_events(run)
    assert events[-1]["loss"] < 0.3 * events[0]["loss"]
    assert events[0]["loss"] == pytest.approx(0.6931, abs=1e-4)  # zero weights: ln 2
    page = (run / "report.html").read_text()
    assert page.count("data:image/png") == 4

    transcriber = load_transcriber(run, "cpu")
    again = transcriber.notes(music(3)[0])
    assert len(again) > 0
    assert transcriber.decoding_at(0.7).frame_threshold == 0.7


def test_a_crnn_run_is_complete(pieces: Path, single_notes: Path, tmp_path: Path) -> None:
    settings = recipe(pieces, CRNN, steps=30, lr=2e-2, checkpoint_seconds=99)
    data = settings.data.model_copy(
        update={"notes_folder": str(single_notes), "mixtures": 2, "mixture_seconds": 2.0}
    )
    run = tmp_path / "run"
    metrics = train_transcriber(settings.model_copy(update={"data": data}), run, device="cpu")
    assert metrics["learned_from"][3:] == ["mixture 0", "mixture 1"]
    events = read_events(run)
    assert set(events[0]) == {"step", "loss", "onset", "frame", "velocity"}
    assert sum(e["loss"] for e in events[-5:]) < 0.5 * sum(e["loss"] for e in events[:5])
    assert (run / "report.html").stat().st_size > 20_000
    transcriber = load_transcriber(run, "cpu")
    assert float(transcriber.network.scale) > 1
    assert transcriber.decoding_at(0.7).onset_threshold == 0.7


@pytest.mark.parametrize(("model", "stop_at"), [(CRNN, 3), (LINEAR, 5)])
def test_a_run_that_died_resumes_to_the_same_bits(
    pieces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: dict, stop_at: int
) -> None:
    settings = recipe(pieces, model)
    train_transcriber(settings, tmp_path / "whole", device="cpu")
    name = "harmonic_objective" if model is CRNN else "single_layer_objective"
    inner = getattr(objectives, name)

    def dying(*arguments: object):
        objective = inner(*arguments)

        def step(number: int):
            if number == stop_at:
                raise RuntimeError("killed")
            return objective(number)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(train_module, name, dying)
        with pytest.raises(RuntimeError, match="killed"):
            train_transcriber(settings, tmp_path / "broken", device="cpu")
    train_transcriber(settings, tmp_path / "broken", device="cpu", resume=True)
    assert read_events(tmp_path / "broken") == read_events(tmp_path / "whole")
    assert torch.equal(weights(tmp_path / "broken"), weights(tmp_path / "whole"))


def test_a_folder_of_another_run_is_refused(pieces: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train_transcriber(recipe(pieces, LINEAR, steps=1), run, device="cpu")
    with pytest.raises(InputError, match=r"is not empty\. Pass --resume"):
        train_transcriber(recipe(pieces, LINEAR, steps=1), run, device="cpu")
    with pytest.raises(InputError, match="is another run"):
        train_transcriber(recipe(pieces, LINEAR, steps=2), run, device="cpu", resume=True)
    (pieces / "tsv" / "0.tsv").write_text("0.1 0.4 60 80")
    with pytest.raises(InputError, match="is a checkpoint of another"):
        train_transcriber(recipe(pieces, LINEAR, steps=1), run, device="cpu", resume=True)


def test_data_that_cannot_be_used(pieces: Path, tmp_path: Path) -> None:
    def train(**data: object) -> None:
        settings = recipe(pieces, LINEAR)
        changed = settings.data.model_copy(update=data)
        train_transcriber(settings.model_copy(update={"data": changed}), tmp_path / "run")

    with pytest.raises(InputError, match="must name a folder of pieces"):
        train(folder="")
    with pytest.raises(InputError, match=r"`data.held_out` \(='x'\) must name pieces"):
        train(held_out=("x",))
    with pytest.raises(InputError, match=r"`data.held_out` \(=4\) must be less than"):
        train(held_out=4)
    with pytest.raises(InputError, match=r"`data` \(=.*nothing\) is not a folder"):
        train(notes_folder=str(tmp_path / "nothing"))
    for path in (pieces / "flac").iterdir():
        path.write_bytes(b"fLaC no")
    with pytest.raises(InputError, match=r"none of 3 pieces such as .* can be used"):
        train()
    assert not (tmp_path / "run").exists()


def test_a_number_of_pieces_is_held_out(pieces: Path, tmp_path: Path) -> None:
    settings = recipe(pieces, LINEAR, steps=1)
    changed = settings.data.model_copy(update={"held_out": 2})
    metrics = train_transcriber(
        settings.model_copy(update={"data": changed}), tmp_path / "run", device="cpu"
    )
    held = [row["name"] for row in metrics["pieces"]]
    assert len(held) == 2
    assert set(held) | set(metrics["learned_from"]) == {"0", "1", "2", "3"}


@pytest.mark.parametrize("model", [CRNN, LINEAR])
@pytest.mark.parametrize(
    ("transform", "settings"),
    [
        ("logfrequency", {"n_fft": 1024, "hop_length": 400, "f_max": 4900.0, "n_bins": 90}),
        ("cqt", {"f_min": 55.0, "n_bins": 76, "hop_length": 400}),
        ("mel", {"n_fft": 1024, "hop_length": 400, "n_mels": 64}),
    ],
)
def test_a_long_sound_is_heard_in_parts(
    monkeypatch: pytest.MonkeyPatch, model: dict, transform: str, settings: dict
) -> None:
    """Parts with enough about them say what the whole does."""
    plain = {
        "sample_rate": RATE, "model": model,
        "representation": {"transform": transform, "settings": settings},
    }  # fmt: skip
    transcriber = Transcriber(TranscriberRecipe.model_validate(plain)).eval()
    for parameter in transcriber.network.parameters():
        torch.nn.init.normal_(parameter, std=0.05 if model is CRNN else 1e-3)
    sound = music(9, seconds=7.77)[0]
    whole = transcriber.probabilities(sound)
    monkeypatch.setattr(transcriber_module, "_CHUNK", 50)
    parts = transcriber.probabilities(sound)
    assert parts.shape == whole.shape == (len(whole), 88, len(sound) // 400 + 1)
    assert float(whole.std()) > 1e-3
    torch.testing.assert_close(parts, whole, rtol=0, atol=2e-4)


def test_the_shortest_sounds() -> None:
    transcriber = Transcriber(recipe(Path(), CRNN)).eval()
    for samples in (1, 399, 400, 5000):
        assert transcriber.probabilities(torch.randn(samples)).shape == (3, 88, samples // 400 + 1)


def test_the_recipes_in_the_box(data: Path) -> None:
    harmonic = load_settings(TranscriberRecipe, RECIPES / "transcription.toml")
    linear = load_settings(TranscriberRecipe, RECIPES / "transcription_linear.toml")
    names = sorted(path.stem for path in (data / "audio" / "maps_enst" / "flac").iterdir())
    assert harmonic.data.held_out == linear.data.held_out == tuple(names[2::3])
    network = Transcriber(harmonic).network
    assert sum(parameter.numel() for parameter in network.parameters()) < 1_000_000
    default = TranscriberRecipe()
    assert harmonic.representation == default.representation


def test_settings_that_do_not_fit_together() -> None:
    with pytest.raises(ValueError, match=r"window \(=4\) must be odd"):
        TranscriberRecipe.model_validate({"model": {"kind": "linear", "window": 4}})
    with pytest.raises(ValueError, match="onset_threshold"):
        TranscriberRecipe.model_validate({"decoding": {"onset_threshold": 1.0}})
