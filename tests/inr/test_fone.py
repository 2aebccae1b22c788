"""Number embeddings: exact round trips, phases against their formula."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from passband.errors import InputError
from passband.inr.encodings import FoNE


def round_trip(number: float) -> float:
    embed = FoNE(6, 3)
    return embed.decode(embed(torch.tensor(number, dtype=torch.float64))).item()


@given(st.integers(-999_999_999, 999_999_999))
@settings(max_examples=200, deadline=None)
def test_numbers_come_back_exactly(thousandths: int) -> None:
    assert round_trip(thousandths / 1000) == thousandths / 1000


@pytest.mark.parametrize("number", [0.0, -0.0, 999999.999, -999999.999, 0.001, 9.9996, 199999.0])
def test_numbers_at_the_edges_come_back(number: float) -> None:
    assert round_trip(number) == round(number, 3)


def test_numbers_have_one_phase_per_digit() -> None:
    features = FoNE(2, 1)(torch.tensor(-34.5, dtype=torch.float64))
    expected = []
    for period in (1.0, 10.0, 100.0):
        angle = 2 * math.pi * 34.5 / period
        expected += [math.cos(angle), math.sin(angle)]
    np.testing.assert_allclose(features, [*expected, -1.0], atol=1e-12)


def test_zero_is_a_number_and_not_padding() -> None:
    assert FoNE(3)(torch.zeros(2)).tolist() == [[1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]] * 2


def test_integers_and_batches_of_numbers() -> None:
    embed = FoNE(4)
    numbers = torch.tensor([[1, -20], [345, -6789]])
    features = embed(numbers)
    assert features.shape == (2, 2, 9)
    assert features.dtype == torch.float32
    assert embed.decode(features).tolist() == numbers.tolist()
    assert embed(numbers[:0]).shape == (0, 2, 9)


def test_numbers_are_read_through_noise() -> None:
    embed = FoNE(6, 3)
    numbers = torch.randint(-(10**9), 10**9, (500,), generator=torch.Generator().manual_seed(0))
    numbers = numbers.double() / 1000
    features = embed(numbers)
    noisy = features + 0.08 * torch.randn(
        features.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    ).clamp(-2, 2)
    # Half a digit is 18 degrees: sin 18 = 0.31 above the noise of at most 0.16 sqrt 2.
    assert torch.equal(embed.decode(noisy), numbers)


def test_digit_logits_are_greatest_at_pure_digits() -> None:
    embed = FoNE(3)
    digits = torch.tensor([4, 0, 9])
    angle = 2 * math.pi * digits / 10
    pure = torch.stack((angle.cos(), angle.sin()), dim=-1).flatten()
    logits = embed.digit_logits(torch.cat((pure, torch.ones(1))))
    assert logits.argmax(dim=-1).tolist() == digits.tolist()
    torch.testing.assert_close(logits.amax(dim=-1), torch.ones(3))


@pytest.mark.parametrize("number", [1000.0, -1000.0, 999.6, math.nan, math.inf])
def test_numbers_that_do_not_fit(number: float) -> None:
    with pytest.raises(InputError, match=r"`numbers` must be finite and below 10\^3"):
        FoNE(3)(torch.tensor(number))


def test_an_embedding_has_no_state() -> None:
    assert not FoNE(2).state_dict()


@pytest.mark.parametrize(
    ("digits", "message"),
    [((0, 0), r"`integer_digits` \(=0\)"), ((2, -1), r"`fraction_digits` \(=-1\)"),
     ((10, 6), "must be at most 15 together")],
)  # fmt: skip
def test_embeddings_that_cannot_be(digits: tuple[int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        FoNE(*digits)
