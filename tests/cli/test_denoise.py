"""``passband denoise`` on files, folders and faults."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import typer

from passband.cli._denoise import denoise
from passband.errors import InputError, PassbandError
from passband.signal.tasks import built_with_seed, save_model
from passband.signal.tasks.denoising import DenoiserRecipe, Splitter, load_denoiser

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Run:
    """The command, in an empty folder: its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def call(source: str, out: str, **options: object) -> tuple[int, str, str]:
        options = {name: Path(value) if name in ("model", "noise", "picture") else value
                   for name, value in {"model": "run", **options}.items()}  # fmt: skip
        code, said = 0, ""
        try:
            denoise(Path(source), Path(out), **options)
        except typer.Exit as end:
            code = end.exit_code
        except PassbandError as error:
            code, said = 2, str(error)
        shown = capsys.readouterr()
        return code, shown.out, shown.err + said

    return call


@pytest.fixture
def model(run: Run) -> Path:
    recipe = DenoiserRecipe.model_validate({
        "model": {"network": {"depth": 2, "root": 2}}, "data": {"samples": 600},
    })  # fmt: skip
    Path("run").mkdir()
    splitter = built_with_seed(lambda: Splitter(recipe.model), 0)
    save_model(Path("run"), "denoiser", splitter, recipe.model_dump(mode="json"), {})
    return Path("run")


def shake(name: str, samples: int = 1500, **entries: object) -> np.ndarray:
    data = np.random.default_rng(0).standard_normal((samples, 3)) * 1000
    Path(name).parent.mkdir(exist_ok=True, parents=True)
    np.savez(name, **{"data": data, "itp": 500, "channels": "HHE_HHN_HHZ", **entries})
    return data


def test_one_file(run: Run, model: Path) -> None:
    data = shake("in.npz")
    code, out, err = run("in.npz", "made/out.npz", noise="noise.npz", picture="p.png")
    assert (code, err) == (0, "")
    assert out.startswith("made/out.npz: 3 traces, 15 s, ")
    assert "% of the power is noise" in out
    with np.load("made/out.npz") as signal, np.load("noise.npz") as noise:
        np.testing.assert_allclose(signal["data"] + noise["data"], data, rtol=1e-12, atol=1e-9)
        assert (int(signal["itp"]), str(noise["channels"])) == (500, "HHE_HHN_HHZ")
        expected = load_denoiser(model, "cpu")(torch.from_numpy(data.T.copy()), 100.0).signal
        np.testing.assert_array_equal(signal["data"], expected.T.numpy())
    assert Path("p.png").read_bytes()[1:4] == b"PNG"


def test_json_is_one_document(run: Run, model: Path) -> None:
    dead = np.random.default_rng(0).standard_normal((1500, 3))
    dead[:, 2] = 0
    shake("in.npz", data=dead)
    code, out, _ = run("in.npz", "out.npz", json_=True)
    report = json.loads(out)
    assert code == 0
    assert (report["traces"], report["without_signal"], report["sample_rate"]) == (3, 1, 100.0)
    assert 0 < report["noise_power"] < 1
    code, out, _ = run("in.npz", "out.npz")
    assert "1 constant or too short" in out


def test_a_folder_goes_on_and_names_what_failed(run: Run, model: Path) -> None:
    for name in ("in/a.npz", "in/b/c.npz"):
        shake(name)
    shake("in/nan.npz", data=np.full(900, np.nan))
    shake("in/short.npz", samples=20)
    shake("in/dead.npz", data=np.ones((900, 3)))
    Path("in/bad.npz").write_bytes(b"bad")
    Path("in/list.csv").write_text("fname")
    code, out, err = run("in", "out", noise="noise")
    assert code == 2
    assert out == "6 files: 2 made, 0 kept, 4 failed: out\n"
    for said in (
        "in/nan.npz holds 900 samples that are NaN or infinite",
        "in/short.npz: none of the 3 traces can be denoised",
        "in/dead.npz: none of the 3 traces",
        "in/bad.npz cannot be read as arrays",
    ):
        assert f"passband: {said}" in err
    assert sorted(str(p) for p in Path("out").rglob("*.npz")) == ["out/a.npz", "out/b/c.npz"]
    assert sorted(str(p) for p in Path("noise").rglob("*.npz")) == ["noise/a.npz", "noise/b/c.npz"]
    Path("out/a.npz").unlink()
    code, out, _ = run("in", "out", noise="noise", json_=True)
    document = json.loads(out)
    assert (list(document["made"]), document["kept"]) == (["a.npz"], ["b/c.npz"])
    assert sorted(document["failed"]) == ["bad.npz", "dead.npz", "nan.npz", "short.npz"]


