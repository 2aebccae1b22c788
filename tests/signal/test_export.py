"""Transforms as exported programs and as ONNX models: the same numbers, whatever the sizes."""

import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from passband.errors import MissingDependencyError
from passband.frequency import istft, stft
from passband.signal import (
    CQT,
    VQT,
    InverseSpectrogram,
    LogMelSpectrogram,
    MelSpectrogram,
    RealISTFT,
    RealSTFT,
    Spectrogram,
    export_onnx,
    real_valued,
)

SAME = {"n_fft": 64, "hop_length": 16, "padding": "same"}
FILTERS = {"n_fft": 128, "hop_length": 32, "n_mels": 8}
EACH = torch.export.Dim.AUTO


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


def joined(result: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    return result if isinstance(result, Tensor) else torch.complex(*result)


def assert_near(ours: Tensor, theirs: Tensor, tolerance: float) -> None:
    assert ours.shape == theirs.shape
    assert float((ours - theirs).abs().max()) <= tolerance * float(theirs.abs().max())


@pytest.mark.parametrize("padding", ["center", "same", "valid"])
@pytest.mark.parametrize(("n_fft", "hop", "win"), [(64, 16, None), (63, 20, 50), (32, 7, None)])
def test_real_stft_is_the_stft(padding: str, n_fft: int, hop: int, win: int | None) -> None:
    settings = {"n_fft": n_fft, "hop_length": hop, "win_length": win, "padding": padding}
    there = RealSTFT(**settings, dtype=torch.float64)
    back = RealISTFT(**settings, dtype=torch.float64)
    for time in (64, 100, 129):
        x = noise(2, 3, time)
        expected = stft(x, **settings)
        assert_near(joined(there(x)), expected, 1e-12)
        for length in (None, time, time + 50, time - 20):
            signal = back(expected.real, expected.imag, length)
            assert_near(signal, istft(expected, **settings, length=length), 1e-11)


@pytest.mark.parametrize("pad_mode", ["reflect", "constant", "replicate", "circular"])
def test_real_stft_pads(pad_mode: str) -> None:
    x = noise(2, 150)
    ours = RealSTFT(**SAME, pad_mode=pad_mode, dtype=torch.float64)(x)
    assert_near(joined(ours), stft(x, **SAME, pad_mode=pad_mode), 1e-12)


def test_real_stft_is_torchs() -> None:
    x = noise(2, 1000, dtype=torch.float32)
    window = torch.hann_window(128)
    theirs = torch.stft(x, 128, 32, window=window, return_complex=True)
    ours = RealSTFT(128, 32)(x)
    assert_near(joined(ours), theirs, 1e-5)
    assert_near(
        RealISTFT(128, 32)(*ours, 1000),
        torch.istft(theirs, 128, 32, window=window, length=1000),
        1e-5,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"normalized": True, "pad": 5, "onesided": False},
        {"normalized": "frame_length", "win_length": 40, "hop_length": 10},
        {"center": False, "onesided": False, "window_fn": torch.hamming_window},
    ],
)
def test_real_spectrogram_and_inverse(settings: dict[str, object]) -> None:
    x = noise(2, 500)
    transform = Spectrogram(64, power=None, **settings)
    spectrum = transform(x)
    assert_near(joined(real_valued(transform, dtype=torch.float64)(x)), spectrum, 1e-12)
    inverse = InverseSpectrogram(64, **settings)
    real = real_valued(inverse, dtype=torch.float64)
    for length in (None, 490, 500):
        ours = real(spectrum.real, spectrum.imag, length)
        assert_near(ours, inverse(spectrum, length), 1e-11)


@pytest.mark.parametrize(
    "transform",
    [
        Spectrogram(64, power=1.0),
        Spectrogram(64, power=2.5, onesided=False),
        MelSpectrogram(8000, **FILTERS),
        LogMelSpectrogram(8000, **FILTERS, power=1.0),
    ],
)
def test_real_results(transform: nn.Module) -> None:
    x = noise(2, 3, 500)
    assert_near(real_valued(transform, dtype=torch.float64)(x), transform(x), 1e-12)


@pytest.mark.parametrize("hop", [64, 37, 100])
@pytest.mark.parametrize(
    "settings",
    [
        {"f_min": 60.0, "n_bins": 60},
        {"frequencies": [1500.0, 200.0, 500.0, 440.0]},
        {"f_min": 60.0, "n_bins": 40, "gamma": 20.0},
    ],
)
def test_real_constant_q(hop: int, settings: dict[str, object]) -> None:
    transform = VQT(8000, hop, **{"gamma": 0.0, **settings})
    real = real_valued(transform, dtype=torch.float64)
    for time in (1, 30, 799, 5000):
        x = noise(2, time)
        assert_near(joined(real(x)), transform(x), 1e-12)


