"""Gradients for an objective, what they mean in words, steps of Adam as edits, and the check of one cell."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from tests.engine.models import of_kind
from visualizer.engine.model import Model
from visualizer.errors import TrainingError
from visualizer.formats import OpenedModel, open_model
from visualizer.session.analysis.descent import Descent, Difference, check, read, usual_rate, words
from visualizer.session.analysis.objective import Objective
from visualizer.session.document.edits import SetCells
from visualizer.session.session import Session

C_ATTN, C_PROJ_B = "blocks.0.attn.c_attn.w", "blocks.0.attn.c_proj.b"


def finished(steps: Generator[Any, None, Difference]) -> Difference:
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Difference = end.value
            return found


def broken(parameter: str, cell: tuple[int, ...], value: float) -> Session:
    """The article's model with one weight set wrong."""
    session = Session(open_model("aab"))
    session.document.apply(SetCells(parameter, cell, value))
    return session


@pytest.fixture
def small() -> Model:
    """A small model of the GPT-2 kind in double precision."""
    return of_kind("gpt-2", dtype="float64")


def test_a_goal_here_is_the_loss_and_the_gradients_of_the_model(small: Model) -> None:
    objective = Objective.here(np.array([1, 2, 3]), 4, "4")
    reading = read(small, objective, "blocks.0.attn.pattern")
    loss, gradients = small.gradients([1, 2, 3], 4)
    assert reading.loss == pytest.approx(loss)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(reading.gradients[name], gradient, atol=1e-14)
    assert reading.activation is not None
    assert reading.activation.shape == (small.config.n_heads, 3, 3)
    norms = [norm for _, norm in reading.norms]
    assert norms == sorted(norms, reverse=True)
    assert reading.norm == pytest.approx(np.sqrt(np.square(norms).sum()))


def test_a_pattern_asks_for_every_context_that_the_accuracy_asks_for() -> None:
    model = open_model("aab").model
    objective = Objective.pattern(model, "aab")
    asked = {
        (tuple(context.tolist()), int(token))
        for group in objective.groups
        for context, token in zip(*group, strict=True)
    }
    text = model.ids("aab" * 4).tolist()
    assert asked == {(tuple(text[max(0, end - 5) : end]), text[end]) for end in range(2, 12)}
    assert objective.count() == 6


def test_a_right_handmade_model_is_saturated_and_nothing_is_descended() -> None:
    session = Session(open_model("aab"))
    objective = Objective.pattern(session.document.state.model, "aab")
    reading = read(session.document.state.model, objective)
    assert reading.loss == 0
    assert reading.norm == 0
    assert "nothing to descend" in words(reading, objective)
    with pytest.raises(TrainingError, match="exactly 0"):
        Descent().step(session.document.state, objective, 0.1)


def test_a_wide_gap_is_explained() -> None:
    session = broken(C_ATTN, (5, 23), 0.0)
    objective = Objective.here(np.array([0, 0, 1, 0, 0]), 1, "'b'")
    reading = read(session.document.state.model, objective)
    assert reading.loss == 1025
    assert "trails by 1025" in words(reading, objective)


def test_a_weight_that_is_not_a_number_is_said_and_not_followed() -> None:
    session = broken(C_ATTN, (5, 23), float("nan"))
    objective = Objective.pattern(session.document.state.model, "aab")
    assert "not a number" in words(read(session.document.state.model, objective), objective)
    with pytest.raises(TrainingError, match="NaN"):
        Descent().step(session.document.state, objective, 0.1)


