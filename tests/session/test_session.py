"""The session: after every edit there is a result, and the cursor stays where tokens are."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from visualizer.engine.interventions import Intervention
from visualizer.engine.ops.softmax import softmax
from visualizer.errors import InputError
from visualizer.formats import open_model
from visualizer.session.document.document import Change
from visualizer.session.document.edits import (
    OpenModel,
    SetCells,
    SetInterventions,
    SetParameters,
    SetPrompt,
    force_token,
    pin_baseline,
)
from visualizer.session.evaluation import evaluate as evaluation
from visualizer.session.evaluation import generation
from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.executor import InlineExecutor
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.session.selection import CellRef
from visualizer.session.session import Session

C_ATTN = "blocks.0.attn.c_attn.w"


class LateExecutor:
    """Keeps every request until it is told to answer."""

    def __init__(self) -> None:
        self.kept: list[tuple[Request, Callable[[Result], None]]] = []

    def submit(self, request: Request, done: Callable[[Result], None]) -> None:
        """Keep a request."""
        self.kept.append((request, done))

    def wait(self) -> None:
        """Answer everything that is kept."""
        while self.kept:
            self.answer(0)

    def stop(self) -> None:
        """Nothing is under way."""

    def answer(self, index: int) -> None:
        """Answer one of the requests kept."""
        request, done = self.kept.pop(index)
        done(evaluate(request))

    def begin(self, index: int) -> None:
        """Answer one of the requests kept as far as its text is shown before the rest."""
        request, done = self.kept[index]
        evaluate(request, None, done)


@pytest.fixture
def session() -> Session:
    """The article's model on its own pattern."""
    return Session(open_model("aab"))


def test_a_result_of_a_model_that_is_open_no_more_is_never_shown() -> None:
    executor = LateExecutor()
    session = Session(open_model("induction"), executor)
    executor.wait()
    session.selection.choose(block=1, head=3, parameter="blocks.1.attn.c_attn.w")
    shown: list[tuple[object, object]] = []
    session.selection.subscribe(lambda _before, now: shown.append((session.result, now.block)))
    session.document.apply(SetPrompt("abcab"))  # its result comes after the other model was opened
    session.document.apply(OpenModel(open_model("aab")))
    assert shown[-1] == (None, 0)
    executor.answer(0)
    assert session.result is None
    executor.wait()
    assert text(session) == "baabaabaab"


def test_redoing_a_training_run_that_opened_a_model_chooses_what_that_model_has(session: Session) -> None:
    session.document.apply(OpenModel(open_model("induction"), gesture="run"))
    session.document.undo()
    session.selection.choose(step=3)
    opened = open_model("sort")
    session.document.apply(OpenModel(opened, gesture="train"))
    session.document.amend(SetParameters((("wte", opened.model.parameters["wte"]),), "train", "train"))
    session.selection.choose(block=1, parameter="blocks.1.attn.c_attn.w")
    session.document.undo()
    assert (session.selection.now.block, session.selection.now.parameter) == (0, "wte")
    session.selection.choose(step=3, cell=CellRef("activation", "logits", (0, 0)))
    session.document.redo()
    assert (session.selection.now.step, session.selection.now.cell) == (0, None)


def text(session: Session) -> str:
    """The generated text."""
    assert session.result is not None
    return session.result.state.model.text(session.result.generated)


def test_the_first_result_is_there_at_once(session: Session) -> None:
    assert text(session) == "baabaabaab"
    assert not session.stale
    assert session.result is not None
    assert str(session.result.accuracy) == "100.0% (28 / 28)"


def test_the_accuracy_is_that_of_the_model_with_its_interventions(session: Session) -> None:
    change = Intervention("blocks.0.attn.z", "zero")
    for enabled, accuracy in ((True, "64.3% (18 / 28)"), (False, "100.0% (28 / 28)")):
        session.document.apply(SetInterventions((replace(change, enabled=enabled),)))
        assert session.result is not None
        assert str(session.result.accuracy) == accuracy
        predicted = session.result.accuracy.predicted if session.result.accuracy is not None else ()
        assert (set(predicted) == {0}) == enabled  # without its head it always says a


