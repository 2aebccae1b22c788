import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from passband.frequency import dct, idct

LENGTHS = [1, 2, 3, 4, 7, 8, 63, 64, 1000]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_one_axis_is_scipys(length: int, dtype: torch.dtype, atol: float) -> None:
    x = torch.randn(3, length, dtype=torch.float64)
    for ours, theirs in ((dct, scipy.fft.dct), (idct, scipy.fft.idct)):
        expected = torch.from_numpy(theirs(x.numpy(), norm="ortho"))
        result = ours(x.to(dtype))
        assert result.dtype == dtype
        torch.testing.assert_close(result.double(), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("dims", [(0,), (1, 2), (-1, 0), (2, 0, 1), ()])
def test_several_axes_are_scipys(dims: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal((5, 8, 9))
    for ours, theirs in ((dct, scipy.fft.dctn), (idct, scipy.fft.idctn)):
        expected = torch.from_numpy(theirs(x, axes=dims, norm="ortho")) if dims else x
        result = ours(torch.from_numpy(x), dims=dims)
        torch.testing.assert_close(result, torch.as_tensor(expected), rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 30), st.integers(1, 30))
def test_inverse_and_parseval(rows: int, columns: int) -> None:
    x = torch.randn(rows, columns, dtype=torch.float64)
    coefficients = dct(x, dims=(0, 1))
    torch.testing.assert_close(idct(coefficients, dims=(1, 0)), x, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        coefficients.square().sum(), x.square().sum(), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("length", [1, 4, 5])
def test_gradients(length: int) -> None:
    x = torch.randn(2, length, dtype=torch.float64, requires_grad=True)
    for transform in (dct, idct):
        assert gradcheck(lambda x, f=transform: f(x, dims=(0, 1)), x)
        assert gradgradcheck(lambda x, f=transform: f(x).square(), x)


@pytest.mark.parametrize("transform", [dct, idct])
@pytest.mark.parametrize("dims", [(2,), (0, 0), (-3,), (1, -1)])
def test_axes_must_exist_once(transform, dims: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`dims` .*must name axes of `x` \(shape \(2, 3\)\)"):
        transform(torch.zeros(2, 3), dims=dims)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("transform", [dct, idct])
def test_types(transform) -> None:
    with pytest.raises(TypeError, match=r"`x` \(dtype torch.int64\) must be float32 or float64"):
        transform(torch.zeros(4, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"`x` \(shape \(0,\)\) must have a last axis"):
        transform(torch.zeros(0))
