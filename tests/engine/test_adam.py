"""Adam against its definition written out for one number at a time, and the course of the learning rate."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.engine.adam import Adam, AdamSettings
from visualizer.errors import TrainingError


def one_by_one(
    settings: AdamSettings, start: float, gradients: list[float], rates: list[float], decayed: bool
) -> float:
    """Kingma and Ba 2015, algorithm 1, with the decay of Loshchilov and Hutter 2019, in Python's own numbers."""
    beta1, beta2 = settings.betas
    x, m, v = start, 0.0, 0.0
    for t, (g, lr) in enumerate(zip(gradients, rates, strict=True), start=1):
        if decayed:
            x = x - lr * settings.weight_decay * x
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        x = x - lr * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + settings.eps)
    return x


numbers = st.floats(-10, 10, allow_nan=False)


@given(
    st.floats(0, 0.999),
    st.floats(0, 0.999),
    st.sampled_from([1e-8, 1e-3]),
    st.sampled_from([0.0, 0.1]),
    st.lists(st.tuples(numbers, numbers, st.floats(1e-4, 1)), min_size=1, max_size=8),
)
def test_a_vector_is_updated_as_each_of_its_numbers_alone(
    beta1: float, beta2: float, eps: float, weight_decay: float, steps: list[tuple[float, float, float]]
) -> None:
    settings = AdamSettings(betas=(beta1, beta2), eps=eps, weight_decay=weight_decay)
    adam = Adam(settings, 2, np.array([1.0, 0.0]), "float64")
    parameters = np.array([3.0, -0.5])
    for left, right, lr in steps:
        adam.update(parameters, np.array([left, right]), lr)
    lefts, rights, rates = (list(column) for column in zip(*steps, strict=True))
    expected = [
        one_by_one(settings, 3.0, lefts, rates, decayed=True),
        one_by_one(settings, -0.5, rights, rates, decayed=False),
    ]
    np.testing.assert_allclose(parameters, expected, rtol=1e-9, atol=1e-9)
    assert adam.steps == len(steps)


def test_the_gradient_that_is_handed_over_is_left_alone() -> None:
    adam = Adam(AdamSettings(weight_decay=0.1), 3, np.ones(3), "float64")
    gradient = np.array([1.0, -2.0, 3.0])
    adam.update(np.zeros(3), gradient, 0.1)
    assert gradient.tolist() == [1.0, -2.0, 3.0]


def test_the_first_step_is_as_long_as_the_learning_rate_whatever_the_gradient() -> None:
    parameters = np.zeros(3)
    Adam(AdamSettings(), 3, np.zeros(3), "float64").update(parameters, np.array([1e-3, -5.0, 1e6]), 0.25)
    np.testing.assert_allclose(parameters, [-0.25, 0.25, -0.25], rtol=1e-4)


def test_the_rate_warms_up_in_a_line_and_cools_down_in_half_a_cosine() -> None:
    settings = AdamSettings(lr=2.0, warmup=4, min_lr=0.1)
    rates = [settings.rate(step, 104) for step in range(105)]
    assert rates[:4] == [0.5, 1.0, 1.5, 2.0]
    assert rates[4] == 2.0
    assert rates[54] == pytest.approx(2.0 * 0.55)  # half way: the mean of highest and lowest
    assert rates[104] == pytest.approx(0.2)
    assert all(before >= after for before, after in itertools.pairwise(rates[4:]))


def test_a_rate_that_ends_where_it_began_is_constant_and_a_warm_up_may_be_longer_than_the_run() -> None:
    constant = AdamSettings(lr=0.5, warmup=0, min_lr=1)
    assert {constant.rate(step, 10) for step in range(12)} == {0.5}
    assert [AdamSettings(lr=1.0, warmup=10).rate(step, 2) for step in range(2)] == [0.1, 0.2]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lr", 0.0),
        ("lr", math.nan),
        ("lr", math.inf),
        ("betas", (1.0, 0.9)),
        ("betas", (0.9, -0.1)),
        ("eps", -1e-8),
        ("weight_decay", math.nan),
        ("grad_clip", -1.0),
        ("warmup", -1),
        ("min_lr", math.inf),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(TrainingError, match=rf"^{field} "):
        AdamSettings(**{field: value})  # type: ignore[arg-type]


def test_a_rate_beyond_all_numbers_shows_in_the_parameters_and_warns_of_nothing() -> None:
    parameters, gradient = np.ones(3, dtype=np.float32), np.array([0.0, 1.0, -1.0], dtype=np.float32)
    adam = Adam(AdamSettings(), 3, np.zeros(3, dtype=np.float32))
    adam.update(parameters, gradient, 1e308)
    assert not np.isfinite(parameters).all()
