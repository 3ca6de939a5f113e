"""The error function: accurate to the last digits of single precision, exact in double."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from visualizer.engine.erf import erf


def test_single_precision_is_within_four_units_of_the_last_place_of_one() -> None:
    x = np.concatenate([np.linspace(-6, 6, 40001), np.linspace(-1e-3, 1e-3, 2001)]).astype(np.float32)
    exact = np.array([math.erf(float(v)) for v in x])
    assert np.abs(erf(x) - exact).max() < 4e-7
    assert erf(x).dtype == np.float32


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_double_precision_is_the_standard_librarys(x: float) -> None:
    assert erf(np.array([x])).tolist() == [math.erf(x)]


@given(st.floats(width=32, allow_nan=False))
def test_it_is_odd_and_never_beyond_one(x: float) -> None:
    value = erf(np.array([x, -x], dtype=np.float32))
    assert value[0] == -value[1]
    assert abs(value[0]) <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_its_limits(dtype: type) -> None:
    out = erf(np.array([0, np.inf, -np.inf, np.nan, 50], dtype=dtype))
    assert out[[0, 1, 2, 4]].tolist() == [0, 1, -1, 1]
    assert np.isnan(out[3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(0,), (3, 0, 2), (), (2, 3, 4), (40000,)])
def test_the_shape_stays_and_the_input_too(shape: tuple[int, ...], dtype: type) -> None:
    x: NDArray[np.floating] = np.full(shape, 0.5, dtype=dtype)
    assert erf(x).shape == shape
    np.testing.assert_allclose(erf(x), math.erf(0.5), rtol=1e-6)
    assert (x == 0.5).all()


def test_a_transposed_array_is_read_in_its_own_order() -> None:
    x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(erf(x.T), erf(x).T)