def test_an_edit_regenerates_and_marks_the_tokens_that_changed(session: Session) -> None:
    session.document.apply(SetCells(C_ATTN, (6, 23), 3.0))
    before = "aabaa" + "baabaabaab"
    now = "aabaa" + text(session)
    assert session.result is not None
    assert session.result.changed == {i for i, (a, b) in enumerate(zip(before, now, strict=True)) if a != b} != set()
    session.document.undo()
    assert text(session) == "baabaabaab"


def test_an_edit_that_changes_no_token_marks_none(session: Session) -> None:
    session.document.apply(SetCells("wpe", (0, 0), 1.0))
    assert session.result is not None
    assert not session.result.changed


def test_stepping_past_the_end_generates_one_more(session: Session) -> None:
    session.go_to_step(10)
    session.step_forward()
    assert session.selection.now.step == session.document.state.length == 11
    assert text(session) == "baabaabaaba"


def test_stepping_many_times_is_undone_at_once_but_generating_and_resetting_stand_alone(session: Session) -> None:
    session.go_to_step(10)
    for _ in range(3):
        session.step_forward()
    session.generate(5)
    session.reset_generation()
    lengths = [session.document.state.length]
    while session.document.undo():
        lengths.append(session.document.state.length)
    assert lengths == [0, 18, 13, 10]


def test_stepping_back_stops_at_the_prompt(session: Session) -> None:
    session.step_forward()
    session.step_back()
    session.step_back()
    assert session.selection.now.step == 0


def test_the_internals_are_those_of_the_step_under_the_cursor(session: Session) -> None:
    session.go_to_step(1)
    assert session.trace is not None
    assert session.document.state.model.text(session.trace.tokens) == "abaab"


def test_generating_less_than_there_is_only_moves_the_cursor(session: Session) -> None:
    session.generate(4)
    assert (session.selection.now.step, session.document.state.length) == (4, 10)


def test_a_new_prompt_brings_the_cursor_back_and_lets_go_of_cells(session: Session) -> None:
    session.go_to_step(5)
    session.selection.choose(row=1, cell=CellRef("activation", "logits", (1, 0)))
    session.document.apply(SetPrompt("b"))
    now = session.selection.now
    assert (now.step, now.row, now.cell) == (0, None, None)
    assert text(session) == "aabaabaaba"


def test_a_shorter_generation_brings_the_cursor_along(session: Session) -> None:
    session.generate(20)
    session.document.undo()
    assert session.selection.now.step == session.document.state.length == 10


def test_another_model_with_fewer_tokens_starts_at_its_prompt(session: Session) -> None:
    session.reset_generation()
    session.document.apply(OpenModel(open_model("ab")))
    session.generate(10)
    session.document.go_to(0)
    assert session.selection.now.step == 0
    assert text(session) == "baabaabaab"


def test_another_model_keeps_the_chosen_parameter_where_it_has_one(session: Session) -> None:
    session.selection.choose(parameter="wpe", head=0)
    session.document.apply(OpenModel(open_model("ab")))
    assert session.selection.now.parameter == "wpe"


def test_an_empty_prompt_has_no_internals_but_a_first_token(session: Session) -> None:
    session.document.apply(SetPrompt(""))
    assert session.trace is None
    assert text(session)[0] == "a"


def test_an_edit_that_cannot_be_made_changes_nothing(session: Session) -> None:
    result, revision = session.result, session.document.revision
    with pytest.raises(InputError):
        session.document.apply(SetPrompt("aax"))
    assert (session.result, session.document.revision) == (result, revision)


def test_a_result_newer_than_the_one_shown_is_shown_although_the_document_has_moved_on() -> None:
    executor = LateExecutor()
    session = Session(open_model("aab"), executor)
    session.document.apply(SetPrompt("a"))
    session.document.apply(SetPrompt("ab"))
    executor.answer(1)
    assert session.result is not None
    assert session.result.revision == 1
    assert session.stale


def test_a_result_older_than_the_one_shown_is_dropped() -> None:
    executor = LateExecutor()
    session = Session(open_model("aab"), executor)
    session.document.apply(SetPrompt("a"))
    executor.answer(1)
    executor.answer(0)
    assert session.result is not None
    assert session.result.revision == 1
    assert not session.stale


