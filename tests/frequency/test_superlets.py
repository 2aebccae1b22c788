import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import superlets


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def convolved(x: np.ndarray, frequency: float, cycles: float) -> np.ndarray:
    """|x * psi| with the Morlet wavelet of Moca et al., twice its unit area, sample by sample."""
    deviation = cycles / (5 * frequency)
    n = np.arange(-math.ceil(8 * deviation), math.ceil(8 * deviation) + 1)
    psi = np.exp(-0.5 * (n / deviation) ** 2 + 2j * np.pi * frequency * n)
    full = np.convolve(x, 2 * psi / (deviation * math.sqrt(2 * math.pi)))
    return np.abs(full[len(n) // 2 :][: len(x)])


@pytest.mark.parametrize(
    ("c1", "order_min", "order_max"), [(3.0, 1, 5), (1.5, 1, 3.7), (3.0, 2.4, 2.4)]
)
def test_the_geometric_mean_of_convolutions(c1: float, order_min: float, order_max: float) -> None:
    x = noise(600).numpy()
    frequencies = [0.05, 0.08, 0.11, 0.2]
    ours = superlets(
        torch.from_numpy(x), frequencies, c1=c1, order_min=order_min, order_max=order_max,
        pad_mode="constant",
    )  # fmt: skip
    for row, f in zip(ours.numpy(), frequencies, strict=True):
        order = order_min + (order_max - order_min) * (f - 0.05) / 0.15
        product = np.ones(600)
        for i in range(1, math.floor(order) + 1):
            product *= convolved(x, f, i * c1)
        rest = order - math.floor(order)
        product *= convolved(x, f, (math.floor(order) + 1) * c1) ** rest
        np.testing.assert_allclose(row, product ** (1 / order), rtol=0, atol=1e-9)


def test_a_tone_has_its_amplitude() -> None:
    x = 1.7 * torch.cos(2 * torch.pi * 0.1 * torch.arange(2000))
    found = superlets(x, [0.05, 0.1, 0.15], order_max=6)[:, 800:1200]
    torch.testing.assert_close(found[1], torch.full((400,), 1.7), rtol=0, atol=1e-3)
    assert found[[0, 2]].max() < 0.01


def test_sharper_than_either_wavelet() -> None:
    """Two tones a tenth apart, and two packets: order 8 tells apart what order 1 joins."""
    n = torch.arange(3000, dtype=torch.float64)
    x = torch.cos(2 * torch.pi * 0.1 * n) + torch.cos(2 * torch.pi * 0.12 * n)
    frequencies = [0.1, 0.11, 0.12]

    def dip(order: float) -> float:
        mean = superlets(x, frequencies, order_min=order, order_max=order)[:, 1000:2000].mean(-1)
        return float(mean[1] / mean[[0, 2]].mean())

    assert dip(8) < 0.5 < 0.9 < dip(1)


def test_a_batch_is_its_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(3, 2, 200)
    given = {"frequencies": [0.1, 0.3, 0.2], "order_max": 4.5}
    alone = torch.stack([torch.stack([superlets(z, **given) for z in y]) for y in x])
    torch.testing.assert_close(superlets(x, **given), alone, rtol=0, atol=1e-10)
    monkeypatch.setattr("passband.frequency._superlets._IN_FLIGHT", 1)
    torch.testing.assert_close(superlets(x, **given), alone, rtol=0, atol=1e-10)
    mapped = torch.func.vmap(lambda y: superlets(y, **given))(x)
    torch.testing.assert_close(mapped, alone, rtol=0, atol=1e-10)
    torch.testing.assert_close(superlets(2 * x, **given), 2 * alone, rtol=1e-10, atol=0)


def test_gradients() -> None:
    x = noise(12).requires_grad_()
    assert gradcheck(lambda x: superlets(x, [0.1, 0.3], order_max=2.5), x)
    silence = torch.zeros(50, requires_grad=True)
    superlets(silence, [0.1]).sum().backward()
    assert not silence.grad.any()


@pytest.mark.usefixtures("unchecked")
def test_bad_input() -> None:
    x = noise(100)
    for frequencies in ([], [0.1, 0.6], [0.0], [math.nan]):
        with pytest.raises(ValueError, match=r"`frequencies` \(.* cycles per sample\) must be abo"):
            superlets(x, frequencies)
    with pytest.raises(ValueError, match=r"`c1` \(=0 cycles\) must be above 0"):
        superlets(x, [0.1], c1=0)
    with pytest.raises(ValueError, match=r"`order_min` \(=0.5\) must be at least 1"):
        superlets(x, [0.1], order_min=0.5)
    with pytest.raises(ValueError, match=r"`order_max` \(=2\) must be at least 3"):
        superlets(x, [0.1], order_min=3, order_max=2)
    with pytest.raises(ValueError, match=r"`pad_mode` \(='circular'\) must be one of reflect"):
        superlets(x, [0.1], pad_mode="circular")
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int64\) must be float32 or float64"):
        superlets(torch.zeros(10, dtype=torch.int64), [0.1])
