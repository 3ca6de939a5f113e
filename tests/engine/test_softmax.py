"""Softmax: rows that sum to 1, rows of −∞, numbers of any size, and NaN and infinity that stay in their row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.engine.models import Array, bits, models_and_tokens
from visualizer.engine.model import Model
from visualizer.engine.ops.softmax import causal_softmax, causal_softmax_by_key, softmax

any_size = st.floats(-(2.0**100), 2.0**100, width=32)
matrices = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=3, max_side=6), elements=any_size)
square = st.integers(1, 6).flatmap(lambda n: arrays.arrays(np.float64, (2, n, n), elements=st.floats(-1e9, 1e9)))


@given(matrices)
def test_rows_sum_to_one_whatever_their_size(x: Array) -> None:
    with np.errstate(over="ignore"):
        out = softmax(x)
    assert (out >= 0).all()
    np.testing.assert_allclose(out.sum(-1), 1, rtol=1e-6)


@given(models_and_tokens())
def test_rows_of_every_pattern_and_of_the_probabilities_sum_to_one(drawn: tuple[Model, Array]) -> None:
    model, tokens = drawn
    trace = model.forward(tokens)
    for name in (n for n in trace if n.endswith(("pattern", "probs"))):
        assert (trace[name] >= 0).all()
        np.testing.assert_allclose(trace[name].sum(-1), 1, rtol=1e-12)


@given(square)
def test_no_key_after_the_query_gets_any_weight(scores: Array) -> None:
    out = causal_softmax(scores.copy())
    assert (out[..., ~np.tri(scores.shape[-1], dtype=bool)] == 0).all()
    np.testing.assert_allclose(out.sum(-1), 1, rtol=1e-12)


@given(square, st.integers(1, 6))
def test_the_last_queries_alone_give_the_last_rows_of_all(scores: Array, rows: int) -> None:
    rows = min(rows, scores.shape[-2])
    whole = causal_softmax(scores.copy())
    np.testing.assert_allclose(causal_softmax(scores[:, -rows:].copy()), whole[:, -rows:], rtol=1e-14)


@given(square, st.floats(-1e6, 1e6))
def test_adding_a_number_to_a_row_changes_nothing(scores: Array, shift: float) -> None:
    np.testing.assert_allclose(softmax(scores + shift), softmax(scores), atol=1e-6)


@given(square)
def test_care_for_what_is_not_finite_changes_no_bit_of_what_is(scores: Array) -> None:
    assert np.array_equal(bits(causal_softmax(scores.copy(), careful=True)), bits(causal_softmax(scores.copy())))
    by_key = [causal_softmax_by_key(scores.copy(), careful) for careful in (False, True)]
    assert np.array_equal(bits(by_key[0]), bits(by_key[1]))


@given(square, st.data())
def test_stored_by_key_or_by_query_what_is_not_finite_does_the_same(scores: Array, data: st.DataObject) -> None:
    for _ in range(3):
        cell = tuple(data.draw(st.integers(0, size - 1)) for size in scores.shape)
        scores[cell] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    with np.errstate(all="ignore"):
        by_key = causal_softmax_by_key(scores.swapaxes(-1, -2).copy(), careful=True).swapaxes(-1, -2)
        by_query = causal_softmax(scores, careful=True)
    np.testing.assert_allclose(by_key, by_query, rtol=1e-14)


def test_a_row_of_minus_infinity_is_uniform() -> None:
    assert softmax(np.full((2, 4), -np.inf)).tolist() == [[0.25] * 4] * 2
    rows = np.array([[-np.inf, -np.inf, -np.inf], [0, 0, 0]])
    assert softmax(rows).tolist()[0] == [1 / 3] * 3


def test_a_masked_row_of_minus_infinity_is_uniform_over_what_it_may_see() -> None:
    assert causal_softmax(np.full((1, 3, 3), -np.inf), careful=True).tolist() == [
        [[1, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]]
    ]


def test_minus_infinity_beside_numbers_gets_no_weight() -> None:
    assert softmax(np.array([-np.inf, 0.0, 0.0])).tolist() == [0, 0.5, 0.5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_as_large_as_the_type_holds_do_not_overflow(dtype: type) -> None:
    largest = np.finfo(dtype).max
    # The distance of the two is out of range, and what is that far below counts 0.
    assert softmax(np.array([largest, -largest, 0], dtype=dtype)).tolist() == [1, 0, 0]
    with np.errstate(over="ignore"):
        scores: Array = np.full((1, 2, 2), largest, dtype=dtype)
        assert causal_softmax(scores).tolist() == [[[1, 0], [0.5, 0.5]]]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_or_infinity_makes_its_own_row_nan_and_no_other(bad: float) -> None:
    scores = np.zeros((1, 3, 3))
    scores[0, 1, 0] = bad
    with np.errstate(all="ignore"):
        out = causal_softmax(scores, careful=True)[0]
    assert out[0].tolist() == [1, 0, 0]
    assert np.isnan(out[1, :2]).all()
    assert out[1, 2] == 0
    assert out[2].tolist() == [1 / 3] * 3


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@given(scores=square)
def test_what_is_hidden_may_be_anything(bad: float, scores: Array) -> None:
    clean = causal_softmax(scores.copy())
    hidden = ~np.tri(scores.shape[-1], dtype=bool)
    scores = np.where(hidden, bad, scores)
    with np.errstate(all="ignore"):
        assert np.array_equal(bits(causal_softmax(scores, careful=True)), bits(clean))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_row_with_nan_or_infinity_is_nan_without_a_warning(bad: float) -> None:
    assert np.isnan(softmax(np.array([bad, -np.inf, 0]))).all()


def test_single_precision_stays_single() -> None:
    assert softmax(np.zeros((2, 3), dtype=np.float32)).dtype == np.float32
    assert softmax(np.full(3, -np.inf, dtype=np.float32)).dtype == np.float32
