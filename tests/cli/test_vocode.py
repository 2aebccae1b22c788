"""``passband vocode`` and ``passband vocoder convert``: sounds, features, folders, and faults."""

import sys
from collections.abc import Callable
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import soundfile
import torch

from passband.cli import _synthesis, main
from passband.media import read_audio, write_audio
from passband.vocoder import (
    ConvNeXtSettings,
    EncodecFeatureSettings,
    GriffinLim,
    ISTFTHeadSettings,
    Vocos,
    VocosSettings,
)

Run = Callable[..., tuple[object, str, str]]
SMALL = ConvNeXtSettings(dim=16, intermediate_dim=32, num_layers=2)


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


@pytest.fixture
def model(tmp_path: Path) -> Vocos:
    """A small vocoder, and its files in the folder ``model``."""
    torch.manual_seed(0)
    vocos = Vocos(VocosSettings(backbone=SMALL)).eval()
    with torch.no_grad():
        for value in vocos.parameters():
            value.add_(0.05 * torch.randn_like(value))
    vocos.save_pretrained(tmp_path / "model")
    return vocos


def tone(rate: int = 24000, seconds: float = 0.3, channels: int = 1) -> torch.Tensor:
    time = torch.arange(round(rate * seconds)) / rate
    return torch.stack([(440.0 * (c + 1) * 6.2832 * time).sin() / 2 for c in range(channels)])


def test_copy_synthesis_is_what_the_model_makes(run: Run, model: Vocos) -> None:
    write_audio("in.wav", tone(channels=2), 24000)
    code, out, err = run("vocode", "in.wav", "-o", "new/out.wav", "--model", "model")
    assert (code, out, err) == (0, "new/out.wav: 2 channels, 7200 samples at 24000 Hz\n", "")
    sound = read_audio("in.wav").samples
    expected = model(model.features(sound), length=7200).detach().clamp(-1, 1)
    made = read_audio("new/out.wav")
    assert made.sample_rate == 24000
    torch.testing.assert_close(made.samples, expected, atol=1e-4, rtol=0)


def test_a_sound_of_another_rate_is_resampled(run: Run, model: Vocos) -> None:
    write_audio("in.flac", tone(44100), 44100)
    code, out, _ = run("vocode", "in.flac", "-o", "out.wav", "--model", "model")
    assert (code, out) == (0, "out.wav: 1 channels, 7200 samples at 24000 Hz\n")


@pytest.mark.parametrize("kind", ["npy", "npz", "npz named", "pt", "pt named", "three axes"])
def test_features_of_every_kind(run: Run, model: Vocos, kind: str) -> None:
    features = model.features(tone(channels=2))
    array = features.numpy() if kind == "three axes" else features[0].numpy()
    path = Path(f"in.{kind.split()[0] if kind != 'three axes' else 'npy'}")
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        extra = {"rate": np.int64(24000)} if "named" in kind else {}
        np.savez(path, mel=array, **extra)
    else:
        value = features[0].double()
        torch.save({"mel": value, "rate": 24000} if "named" in kind else value, path)
    code, out, err = run("vocode", path, "-o", "out.wav", "--model", "model")
    channels = 2 if kind == "three axes" else 1
    expected = model(features[:channels]).detach().clamp(-1, 1)
    assert (code, err) == (0, ""), err
    assert out == f"out.wav: {channels} channels, {expected.shape[1]} samples at 24000 Hz\n"
    torch.testing.assert_close(read_audio("out.wav").samples, expected, atol=1e-4, rtol=0)


def test_without_a_model_griffin_lim_comes_close(run: Run) -> None:
    write_audio("in.wav", tone(), 24000)
    code, _, err = run("vocode", "in.wav", "-o", "out.wav")
    assert code == 0
    assert "Griffin-Lim, the baseline without weights" in err
    made, mel = read_audio("out.wav").samples, GriffinLim().feature_extractor
    assert made.shape == (1, 7200)
    ours, wanted = (mel(sound).exp() for sound in (made, tone()))
    assert float((ours - wanted).norm() / wanted.norm()) < 0.2
    first = Path("out.wav").read_bytes()
    run("vocode", "in.wav", "-o", "out.wav")
    assert Path("out.wav").read_bytes() == first


