"""The beginning of a long text: the prompt's own pass is a result of its own before the continuation is generated."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.engine.interventions import Intervention
from visualizer.formats import open_model
from visualizer.session.document.edits import (
    SetCells,
    SetGeneration,
    SetInterventions,
    SetPrompt,
    SetSecondPrompt,
    force_token,
    pin_baseline,
)
from visualizer.session.document.state import State
from visualizer.session.evaluation import evaluate as evaluation
from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.session.evaluation.snapshot import Snapshot
from visualizer.session.session import Session


@pytest.fixture(autouse=True)
def _every_text_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "LONG", 1.0)


@pytest.fixture
def session() -> Session:
    """The article's model with a shorter prompt than its context."""
    return Session(open_model("aab"), prompt="aab")


def results(state: State, step: int = 0, previous: Result | None = None) -> list[Result]:
    """All results of an evaluation, in the order in which they are there."""
    found = list[Result]()
    found.append(evaluate(Request(Snapshot(1, state, step), previous), None, found.append))
    return found


def test_the_prompt_s_pass_comes_first_and_the_whole_text_replaces_it(session: Session) -> None:
    first, whole = results(session.document.state)
    assert (first.complete, len(first.steps), first.tokens) == (False, 1, session.document.state.prompt)
    assert (whole.complete, len(whole.steps)) == (True, session.document.state.length + 1)
    assert whole.steps[0] is first.steps[0]
    assert first.snapshot == whole.snapshot
    trace = first.trace(0)
    assert trace is not None
    np.testing.assert_array_equal(trace["logits"], session.document.state.model.forward("aab")["logits"])


def test_nothing_is_generated_before_it_is_told(session: Session) -> None:
    rows, when = list[int](), list[int]()
    request = Request(Snapshot(0, session.document.state))
    evaluate(request, lambda done, _total: rows.append(done), lambda _result: when.append(max(rows)))
    assert when[0] < 3  # of the prompt's three rows the last is done when the next step begins
    assert max(rows) > 3


def test_it_reaches_as_far_as_the_step_that_is_looked_at(session: Session) -> None:
    first, whole = results(session.document.state, step=3)
    assert len(first.steps) == 4
    assert first.tokens == whole.tokens[:6]
    assert results(session.document.state, step=session.document.state.length)[0].complete


def test_what_is_compared_with_is_there_at_once(session: Session) -> None:
    document = session.document
    document.apply(SetSecondPrompt("abaab"))
    document.apply(pin_baseline(document.state))
    document.apply(SetInterventions((Intervention("blocks.0.attn.z", "scale", value=0.5),)))
    first, whole = results(document.state)
    assert first.baseline is not None
    assert whole.baseline is not None
    assert first.baseline.trace is whole.baseline.trace is not None
    assert len(first.baseline.steps) == 1
    assert len(whole.baseline.steps) == len(whole.steps)
    assert first.second is whole.second is not None
    assert first.accuracy == whole.accuracy is not None
    assert (len(first.branches), len(whole.branches)) == (0, 1)


def test_a_text_that_is_shown_already_is_not_shown_shorter_meanwhile(session: Session) -> None:
    shown = session.result
    document = session.document
    document.apply(SetGeneration(20, document.state.sampling))
    assert [result.complete for result in results(document.state, 2, shown)] == [True]
    document.apply(pin_baseline(document.state))
    assert len(results(document.state, 2, shown)) == 1
    for edit in (SetCells("wpe", (0, 0), 1.0), SetPrompt("ab"), force_token(document.state, 4, 0)):
        assert [result.complete for result in results(edit.apply(document.state)[0], 0, shown)] == [False, True]


def test_a_short_rest_is_not_worth_showing_the_beginning_of(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert [result.complete for result in results(session.document.state)] == [True]
    one = SetGeneration(0, session.document.state.sampling).apply(session.document.state)[0]
    monkeypatch.setattr(evaluation, "LONG", 1.0)
    assert [result.complete for result in results(one)] == [True]
    assert [result.complete for result in results(session.document.state)] == [False, True]