def test_outputs_inside_the_folder_are_not_inputs(run: Run, model: Path) -> None:
    shake("in/a.npz")
    assert run("in", "in/out", noise="in/noise")[:2] == (
        0, "1 files: 1 made, 0 kept, 0 failed: in/out\n",
    )  # fmt: skip
    assert run("in", "in/out", noise="in/noise")[1].startswith("1 files: 0 made, 1 kept")


@pytest.mark.parametrize(
    ("source", "out", "options", "match"),
    [
        ("none.npz", "o.npz", {}, "none.npz does not exist"),
        ("in.npz", "o.sac", {}, r"--out \(=o.sac\) must be of the format of in.npz"),
        ("in.npz", "o.wav", {}, "o.wav ends in '.wav'"),
        ("in.npz", "in.npz", {}, "must not be the input"),
        ("in.npz", "o.npz", {"noise": "o.npz"}, r"--noise \(=o.npz\) must not be --out"),
        ("in.npz", "o.npz", {"picture": "p.jpg"}, "must end in .png"),
        ("in.npz", "o.npz", {"model": "empty"}, "holds no model.safetensors"),
        ("in.npz", "o.npz", {"model": "other"}, "a model of another task, classifier"),
        ("in.npz", "o.npz", {"device": "cuda:77"}, "is not available here"),
        ("folder", "folder", {}, "must be different folders"),
        ("folder", "o", {"picture": "p.png"}, "--picture needs a single file"),
        ("empty", "o", {}, "empty holds no seismograms"),
        ("bad.npz", "o.npz", {}, "bad.npz cannot be read as arrays"),
        ("short.npz", "o.npz", {}, "short.npz: none of the 3 traces can be denoised"),
    ],
)
def test_bad_input_is_one_line(
    run: Run, model: Path, source: str, out: str, options: dict[str, object], match: str
) -> None:
    shake("in.npz")
    shake("short.npz", samples=20)
    shake("folder/a.npz")
    Path("bad.npz").write_bytes(b"bad")
    Path("empty").mkdir()
    save_model(Path("folder"), "classifier", torch.nn.Linear(1, 1), {}, {})
    Path("folder").rename("other")
    shake("folder/a.npz")
    code, shown, err = run(source, out, **options)
    assert (code, shown) == (2, "")
    with pytest.raises(InputError, match=match):
        raise InputError(err)
    assert "\n" not in err
    assert not Path("o.npz").exists()


def test_miniseed_in_miniseed_out(run: Run, model: Path) -> None:
    obspy = pytest.importorskip("obspy")
    trace = obspy.Trace(np.arange(900, dtype=np.int32) % 50, {"station": "A", "delta": 0.02})
    obspy.Stream([trace]).write("a.mseed", format="MSEED")
    code, out, err = run("a.mseed", "b.mseed", noise="n.mseed")
    assert (code, err) == (0, "")
    assert out.startswith("b.mseed: 1 traces, 18 s")
    signal, noise = (obspy.read(name)[0] for name in ("b.mseed", "n.mseed"))
    assert (signal.id, signal.stats.delta) == (trace.id, 0.02)
    np.testing.assert_allclose(signal.data + noise.data, trace.data, atol=1e-4)