def test_a_long_sound_says_how_far_and_sounds_the_same(
    run: Run, model: Vocos, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_audio("in.wav", tone(seconds=2), 24000)
    run("vocode", "in.wav", "-o", "whole.wav", "--model", "model")
    monkeypatch.setattr(_synthesis, "_LONG", 1.0)
    monkeypatch.setattr(_synthesis, "_CHUNK", 50)
    code, out, err = run("vocode", "in.wav", "-o", "parts.wav", "--model", "model")
    assert (code, out) == (0, "parts.wav: 1 channels, 48000 samples at 24000 Hz\n")
    assert "3/3 seconds" in err
    whole, parts = (read_audio(name).samples for name in ("whole.wav", "parts.wav"))
    torch.testing.assert_close(whole, parts, atol=2 / 2**15, rtol=0)


def test_a_folder_goes_on_and_names_what_failed(run: Run, model: Vocos) -> None:
    Path("in/deep").mkdir(parents=True)
    write_audio("in/a.wav", tone(), 24000)
    write_audio("in/deep/b.flac", tone(16000), 16000)
    np.save("in/deep/c.npy", model.features(tone()[0]).numpy())
    np.save("in/deep/b.npy", model.features(tone()[0]).numpy())
    write_audio("in/silent.wav", torch.zeros(1, 8000), 8000)
    Path("in/bad.wav").write_bytes(b"RIFF")
    Path("in/notes.txt").write_text("no sound")
    arguments = ("vocode", "in", "-o", "in/out", "--model", "model")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "6 files: 4 made, 0 kept, 2 failed: in/out\n")
    assert "6/6 files  2 failed" in err
    assert "passband: in/silent.wav is silent" in err
    assert "passband: in/bad.wav" in err
    made = sorted(p.relative_to("in/out").as_posix() for p in Path("in/out").rglob("*.wav"))
    assert made == ["a.wav", "deep/b.flac.wav", "deep/b.npy.wav", "deep/c.wav"]
    Path("in/out/a.wav").unlink()
    kept = Path("in/out/deep/c.wav").stat().st_mtime_ns
    code, out, _ = run(*arguments)
    assert (code, out) == (2, "6 files: 1 made, 3 kept, 2 failed: in/out\n")
    assert Path("in/out/deep/c.wav").stat().st_mtime_ns == kept


def test_a_vocoder_of_codes_takes_a_bandwidth(run: Run) -> None:
    backbone = SMALL.model_copy(update={"conditions": 1})
    settings = VocosSettings(
        feature_extractor=EncodecFeatureSettings(bandwidths=(1.5,)),
        backbone=backbone,
        head=ISTFTHeadSettings(n_fft=1280, padding="same"),
    )
    Vocos(settings).save_pretrained("codes")
    np.save("in.npy", np.random.default_rng(0).normal(size=(128, 20)).astype(np.float32))
    code, out, _ = run("vocode", "in.npy", "-o", "o.wav", "--model", "codes", "--bandwidth-id", 0)
    assert (code, out) == (0, "o.wav: 1 channels, 6400 samples at 24000 Hz\n")
    code, _, err = run("vocode", "in.npy", "-o", "o.wav", "--model", "codes")
    assert code == 2
    assert err.startswith("passband: in.npy: `bandwidth_id` must be given, 0 to 0")


@pytest.mark.parametrize("shape", [(4, 20), (4, 2, 20)])
def test_codes_tell_their_bandwidth(run: Run, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    settings = VocosSettings(
        feature_extractor=EncodecFeatureSettings(bandwidths=(1.5, 3.0)),
        backbone=SMALL.model_copy(update={"conditions": 2}),
        head=ISTFTHeadSettings(n_fft=1280, padding="same"),
    )
    vocos = Vocos(settings).eval()
    with torch.no_grad():
        for value in vocos.parameters():
            value.add_(0.1 * torch.randn_like(value))
    vocos.save_pretrained("codes")
    codes = torch.randint(0, 1024, shape)
    np.save("in.npy", codes.numpy().astype(np.int16))
    code, out, err = run("vocode", "in.npy", "-o", "out.wav", "--model", "codes")
    channels = 1 if len(shape) == 2 else 2
    assert (code, err) == (0, "")
    assert out == f"out.wav: {channels} channels, 6400 samples at 24000 Hz\n"
    with torch.no_grad():
        expected = vocos(vocos.codes_to_features(codes), 1).reshape(channels, -1).clamp(-1, 1)
    made = read_audio("out.wav").samples
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=0)
    run("vocode", "in.npy", "-o", "other.wav", "--model", "codes", "--bandwidth-id", 0)
    assert not torch.allclose(read_audio("other.wav").samples, made, atol=1e-3)
    np.save("in.npy", codes.numpy()[:3])
    code, _, err = run("vocode", "in.npy", "-o", "out.wav", "--model", "codes")
    assert code == 2
    assert "in.npy: 3 codebooks are no bandwidth of this vocoder, which has 2, 4. Pass" in err
    np.save("in.npy", codes.numpy() + 2000)
    code, _, err = run("vocode", "in.npy", "-o", "out.wav", "--model", "codes")
    assert code == 2
    assert "in.npy: `codes` (2" in err
    assert "must be 0 to 1023" in err


