import errno
import json
import math
import os
from pathlib import Path

import pytest
import torch
import trimesh

from passband.errors import InputError, OutputError, TrainingError
from passband.inr import (
    FittedField,
    ImageScene,
    SignalInfo,
    SirenNetwork,
    build_field,
    fit,
    load_field,
    load_scene,
    parse_scene,
)
from passband.inr._fit import evaluation_steps
from passband.inr._objective import _LOSSES
from passband.inr._scene import FieldSettings, TrainingSettings
from passband.inr.targets import bundled_image
from passband.media import read_audio, read_image, write_audio, write_image
from passband.training import CHECKPOINT, load_tensors

SCENES = [
    path
    for path in sorted((Path(__file__).parents[2] / "scenes").glob("*.toml"))
    if 'kind = "photographs"' not in path.read_text(encoding="utf-8")
]
QUICK = [
    "training.steps=25",
    "training.batch_size=4096",
    "training.evaluations=2",
    "matching.initialisations=2",
]


def chirp(folder: Path) -> Path:
    t = torch.arange(6000) / 8000
    write_audio(folder / "chirp.wav", 0.5 * torch.sin(2000 * t + 4000 * t**2)[None], 8000)
    return folder / "chirp.wav"


def quarter(name: str, folder: Path) -> Path:
    """Every fourth pixel of a bundled picture."""
    pixels = read_image(bundled_image(name)).pixels[:, ::4, ::4]
    write_image(folder / "quarter.png", pixels)
    return folder / "quarter.png"


def ball(folder: Path) -> Path:
    trimesh.creation.icosphere(3).export(folder / "ball.obj")
    return folder / "ball.obj"


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.stem)
def test_every_scene_fits(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passband.inr.targets._shape._SIZE", (48, 48, 48))
    monkeypatch.setattr("passband.inr._shape_figures._SIDE", 80)
    monkeypatch.setattr("passband.inr._shape_quality._SURFACE_SAMPLES", 10_000)
    overrides = list(QUICK)
    kind = load_scene(path).kind
    if kind == "audio":
        overrides.append(f"target.path={chirp(tmp_path)}")
    elif kind == "shape":
        overrides += [f"target.path={ball(tmp_path)}", "field.encoding.n_kernels=200"]
    elif path.stem != "astronaut":  # whole pictures are for the scene that is not shown smaller
        overrides.append(f"target.path={quarter(load_scene(path).target.path, tmp_path)}")
    scene = load_scene(path, overrides)
    metrics = fit(scene, tmp_path / "run", device="cpu")
    first, last = metrics["history"][0], metrics["history"][-1]
    if kind == "shape":
        assert last["mape"] < 0.9 * first["mape"]
    else:
        assert last["psnr"] > first["psnr"] + 0.1
    matching = metrics["matching"]
    assert matching is None or metrics["knob_value"] == matching["value"]
    fitted = load_field(tmp_path / "run")
    assert fitted.info.size == tuple(metrics["size"])
    assert fitted.field.parameter_count == metrics["parameters"]


def picture(folder: Path, *, seed: int = 0) -> Path:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 6, generator=generator)
    pixels = torch.nn.functional.interpolate(coarse, size=(40, 30), mode="bicubic").clamp(0, 1)
    write_image(folder / "a.png", pixels[0])
    return folder / "a.png"


def small_scene(folder: Path, **training: object) -> ImageScene:
    plain = {
        "kind": "image",
        "target": {"path": str(picture(folder))},
        "field": {
            "encoding": {"kind": "hashgrid", "log2_hashmap_size": 9, "finest_resolution": 32}
        },
        "training": {"steps": 60, "batch_size": 512, "checkpoint_seconds": 0, **training},
    }
    scene = parse_scene(plain, source="test")
    assert isinstance(scene, ImageScene)
    return scene


def test_the_reloaded_field_renders_what_the_run_rendered(tmp_path: Path) -> None:
    metrics = fit(small_scene(tmp_path), tmp_path / "run", device="cpu")
    rendering = read_image(tmp_path / "run" / "rendering.png").pixels
    again = load_field(tmp_path / "run").sample()
    assert float((again - rendering).abs().max()) <= 0.5 / 255 + 1e-6
    target = read_image(tmp_path / "a.png").pixels
    mse = float((again - target).square().mean())
    assert metrics["psnr"] == pytest.approx(-10 * math.log10(mse), abs=1e-3)
    assert metrics["psnr"] > 25


def test_cpu_runs_repeat_and_seeds_matter(tmp_path: Path) -> None:
    losses = [
        fit(small_scene(tmp_path, seed=seed), tmp_path / f"run{n}", device="cpu")["loss"]
        for n, seed in enumerate([3, 3, 4])
    ]
    assert losses[0] == losses[1] != losses[2]


def test_resuming_another_scene_or_target_is_refused(tmp_path: Path) -> None:
    scene = small_scene(tmp_path)
    fit(scene, tmp_path / "run", device="cpu")
    with pytest.raises(InputError, match="is another run"):
        fit(small_scene(tmp_path, steps=61), tmp_path / "run", device="cpu", resume=True)
    picture(tmp_path, seed=1)
    with pytest.raises(InputError, match="its scene or its target differs"):
        fit(scene, tmp_path / "run", device="cpu", resume=True)
    with pytest.raises(InputError, match=r"is not empty\. Pass --resume"):
        fit(scene, tmp_path / "run", device="cpu")


