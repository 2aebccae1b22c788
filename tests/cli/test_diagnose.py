"""``passband diagnose`` as a person runs it."""

import json
from pathlib import Path

import torch

from passband.inr import fit, parse_scene
from passband.media import write_audio


def sound_run(folder: Path) -> Path:
    t = torch.arange(2000) / 8000
    write_audio(folder / "tone.wav", 0.5 * torch.sin(2000 * t + 4000 * t**2)[None], 8000)
    network = {"kind": "siren", "hidden_features": 16, "first_omega": 100.0}
    plain = {
        "kind": "audio",
        "target": {"path": str(folder / "tone.wav")},
        "field": {"network": network},
        "training": {"steps": 10, "batch_size": 512, "evaluations": 3},
    }
    fit(parse_scene(plain, source="test"), folder / "run", device="cpu")
    return folder / "run"


def test_a_sound_is_diagnosed(tmp_path: Path, passband) -> None:
    run = sound_run(tmp_path)
    done = passband("diagnose", run, "-o", "found", "--samples", 32, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    numbers = json.loads((tmp_path / "found" / "diagnosis.json").read_text())
    mean = numbers["gradient_confusion"]["hidden"]["local"]["mean"]
    assert f"gradient cosine, hidden {mean:>+20.3f}" in done.stdout
    assert numbers["gradient_confusion"]["hidden"]["local"]["pairs"] == 300
    assert "differing units, of 64" in done.stdout
    assert "effective rank" in done.stdout
    assert done.stdout.endswith("report: found/diagnosis.html\n")
    for stage in ("gradients of local pairs", "activation patterns", "tangent kernel"):
        assert stage in done.stderr
    page = (tmp_path / "found" / "diagnosis.html").read_text()
    assert "src=" in page
    assert "http" not in page


def test_errors_are_one_line(tmp_path: Path, passband) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, said in (
        (("nowhere",), "is no run folder"),
        (("empty",), "its fit has not ended"),
        (("empty", "--samples", 1), "`samples` (=1) must be"),
    ):
        done = passband("diagnose", *arguments)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert said in done.stderr
