"""``passband train`` as a person runs it, in a process of its own."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from passband.media import write_audio

RECIPE = """
[model.feature_extractor]
kind = "mel"
sample_rate = 8000
n_fft = 256
hop_length = 64
n_mels = 20

[model.backbone]
kind = "convnext"
dim = 16
intermediate_dim = 32
num_layers = 1

[model.head]
kind = "istft"
n_fft = 256

[data]
held_out = 1
samples = 1024
batch_size = 4

[discriminators.period]
periods = [2]
channels = [4, 8]

[discriminators.resolution]
lengths = [256]
channels = 2

[losses]
n_mels = 20
n_fft = 256
hop_length = 64

[training]
steps = 8
log_every = 1
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    for index in range(3):
        t = torch.arange(4000) / 8000
        write_audio(sounds / f"{index}.flac", 0.3 * torch.sin(800 * (index + 1) * t)[None], 8000)
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path / "tiny.toml"


def test_a_recipe_and_a_folder_become_a_vocoder(recipe: Path, tmp_path: Path, passband) -> None:
    (tmp_path / "sounds" / "broken.wav").write_bytes(b"RIFF nothing")
    done = passband("train", recipe, "--data", tmp_path / "sounds", "--set", "training.steps=4")
    assert done.returncode == 0, done.stderr
    assert re.search(r"vocoder +mel \d", done.stdout)
    assert re.search(r"griffin-lim +mel \d", done.stdout)
    assert "model: runs/tiny/model" in done.stdout
    assert "report: runs/tiny/report.html" in done.stdout
    assert done.stderr.count("left out: ") == 1
    assert "broken.wav" in done.stderr
    assert re.search(r"step 4/4 +loss .* steps/s", done.stderr)
    run = tmp_path / "runs" / "tiny"
    for name in ("recipe.toml", "events.jsonl", "metrics.json", "report.html"):
        assert (run / name).stat().st_size > 0
    assert json.loads((run / "metrics.json").read_text())["steps"] == 4
    facts = passband("info", run).stdout
    assert re.search(r"kind +vocoder\n", facts)
    assert re.search(r"steps +4\n", facts)
    (run / "metrics.json").unlink()
    resume = f"passband train {run / 'recipe.toml'} --out {run} --resume"
    assert resume in passband("info", run).stderr


def test_interrupted_it_says_how_to_go_on_and_does(recipe: Path, tmp_path: Path, passband) -> None:
    arguments = ["train", recipe, "--data", tmp_path / "sounds", "--out", tmp_path / "run"]
    process = subprocess.Popen(
        [sys.executable, "-m", "passband", *map(str, arguments), "--set", "training.steps=100000"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    events = tmp_path / "run" / "events.jsonl"
    for _ in range(600):
        if events.is_file() and events.stat().st_size:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"--out {tmp_path / 'run'} --resume" in said
    refused = passband(*arguments, "--resume")
    assert refused.returncode == 2
    assert "is another run" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "nowhere) is not a folder"),
        (["--data", "empty"], "holds no sound files"),
        ([], "Pass --data DIR"),
        (["--data", "sounds", "--set", "training.stps=3"], "unknown key `training.stps`"),
        (["--data", "sounds", "--set", "data.held_out=3"], "`data.held_out` (=3) must be less"),
    ],
)
def test_bad_input_is_one_line(
    recipe: Path, tmp_path: Path, passband, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    done = passband("train", recipe, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_unknown_kind_of_recipe_is_named_with_those_there_are(tmp_path: Path, passband) -> None:
    (tmp_path / "odd.toml").write_text('kind = "oracle"')
    done = passband("train", tmp_path / "odd.toml")
    assert done.returncode == 2
    assert re.search(r"`kind` \(='oracle'\) must be one of vocoder, classifier,", done.stderr)
    assert not (tmp_path / "runs").exists()


def test_a_comparison_is_sent_to_its_own_command(tmp_path: Path, passband) -> None:
    (tmp_path / "many.toml").write_text('kind = "comparison"')
    done = passband("train", tmp_path / "many.toml")
    assert done.returncode == 2
    assert "Pass it to passband compare." in done.stderr
