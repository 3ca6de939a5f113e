"""Sampling: temperature, then top-k, then top-p, each stage a distribution; then one seeded draw."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.engine.models import Array
from visualizer.engine.sampling import SORTED, Sampling, choose, distribution, largest, top_tokens
from visualizer.errors import SamplingError
from visualizer.formats import open_preset

logits_of_any_kind = arrays.arrays(np.float64, st.integers(1, 12), elements=st.floats(-30, 30))
samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 0.1, 0.7, 1.0, 5.0]),
    top_k=st.none() | st.integers(1, 14),
    top_p=st.none() | st.floats(0.01, 1.0),
    seed=st.integers(0, 2**40),
)


def reference(logits: Array, temperature: float, top_k: int | None, top_p: float | None) -> list[float]:
    """The three stages in plain loops, ids before probabilities where they tie."""
    highest = max(logits)
    weights = [math.exp((x - highest) / temperature) for x in logits]
    probs = [weight / sum(weights) for weight in weights]
    order = sorted(range(len(probs)), key=lambda i: (-probs[i], i))
    kept = order if top_k is None else order[:top_k]
    total = math.fsum(probs[i] for i in kept)
    if top_p is not None and top_p < 1:
        reached, nucleus = 0.0, []
        for i in kept:
            nucleus.append(i)
            reached += probs[i] / total
            if reached >= top_p * (1 - 1e-12):
                break
        kept = nucleus
        total = math.fsum(probs[i] for i in kept)
    return [probs[i] / total if i in kept else 0.0 for i in range(len(probs))]


@given(logits_of_any_kind, samplings)
def test_every_stage_is_a_distribution_and_none_brings_a_token_back(logits: Array, sampling: Sampling) -> None:
    stages = distribution(logits, sampling)
    previous = None
    for stage in (stages.probs, stages.tempered, stages.top_k, stages.top_p):
        assert (stage >= 0).all()
        assert stage.sum() == pytest.approx(1, abs=1e-9)
        if previous is not None and previous is not stages.probs:
            assert (stage[previous == 0] == 0).all()
        previous = stage
    assert np.array_equal(stages.final, stages.top_p)


@given(logits_of_any_kind, samplings.filter(lambda s: not s.greedy))
def test_the_filters_come_in_the_order_temperature_then_k_then_p(logits: Array, sampling: Sampling) -> None:
    expected = reference(logits, sampling.temperature, sampling.top_k, sampling.top_p)
    np.testing.assert_allclose(distribution(logits, sampling).final, expected, rtol=1e-9, atol=1e-12)


def test_top_p_counts_what_top_k_has_left() -> None:
    logits = np.log([0.4, 0.3, 0.2, 0.1])
    # Of what top-k leaves, 4/7 and 3/7, the first alone reaches a half; of all four it would not.
    assert distribution(logits, Sampling(1, top_k=2, top_p=0.5)).final.tolist() == [1, 0, 0, 0]
    np.testing.assert_allclose(distribution(logits, Sampling(1, top_p=0.5)).final, [4 / 7, 3 / 7, 0, 0])


def test_a_high_temperature_flattens_and_a_low_one_sharpens() -> None:
    logits = np.array([2.0, 1.0, 0.0])
    tops = [distribution(logits, Sampling(t)).tempered[0] for t in (0.01, 0.5, 1, 2, 1000)]
    assert tops == sorted(tops, reverse=True)
    assert tops[0] == pytest.approx(1)
    assert tops[-1] == pytest.approx(1 / 3, abs=1e-3)
    assert np.array_equal(distribution(logits, Sampling(2)).probs, distribution(logits, Sampling(1)).probs)


def test_of_equal_probabilities_the_lowest_ids_stay() -> None:
    equal = np.zeros(5)
    assert distribution(equal, Sampling(1, top_k=2)).final.tolist() == [0.5, 0.5, 0, 0, 0]
    assert distribution(equal, Sampling(1, top_p=0.6)).final.tolist() == [1 / 3, 1 / 3, 1 / 3, 0, 0]
    assert distribution(equal, Sampling()).final.tolist() == [1, 0, 0, 0, 0]


def test_filters_that_are_off_leave_the_very_same_numbers() -> None:
    stages = distribution(np.array([1.0, 2.0]), Sampling(0.5, top_k=9, top_p=1.0))
    assert stages.tempered is stages.top_k is stages.top_p


@given(logits_of_any_kind, samplings)
def test_what_is_chosen_has_a_probability(logits: Array, sampling: Sampling) -> None:
    stages = distribution(logits, sampling)
    for position in range(20):
        assert stages.final[choose(stages, sampling, position)] > 0


def test_tokens_come_as_often_as_their_probabilities_say() -> None:
    sampling = Sampling(1.0, seed=3)
    stages = distribution(np.log([0.5, 0.3, 0.2]), sampling)
    counts = Counter(choose(stages, sampling, position) for position in range(4000))
    for token, expected in enumerate([0.5, 0.3, 0.2]):
        assert counts[token] / 4000 == pytest.approx(expected, abs=4 * math.sqrt(expected / 4000))


def test_a_draw_depends_on_seed_and_position_alone() -> None:
    stages = distribution(np.zeros(50), Sampling(1.0))

    def draws(seed: int) -> list[int]:
        return [choose(stages, Sampling(1.0, seed=seed), position) for position in range(20)]

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)
    assert len(set(draws(1))) > 5


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(1.0), Sampling(1.0, top_k=2, top_p=0.5)])
@pytest.mark.parametrize("logits", [[np.nan, 1, 2], [np.inf, 1, 2], [-np.inf] * 3, [np.nan] * 3, [-np.inf, 0, np.nan]])
def test_logits_that_are_not_finite_still_yield_a_token(logits: list[float], sampling: Sampling) -> None:
    token = choose(distribution(np.array(logits), sampling), sampling, 0)
    assert 0 <= token < 3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"temperature": -0.1}, "temperature is -0.1; a number of at least 0"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_k": 0}, "top-k is 0; a whole number of at least 1"),
        ({"top_p": 0.0}, "top-p is 0.0; a number above 0 and up to 1"),
        ({"top_p": 1.01}, "top-p is 1.01"),
        ({"top_p": math.nan}, "top-p is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"top_k": 2.0}, "top-k is 2.0"),
    ],
)
def test_values_out_of_range_are_refused(fields: dict[str, float], said: str) -> None:
    with pytest.raises(SamplingError) as error:
        Sampling(**fields)  # type: ignore[arg-type]
    assert said in str(error.value)


def test_without_a_temperature_a_filter_means_temperature_one() -> None:
    assert Sampling.of(None, None, None).greedy
    assert Sampling.of(None, 5, None).temperature == 1
    assert Sampling.of(None, None, 0.5).temperature == 1
    assert Sampling.of(0, 5, None).greedy


def test_the_largest_come_by_index_where_they_tie_and_nan_where_it_is_wanted() -> None:
    assert largest(np.array([0.1, 0.4, 0.1, 0.4]), 3).tolist() == [1, 3, 0]
    numbers = np.array([0.5, np.nan, 0.2])
    assert largest(numbers, 3, nan_first=True).tolist() == [1, 0, 2]
    assert largest(numbers, 3).tolist() == top_tokens(numbers, 3) == [0, 2, 1]
    assert largest(numbers, 9).tolist() == [0, 2, 1]
    assert largest(numbers, 0).tolist() == []


@pytest.mark.parametrize("nan_first", [False, True])
@pytest.mark.parametrize("count", [1, 7, SORTED + 10, 3 * SORTED])
def test_long_rows_that_are_not_sorted_whole_give_the_same(count: int, nan_first: bool) -> None:
    random = np.random.default_rng(0)
    numbers = random.integers(0, 20, (2, 3, 3 * SORTED)).astype(float)
    numbers[random.random(numbers.shape) < 0.01] = np.nan
    keys = np.where(np.isnan(numbers), -np.inf if nan_first else np.inf, -numbers)
    assert np.array_equal(largest(numbers, count, nan_first), np.argsort(keys, axis=-1, kind="stable")[..., :count])


@pytest.mark.parametrize("temperature", [1e-306, 5e-324, 1e-40, 1e-3])
def test_the_smaller_the_temperature_the_nearer_to_greedy(temperature: float) -> None:
    logits = np.array([-900, 1024, 1000, 1024], dtype=np.float32)
    assert distribution(logits, Sampling(temperature)).tempered.tolist() == [0, 0.5, 0, 0.5]
    model = open_preset("aab").model
    steps = model.generate("aab", 10, temperature=temperature)
    assert model.text(step.token for step in steps) == "aabaabaaba"


@pytest.mark.parametrize("sampling", [Sampling(0.5), Sampling(0.5, top_p=0.9), Sampling(2, top_k=2, seed=8)])
@pytest.mark.parametrize(
    ("logits", "token"),
    [([math.inf, 0, 1], 0), ([math.nan, 0, 1], 2), ([0, math.inf, math.inf], 1), ([math.nan, -math.inf, math.inf], 2)],
)
def test_of_logits_without_probabilities_the_greatest_is_taken_sampled_or_not(
    logits: list[float], token: int, sampling: Sampling
) -> None:
    array = np.array(logits, dtype=np.float32)
    for how in (Sampling(), sampling):
        stages = distribution(array, how)
        assert [choose(stages, how, position) for position in range(8)] == [token] * 8
        assert stages.final.tolist() == np.eye(3)[token].tolist()
