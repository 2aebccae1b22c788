"""GTCRN against its definition, written out in numpy float64 by the published file's own names.

Arrays are (channels, frames, bands). Convolutions are sums over their taps, transposed ones spread
every input over their taps, and recurrences go step by step.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from passband.media import read_audio
from passband.signal.tasks.enhancement import load_enhancer

N_FFT, HOP = 512, 256
WINDOW = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT))

Weights = dict[str, np.ndarray]

# Float32 through 40 layers against float64; 6e-7 is met where samples reach 0.5.
FLOAT32 = 1e-5


@pytest.mark.parametrize("name", ["p287_001", "p287_002", "p287_003"])
def test_it_is_its_definition(data: Path, name: str) -> None:
    path = data / "weights" / "gtcrn" / "model_trained_on_vctk.tar"
    table = torch.load(path, weights_only=True)["model"]
    weights = {key: value.double().numpy() for key, value in table.items()}
    noisy = data / "audio" / "noisy_speech" / "noisy" / f"{name}.wav"
    sound = read_audio(noisy).samples[0]
    expected = torch.from_numpy(enhanced(weights, sound.double().numpy()))
    model = load_enhancer(path)
    with torch.no_grad():
        torch.testing.assert_close(model(sound).double(), expected, atol=FLOAT32, rtol=0)
        exact = model.double()(sound.double())
    torch.testing.assert_close(exact, expected, atol=1e-10, rtol=0)


def enhanced(weights: Weights, audio: np.ndarray) -> np.ndarray:
    """Speech of ``audio``, filled with zeros up to whole hops, of which there are at least two."""
    length = max(2, -(-len(audio) // HOP)) * HOP
    whole = np.pad(np.pad(audio, (0, length - len(audio))), HOP, mode="reflect")
    frames = [whole[k : k + N_FFT] * WINDOW for k in range(0, length + 1, HOP)]
    spectrum = np.fft.rfft(frames)
    masked = np.fft.irfft(spectrum * mask(weights, spectrum)) * WINDOW
    out, power = np.zeros(length + N_FFT), np.zeros(length + N_FFT)
    for k, frame in enumerate(masked):
        out[k * HOP : k * HOP + N_FFT] += frame
        power[k * HOP : k * HOP + N_FFT] += WINDOW**2
    return (out[HOP:-HOP] / power[HOP:-HOP])[: len(audio)]


def mask(w: Weights, spectrum: np.ndarray) -> np.ndarray:
    parts = np.stack([np.sqrt(np.abs(spectrum) ** 2 + 1e-12), spectrum.real, spectrum.imag])
    bands = np.concatenate([parts[..., :65], parts[..., 65:] @ w["erb.erb_fc.weight"].T], -1)
    x, skips = neighbours(bands), []
    for k, groups in ((0, 1), (1, 2)):
        x = strided(w, f"encoder.en_convs.{k}", x, groups)
        skips.append(x)
    for k, dilation in ((2, 1), (3, 2), (4, 5)):
        x = block(w, f"encoder.en_convs.{k}", x, dilation, transposed=False)
        skips.append(x)
    for name in ("dpgrnn1", "dpgrnn2"):
        x = dual_path(w, name, x)
    for k, dilation in ((0, 5), (1, 2), (2, 1)):
        x = block(w, f"decoder.de_convs.{k}", x + skips.pop(), dilation, transposed=True)
    x = prelu(w, "decoder.de_convs.3.act", spread(w, "decoder.de_convs.3", x + skips.pop(), 2))
    x = np.tanh(spread(w, "decoder.de_convs.4", x + skips.pop(), 1))
    full = np.concatenate([x[..., :65], x[..., 65:] @ w["erb.ierb_fc.weight"].T], -1)
    return full[0] + 1j * full[1]


def neighbours(x: np.ndarray) -> np.ndarray:
    channels, frames, bands = x.shape
    out = np.zeros((3 * channels, frames, bands))
    for c in range(channels):
        out[3 * c, :, 1:] = x[c, :, :-1]
        out[3 * c + 1] = x[c]
        out[3 * c + 2, :, :-1] = x[c, :, 1:]
    return out


def normalised(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    scale = w[f"{name}.weight"] / np.sqrt(w[f"{name}.running_var"] + 1e-5)
    return (x - w[f"{name}.running_mean"][:, None, None]) * scale[:, None, None] + w[
        f"{name}.bias"
    ][:, None, None]


def prelu(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, w[f"{name}.weight"][0] * x)


def strided(w: Weights, name: str, x: np.ndarray, groups: int) -> np.ndarray:
    kernel, bias = w[f"{name}.conv.weight"], w[f"{name}.conv.bias"]
    padded = np.pad(x, ((0, 0), (0, 0), (2, 2)))
    per_out, per_in = len(kernel) // groups, kernel.shape[1]
    out = np.zeros((len(kernel), x.shape[1], (x.shape[2] + 1) // 2)) + bias[:, None, None]
    for o in range(len(kernel)):
        for i in range(per_in):
            source = padded[o // per_out * per_in + i]
            for tap in range(5):
                out[o] += kernel[o, i, 0, tap] * source[:, tap : tap + 2 * out.shape[2] - 1 : 2]
    return prelu(w, f"{name}.act", normalised(w, f"{name}.bn", out))


def spread(w: Weights, name: str, x: np.ndarray, groups: int) -> np.ndarray:
    kernel, bias = w[f"{name}.conv.weight"], w[f"{name}.conv.bias"]
    per_in, per_out = len(kernel) // groups, kernel.shape[1]
    wide = np.zeros((len(bias), x.shape[1], 2 * x.shape[2] + 3))
    for i in range(len(kernel)):
        for o in range(per_out):
            for tap in range(5):
                wide[i // per_in * per_out + o, :, tap : tap + 2 * x.shape[2] - 1 : 2] += (
                    kernel[i, o, 0, tap] * x[i]
                )
    return normalised(w, f"{name}.bn", wide[..., 2:-2] + bias[:, None, None])


def block(w: Weights, name: str, x: np.ndarray, dilation: int, *, transposed: bool) -> np.ndarray:
    treated, untouched = x[:8], x[8:]
    h = pointwise(w, f"{name}.point_conv1", neighbours(treated), transposed)
    h = prelu(w, f"{name}.point_act", normalised(w, f"{name}.point_bn1", h))
    h = depthwise(w, f"{name}.depth_conv", h, dilation, transposed)
    h = prelu(w, f"{name}.depth_act", normalised(w, f"{name}.depth_bn", h))
    h = pointwise(w, f"{name}.point_conv2", h, transposed)
    h = normalised(w, f"{name}.point_bn2", h)
    energy = (h**2).mean(-1).T
    trace = gru(w, f"{name}.tra.att_gru", "_l0", energy[None])[0]
    gate = trace @ w[f"{name}.tra.att_fc.weight"].T + w[f"{name}.tra.att_fc.bias"]
    h = h * sigmoid(gate).T[..., None]
    mixed = np.empty_like(x)
    mixed[0::2], mixed[1::2] = h, untouched
    return mixed


def pointwise(w: Weights, name: str, x: np.ndarray, transposed: bool) -> np.ndarray:
    kernel = w[f"{name}.weight"][:, :, 0, 0]
    matrix = kernel.T if transposed else kernel
    return np.einsum("oi,itf->otf", matrix, x) + w[f"{name}.bias"][:, None, None]


def depthwise(w: Weights, name: str, x: np.ndarray, dilation: int, transposed: bool) -> np.ndarray:
    kernel = w[f"{name}.weight"][:, 0]
    frames, bands = x.shape[1:]
    past = 2 * dilation
    out = np.zeros_like(x) + w[f"{name}.bias"][:, None, None]
    for row in range(3):
        for column in range(3):
            tap = kernel[:, row, column][:, None, None]
            if transposed:  # each input is spread to the frames after it and the bands around it
                late, shift = row * dilation, column - 1
            else:
                late, shift = past - row * dilation, 1 - column
            if late >= frames:
                continue
            moved = np.zeros_like(x)
            to, source = (
                slice(max(0, shift), bands + min(0, shift)),
                slice(max(0, -shift), bands + min(0, -shift)),
            )
            moved[:, late:, to] = x[:, : frames - late, source]
            out += tap * moved
    return out


def dual_path(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    rows = x.transpose(1, 2, 0)  # frames, bands, channels
    y = np.concatenate(
        [
            np.concatenate(
                [
                    gru(w, f"{name}.intra_rnn.rnn{g + 1}", "_l0", half),
                    gru(w, f"{name}.intra_rnn.rnn{g + 1}", "_l0_reverse", half[:, ::-1])[:, ::-1],
                ],
                -1,
            )
            for g, half in enumerate((rows[..., :8], rows[..., 8:]))
        ],
        -1,
    )
    rows = rows + layer_norm(w, f"{name}.intra", y)
    tracks = rows.transpose(1, 0, 2)
    z = np.concatenate(
        [
            gru(w, f"{name}.inter_rnn.rnn{g + 1}", "_l0", half)
            for g, half in enumerate((tracks[..., :8], tracks[..., 8:]))
        ],
        -1,
    )
    return (rows + layer_norm(w, f"{name}.inter", z.transpose(1, 0, 2))).transpose(2, 0, 1)


def layer_norm(w: Weights, name: str, y: np.ndarray) -> np.ndarray:
    y = y @ w[f"{name}_fc.weight"].T + w[f"{name}_fc.bias"]
    mean = y.mean((1, 2), keepdims=True)
    deviation = np.sqrt(((y - mean) ** 2).mean((1, 2), keepdims=True) + 1e-8)
    return (y - mean) / deviation * w[f"{name}_ln.weight"] + w[f"{name}_ln.bias"]


def gru(w: Weights, name: str, ending: str, x: np.ndarray) -> np.ndarray:
    """Of (sequences, steps, features)."""
    inward, recurrent, bias_in, bias = (
        w[f"{name}.{part}{ending}"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    size = recurrent.shape[1]
    h, out = np.zeros((len(x), size)), np.empty((len(x), x.shape[1], size))
    for step in range(x.shape[1]):
        a, b = x[:, step] @ inward.T + bias_in, h @ recurrent.T + bias
        reset = sigmoid(a[:, :size] + b[:, :size])
        update = sigmoid(a[:, size : 2 * size] + b[:, size : 2 * size])
        candidate = np.tanh(a[:, 2 * size :] + reset * b[:, 2 * size :])
        h = (1 - update) * candidate + update * h
        out[:, step] = h
    return out


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