def test_a_full_disk_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(small_scene(tmp_path), tmp_path / "whole", device="cpu")
    replace, count = os.replace, 0

    def full(source: Path, target: Path) -> None:
        nonlocal count
        if Path(target).name == CHECKPOINT:
            count += 1
            if count > 30:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    run = tmp_path / "run"
    with pytest.raises(OutputError, match="no space left on the device holding"):
        fit(small_scene(tmp_path), run, device="cpu")
    monkeypatch.undo()
    assert not list(run.glob(".passband-*"))
    assert load_tensors(run / CHECKPOINT)[1]["step"] == 30
    assert fit(small_scene(tmp_path), run, device="cpu", resume=True)["loss"] == whole["loss"]


def test_a_diverging_fit_stops_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_LOSSES, "l2", lambda given, wanted: (given * math.inf).mean())
    with pytest.raises(TrainingError, match=r"at step 1; .* Lower the learning rate"):
        fit(small_scene(tmp_path), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run" / CHECKPOINT).exists()


def test_winner_starts_siren_without_measuring(tmp_path: Path) -> None:
    plain = {
        "kind": "audio",
        "target": {"path": str(chirp(tmp_path))},
        "field": {"network": {"kind": "siren", "hidden_features": 32}},
        "matching": {"method": "winner"},
        "training": {"steps": 5, "batch_size": 512},
    }
    metrics = fit(parse_scene(plain, source="test"), tmp_path / "run", device="cpu")
    assert metrics["knob_value"] == 30.0
    assert metrics["winner"][0] > 0
    assert "closed form" in (tmp_path / "run" / "report.html").read_text()
    plain["field"] = {"network": {"kind": "finer"}}
    with pytest.raises(InputError, match="sets the initial weights of SIREN"):
        fit(parse_scene(plain, source="test"), tmp_path / "other", device="cpu")


def test_unbounded_pictures_and_sounds_come_back_in_their_own_range(tmp_path: Path) -> None:
    y, x = torch.meshgrid(torch.linspace(0, 1, 20), torch.linspace(0, 1, 24), indexing="ij")
    write_image(tmp_path / "a.exr", torch.stack([5 * x, 3 * y, x * y]), bit_depth=32)
    scene = small_scene(tmp_path, steps=200)
    target = scene.target.model_copy(update={"path": str(tmp_path / "a.exr")})
    metrics = fit(scene.model_copy(update={"target": target}), tmp_path / "run", device="cpu")
    back = read_image(tmp_path / "run" / "rendering.exr").pixels
    assert float(back.max()) == pytest.approx(5.0, abs=0.3)
    assert metrics["psnr"] > 30


def test_a_sound_keeps_its_rate_and_level(tmp_path: Path) -> None:
    plain = {
        "kind": "audio",
        "target": {"path": str(chirp(tmp_path))},
        "field": {
            "encoding": {"kind": "hashgrid", "log2_hashmap_size": 12, "finest_resolution": 6000}
        },
        "training": {"steps": 200, "batch_size": 6000},
    }
    metrics = fit(parse_scene(plain, source="test"), tmp_path / "run", device="cpu")
    audio = read_audio(tmp_path / "run" / "rendering.wav")
    assert audio.sample_rate == 8000
    assert float(audio.samples.abs().max()) == pytest.approx(0.5, abs=0.05)
    assert metrics["snr"] > 20


def test_metrics_hold_what_they_promise(tmp_path: Path) -> None:
    fit(small_scene(tmp_path), tmp_path / "run", device="cpu")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    for name in ("psnr", "ssim", "seconds", "steps", "parameters", "bits_per_sample"):
        assert isinstance(metrics[name], int | float)
    assert len(metrics["band_error_db"]) == len(metrics["band_edges"]) - 1
    assert [entry["step"] for entry in metrics["history"]] == evaluation_steps(
        TrainingSettings(steps=60)
    )


def line_field(*, rate: int = 100, count: int = 101) -> FittedField:
    info = SignalInfo("audio", "", 1, (count,), 0.0, 2.0, False, sample_rate=rate)
    settings = FieldSettings(network=SirenNetwork(first_omega=30.0, hidden_features=4))
    return FittedField(build_field(settings, 1, 1), settings, info)


@pytest.mark.parametrize("rate", [50, 77, 100, 250])
def test_sounds_render_at_the_times_of_the_new_rate(rate: int) -> None:
    fitted = line_field()
    samples = fitted.sound(rate)
    times = torch.arange(samples.shape[1]) / rate
    assert float(times[-1]) <= 1.0 < float(times[-1]) + 1 / rate + 1e-6
    with torch.no_grad():
        expected = 2.0 * fitted.field((2 * times - 1)[:, None]).T
    torch.testing.assert_close(samples, expected, rtol=0, atol=1e-4)


def test_impossible_sizes_are_named() -> None:
    fitted = line_field()
    with pytest.raises(InputError, match="must have 1 axes"):
        fitted.sample((3, 4))
    with pytest.raises(InputError, match="at least 1 along"):
        fitted.sample((0,))
    with pytest.raises(InputError, match="are rendered at once"):
        fitted.sample((2**32,))
    with pytest.raises(InputError, match="at least 1 Hz"):
        fitted.sound(0)