@pytest.mark.parametrize(
    ("parameter", "cell", "value", "lr", "only"),
    [
        (C_ATTN, (5, 23), 0.0, 0.1, None),
        (C_ATTN, (5, 23), -1.0, 0.1, None),
        (C_PROJ_B, (5,), 0.0, 10.0, C_PROJ_B),
        ("blocks.0.attn.c_proj.w", (7, 5), 1024.0, 50.0, "blocks.0.attn.c_proj.w"),
    ],
)
def test_a_broken_handmade_model_is_repaired_by_descent(
    parameter: str, cell: tuple[int, ...], value: float, lr: float, only: str | None
) -> None:
    session, descent = broken(parameter, cell, value), Descent()
    assert session.result is not None
    assert session.result.accuracy is not None
    assert session.result.accuracy.fraction < 0.7
    objective = Objective.pattern(session.document.state.model, "aab")
    for _ in range(60):
        state = session.document.state
        if read(state.model, objective).correct == objective.count():
            break
        session.document.apply(descent.step(state, objective, lr, only=only))
    assert session.result.accuracy.fraction == 1
    if only is not None:
        changed = [name for name in state.model.parameters if state.is_changed(name)]
        assert changed == [only]


def test_moments_last_until_something_else_is_changed(small: Model) -> None:
    session, descent = Session(OpenedModel(small, "small", "small")), Descent()
    objective = Objective.here(np.array([1, 2, 3]), 4, "4")
    one = descent.step(session.document.state, objective, 0.01)
    assert one.title() == "Adam step on 4, lr 0.01"
    session.document.apply(one)
    two = descent.step(session.document.state, objective, 0.01)
    assert descent.taken == 2
    together = Descent().step(Session(OpenedModel(small, "small", "small")).document.state, objective, 0.01, 2)
    for (name, array), (other, expected) in zip(two.arrays, together.arrays, strict=True):
        assert name == other
        np.testing.assert_array_equal(array, expected)
    session.document.apply(two)
    session.document.undo()
    descent.step(session.document.state, objective, 0.01)
    assert descent.taken == 1


@pytest.mark.parametrize("name", ["wte", "blocks.1.attn.c_attn.w", "blocks.0.mlp.c_fc.b", "ln_f.g"])
def test_a_cell_s_gradient_agrees_with_finite_differences(small: Model, name: str) -> None:
    objective = Objective.here(np.array([1, 2, 3, 0]), 4, "4")
    gradient = read(small, objective).gradients[name]
    cell = tuple(int(i) for i in np.unravel_index(np.abs(gradient).argmax(), gradient.shape))
    found = finished(check(small, objective, name, cell))
    assert found.relative_error < 1e-5
    assert found.analytic == pytest.approx(gradient[cell])


def test_a_gradient_too_small_for_small_steps_is_measured_with_a_large_one(small: Model) -> None:
    objective = Objective.here(np.array([1, 2, 3, 0]), 4, "4")
    gradient = read(small, objective).gradients["blocks.0.mlp.c_fc.b"]
    place = int(np.where(gradient == 0, np.inf, np.abs(gradient)).argmin())
    found = finished(check(small, objective, "blocks.0.mlp.c_fc.b", (place,)))
    assert abs(found.analytic - found.numeric) <= 10 * found.uncertainty
    assert found.step > 1e-4


def test_the_check_of_a_handmade_weight_is_made_where_the_loss_is_steep() -> None:
    session = broken(C_ATTN, (5, 23), 0.0)
    objective = Objective.pattern(session.document.state.model, "aab")
    found = finished(check(session.document.state.model, objective, C_ATTN, (5, 23)))
    assert found.analytic == pytest.approx(-682.6666666)
    assert found.relative_error < 1e-9


def test_the_usual_rate_suits_the_size_of_the_weights(small: Model) -> None:
    assert usual_rate(open_model("aab").model) == 0.1
    assert usual_rate(small) == 0.01


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_slope_at_a_weight_that_is_no_number_is_none(bad: float) -> None:
    session = broken(C_ATTN, (5, 23), bad)
    model = session.document.state.model
    found = finished(check(model, Objective.here(model.ids("aab"), 0, "a"), C_ATTN, (5, 23)))
    assert np.isnan(found.numeric)