def test_compiled_and_on_a_device(run: Run, model: Vocos, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(Vocos, "compile", lambda self, **options: asked.append(options))
    monkeypatch.setattr(_synthesis, "_LONG", 0.1)  # a stream would not be compiled
    write_audio("in.wav", tone(), 24000)
    code, _, err = run(
        "vocode", "in.wav", "-o", "o.wav", "--model", "model", "--compile", "--device", "cpu"
    )
    assert (code, err) == (0, "")
    assert asked == [{"dynamic": True}]
    code, _, err = run("vocode", "in.wav", "-o", "o.wav", "--device", "cuda:77")
    assert code == 2
    assert "`device` (=cuda:77) is not available here" in err


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("code was run",)


def prepare() -> None:
    """One file of every fault."""
    write_audio("good.wav", tone(), 24000)
    write_audio("silent.wav", torch.zeros(1, 8000), 24000)
    write_audio("short.wav", torch.ones(1, 100) / 2, 24000)
    np.save("bands.npy", np.zeros((80, 30), np.float32))
    np.save("turned.npy", np.zeros((30, 100), np.float32))
    np.save("decibels.npy", np.full((100, 30), -80, np.float32))
    np.save("whole.npy", np.zeros((100, 30), np.int64))
    np.save("flags.npy", np.zeros((100, 30), bool))
    np.save("hifigan.npy", np.full((100, 30), np.log(1e-5), np.float32))
    np.save("linear.npy", np.full((100, 30), 500, np.float32))
    np.save("base10.npy", np.full((100, 30), -7, np.float32))
    soundfile.write("nothing.wav", np.zeros((0, 1)), 24000)
    np.save("pickled.npy", np.array([Harmful()], dtype=object), allow_pickle=True)
    np.savez("many.npz", a=np.zeros(3), b=np.zeros(3))
    torch.save({"mel": Harmful()}, "harmful.pt")
    Path("cut.npy").write_bytes(Path("bands.npy").read_bytes()[:200])
    Path("noise.pt").write_bytes(b"noise")
    Path("empty").mkdir()
    Path("notes.txt").write_text("words")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ("missing.wav -o o.wav", "missing.wav does not exist"),
        ("silent.wav -o o.wav", "silent.wav is silent"),
        ("short.wav -o o.wav", "short.wav: `audio` (100 samples) must have at least 513"),
        ("notes.txt -o o.wav", "notes.txt"),
        ("good.wav -o o.txt", "o.txt ends in '.txt'"),
        ("good.wav -o folder", "folder ends in 'no suffix'"),
        ("bands.npy -o o.wav", "bands.npy: `features` (shape (1, 80, 30)) must be (*batch, 100"),
        ("turned.npy -o o.wav", "Swap the last two axes"),
        ("decibels.npy -o o.wav", "expected 100 bands, natural log, clipped at 1e-7. Decibels"),
        (
            "whole.npy -o o.wav",
            "whole.npy: whole numbers are codes, which need a vocoder of EnCodec",
        ),
        ("flags.npy -o o.wav", "flags.npy (shape (100, 30), bool) must be floats"),
        ("nothing.wav -o o.wav", "nothing.wav"),
        ("hifigan.npy -o o.wav", "look like the natural logarithm clipped at 1e-5"),
        ("base10.npy -o o.wav", "look like the base-10 logarithm clipped at 1e-7"),
        ("pickled.npy -o o.wav", "pickled.npy cannot be read as features"),
        ("many.npz -o o.wav", "many.npz holds a, b: none of them is called"),
        ("harmful.pt -o o.wav", "harmful.pt holds more than tensors"),
        ("linear.npy -o o.wav", "(largest value 500) must be at most 32, as logarithms"),
        ("cut.npy -o o.wav", "cut.npy cannot be read as features"),
        ("noise.pt -o o.wav", "noise.pt holds more than tensors, or is damaged"),
        ("empty -o out", "empty holds no sounds and no features"),
        ("empty -o empty", "must be another folder"),
    ],
)
def test_bad_input_is_one_line(run: Run, model: Vocos, arguments: str, match: str) -> None:
    prepare()
    code, out, err = run("vocode", *arguments.split(), "--model", "model")
    assert (code, out) == (2, "")
    assert err.startswith("passband: ")
    assert match in err
    assert err.count("\n") == 1
    assert not Path("o.wav").exists()


