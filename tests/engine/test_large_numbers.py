"""What becomes of numbers near the largest that there are, and of small differences between large ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.engine.models import of_kind
from visualizer.engine.ops.activation import FUNCTIONS
from visualizer.engine.ops.base import Run
from visualizer.engine.ops.normalization import LayerNorm
from visualizer.errors import TokenError

NORM = LayerNorm(("y", "scale", "mean"), ("x",), ("g", "b"))


@pytest.mark.parametrize("size", [3, 5, 7, 48, 768])
@pytest.mark.parametrize("number", [1000.1, -0.3, 1e6 + 0.7, 3e18])
def test_a_constant_row_is_normalized_to_zeros(number: float, size: int) -> None:
    x = np.full((2, size), number, dtype=np.float32)
    parameters = {"g": np.ones(size, dtype=np.float32), "b": np.zeros(size, dtype=np.float32)}
    run = Run(np.zeros(2, dtype=np.intp), parameters, {"x": x})
    NORM.forward(run)
    assert np.array_equal(run.values["mean"], x[:, :1])
    assert not run.values["y"].any()


def test_a_small_difference_on_top_of_a_large_number_is_normalized_as_in_double_precision() -> None:
    x = np.float32(4096) + np.random.default_rng(0).integers(0, 9, (4, 100)).astype(np.float32) / 1024
    parameters = {"g": np.ones(100), "b": np.zeros(100)}
    wide = Run(np.zeros(4, dtype=np.intp), parameters, {"x": x.astype(np.float64)})
    single = Run(wide.tokens, {name: array.astype(np.float32) for name, array in parameters.items()}, {"x": x})
    for run in (wide, single):
        NORM.forward(run)
    np.testing.assert_allclose(single.values["y"], wide.values["y"], atol=0.05)


@pytest.mark.parametrize("name", ["gelu_new", "gelu", "silu", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_nonlinearity_of_the_largest_numbers_is_the_number_or_zero_and_its_slope_one_or_zero(
    name: str, dtype: str
) -> None:
    function, slope, _ = FUNCTIONS[name]
    largest = np.finfo(dtype).max
    x = np.array([largest, 0.6 * largest, 1e20, 1e3, -1e3, -1e20, -largest], dtype=dtype)
    with np.errstate(all="ignore"):
        assert function(x).tolist() == [*x[:4], 0, 0, 0]
        assert slope(x).tolist() == [1, 1, 1, 1, 0, 0, 0]


def test_the_slope_of_gelu_is_what_its_derivative_says() -> None:
    function, slope, _ = FUNCTIONS["gelu_new"]
    x = np.linspace(-12, 12, 2001)
    step = 1e-6
    np.testing.assert_allclose(slope(x), (function(x + step) - function(x - step)) / (2 * step), atol=1e-8)
    assert slope(x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("token", [-1, 6, 10**9])
def test_many_texts_with_an_id_outside_the_vocabulary_are_refused(token: int) -> None:
    model = of_kind("gpt-2")
    with pytest.raises(TokenError, match=f"token id {token} is not in the vocabulary; ids go from 0 to 5"):
        model.forward_batch(np.array([[1, 2], [token, 3]]))
    assert math.isfinite(model.forward_batch(np.array([[1, 2]]))["logits"].sum())
