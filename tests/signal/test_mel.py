"""Spectrogram, mel and cepstral modules: settings, streams, training, compilation, errors."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from passband import frequency, signal

RATE = 8000


def noise(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0)) * 0.3


FRAMES = {"n_fft": 64, "hop_length": 20}
MEL = {"sample_rate": RATE, "n_mels": 8}

FRAMED: dict[str, Callable[..., signal.FrameTransform]] = {
    "Spectrogram": lambda **s: signal.Spectrogram(**FRAMES, **s),
    "complex": lambda **s: signal.Spectrogram(**FRAMES, **s, power=None, onesided=False),
    "MelSpectrogram": lambda **s: signal.MelSpectrogram(**MEL, **FRAMES, **s),
    "LogMelSpectrogram": lambda **s: signal.LogMelSpectrogram(**MEL, **FRAMES, **s, power=1.0),
    "MFCC": lambda **s: signal.MFCC(RATE, 5, melkwargs={"n_mels": 8, **FRAMES, **s}, top_db=None),
    "MFCC of logarithms": lambda **s: signal.MFCC(
        RATE, 5, log_mels=True, melkwargs={"n_mels": 8, **FRAMES, **s}
    ),
    "LFCC": lambda **s: signal.LFCC(RATE, 12, n_lfcc=5, log_lf=True, speckwargs={**FRAMES, **s}),
}


@pytest.mark.parametrize("name", FRAMED)
@pytest.mark.parametrize(
    "settings",
    [{}, {"center": False}, {"pad": 7}, {"pad": 70, "center": False}, {"pad_mode": "constant"}],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 20, 33, 500])
def test_a_stream_is_the_whole(name: str, settings: dict, size: int) -> None:
    transform = FRAMED[name](**settings)
    for time in (65, 241) if size == 1 else (40, 64, 65, 241, 1000):
        x = noise(2, time)
        if time < 64 and not settings.get("center", True) and not settings.get("pad"):
            continue
        stream = transform.stream()
        for _ in range(2):  # it starts anew
            pieces = [stream.push(block) for block in x.split(size, dim=-1)] + [stream.finish()]
            torch.testing.assert_close(
                torch.cat(pieces, dim=-1), transform(x), rtol=1e-7, atol=1e-7
            )


def test_a_stream_gives_frames_when_their_samples_are_there() -> None:
    transform = signal.Spectrogram(64, hop_length=16)
    stream = transform.stream()
    counts = [stream.push(noise(1, 16)).shape[-1] for _ in range(20)]
    assert sum(counts) == 1 + (320 - 32) // 16
    assert counts[8:] == [1] * 12


def test_a_hop_longer_than_the_frame_streams() -> None:
    transform = signal.Spectrogram(32, hop_length=100, center=False)
    x = noise(3, 777)
    stream = transform.stream()
    pieces = [stream.push(block) for block in x.split(30, dim=-1)] + [stream.finish()]
    torch.testing.assert_close(torch.cat(pieces, dim=-1), transform(x))


def test_no_stream_where_the_whole_signal_counts() -> None:
    for transform in (
        signal.MFCC(RATE, 5, melkwargs={"n_mels": 8, **FRAMES}),
        signal.LFCC(RATE, 12, n_lfcc=5, speckwargs=FRAMES),
    ):
        with pytest.raises(ValueError, match=r"`top_db` \(=80 dB\) must be None for a stream"):
            transform.stream()


@pytest.mark.parametrize(
    ("window_fn", "wkwargs"),
    [
        (torch.hann_window, None),
        (torch.hann_window, {"periodic": True}),
        (torch.hann_window, {"dtype": torch.float64}),
        ("hann", None),
        (lambda n: torch.hann_window(n, dtype=torch.float64), None),
    ],
)
def test_windows(window_fn, wkwargs) -> None:
    x = noise(500)
    ours = signal.Spectrogram(64, window_fn=window_fn, wkwargs=wkwargs)(x)
    torch.testing.assert_close(ours, frequency.spectrogram(x, n_fft=64), rtol=0, atol=1e-12)
    kaiser = signal.Spectrogram(
        64, window_fn=torch.kaiser_window, wkwargs={"periodic": True, "beta": 6.0}
    )
    pair = signal.Spectrogram(64, window_fn=("kaiser", 6.0))
    torch.testing.assert_close(kaiser(x), pair(x), rtol=0, atol=1e-9)


def test_mel_spectrogram_is_its_parts() -> None:
    x = noise(2, 1000)
    for power in (1.0, 2.0):
        spectrum = signal.Spectrogram(**FRAMES, power=power)(x)
        mel = signal.MelScale(8, RATE, n_stft=33)(spectrum)
        ours = signal.MelSpectrogram(**MEL, **FRAMES, power=power)(x)
        torch.testing.assert_close(ours, mel, rtol=0, atol=1e-12)
        log = signal.LogMelSpectrogram(**MEL, **FRAMES, power=power, eps=0.5)(x)
        torch.testing.assert_close(log, mel.clamp(min=0.5).log(), rtol=0, atol=1e-12)
        assert (log == torch.tensor(0.5).double().log()).any()


TRAINABLE: dict[str, Callable[[], nn.Module]] = {
    "Spectrogram": lambda: signal.Spectrogram(**FRAMES, trainable=True),
    "MelSpectrogram": lambda: signal.MelSpectrogram(**MEL, **FRAMES, trainable=True),
    "MFCC": lambda: signal.MFCC(RATE, 5, melkwargs={"n_mels": 8, **FRAMES}, trainable=True),
    "LFCC": lambda: signal.LFCC(RATE, 12, n_lfcc=5, speckwargs=FRAMES, trainable=True),
}


@pytest.mark.parametrize("name", TRAINABLE)
def test_training(name: str) -> None:
    x = noise(2, 500, dtype=torch.float32)
    transform = TRAINABLE[name]()
    parameters = dict(transform.named_parameters())
    assert len(parameters) == (1 if name == "Spectrogram" else 2)
    before = transform(x)
    before.sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in parameters.values())
    with torch.no_grad():
        # Far from where the filters were nonzero, too.
        for p in parameters.values():
            p.add_(0.1)
    graphless = transform(x.clone())
    with torch.no_grad():
        torch.testing.assert_close(transform(x), graphless.detach(), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(graphless, before)
    twin = copy.deepcopy(transform)
    twin.load_state_dict(transform.state_dict())
    assert torch.equal(twin(x), transform(x))


def test_trained_and_fixed_agree() -> None:
    x = noise(2, 500, dtype=torch.float32)
    for name, trained in TRAINABLE.items():
        fixed = (
            FRAMED[name]()
            if name != "MFCC"
            else signal.MFCC(RATE, 5, melkwargs={"n_mels": 8, **FRAMES})
        )
        if name == "LFCC":
            fixed = signal.LFCC(RATE, 12, n_lfcc=5, speckwargs=FRAMES)
        torch.testing.assert_close(trained()(x), fixed(x), rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("unchecked")
def test_compiled_without_a_break() -> None:
    transform = nn.Sequential(signal.MFCC(RATE, 5, melkwargs={"n_mels": 8, **FRAMES}))
    x = noise(2, 500, dtype=torch.float32)
    compiled = torch.compile(transform, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), transform(x), rtol=1e-4, atol=1e-3)


def test_inverse_and_griffin_lim_modules() -> None:
    x = noise(2, 3, 1000)
    settings = {"n_fft": 64, "win_length": 60, "hop_length": 15, "window_fn": "hamming"}
    spectrum = signal.Spectrogram(**settings, power=None, normalized=True)(x)
    y = signal.InverseSpectrogram(**settings, normalized=True)(spectrum, 1000)
    torch.testing.assert_close(y, x, rtol=0, atol=1e-12)
    magnitudes = signal.Spectrogram(**settings, power=1.0)(x)
    back = signal.GriffinLim(**settings, power=1.0, length=1000)(magnitudes)
    again = signal.Spectrogram(**settings, power=1.0)(back)
    assert (again - magnitudes).norm() < 0.25 * magnitudes.norm()


def test_inverse_mel_scale_module() -> None:
    mel = signal.MelSpectrogram(**MEL, **FRAMES)(noise(2, 1000))
    spectrum = signal.InverseMelScale(33, 8, RATE)(mel)
    again = signal.MelScale(8, RATE, n_stft=33)(spectrum)
    assert (again - mel).norm() < 0.1 * mel.norm()


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: signal.Spectrogram(0), r"`n_fft` \(=0\) must be a positive integer"),
    (lambda: signal.Spectrogram(hop_length=0), r"`hop_length` \(=0\) must be a positive integer"),
    (lambda: signal.Spectrogram(64, 65), r"`win_length` \(=65\) must be at most `n_fft` \(=64\)"),
    (lambda: signal.Spectrogram(power=0), r"`power` \(=0\) must be above 0"),
    (lambda: signal.Spectrogram(pad=-1), r"`pad` \(=-1\) must be an integer of at least 0"),
    (lambda: signal.Spectrogram(pad_mode="zeros"), r"`pad_mode` \(='zeros'\) must be one of"),
    (lambda: signal.Spectrogram(normalized="l2"), r"`normalized` \(='l2'\) must be one of"),
    (lambda: signal.Spectrogram(window_fn="hanning"), r"`name` \(='hanning'\) must be one of"),
    (
        lambda: signal.Spectrogram(window_fn=lambda n: torch.ones(n + 1)),
        r"`window_fn` \(giving shape \(401,\)\) must give a real tensor of `win_length` \(=400\)",
    ),
    (
        lambda: signal.Spectrogram(window_fn="hann", wkwargs={"periodic": False}),
        r"`wkwargs` \(=.*\) must be None for a window given by name",
    ),
    (
        lambda: signal.MelSpectrogram(16000, f_max=9000.0),
        r"`f_max` \(=9000 Hz\) must be at most the Nyquist frequency 8000 Hz",
    ),
    (lambda: signal.MelSpectrogram(), r"`n_mels` \(=128\) must be few enough .* allow_empty=True"),
    (lambda: signal.MelSpectrogram(power=None), r"`power` \(=None\) must be above 0"),
    (lambda: signal.MelSpectrogram(n_fft=512, n_mels=0), r"`n_mels` \(=0\) must be a positive"),
    (lambda: signal.MelSpectrogram(n_fft=512, hop_length=-3), r"`hop_length` \(=-3\) must be"),
    (
        lambda: signal.LogMelSpectrogram(**MEL, **FRAMES, eps=0.0),
        r"`eps` \(=0.0\) must be above 0",
    ),
    (
        lambda: signal.MFCC(RATE, 9, melkwargs={"n_mels": 8, **FRAMES}),
        r"`n_mfcc` \(=9\) must be at most the 8 bands",
    ),
    (lambda: signal.MFCC(RATE, 4, dct_type=3, melkwargs={"n_mels": 8}), r"`dct_type` \(=3\)"),
    (lambda: signal.LFCC(RATE, 12, n_lfcc=13), r"`n_lfcc` \(=13\) must be at most the 12 bands"),
    (lambda: signal.LFCC(RATE, n_filter=900), r"`n_filter` \(=900\) must be few enough"),
    (lambda: signal.LFCC(RATE, speckwargs={"power": None}), r"`power` \(=None\) must be above 0"),
    (lambda: signal.AmplitudeToDB("db"), r"`stype` \(='db'\) must be one of power"),
    (lambda: signal.AmplitudeToDB(top_db=-1.0), r"`top_db` \(=-1.0 dB\) must be at least 0"),
    (lambda: signal.TimeMasking(-1), r"`time_mask_param` \(=-1\) must be an integer of at least 0"),
    (lambda: signal.TimeMasking(5, p=2.0), r"`p` \(=2\) must be 0 to 1"),
    (lambda: signal.FrequencyMasking(-1), r"`freq_mask_param` \(=-1\) must be an integer"),
    (lambda: signal.SpecAugment(-1, 5, 1, 5), r"`n_time_masks` \(=-1\) must be a positive integer"),
    (lambda: signal.Resample(0, 8000), r"`orig_freq` \(=0 Hz\) must be a positive whole number"),
    (lambda: signal.Resample(8000, 9000, rolloff=2.0), r"`rolloff` \(=2.0\) must be above 0"),
    (lambda: signal.GriffinLim(momentum=1.0), r"`momentum` \(=1.0\) must be at least 0 and below"),
    (lambda: signal.GriffinLim(length=0), r"`length` \(=0\) must be a positive integer"),
    (lambda: signal.InverseMelScale(201, 40, driver="qr"), r"`driver` \(='qr'\) must be one of"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[message for _, message in BAD])
@pytest.mark.usefixtures("unchecked")
def test_bad_settings(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.usefixtures("unchecked")
def test_bad_input() -> None:
    for transform in (signal.MelScale(40), signal.InverseMelScale(201, 40)):
        with pytest.raises(ValueError, match=r"\(shape \(3, 7\)\) must be \(\*batch"):
            transform(torch.ones(3, 7))
    with pytest.raises(ValueError, match=r"`waveform` \(shape \(900,\), 1 of its values NaN"):
        signal.Spectrogram()(torch.ones(900).index_fill(0, torch.tensor([3]), torch.nan))
    with pytest.raises(ValueError, match=r"`x` \(time 200\) must have at least 201 samples"):
        signal.Spectrogram()(torch.ones(200))
    with pytest.raises(ValueError, match=r"`specgram` .* must hold no negative values"):
        signal.GriffinLim()(-torch.ones(201, 10))