def test_while_more_is_being_computed_the_last_step_there_is_stays_shown() -> None:
    executor = LateExecutor()
    session = Session(open_model("aab"), executor)
    before = session.trace
    assert before is None
    executor.answer(0)
    session.go_to_step(10)
    session.step_forward()
    assert session.selection.now.step == 11
    assert session.result is not None
    last = session.result.trace(10)
    assert session.trace is not None
    assert last is not None
    np.testing.assert_array_equal(session.trace.tokens, last.tokens)


def test_a_listener_that_has_ended_hears_nothing_more(session: Session) -> None:
    told: list[Result] = []
    end = session.subscribe(told.append)
    session.document.apply(SetPrompt("ab"))
    end()
    session.document.apply(SetPrompt("b"))
    assert [result.state.prompt_text for result in told] == ["ab"]


class Noting(InlineExecutor):
    """Evaluates at once, and notes that it begins."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    def submit(self, request: Request, done: Callable[[Result], None]) -> None:
        """Note the revision that is evaluated."""
        self._log.append(f"evaluation of {request.snapshot.revision}")
        super().submit(request, done)


def test_every_listener_hears_of_an_edit_before_an_evaluation_begins() -> None:
    log = list[str]()
    session = Session(open_model("aab"), Noting(log))
    session.document.subscribe(lambda change: log.append(f"first hears of {change.revision}"))
    session.document.subscribe(lambda change: log.append(f"second hears of {change.revision}"))
    session.subscribe(lambda result: log.append(f"result of {result.revision}"))
    log.clear()
    session.document.apply(SetPrompt("ab"))
    session.document.undo()
    assert log == [
        line
        for revision in (1, 2)
        for line in (
            f"first hears of {revision}",
            f"second hears of {revision}",
            f"evaluation of {revision}",
            f"result of {revision}",
        )
    ]


def test_an_edit_that_a_listener_makes_is_heard_of_by_all_in_order_and_evaluated_with_the_first() -> None:
    log = list[str]()
    session = Session(open_model("aab"), Noting(log))

    def correct(change: Change) -> None:
        if change.revision == 1:
            session.document.apply(SetCells("wpe", (0, 0), 1.0))

    session.document.subscribe(correct)
    session.document.subscribe(lambda change: log.append(f"{change.revision}: {change.edit.title()}"))
    log.clear()
    session.document.apply(SetPrompt("ab"))
    assert log == ["1: prompt “ab”", "2: wpe[0,0] = 1", "evaluation of 2"]
    assert session.result is not None
    assert (session.result.state, session.stale) == (session.document.state, False)
    session.document.undo()
    assert session.document.state.prompt_text == "ab"


def test_an_edit_made_when_a_result_arrives_is_evaluated_too_and_each_result_is_heard_of_in_order() -> None:
    session, heard = Session(open_model("aab")), list[tuple[str, int]]()

    def correct(result: Result) -> None:
        heard.append(("first", result.revision))
        if result.revision == 1:
            session.document.apply(SetCells("wpe", (0, 0), 1.0))

    session.subscribe(correct)
    session.subscribe(lambda result: heard.append(("second", result.revision)))
    session.document.apply(SetPrompt("ab"))
    assert heard == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]
    assert not session.stale


def test_every_listener_hears_of_a_step_before_its_internals_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "KEPT_BYTES", 0)  # of the slid windows only that of the cursor is kept
    log = list[str]()
    session = Session(open_model("aab"), Noting(log))
    session.selection.subscribe(lambda _before, now: log.append(f"step {now.step}"))
    log.clear()
    session.go_to_step(7)
    assert log == ["step 7", "evaluation of 0"]
    assert session.trace is not None
    assert len(session.trace.tokens) == 5


def test_what_is_being_computed_for_a_step_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "KEPT_BYTES", 0)  # of the slid windows only that of the cursor is kept
    executor = LateExecutor()
    session = Session(open_model("aab"), executor)
    executor.wait()
    session.go_to_step(7)
    for row in range(3):
        session.selection.choose(row=row)
    assert len(executor.kept) == 1


def test_a_step_gone_to_is_compared_with_the_baseline_s_pass_over_the_same_context(session: Session) -> None:
    session.document.apply(pin_baseline(session.document.state))
    session.document.apply(SetCells("wpe", (0, 0), 1.0))
    pinned = session.document.state.baseline
    assert pinned is not None
    for step in (3, 0, 7):  # all of them are kept; what is compared with has to be made for each
        session.go_to_step(step)
        assert session.trace is not None
        assert session.baseline_trace is not None
        expected = pinned.model.forward(session.trace.tokens)
        np.testing.assert_array_equal(session.baseline_trace["logits"], expected["logits"])


def test_the_beginning_of_a_long_text_is_shown_and_then_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "LONG", 1.0)
    executor, shown = LateExecutor(), list[tuple[int, int, bool]]()
    session = Session(open_model("aab"), executor)
    session.subscribe(lambda result: shown.append((result.revision, len(result.steps), session.pending)))
    executor.begin(0)
    assert (session.stale, session.pending, session.shown_step) == (False, True, 0)
    session.go_to_step(7)
    assert session.shown_step == 0
    assert len(executor.kept) == 1  # what is looked at now is being computed
    session.document.apply(SetPrompt("ab"))
    executor.begin(1)
    assert session.trace is not None
    assert tuple(session.trace.tokens) == (0, 1)
    executor.answer(1)
    executor.answer(0)  # is older than what is shown
    assert shown == [(0, 1, True), (1, 1, True), (1, 11, False)]


def test_each_branch_has_the_log_probability_of_its_tokens(session: Session) -> None:
    session.document.apply(force_token(session.document.state, 5, 0))
    result = session.result
    assert result is not None
    main, forced = (branch.log_probability for branch in result.branches)
    assert main == pytest.approx(0, abs=1e-6)
    assert forced == pytest.approx(-1023)  # 0 in single precision, and yet no minus infinity
    session.document.apply(OpenModel(open_model("rhymes")))
    result = session.result
    assert result is not None
    steps = result.steps[:-1]
    expected = sum(np.log(softmax(step.trace.logits_at(-1).astype(float))[step.token]) for step in steps if step.trace)
    assert result.branches[0].log_probability == pytest.approx(float(expected), rel=1e-5)


def test_a_log_probability_outlives_the_numbers_of_its_pass(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "KEPT_BYTES", 0)  # of the slid windows only that of the cursor is kept
    session.document.apply(force_token(session.document.state, 6, 1))
    result = session.result
    assert result is not None
    forced = result.steps[1]
    assert forced.forced
    assert forced.trace is None
    assert forced.log_probability == pytest.approx(-1023)
    assert result.branches[1].log_probability == pytest.approx(-1023)


def test_a_step_gone_to_while_another_is_computed_is_shown_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "KEPT_BYTES", 0)  # of the slid windows only that of the cursor is kept
    executor = LateExecutor()
    session = Session(open_model("aab"), executor)
    session.go_to_step(7)
    executor.wait()
    session.document.apply(SetCells(C_ATTN, (5, 23), -1.0))
    session.go_to_step(9)
    executor.wait()
    assert session.result is not None
    assert session.trace is not None
    assert tuple(session.trace.tokens) == session.result.context(9)[1]
    assert session.trace.parameters is session.document.state.model.parameters


def test_a_step_beside_a_baseline_is_one_evaluation(session: Session) -> None:
    session.document.apply(pin_baseline(session.document.state))
    revisions: list[tuple[int, int]] = []
    session.subscribe(lambda result: revisions.append((result.revision, result.snapshot.step)))
    session.go_to_step(10)
    revisions.clear()
    for act in (session.step_forward, lambda: session.generate(5), session.reset_generation):
        act()
        assert session.baseline_trace is not None
        assert session.trace is not None
        assert np.array_equal(session.trace.tokens, session.baseline_trace.tokens)
    revision = session.document.revision
    assert revisions == [(revision - 2, 11), (revision - 1, 16), (revision, 0)]
