"""Masks, mixtures and measures of the denoiser, against closed forms, SciPy and plain loops."""

import numpy as np
import pytest
import scipy.signal
import torch
from torch import nn

from passband.errors import InputError
from passband.signal.tasks.denoising import (
    Denoiser,
    MaskUNet,
    MixingSettings,
    Mixtures,
    Parts,
    Scores,
    Splitter,
    SplitterSettings,
    Trace,
    UNetSettings,
    band_pass,
    correlation,
    mask_loss,
    peak_error,
    snr_db,
    waveform_loss,
    wiener,
)
from passband.signal.tasks.denoising._mixing import repeated, stretched, unit, window
from passband.signal.tasks.denoising._record import at_rate

SMALL = SplitterSettings(network=UNetSettings(depth=3, root=2))


def splitter(settings: SplitterSettings = SMALL) -> Splitter:
    """One whose masks are neither 0 nor 1 nor all alike."""
    made = Splitter(settings).eval()
    with torch.no_grad():
        for layer in made.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.bias.normal_(0.3, 0.3)
        made.network.last.weight.mul_(4)
    return made


class Constant(nn.Module):
    """Gives the signal a share that is the same everywhere."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(share).logit())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack((self.logit.expand_as(x[:, 0]), torch.zeros_like(x[:, 0])), dim=1)


def test_the_spectrum_is_scipys() -> None:
    x = torch.randn(2, 3000, dtype=torch.float64)
    frequencies, times, theirs = scipy.signal.stft(
        x.numpy(), fs=100, nperseg=30, nfft=60, boundary="zeros"
    )
    ours = splitter().spectrum(x)
    assert ours.shape == (2, len(frequencies), len(times)) == (2, 31, 201)
    # SciPy's window stands at the beginning of the longer transform, ours in its middle.
    turns = torch.exp(0.5j * torch.pi * torch.arange(31, dtype=torch.float64))[:, None]
    torch.testing.assert_close(torch.from_numpy(theirs), ours * turns / 15, atol=1e-12, rtol=0)


def test_masks_sum_to_one_and_parts_to_the_input() -> None:
    x = torch.randn(3, 2, 1234)
    with torch.no_grad():
        parts = splitter()(x)
    torch.testing.assert_close(parts.masks.sum(dim=-3), torch.ones(3, 2, 31, 84))
    torch.testing.assert_close(parts.signal + parts.noise, x)
    assert 0.05 < float(parts.signal.square().mean()) < 0.95
    by_mask = splitter().waveform(splitter().spectrum(x) * 1.0, 1234)
    torch.testing.assert_close(by_mask, x, atol=1e-5, rtol=0)


@pytest.mark.parametrize("length", [60, 61, 449, 450, 3000, 3007])
def test_a_constant_mask_scales_windows_of_any_length(length: int) -> None:
    half = splitter()
    half.network = Constant(0.5)
    x = torch.randn(2, length) + 7
    signal = half(x).signal
    torch.testing.assert_close(signal, 0.5 * (x - x.mean(-1, keepdim=True)), atol=1e-5, rtol=0)


def test_what_is_divided_out_comes_back() -> None:
    model = splitter()
    x = torch.randn(1, 900)
    torch.testing.assert_close(model(1000 * x).signal, 1000 * model(x).signal, rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(model(x + 30).signal, model(x).signal, rtol=1e-3, atol=1e-4)
    assert not model(torch.zeros(1, 900)).signal.any()


@pytest.mark.parametrize(("freq", "frames"), [(31, 201), (65, 95), (1, 1), (5, 2)])
def test_any_number_of_bins_and_frames_goes_through(freq: int, frames: int) -> None:
    network = MaskUNet(UNetSettings(depth=4, root=2)).eval()
    assert network(torch.randn(2, 2, freq, frames)).shape == (2, 2, freq, frames)


def test_the_published_network_has_the_published_channels() -> None:
    network = MaskUNet(UNetSettings())
    assert [layer[0].out_channels for layer in [network.first, *network.down]] == [
        8, 8, 16, 32, 64, 128, 256,
    ]  # fmt: skip


def test_gradients_are_those_of_finite_differences() -> None:
    model = splitter(
        SplitterSettings(n_fft=8, win_length=8, hop_length=4, compression=0.5)
    ).double()
    model.network = Constant(0.4).double()
    x = torch.randn(1, 24, dtype=torch.float64)
    clean, noise = 0.7 * x, 0.3 * x

    def loss(logit: torch.Tensor) -> torch.Tensor:
        parts = torch.func.functional_call(model, {"network.logit": logit}, (x,))
        spectra = (model.spectrum(part).abs() for part in (clean, noise))
        return mask_loss(parts.logits, *spectra) + waveform_loss(parts.signal, clean, noise)

    logit = torch.tensor(-0.4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(loss, (logit,))


def test_the_masks_loss_is_a_plain_sum() -> None:
    logits = torch.randn(2, 2, 3, 4, dtype=torch.float64)
    signal, noise = torch.rand(2, 2, 3, 4, dtype=torch.float64)
    total = 0.0
    for b, f, t in np.ndindex(2, 3, 4):
        share = float(signal[b, f, t] / (signal[b, f, t] + noise[b, f, t] + 1e-4))
        a, c = np.exp(logits[b, 0, f, t].item()), np.exp(logits[b, 1, f, t].item())
        total -= share * np.log(a / (a + c)) + (1 - share) * np.log(c / (a + c))
    assert float(mask_loss(logits, signal, noise)) == pytest.approx(total / 24, rel=1e-12)


def test_measures_are_numpys() -> None:
    clean, made = torch.randn(2, 4, 500, dtype=torch.float64)
    for k in range(4):
        a, b = clean[k].numpy(), made[k].numpy()
        ratio = 10 * np.log10((a**2).sum() / ((a - b) ** 2).sum())
        assert float(snr_db(clean, made)[k]) == pytest.approx(ratio, rel=1e-12)
        assert float(correlation(clean, made)[k]) == pytest.approx(np.corrcoef(a, b)[0, 1])
        peak = np.abs(b).max() / np.abs(a).max() - 1
        assert float(peak_error(clean, made)[k]) == pytest.approx(peak)
    assert not correlation(clean, torch.zeros_like(clean)).any()


def test_scores_tell_ranges_apart() -> None:
    before = torch.tensor([-5.0, -0.1, 0.0, 4.9, 5.0, 10.0])
    scores = Scores(before, before + torch.arange(6.0), before, before)
    rows = scores.by_ratio(-5, 10)
    assert [row["mixtures"] for row in rows] == [2, 2, 2]
    assert [row["snr_gain_mean"] for row in rows] == pytest.approx([0.5, 2.5, 4.5])


def make_mixtures(**changes: object) -> Mixtures:
    quake = torch.randn(4000) * torch.where(torch.arange(4000) < 1500, 0.01, 1.0)
    settings = {"snr_db": (-5.0, -5.0), "pure_noise": 0, "stack": 0, "stretch": 1.3} | changes
    return Mixtures(
        [Trace(quake, 1500)],
        [torch.randn(1400)],
        samples=1000,
        batch_size=8,
        settings=MixingSettings(**settings),
        seed=4,
    )


def test_mixtures_have_the_ratio_that_was_drawn() -> None:
    signal, noise = make_mixtures()(0)
    ratios = 10 * torch.log10(signal.square().sum(-1) / noise.square().sum(-1))
    torch.testing.assert_close(ratios, torch.full((8,), -5.0), atol=1e-3, rtol=0)
    assert len({round(float(x), 4) for x in signal[:, 500]}) == 8
    onsets = (signal.abs() > 0.3).float().argmax(-1)
    assert int(onsets.max()) > 400
    assert not make_mixtures(pure_noise=1)(0).signal.any()


def test_mixtures_are_functions_of_seed_step_and_item() -> None:
    torch.manual_seed(0)
    first = make_mixtures(stack=0.5)
    torch.manual_seed(0)
    second = make_mixtures(stack=0.5)
    for step in (3, 0, 3):
        a, b = first(step), second(step)
        assert torch.equal(a.signal, b.signal)
        assert torch.equal(a.noise, b.noise)
    assert not torch.equal(first(0).noise, first(1).noise)


def test_repeated_noise_keeps_its_power_at_the_seam() -> None:
    noise = torch.randn(2000, 700)
    long = torch.stack([repeated(row, 2100, 50) for row in noise])
    power = long.square().mean(dim=0)
    assert 0.8 < float(power.min()) < float(power.max()) < 1.2
    ramp = repeated(torch.linspace(-1, 1, 700), 2100, 50)
    assert float(ramp.diff().abs().max()) < 0.05  # not the 2 from its end to its beginning


def test_windows_and_stretched_traces() -> None:
    x = torch.arange(1.0, 6.0)
    assert window(x, -2, 4).tolist() == [0, 0, 1, 2]
    assert window(x, 3, 4).tolist() == [4, 5, 0, 0]
    assert window(x, 9, 2).tolist() == [0, 0]
    assert window(x, -9, 2).tolist() == [0, 0]
    tone = Trace(torch.sin(0.05 * torch.arange(3000.0)), 1500)
    slow = stretched(tone, 1.25, 600)
    expected = torch.sin(0.05 * (1500 + torch.arange(-600, 600) / 1.25))
    torch.testing.assert_close(slow.samples, expected, atol=1e-3, rtol=0)
    assert slow.pick == 600
    assert float(unit(x).std(correction=0)) == pytest.approx(1)
    assert unit(torch.ones(4)).tolist() == [0] * 4


def test_baselines_do_what_they_say() -> None:
    t = torch.arange(6000) / 100
    burst = torch.sin(2 * torch.pi * 5 * t) * torch.exp(-(((t - 30) / 1) ** 2))
    drift = 3 * torch.sin(2 * torch.pi * 0.15 * t)
    assert float(snr_db(burst, band_pass(burst + drift, 100.0))) > 20
    hiss = 0.3 * torch.randn(6000)
    gain = snr_db(burst, wiener(burst + hiss)) - snr_db(burst, burst + hiss)
    assert float(gain) > 5


def test_no_seams_between_windows() -> None:
    model = splitter()
    model.network = Constant(0.3)
    x = torch.randn(2, 10_123, dtype=torch.float64)
    signal, noise = Denoiser(model, 1000)(x, 100.0)
    torch.testing.assert_close(signal + noise, x, atol=1e-12, rtol=0)
    # Windows without their means: only what is slower than a window differs.
    assert float((signal - 0.3 * x).abs().max()) < 0.06
    whole = Denoiser(model, 20_000)(x, 100.0).signal
    centred = 0.3 * (x - x.mean(-1, keepdim=True))
    torch.testing.assert_close(whole, centred, atol=1e-5, rtol=0)


class Turns(nn.Module):
    """Signals that are 0 in one window and 1 in the next."""

    def __init__(self, settings: SplitterSettings) -> None:
        super().__init__()
        self.settings, self.none = settings, nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> Parts:
        signal = torch.zeros_like(x)
        signal[1::2] = 1
        return Parts(signal, x - signal, torch.zeros(1))


def test_windows_fade_into_each_other() -> None:
    denoiser = Denoiser(splitter(), 600)
    denoiser.splitter = Turns(SMALL)
    x = torch.randn(1, 5050)
    signal = denoiser(x, 100.0).signal[0] / (x - x.mean()).abs().max()
    assert float(signal.min()) == pytest.approx(0, abs=1e-5)
    assert float(signal.max()) == pytest.approx(1, abs=1e-5)
    assert float(signal.diff().abs().max()) < 2.5 * torch.pi / 600
    t = torch.arange(300, 600) + 0.5  # of the second window the first half
    rising = (torch.pi * (t - 300) / 600).sin().square()
    torch.testing.assert_close(signal[300:600], rising, atol=1e-4, rtol=0)


def test_a_piece_of_a_long_record_is_denoised_as_in_the_whole() -> None:
    denoiser = Denoiser(splitter(), 600)
    x = torch.randn(1, 6000)
    whole = denoiser(x, 100.0).signal
    piece = denoiser(x[:, 900:3900], 100.0).signal
    # Beyond the half window at each end, the same windows are faded the same way.
    scale = float(whole.abs().max())
    inner = (whole[:, 1200:3600] - piece[:, 300:2700]).abs().max()
    assert float(inner) < 1e-4 * scale
    one = denoiser(x[:, :600], 100.0)
    torch.testing.assert_close(
        one.signal, denoiser.splitter(x[:, :600]).signal, atol=1e-4 * scale, rtol=0
    )


@pytest.mark.parametrize("rate", [40.0, 31.25, 100.000002, 200.0, 250.0])
def test_any_rate_any_unit(rate: float) -> None:
    model = splitter()
    model.network = Constant(0.5)
    t = torch.arange(round(20 * rate), dtype=torch.float64) / rate
    slow = torch.sin(2 * torch.pi * 3 * t) * torch.exp(-(((t - 10) / 3) ** 2))
    for scale, offset in ((1e-11, 0.0), (1e8, 1e9)):
        x = (scale * slow + offset)[None]
        signal, noise = Denoiser(model, 3000)(x, rate)
        assert signal.shape == x.shape
        torch.testing.assert_close(signal[0] / scale, 0.5 * slow, atol=5e-3, rtol=0)
        torch.testing.assert_close(signal + noise, x, rtol=1e-12, atol=1e-12 * scale)


def test_bad_records_are_refused(unchecked: None) -> None:
    denoiser = Denoiser(splitter(), 600)
    with pytest.raises(InputError, match=r"`x` \(0.3 s\) must be at least 0.6 s"):
        denoiser(torch.randn(1, 30), 100.0)
    bad = torch.randn(2, 500)
    bad[1, 3] = torch.nan
    with pytest.raises(InputError, match="1 samples that are NaN or infinite, of 1000"):
        denoiser(bad, 100.0)
    with pytest.raises(InputError, match=r"`sample_rate` \(=0.001 Hz\) must be at least 0.01"):
        at_rate(torch.randn(500), 0.001, 100)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"win_length": 80}, "win_length .=80. must be at most n_fft, 60"),
        ({"hop_length": 20}, "must be at most half of win_length, 15"),
        ({"compression": 0}, "greater than 0"),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        SplitterSettings(**settings)
