"""Head scores: equal to their definition in loops, what perfect heads get, and texts that repeat."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.engine.models import models_and_tokens, of_kind
from visualizer.engine.head_scores import SCORES, HeadDetector, Role, head_scores, main_role, repeated_random_tokens
from visualizer.engine.model import Model
from visualizer.errors import InputError

Array = NDArray[Any]


def attended(name: str, tokens: Array, query: int) -> list[int]:
    """The keys that a perfect head of this kind attends to."""
    if query == 0:
        return []
    earlier = [j for j in range(query) if tokens[j] == tokens[query]]
    return {
        "previous_token": [query - 1],
        "first_token": [0],
        "current_token": [query],
        "duplicate_token": earlier,
        "induction": [j + 1 for j in earlier],
    }[name]


def in_loops(name: str, tokens: Array, pattern: Array) -> float:
    """A score of one head [query, key] as its definition says it."""
    sums = [
        sum(pattern[query, key] for key in keys)
        for query in range(len(tokens))
        if (keys := attended(name, tokens, query))
    ]
    return sum(sums) / len(sums) if sums else math.nan


@given(models_and_tokens())
def test_scores_are_their_definition_for_every_kind_of_model(given_: tuple[Model, Array]) -> None:
    model, tokens = given_
    trace = model.forward(tokens)
    scores = head_scores(trace)
    assert list(scores) == list(SCORES)
    for name, array in scores.items():
        assert array.shape == (model.config.n_layers, model.config.n_heads)
        for layer, head in np.ndindex(array.shape):
            pattern = trace[f"blocks.{layer}.attn.pattern"][head]
            np.testing.assert_allclose(array[layer, head], in_loops(name, tokens, pattern), rtol=1e-9, atol=1e-12)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=12), st.sampled_from(list(SCORES)))
def test_a_head_that_does_one_thing_alone_gets_a_one_for_it(ids: list[int], name: str) -> None:
    tokens = np.array(ids)
    pattern = np.zeros((1, len(ids), len(ids)))
    for query in range(len(ids)):
        keys = attended(name, tokens, query)
        for key in keys or [query]:
            pattern[0, query, key] = 1 / len(keys or [query])
    detector = HeadDetector(tokens)
    score = detector.scores(pattern)[name][0]
    assert detector.defined(name) == (not math.isnan(score))
    if detector.defined(name):
        assert score == pytest.approx(1)


def test_without_a_repetition_duplicates_and_induction_are_not_defined() -> None:
    scores = head_scores(of_kind("gpt-2").forward([0, 1, 2, 3]))
    assert np.isnan(scores["duplicate_token"]).all()
    assert np.isnan(scores["induction"]).all()
    assert np.isfinite(scores["previous_token"]).all()


def test_one_token_defines_no_score_at_all() -> None:
    assert all(np.isnan(array).all() for array in head_scores(of_kind("gpt-2").forward([0])).values())


def test_a_nan_in_one_row_spoils_only_the_scores_that_look_there() -> None:
    tokens = np.array([0, 1, 2, 0, 1])
    pattern = np.tril(np.full((1, 5, 5), 0.25))
    pattern[0, 2] = np.nan
    scores = HeadDetector(tokens).scores(pattern)
    assert math.isnan(scores["previous_token"][0])
    assert scores["duplicate_token"][0] == pytest.approx(0.25)
    assert scores["induction"][0] == pytest.approx(0.25)


def test_a_pattern_of_another_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"a pattern of 3 tokens is \[head, 3, 3\], not \[2, 4, 4\]"):
        HeadDetector(np.arange(3)).scores(np.zeros((2, 4, 4)))


def test_the_main_role_is_the_highest_score_if_it_is_clear() -> None:
    scores = {name: np.array([[0.1, 0.3, np.nan]]) for name in SCORES}
    scores["induction"] = np.array([[0.9, 0.4, np.nan]])
    scores["first_token"] = np.array([[0.5, 0.2, np.nan]])
    assert main_role(scores, 0, 0) == Role("induction", 0.9)
    assert main_role(scores, 0, 1) is None
    assert main_role(scores, 0, 2) is None
    assert main_role(scores, 0, 1, clear=0.35) == Role("induction", 0.4)


@pytest.mark.parametrize(("best", "other", "named"), [(0.3, 0.1, True), (0.3, 0.2, False), (0.2, 0.01, False)])
def test_a_score_below_that_is_the_role_if_it_reaches_twice_every_other(best: float, other: float, named: bool) -> None:
    scores = {name: np.array([[other]]) for name in SCORES} | {"duplicate_token": np.array([[np.nan]])}
    scores["induction"] = np.array([[best]])
    assert main_role(scores, 0, 0) == (Role("induction", best) if named else None)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_random_tokens_come_twice_without_a_repetition_within(seed: int, length: int) -> None:
    model = of_kind("gpt-2")
    tokens = repeated_random_tokens(model, seed, length)
    assert np.array_equal(tokens[:length], tokens[length:])
    assert len(set(tokens.tolist())) == length
    assert np.array_equal(tokens, repeated_random_tokens(model, seed, length))
    detector = HeadDetector(tokens)
    assert detector.defined("induction")


def test_the_sequence_fills_the_context_as_far_as_half_of_the_vocabulary_reaches() -> None:
    """Where every token comes, what is left over foretells the next one."""
    assert len(repeated_random_tokens(of_kind("gpt-2", n_ctx=11, d_vocab=30))) == 10
    assert len(repeated_random_tokens(of_kind("gpt-2", n_ctx=300, d_vocab=200))) == 100
    assert len(repeated_random_tokens(of_kind("gpt-2", n_ctx=300, d_vocab=20))) == 20
    assert len(repeated_random_tokens(of_kind("gpt-2", n_ctx=11, d_vocab=2))) == 4


def test_a_context_without_room_for_the_sequence_twice_is_refused() -> None:
    model = of_kind("gpt-2")
    with pytest.raises(InputError, match="room for 1 to 3"):
        repeated_random_tokens(model, 0, 4)
    with pytest.raises(InputError, match="room for 1 to 0"):
        repeated_random_tokens(of_kind("gpt-2", n_ctx=1))
