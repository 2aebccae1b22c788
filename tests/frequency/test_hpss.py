import math

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from passband.frequency import hpss, hpss_masks, softmask


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_a_line_is_harmonic_and_a_column_percussive() -> None:
    S = torch.full((60, 80), 0.01)
    S[20], S[:, 50] = 1.0, 1.0
    harmonic, percussive = hpss(S, kernel_size=(11, 15))
    assert harmonic[20, :40].min() > 0.9
    assert percussive[:18, 50].min() > 0.9
    torch.testing.assert_close(harmonic + percussive, S)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, 7.0])
def test_softmask_is_its_ratio(power: float) -> None:
    x, reference = noise(2, 50)
    expected = x**power / (x**power + reference**power)
    torch.testing.assert_close(softmask(x, reference, power=power), expected, rtol=0, atol=1e-12)


def test_softmask_at_the_edges() -> None:
    zero = torch.zeros(2)
    assert softmask(zero, zero).tolist() == [0, 0]
    assert softmask(zero, zero, split_zeros=True).tolist() == [0.5, 0.5]
    huge = torch.tensor([1e38, 1e-30])
    assert softmask(huge, huge, power=8.0).tolist() == [0.5, 0.5]
    hard = softmask(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]), power=math.inf)
    assert hard.tolist() == [0, 1]


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_gradients(power: float) -> None:
    S = noise(6, 7).requires_grad_()
    assert gradcheck(lambda S: hpss(S, kernel_size=(3, 5), power=power), S)
    silence = torch.zeros(6, 7, dtype=torch.complex64, requires_grad=True)
    harmonic, percussive = hpss(silence, kernel_size=3, power=power)
    (harmonic.abs() + percussive.abs()).sum().backward()
    assert silence.grad.isfinite().all()


def test_margins_leave_a_residual() -> None:
    S = noise(20, 30)
    masks = hpss_masks(S, kernel_size=5, margin=3.0)
    assert (masks[0] + masks[1]).max() < 1
    wide = hpss_masks(S, kernel_size=5, margin=(1.0, 3.0))
    plain = hpss_masks(S, kernel_size=5)
    torch.testing.assert_close(wide[0], plain[0])
    torch.testing.assert_close(wide[1], masks[1])


def test_batch_vmap_and_scale() -> None:
    S = torch.polar(noise(3, 12, 14) + 0.1, 6 * noise(3, 12, 14))
    whole = hpss(S, kernel_size=5)
    mapped = torch.func.vmap(lambda one: hpss(one, kernel_size=5))(S)
    for part in range(2):
        rows = torch.stack([hpss(one, kernel_size=5)[part] for one in S])
        torch.testing.assert_close(whole[part], rows)
        torch.testing.assert_close(mapped[part], rows)
        torch.testing.assert_close(hpss(7 * S, kernel_size=5)[part], 7 * rows)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kernel_size": 0}, r"`kernel_size` \(=0\) must be a positive integer"),
        ({"kernel_size": (31, 0)}, r"`kernel_size` \(=0\) must be a positive integer"),
        ({"margin": 0.5}, r"`margin` \(=0.5\) must be one or two factors of at least 1"),
        ({"margin": (1.0, math.nan)}, r"`margin` \(=\(1.0, nan\)\) must be one or two factors"),
        ({"power": 0.0}, r"`power` \(=0\) must be above 0"),
    ],
)
def test_errors(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hpss(torch.ones(5, 6), **settings)
