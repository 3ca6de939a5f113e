"""The behaviour table: every input there is, each answered as a pass over that input alone would."""

import itertools
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.engine.models import KINDS, of_kind
from visualizer.engine.interventions import Intervention, within
from visualizer.engine.sampling import argmax
from visualizer.formats import open_preset
from visualizer.session.analysis.behaviour import (
    AMBIGUOUS,
    OUTSIDE,
    Behaviour,
    behaviour,
    longest_input,
    top_and_margin,
)


def carried_out(steps: Generator[float, None, Behaviour | None]) -> Behaviour:
    """The table, once it is complete."""

    def ending() -> Generator[float, None, None]:
        ends.append((yield from steps))

    ends: list[Behaviour | None] = []
    assert all(0 < share < 1 for share in ending())
    assert ends[0] is not None
    return ends[0]


def test_it_lists_every_input_once() -> None:
    table = carried_out(behaviour(open_preset("aab").model))
    wanted = [ids for length in range(1, 6) for ids in itertools.product(range(2), repeat=length)]
    assert [table.input(row) for row in range(len(table.lengths))] == wanted
    assert len(wanted) == 62


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_is_what_a_pass_over_that_input_says(kind: str) -> None:
    model = of_kind(kind, d_vocab=3, n_ctx=4)
    table = carried_out(behaviour(model))
    for row in range(len(table.lengths)):
        logits = model.forward(table.input(row))["logits"][-1]
        largest, second = np.sort(logits)[::-1][:2]
        assert table.next[row] == argmax(logits)
        assert table.margin[row] == pytest.approx(largest - second, abs=1e-9)


CHANGES = (
    Intervention("blocks.0.attn.z", "mean", (("head", 0),)),
    Intervention("blocks.0.attn.pattern", "set", (("query", 1), ("key", 0)), 0.7),
    Intervention("blocks.0.resid_mid", "patch", (), array=np.linspace(-1, 1, 24).reshape(3, 8)),
    Intervention("blocks.0.attn_out", "scale", (("position", -1),), 2.0),
)


@pytest.mark.parametrize("change", CHANGES, ids=[change.kind for change in CHANGES])
def test_interventions_are_in_every_row_as_in_a_pass_over_that_input(change: Intervention) -> None:
    model = of_kind("gpt-2", d_vocab=3, n_ctx=4)
    table = carried_out(behaviour(model, (), (change,)))
    untouched = carried_out(behaviour(model, (), (replace(change, enabled=False),)))
    for row in range(len(table.lengths)):
        ids = table.input(row)
        changes = within((change,), model.graph, len(ids))
        logits = model.forward(ids, interventions=changes)["logits"][-1]
        largest, second = np.sort(logits)[::-1][:2]
        assert table.next[row] == argmax(logits)
        assert table.margin[row] == pytest.approx(largest - second, abs=1e-9)
    assert not np.allclose(table.margin, untouched.margin)


def test_what_the_pattern_has_next_is_expected_where_there_is_one_answer() -> None:
    table = carried_out(behaviour(open_preset("aab").model, (0, 0, 1)))
    expected = {table.input(row): int(table.expected[row]) for row in range(len(table.lengths))}
    assert expected[(0,)] == AMBIGUOUS  # aa or ab
    assert expected[(1,)] == 0
    assert expected[(0, 0)] == 1
    assert expected[(1, 1)] == expected[(0, 0, 0)] == OUTSIDE
    assert expected[(0, 1, 0, 0, 1)] == 0
    assert int(table.judged.sum()) == 13


@pytest.mark.parametrize("pattern", ["aab", "ab", "aaab"])
def test_a_handmade_model_fails_nowhere_in_its_pattern(pattern: str) -> None:
    model = open_preset(pattern).model
    table = carried_out(behaviour(model, tuple(map(int, model.ids(pattern)))))
    assert table.judged.any()
    assert not table.failed.any()


def test_a_broken_model_fails_where_it_does() -> None:
    model = open_preset("aab").model
    broken = model.replace({"blocks.0.attn.c_proj.w": np.zeros((8, 8))})  # every next token is a
    table = carried_out(behaviour(broken, (0, 0, 1)))
    assert set(np.flatnonzero(table.failed)) == set(np.flatnonzero(table.expected == 1))
    assert table.failed.any()


def test_a_large_vocabulary_shortens_the_inputs_and_a_larger_one_has_no_table() -> None:
    assert longest_input(2, 5) == 5
    assert longest_input(26, 32) == 3
    assert longest_input(1, 6) == 6
    table = carried_out(behaviour(of_kind("gpt-2", d_vocab=4), most=100))
    assert (table.longest, table.n_ctx, len(table.lengths)) == (3, 6, 84)
    with pytest.raises(StopIteration) as end:
        next(behaviour(of_kind("gpt-2", d_vocab=40), most=30))
    assert end.value.value is None


def test_one_token_alone_always_follows() -> None:
    table = carried_out(behaviour(of_kind("gpt-2", d_vocab=1, n_ctx=70), (0,)))
    assert len(table.lengths) == 70
    assert np.isposinf(table.margin).all()
    assert not table.failed.any()


@pytest.mark.parametrize(
    ("logits", "top", "margin"),
    [
        ([1.0, 3.0, 2.0], 1, 1.0),
        ([2.0, 2.0], 0, 0.0),
        ([np.nan, -np.inf, -1.0], 2, np.nan),
        ([np.nan, -np.inf], 1, np.nan),
        ([np.nan, np.nan], 0, np.nan),
        ([-np.inf, np.inf], 1, np.inf),
    ],
)
def test_ties_go_to_the_lowest_id_and_nan_never_wins(logits: list[float], top: int, margin: float) -> None:
    array: Any = np.array([logits])
    tops, margins = top_and_margin(array)
    assert (tops[0], argmax(array[0])) == (top, top)
    np.testing.assert_equal(margins[0], margin)
