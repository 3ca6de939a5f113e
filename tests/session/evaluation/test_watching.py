"""An evaluation that is watched: how far it has come is told inside a pass too, and it can be ended there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from visualizer.engine.ops.base import Operation, Run
from visualizer.errors import CancelledError
from visualizer.formats import open_model
from visualizer.session.document.edits import SetPrompt
from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.snapshot import Snapshot
from visualizer.session.session import Session


@pytest.fixture
def session() -> Session:
    session = Session(open_model("aab"))
    session.document.apply(SetPrompt("aab"))
    return session


def test_the_rows_done_rise_to_those_of_all_passes(session: Session) -> None:
    seen: list[tuple[int, int]] = []
    watched = evaluate(Request(Snapshot(0, session.document.state)), lambda done, total: seen.append((done, total)))
    assert watched.tokens == evaluate(Request(Snapshot(0, session.document.state))).tokens
    # three rows for the prompt, one from the cache until the five positions are full, then all five each time
    told = [done for done, total in seen if total]
    assert {total for _, total in seen} <= {0, 3 + 1 + 1 + 8 * 5}
    assert told == sorted(told)
    assert told[0] == 0
    assert set(told) >= {0, 1, 2, 3, 4, 5, 10, 40}


def test_it_ends_between_two_operations_of_one_pass(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, ran = session.document.state.model.graph, list[str]()
    for kind in {type(op) for op in graph.eager}:

        def forward(self: Operation, run: Run, inner: Callable[..., None] = kind.forward) -> None:
            ran.append(self.name)
            inner(self, run)

        monkeypatch.setattr(kind, "forward", forward)

    def watch(done: int, _total: int) -> None:
        if done == 1:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        evaluate(Request(Snapshot(0, session.document.state)), watch)
    assert 0 < len(ran) < len(graph.eager) / 2  # a third of the pass, which makes three rows
