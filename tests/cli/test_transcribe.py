"""``passband transcribe`` on files, folders and faults."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import typer

from passband.cli._transcribe import transcribe
from passband.errors import PassbandError
from passband.media import write_audio
from passband.signal.tasks import built_with_seed, save_model
from passband.signal.tasks.transcription import (
    Transcriber,
    TranscriberRecipe,
    load_transcriber,
    read_midi,
)

Run = Callable[..., tuple[int, str, str]]
RATE = 10000


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, in an empty folder: its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(source: str, out: str = "out.mid", **options: object) -> tuple[int, str, str]:
        arguments: dict[str, object] = {"model": Path("run"), "device": "cpu", **options}
        code, said = 0, ""
        try:
            transcribe(Path(source), out=Path(out), **arguments)  # type: ignore[arg-type]
        except typer.Exit as end:
            code = end.exit_code
        except PassbandError as error:
            code, said = 2, str(error)
        shown = capsys.readouterr()
        return code, shown.out, shown.err + said

    return call


@pytest.fixture
def model(run: Run) -> Transcriber:
    """A single layer that hears A4 where its bin is loud, in the folder ``run``."""
    recipe = TranscriberRecipe.model_validate({
        "sample_rate": RATE,
        "representation": {"transform": "stft", "settings": {"n_fft": 1000, "hop_length": 250}},
        "model": {"kind": "linear", "window": 1},
    })  # fmt: skip
    transcriber = built_with_seed(lambda: Transcriber(recipe), 0)
    with torch.no_grad():
        transcriber.network.weight[:, 200] = 1.0  # no sound there: a bias of -11.5
        transcriber.network.weight[69 - 21, 200] = 0.5
        transcriber.network.weight[69 - 21, 44] = 1.0
    plain = json.loads(recipe.model_dump_json(exclude_none=True))
    save_model(_made(Path("run")), "transcriber", transcriber.network, plain, {})
    return load_transcriber(Path("run"), "cpu")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def sound(path: str, rate: int = RATE, channels: int = 1, seconds: float = 2.0) -> None:
    """A4 from 0.5 to 1 s."""
    t = torch.arange(round(seconds * rate)) / rate
    tone = 0.2 * torch.sin(2 * torch.pi * 440 * t) * ((t >= 0.5) & (t < 1.0))
    Path(path).parent.mkdir(exist_ok=True)
    write_audio(Path(path), tone.expand(channels, -1), rate)


@pytest.mark.parametrize(("rate", "channels"), [(RATE, 1), (44100, 2)])
def test_a_sound_becomes_notes(run: Run, model: Transcriber, rate: int, channels: int) -> None:
    sound("a.wav", rate, channels)
    code, said, errors = run("a.wav", csv=Path("tables/a.csv"))
    assert (code, errors) == (0, "")
    assert said == "out.mid: 1 notes, MIDI 69 to 69, 1.0 s\n"
    ((onset, offset, pitch, _),) = read_midi(Path("out.mid"))
    assert (onset, offset, pitch) == (pytest.approx(0.5, abs=0.05), pytest.approx(1, abs=0.05), 69)
    head, line = Path("tables/a.csv").read_text().splitlines()
    assert head == "onset,offset,midi,velocity,confidence"
    assert float(line.split(",")[0]) == pytest.approx(onset, abs=1e-3)


def test_one_document_and_a_threshold(run: Run, model: Transcriber) -> None:
    sound("a.wav")
    code, said, _ = run("a.wav", json_=True)
    document = json.loads(said)
    assert (code, document["source"]) == (0, "a.wav")
    assert document["notes"][0]["pitch"] == 69
    assert set(document["notes"][0]) == {"onset", "offset", "pitch", "velocity", "confidence"}
    _, less, _ = run("a.wav", json_=True, threshold=0.99999)
    assert json.loads(less)["notes"] == []
    assert run("a.wav", threshold=0.99999)[1] == "out.mid: no notes\n"
    assert read_midi(Path("out.mid")) == []


def test_a_folder_goes_on_and_names_what_failed(run: Run, model: Transcriber) -> None:
    sound("in/a.wav")
    sound("in/b.wav")
    sound("in/b.flac")
    Path("in/bad.wav").write_bytes(b"RIFF no")
    code, said, errors = run("in", "out", csv=Path("tables"))
    assert code == 2
    assert said == "4 files: 3 made, 0 kept, 1 failed: out\n"
    assert "passband: " in errors
    assert "in/bad.wav holds text" in errors
    made = sorted(path.name for path in Path("out").iterdir())
    assert made == ["a.mid", "b.flac.mid", "b.wav.mid"]
    assert len(list(Path("tables").iterdir())) == 3
    Path("in/bad.wav").unlink()
    Path("out/a.mid").unlink()
    code, said, _ = run("in", "out", csv=Path("tables"), json_=True)
    assert code == 0
    document = json.loads(said)
    assert (document["made"], len(document["kept"])) == ({"in/a.wav": 1}, 2)


def test_faults_are_told_before_the_work(run: Run, model: Transcriber) -> None:
    sound("a.wav")
    assert "none.wav does not exist" in run("none.wav")[2]
    assert "must end in .mid or .midi" in run("a.wav", "a.txt")[2]
    assert "--threshold (=1.5) must lie between 0 and 1" in run("a.wav", threshold=1.5)[2]
    assert "holds no model.safetensors" in run("a.wav", model=Path("nothing"))[2]
    Path("empty").mkdir()
    assert "holds no sound files" in run("empty", "out")[2]
    Path("a.bad.wav").write_bytes(b"RIFF no")
    assert "holds text" in run("a.bad.wav")[2]
    assert not Path("out.mid").exists()


def test_a_model_of_another_task_is_refused(run: Run) -> None:
    sound("a.wav")
    save_model(_made(Path("run")), "denoiser", torch.nn.Linear(1, 1), {}, {})
    code, _, errors = run("a.wav")
    assert code == 2
    assert "is a model of another task, denoiser, not transcriber" in errors


def test_a_sound_shorter_than_a_window_has_its_notes_or_none(run: Run, model: Transcriber) -> None:
    sound("a.wav", seconds=0.01)
    assert run("a.wav")[:2] == (0, "out.mid: no notes\n")
