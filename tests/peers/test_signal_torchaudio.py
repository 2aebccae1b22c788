"""Parity with torchaudio's transforms, in float64 where its own tables allow."""

import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from passband import frequency, signal

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        from torchaudio import functional as theirs_f
        from torchaudio import transforms as theirs
except (ImportError, OSError, RuntimeError) as error:
    pytest.skip(f"torchaudio does not load here: {error}", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore")

# All errors are in parts of the largest value.
TABLES = 1e-5

# Its filter banks, made in float32 unless that is not the default type, are off by as much.
BANKS = 5e-5
EXACT = 1e-9


def noise(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed)) * 0.3


def assert_near(ours: Tensor, peer: Tensor, tolerance: float = TABLES) -> None:
    assert ours.shape == peer.shape
    assert ours.dtype == peer.dtype
    torch.testing.assert_close(ours, peer, rtol=0, atol=tolerance * float(peer.abs().max()))


@pytest.fixture
def float64() -> Iterator[None]:
    """What torchaudio's tables would be without their own rounding."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def tones() -> Tensor:
    t = torch.arange(4000) / 8000
    click = torch.zeros(4000)
    click[1234] = 1
    chirp = torch.sin(2 * torch.pi * (100 + 3000 * t) * t)
    return torch.stack((torch.sin(2 * torch.pi * 440 * t), chirp, click, torch.zeros(4000)))


FRAMES = [
    {},
    {"n_fft": 512, "hop_length": 100},
    {"n_fft": 512, "win_length": 300},
    {"n_fft": 401, "win_length": 301, "hop_length": 77},
    {"n_fft": 256, "pad": 50},
    {"n_fft": 256, "center": False},
    {"n_fft": 256, "pad_mode": "constant"},
    {"n_fft": 256, "pad_mode": "replicate"},
    {"n_fft": 256, "normalized": True},
    {"n_fft": 256, "normalized": "frame_length"},
    {"n_fft": 256, "window_fn": torch.hamming_window, "wkwargs": {"periodic": False}},
    {"n_fft": 256, "window_fn": torch.ones},
]


@pytest.mark.parametrize("settings", FRAMES, ids=str)
@pytest.mark.parametrize("power", [2.0, 1.0, 0.5, None])
@pytest.mark.parametrize("onesided", [True, False])
def test_spectrogram(settings: dict, power: float | None, onesided: bool) -> None:
    settings = {**settings, "power": power, "onesided": onesided}
    for x in (noise(2, 3, 4000), tones(), noise(300)):
        ours = signal.Spectrogram(**settings)(x)
        # Where a spectrum should be zero, the root of what rounding leaves is not small.
        assert_near(ours, theirs.Spectrogram(**settings)(x), 2e-3 if power == 0.5 else TABLES)


@pytest.mark.parametrize("settings", [s for s in FRAMES if s.get("center", True)], ids=str)
@pytest.mark.parametrize("length", [None, 3990])
def test_inverse_spectrogram(settings: dict, length: int | None) -> None:
    x = noise(2, 4000)
    spectrum = theirs.Spectrogram(**settings, power=None)(x)
    ours = signal.InverseSpectrogram(**settings)(spectrum, length)
    assert_near(ours, theirs.InverseSpectrogram(**settings)(spectrum, length))


def test_inverse_of_both_sides() -> None:
    settings = {"n_fft": 256, "onesided": False}
    spectrum = theirs.Spectrogram(**settings, power=None)(noise(2, 4000))
    ours = signal.InverseSpectrogram(**settings)(spectrum, 4000)
    assert_near(ours, theirs.InverseSpectrogram(**settings)(spectrum, 4000))


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("length", [None, 4000])
@pytest.mark.parametrize("settings", [{}, {"n_fft": 256, "win_length": 200, "hop_length": 64}])
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_griffin_lim(momentum: float, length: int | None, settings: dict, power: float) -> None:
    """Few steps: what rounding does to a phase grows with each."""
    spec = signal.Spectrogram(**settings, power=power)(noise(2, 4000, dtype=torch.float64))
    settings = {**settings, "n_iter": 6, "momentum": momentum, "power": power, "length": length}
    peer = theirs.GriffinLim(**settings, rand_init=False).double()
    peer.window = torch.hann_window(peer.win_length, dtype=torch.float64)
    assert_near(signal.GriffinLim(**settings, rand_init=False)(spec), peer(spec))


@pytest.mark.parametrize("stype", ["power", "magnitude"])
@pytest.mark.parametrize("top_db", [None, 0.0, 30.0])
@pytest.mark.parametrize("shape", [(20, 30), (3, 20, 30), (2, 3, 20, 30), (5, 2, 3, 20, 30)])
def test_amplitude_to_db(stype: str, top_db: float | None, shape: tuple[int, ...]) -> None:
    x = noise(*shape).abs() * torch.logspace(-8, 2, 30)
    ours = signal.AmplitudeToDB(stype, top_db)(x)
    assert_near(ours, theirs.AmplitudeToDB(stype, top_db)(x))
    exponent = {"power": 1.0, "magnitude": 0.5}[stype]
    back = frequency.db_to_amplitude(ours, stype=stype, ref=0.7)
    assert_near(back, theirs_f.DB_to_amplitude(ours, 0.7, exponent))


MELS = [
    {"n_mels": 40},
    {"n_mels": 80, "mel_scale": "slaney", "norm": "slaney"},
    {"n_mels": 30, "f_min": 300.0, "f_max": 3500.0},
    {"n_mels": 23, "norm": "slaney", "f_max": 7600.0},
]


@pytest.mark.parametrize("mels", MELS, ids=str)
@pytest.mark.parametrize("n_fft", [512, 1024, 1025])
@pytest.mark.usefixtures("float64")
def test_filter_banks(mels: dict, n_fft: int) -> None:
    bins = n_fft // 2 + 1
    common = {"f_min": 0.0, "f_max": 8000.0, "sample_rate": 16000}
    peer = theirs_f.melscale_fbanks(bins, **{**common, **mels})
    assert_near(frequency.melscale_fbanks(bins, **{**common, **mels}), peer, EXACT)
    peer = theirs_f.linear_fbanks(bins, 20.0, 7000.0, mels["n_mels"], 16000)
    ours = frequency.linear_fbanks(bins, 20.0, 7000.0, mels["n_mels"], 16000)
    assert_near(ours, peer, EXACT)


LONG = [{**s, "n_fft": s["n_fft"] + 512} for s in FRAMES if s.get("n_fft", 0) > 400]


@pytest.mark.parametrize("mels", MELS, ids=str)
@pytest.mark.parametrize("frames", LONG, ids=str)
@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.usefixtures("float64")
def test_mel_spectrogram(mels: dict, frames: dict, power: float) -> None:
    for x in (noise(2, 3, 4000, dtype=torch.float64), tones()):
        settings = {"sample_rate": 16000, **frames, **mels, "power": power}
        peer = theirs.MelSpectrogram(**settings)(x)
        assert_near(signal.MelSpectrogram(**settings)(x), peer, EXACT)
        log = signal.LogMelSpectrogram(**settings, eps=1e-7)(x)
        assert_near(log, peer.clamp(min=1e-7).log(), EXACT)
        spec = theirs.Spectrogram(**frames, power=power)(x)
        mel = {"n_stft": frames["n_fft"] // 2 + 1, "sample_rate": 16000, **mels}
        assert_near(signal.MelScale(**mel)(spec), theirs.MelScale(**mel)(spec), EXACT)


@pytest.mark.parametrize("mels", MELS, ids=str)
def test_mel_spectrogram_in_float32(mels: dict) -> None:
    settings = {"sample_rate": 16000, "n_fft": 1024, **mels}
    for x in (noise(2, 3, 4000), tones()):
        peer = theirs.MelSpectrogram(**settings)(x)
        assert_near(signal.MelSpectrogram(**settings)(x), peer, BANKS)


def test_torchaudios_own_defaults() -> None:
    """They have empty bands, which must be asked for here."""
    x = noise(2, 8000)
    assert_near(signal.MelSpectrogram(allow_empty=True)(x), theirs.MelSpectrogram()(x), BANKS)
    ours = signal.MFCC(melkwargs={"allow_empty": True})(x)
    assert_near(ours, theirs.MFCC()(x), BANKS)
    assert_near(signal.LFCC()(x), theirs.LFCC()(x), BANKS)


@pytest.mark.parametrize("norm", ["ortho", None])
@pytest.mark.parametrize("logarithm", [False, True])
@pytest.mark.parametrize("count", [13, 40])
@pytest.mark.usefixtures("float64")
def test_cepstral(norm: str | None, logarithm: bool, count: int) -> None:
    x = torch.cat((noise(2, 4000), 1e-6 * noise(2, 4000)), dim=-1).double()
    mel = {"n_fft": 1024, "hop_length": 160, "n_mels": 64}
    settings = {"norm": norm, "log_mels": logarithm, "n_mfcc": count, "melkwargs": mel}
    assert_near(signal.MFCC(16000, **settings)(x), theirs.MFCC(16000, **settings)(x), EXACT)
    spec = {"n_fft": 512, "hop_length": 160, "power": 1.0}
    settings = {"norm": norm, "log_lf": logarithm, "n_lfcc": count, "speckwargs": spec}
    band = {"n_filter": 60, "f_min": 50.0, "f_max": 7000.0}
    ours = signal.LFCC(16000, **band, **settings)(x)
    assert_near(ours, theirs.LFCC(16000, **band, **settings)(x), EXACT)


@pytest.mark.parametrize(("count", "bands"), [(1, 1), (13, 40), (40, 40)])
@pytest.mark.parametrize("norm", ["ortho", None])
@pytest.mark.usefixtures("float64")
def test_create_dct(count: int, bands: int, norm: str | None) -> None:
    peer = theirs_f.create_dct(count, bands, norm)
    assert_near(frequency.create_dct(count, bands, norm), peer, EXACT)


@pytest.mark.parametrize("shape", [(40, 60), (3, 40, 60), (2, 3, 40, 60)])
@pytest.mark.parametrize("p", [1.0, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_masks(shape: tuple[int, ...], p: float, seed: int) -> None:
    x = noise(*shape)

    def same(ours: torch.nn.Module, peer: torch.nn.Module, *value: float) -> None:
        torch.manual_seed(seed)
        masked = ours(x, *value)
        torch.manual_seed(seed)
        assert torch.equal(masked, peer(x, *value))

    same(signal.FrequencyMasking(15), theirs.FrequencyMasking(15))
    same(signal.TimeMasking(30, p=p), theirs.TimeMasking(30, p=p), 0.5)
    if len(shape) > 2:
        same(signal.FrequencyMasking(15, True), theirs.FrequencyMasking(15, True))
        same(signal.TimeMasking(30, True, p), theirs.TimeMasking(30, True, p), 0.5)
    for iid in (False, True):
        for zero in (False, True):
            settings = (2, 30, 3, 15, iid, p, zero)
            same(signal.SpecAugment(*settings), theirs.SpecAugment(*settings))


RATES = [(16000, 8000), (8000, 16000), (44100, 48000), (48000, 44100), (22050, 16000), (7, 5)]


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("method", ["sinc_interp_hann", "sinc_interp_kaiser"])
@pytest.mark.parametrize(
    "filter_", [{}, {"lowpass_filter_width": 16, "rolloff": 0.8}, {"beta": 5.0}], ids=str
)
def test_resample(rates: tuple[int, int], method: str, filter_: dict) -> None:
    settings = {"resampling_method": method, **filter_}
    for x in (noise(2, 3, 1000), noise(17)):
        peer = theirs.Resample(*rates, **settings)(x)
        assert_near(signal.Resample(*rates, **settings)(x), peer)
        assert_near(frequency.sinc_resample(x, *rates, **settings), peer)


def test_inverse_mel_scale() -> None:
    settings = {"n_stft": 513, "n_mels": 64, "sample_rate": 16000}
    mel = signal.MelSpectrogram(16000, 1024, n_mels=64)(noise(2, 8000))
    ours = signal.InverseMelScale(**settings)(mel)
    assert_near(ours, theirs.InverseMelScale(**settings)(mel), 1e-3)
