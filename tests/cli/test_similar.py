"""``passband similar``: neighbours of a sound, the index that follows its folder, and faults."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from passband.cli import main
from passband.media import write_audio
from passband.signal.tasks import save_model
from passband.signal.tasks.similarity import Embedder, EmbedderRecipe

RATE = 4000
Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command line in this process, in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["passband", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return ended.value.code, said.out, said.err

    return call


def sweep(low: float, high: float) -> Tensor:
    t = torch.arange(2 * RATE) / RATE
    return 0.3 * torch.sin(2 * torch.pi * (low * t + (high - low) * t.square() / 4))


@pytest.fixture(autouse=True)
def _model_and_sounds(tmp_path: Path) -> None:
    plain = {
        "representation": {
            "transform": "mel", "settings": {"n_fft": 128, "hop_length": 50, "n_mels": 16},
        },
        "data": {"sample_rate": RATE, "seconds": 0.5},
        "model": {"channels": [8], "dim": 16},
    }  # fmt: skip
    recipe = EmbedderRecipe.model_validate(plain)
    torch.manual_seed(0)
    (tmp_path / "model").mkdir()
    save_model(tmp_path / "model", "embedder", Embedder(recipe).eval(), recipe.model_dump(), {})
    (tmp_path / "sounds" / "deep").mkdir(parents=True)
    write_audio(tmp_path / "sounds" / "up.wav", sweep(100, 1500)[None], RATE)
    write_audio(tmp_path / "sounds" / "down.flac", sweep(1500, 100)[None], RATE)
    write_audio(tmp_path / "sounds" / "deep" / "low.ogg", sweep(80, 120).expand(2, -1), 8000)


def test_an_excerpt_finds_its_file_and_place(run: Run, tmp_path: Path) -> None:
    write_audio("query.wav", sweep(100, 1500)[None, 2500:6500], RATE)
    arguments = ("similar", "query.wav", "--index", "sounds", "--model", "model")
    code, out, _ = run(*arguments, "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["files"], found["embedded"], found["left_out"]) == (3, 3, {})
    best = found["neighbours"][0]
    assert best["path"] == "sounds/up.wav"
    assert best["start"] == pytest.approx(2500 / RATE + best["query_start"], abs=0.13)
    assert len(found["neighbours"]) == 3
    similarities = [each["similarity"] for each in found["neighbours"]]
    assert similarities == sorted(similarities, reverse=True)

    code, out, _ = run(*arguments, "--top", 1)
    assert code == 0
    head, line, count = out.splitlines()
    assert head.split() == ["similarity", "here", "(s)", "there", "(s)", "file"]
    assert line.endswith("sounds/up.wav")
    assert count == "3 files searched: 0 embedded, 3 kept, 0 failed"


def test_bad_files_are_left_out_and_named(run: Run) -> None:
    Path("sounds/bad.wav").write_bytes(b"RIFF no")
    arguments = ("similar", "sounds/up.wav", "--index", "sounds", "--model", "model")
    code, out, err = run(*arguments, "--cache", "kept")
    assert code == 2
    assert out.splitlines()[-1] == "3 files searched: 3 embedded, 0 kept, 1 failed"
    assert "bad.wav" in err
    assert Path("kept").is_dir()
    assert not Path("model/index").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.wav", "--index", "sounds", "--model", "model"), "none.wav does not exist"),
        (("sounds/up.wav", "--index", "none", "--model", "model"), "(=none) is not a folder"),
        (("sounds/up.wav", "--index", "model", "--model", "model"), "holds no sound files"),
        (("sounds/up.wav", "--index", "sounds", "--model", "sounds"), "holds no model.safetensors"),
        (("silent.wav", "--index", "sounds", "--model", "model"), "silent.wav is silent"),
        (("bad.wav", "--index", "sounds", "--model", "model"), "bad.wav"),
    ],
)
def test_what_cannot_be_searched(run: Run, arguments: tuple[str, ...], message: str) -> None:
    write_audio("silent.wav", torch.zeros(1, 4000), RATE)
    Path("bad.wav").write_bytes(b"RIFF no")
    code, out, err = run("similar", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
