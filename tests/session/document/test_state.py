"""The document's state: whether a parameter is still what it was when the model was opened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.engine.models import of_kind
from visualizer.formats import OpenedModel
from visualizer.session.document import state as state_module
from visualizer.session.document.state import State


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> State:
    """A model with a NaN, whose parameters are compared in many blocks."""
    monkeypatch.setattr(state_module, "COMPARED_AT_ONCE", 20)
    model = of_kind("gpt-2")
    table = model.parameters["wte"].copy()
    table[2, 1] = np.nan
    return State.opening(OpenedModel(model.replace({"wte": table}), "odd", "odd"))


def with_cell(state: State, name: str, cell: tuple[int, ...], value: float) -> State:
    array = state.model.parameters[name].copy()
    array[cell] = value
    return replace(state, model=state.model.replace({name: array}))


@pytest.mark.parametrize(("name", "cell"), [("wte", (0, 0)), ("wte", (-1, -1)), ("wte", (2, 1)), ("ln_f.b", (-1,))])
def test_one_other_number_is_a_change_wherever_it_is(opened: State, name: str, cell: tuple[int, ...]) -> None:
    changed = with_cell(opened, name, cell, 1e3)
    assert changed.is_changed(name)
    before = opened.model.parameters[name][cell]
    assert not with_cell(changed, name, cell, float(before)).is_changed(name)


def test_a_number_that_is_none_where_there_was_one_is_a_change(opened: State) -> None:
    assert with_cell(opened, "wte", (0, 0), np.nan).is_changed("wte")
    assert not opened.is_changed("wte")