@pytest.mark.parametrize("fault", ["nan", "linear", "base10", "bands"])
def test_bad_features_without_a_model(run: Run, fault: str) -> None:
    prepare()
    np.save("nan.npy", np.full((100, 30), np.nan, np.float32))
    code, _, err = run("vocode", f"{fault}.npy", "-o", "o.wav")
    assert code == 2
    assert f"passband: {fault}.npy: `features`" in err
    assert err.count("\n") == 2  # the first says that there is no model


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("--precision", "bfloat16"), "--precision bfloat16 needs a vocoder. Pass --model."),
        (("--bandwidth-id", "1"), "--bandwidth-id needs a vocoder. Pass --model."),
        (("--compile",), "--compile needs a vocoder. Pass --model."),
        (("--model", "model", "--bandwidth-id", "1"), "`bandwidth_id` (=1) must be left out"),
        (("--model", "empty"), "empty holds no model.safetensors"),
        (("--precision", "float16"), "is not one of 'float32', 'bfloat16'"),
    ],
)
def test_bad_options_are_one_line(
    run: Run, model: Vocos, arguments: tuple[str, ...], match: str
) -> None:
    prepare()
    code, out, err = run("vocode", "good.wav", "-o", "o.wav", *arguments)
    assert (code, out) == (2, "")
    assert match in err
    assert err.count("\n") == 1


def test_convert_there_and_back(run: Run, model: Vocos) -> None:
    pytest.importorskip("yaml")
    code, out, _ = run("vocoder", "convert", "model", "published", "--to", "published")
    assert (code, out) == (0, "published: published layout\n")
    assert {p.name for p in Path("published").iterdir()} == {"config.yaml", "pytorch_model.bin"}
    assert run("vocoder", "convert", "published", "back", "--to", "passband")[0] == 0
    ours, back = (torch.nn.Module.state_dict(v) for v in (model, Vocos.from_pretrained("back")))
    assert all(torch.equal(ours[name], back[name]) for name in ours)
    code, _, err = run("vocoder", "convert", "model", "new")
    assert code == 2
    assert "--to" in err


def test_export_of_a_run_folder(run: Run, model: Vocos, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    onnx = pytest.importorskip("onnx")
    # The shape checks of the tests, which torch cannot trace.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    Path("run").mkdir()
    Path("model").rename("run/model")
    code, out, err = run("vocoder", "export", "run", "-o", "v.onnx", "--opset", 19)
    assert (code, err) == (0, "")
    assert out == "v.onnx: features (batch, 100, frames) to waveform (batch, time) at 24000 Hz\n"
    graph = onnx.load("v.onnx")
    assert graph.opset_import[0].version == 19
    assert [value.name for value in graph.graph.input] == ["features"]
    for arguments, match in (
        (("nowhere/at/all", "-o", "v.onnx"), "nowhere/at/all is no folder"),
        (("run", "-o", "no/v.onnx"), "no/v.onnx cannot be written: the folder"),
        (("run", "-o", "v.onnx", "--opset", 3), "`opset` (=3) must be 18 to 23"),
    ):
        code, out, err = run("vocoder", "export", *arguments)
        assert (code, out) == (2, "")
        assert match in err
        assert err.count("\n") == 1