def test_copies_what_was_trained() -> None:
    transform = CQT(8000, 64, 400.0, 12, trainable=True)
    with torch.no_grad():
        transform.kernel_0 *= 2
    x = noise(500, dtype=torch.float32)
    real = real_valued(transform)
    assert_near(joined(real(x)), transform(x).detach(), 1e-5)
    assert not list(real.parameters())


PLAIN = {
    "Spectrogram": (lambda: Spectrogram(64, power=None), (2, 800)),
    "InverseSpectrogram": (lambda: InverseSpectrogram(64), (2, 33, 20)),
    "MelSpectrogram": (lambda: MelSpectrogram(8000, **FILTERS), (2, 800)),
    "CQT": (lambda: CQT(8000, 64, 800.0, 12), (2, 800)),
}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", PLAIN)
def test_complex_modules_export(name: str) -> None:
    make, shape = PLAIN[name]
    transform = make()
    inverse = name.startswith("Inverse")

    def some(*shape: int) -> Tensor:
        return torch.complex(noise(*shape), noise(*shape)) if inverse else noise(*shape)

    free = ({0: EACH, len(shape) - 1: EACH},)
    program = torch.export.export(transform, (some(*shape),), dynamic_shapes=free).module()
    for batch, time in ((2, shape[-1]), (5, 2 * shape[-1] - 7)):
        x = some(batch, *shape[1:-1], time)
        assert_near(program(x), transform(x), 1e-12)


MODELS = {
    "spectrogram, same padding": lambda: RealSTFT(**SAME),
    "inverse, same padding": lambda: RealISTFT(**SAME),
    "inverse": lambda: InverseSpectrogram(64, hop_length=16),
    "log-mel": lambda: LogMelSpectrogram(8000, **FILTERS),
    "constant Q": lambda: CQT(8000, 50, 700.0, 20),
}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", MODELS)
def test_onnx(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    transform = MODELS[name]()
    export_onnx(transform, tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    for batch, size in itertools.product((1, 3), (400, 1111)):
        x = noise(batch, size, dtype=torch.float32)
        if "inverse" in name:
            spectrum = stft(x, **(SAME if "same" in name else {"n_fft": 64, "hop_length": 16}))
            parts = (spectrum.real.contiguous(), spectrum.imag.contiguous())
            given = {"real": parts[0], "imag": parts[1], "length": torch.tensor(size - 3)}
            expected = x[..., : size - 3]
        else:
            given, expected = {"waveform": x}, joined(transform(x))
        found = [
            torch.from_numpy(array)
            for array in session.run(None, {key: value.numpy() for key, value in given.items()})
        ]
        assert_near(found[0] if len(found) == 1 else torch.complex(*found), expected, 1e-5)


def test_what_cannot_be_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"`transform` \(=Linear\) must be a Spectrogram"):
        real_valued(nn.Linear(2, 2))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install onnx onnxscript"):
        export_onnx(Spectrogram(64), tmp_path / "model.onnx")


@pytest.mark.usefixtures("unchecked")
def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`hop_length` \(=64\) must be small enough"):
        RealISTFT(64, 64)
    with pytest.raises(ValueError, match=r"`pad_mode` \(='mirror'\) must be one of"):
        RealSTFT(64, pad_mode="mirror")
    with pytest.raises(ValueError, match=r"`waveform` \(dtype torch.float64\) must be"):
        RealSTFT(64)(noise(100))
    with pytest.raises(ValueError, match="must have a last axis of at least one sample"):
        real_valued(CQT(8000, 50, 700.0, 20))(torch.ones(2, 0))
    with pytest.raises(ValueError, match=r"must have at least 33 samples for pad_mode='reflect'"):
        RealSTFT(64)(torch.ones(20))
    with pytest.raises(ValueError, match=r"`n_fft` \(=64\) must be at most the 20 samples"):
        RealSTFT(64, padding="valid")(torch.ones(20))
    with pytest.raises(ValueError, match=r"`imag` \(shape \(30, 4\)\) must be \(\*batch, 33"):
        RealISTFT(64)(torch.ones(33, 4), torch.ones(30, 4))
