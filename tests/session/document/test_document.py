"""The document: steps, gestures, listeners, and a history that goes anywhere."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.engine.interventions import Intervention
from visualizer.engine.sampling import Sampling
from visualizer.errors import EditError
from visualizer.formats import open_model
from visualizer.session.document import document as document_module
from visualizer.session.document.document import Change, Document
from visualizer.session.document.edits import (
    Edit,
    OpenModel,
    SetCells,
    SetGeneration,
    SetInterventions,
    SetParameters,
    SetPrompt,
    force_token,
    reset_parameters,
)

OPENED = open_model("aab")


def new_document() -> Document:
    return Document(OPENED)


def number(document: Document, row: int = 0, column: int = 0) -> float:
    return float(document.state.model.parameters["wte"][row, column])


def write(value: float, gesture: object = None, cell: tuple[int, int] = (0, 0)) -> SetCells:
    return SetCells("wte", cell, value, gesture)


def bits(document: Document) -> tuple[bytes, ...]:
    return (*(a.tobytes() for a in document.state.model.parameters.values()), bytes(document.state.prompt))


def test_a_document_opens_with_a_prompt_that_suits_its_model() -> None:
    assert new_document().state.prompt_text == "aabaa"
    assert Document(OPENED, "b").state.prompt_text == "b"
    assert new_document().history() == ([], 0)


def test_undo_and_redo_walk_the_history() -> None:
    document = new_document()
    document.apply(write(1.0))
    document.apply(write(2.0))
    assert document.history() == (["wte[0,0] = 1", "wte[0,0] = 2"], 2)
    document.undo()
    assert number(document) == 1
    assert document.history() == (["wte[0,0] = 1", "wte[0,0] = 2"], 1)
    document.redo()
    assert number(document) == 2
    assert document.redo() is None
    document.undo()
    document.undo()
    assert document.undo() is None
    assert number(document) == 0


def test_a_new_edit_forgets_what_was_undone() -> None:
    document = new_document()
    document.apply(write(1.0))
    document.undo()
    document.apply(write(3.0))
    assert document.history() == (["wte[0,0] = 3"], 1)
    assert document.redo() is None


def test_an_edit_that_is_refused_changes_nothing_and_tells_nobody() -> None:
    document, told = new_document(), list[Change]()
    document.subscribe(told.append)
    document.apply(write(1.0))
    document.undo()
    state, revision, history = document.state, document.revision, document.history()
    told.clear()
    with pytest.raises(EditError):
        document.apply(write(1.0, cell=(9, 9)))
    assert (document.state, document.revision, document.history(), told) == (state, revision, history, [])


def test_one_gesture_is_one_step_that_ends_where_it_ended() -> None:
    document = new_document()
    for value in (1.0, 2.0, 3.0):
        document.apply(write(value, "drag"))
    assert document.history() == (["wte[0,0] = 3"], 1)
    document.undo()
    assert number(document) == 0
    document.redo()
    assert number(document) == 3


def test_a_gesture_over_several_cells_restores_all_of_them() -> None:
    document = new_document()
    document.apply(write(1.0, "drag", (0, 0)))
    document.apply(write(2.0, "drag", (0, 1)))
    document.apply(write(3.0, "drag", (0, 1)))
    document.apply(write(4.0, "drag", (0, 0)))
    told = list[Change]()
    document.subscribe(told.append)
    document.undo()
    assert (number(document, 0, 0), number(document, 0, 1)) == (0, 0)
    document.redo()
    assert (number(document, 0, 0), number(document, 0, 1)) == (4, 3)
    touched = [{edit.cells for edit in change.edits} for change in told]  # type: ignore[attr-defined]
    assert touched == [{(0, 0), (0, 1)}] * 2


def test_a_gesture_that_has_ended_is_not_continued() -> None:
    document = new_document()
    document.apply(write(1.0, "drag"))
    document.end_gesture()
    document.apply(write(2.0, "drag"))
    assert len(document.history()[0]) == 2
    document.undo()
    assert number(document) == 1


def test_edits_without_a_gesture_or_of_two_stay_apart() -> None:
    document = new_document()
    for gesture in (None, None, "first", "second"):
        document.apply(write(document.revision + 1.0, gesture))
    assert document.history()[1] == 4


def test_a_prompt_typed_letter_by_letter_is_one_step() -> None:
    document = new_document()
    for prompt in ("a", "ab", "abb"):
        document.apply(SetPrompt(prompt, gesture="typing"))
    assert document.history() == (["prompt “abb”"], 1)
    document.undo()
    assert document.state.prompt_text == "aabaa"


def test_undoing_a_typed_prompt_brings_the_branches_back_that_it_had() -> None:
    document = new_document()
    document.apply(force_token(document.state, 7, 0))
    branches = document.state.branches
    for prompt in ("aabaa", "aaba", "aab"):
        document.apply(SetPrompt(prompt, gesture="typing"))
    assert document.state.branches != branches
    document.undo()
    assert (document.state.prompt_text, document.state.branches, document.state.branch) == ("aabaa", branches, 1)


def test_listeners_learn_what_changed_and_who_asked() -> None:
    document, told = new_document(), list[Change]()
    stop = document.subscribe(told.append)
    edit = write(1.0)
    document.apply(edit, initiator="grid")
    document.undo("menu")
    stop()
    document.apply(edit)
    assert [(c.edit.touches, c.initiator, c.revision) for c in told] == [
        ("parameters", "grid", 1),
        ("parameters", "menu", 2),
    ]
    assert told[0].edits == (edit,)
    assert document.revision == 3


def test_a_listener_may_leave_while_it_is_told() -> None:
    document, told = new_document(), list[str]()

    def once(_change: Change) -> None:
        told.append("once")
        stop()

    stop = document.subscribe(once)
    document.subscribe(lambda _change: told.append("always"))
    document.apply(write(1.0))
    document.apply(write(2.0))
    assert told == ["once", "always", "always"]


def test_the_history_goes_to_any_step() -> None:
    document = new_document()
    for value in (1.0, 2.0, 3.0, 4.0):
        document.apply(write(value))
    for count, expected in ((1, 1), (3, 3), (0, 0), (4, 4), (99, 4), (-1, 0)):
        document.go_to(count)
        assert number(document) == expected
        assert document.history()[1] == expected


def test_undo_brings_back_the_model_that_was_open() -> None:
    document = new_document()
    document.apply(write(5.0))
    document.apply(OpenModel(open_model("ab")))
    assert document.state.opened.name == "ab"
    document.undo()
    assert (document.state.opened.name, number(document)) == ("aab", 5)
    document.redo()
    assert document.state.opened.name == "ab"


def test_the_oldest_steps_are_forgotten_when_they_take_too_much_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_module, "UNDO_BYTES", 1000)
    document = new_document()
    for value in range(1, 50):
        document.apply(write(float(value)))
    titles, done = document.history()
    assert 1 <= done == len(titles) < 49
    document.go_to(0)
    assert number(document) == 49 - done
    document.apply(reset_parameters(document.state, list(document.state.model.parameters)))
    assert document.history()[1] == 1


def test_the_only_step_is_never_forgotten_however_much_room_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_module, "UNDO_BYTES", 10)
    document = new_document()
    for value in (1.0, 2.0):
        document.apply(write(value))
        assert document.history()[1] == 1
    document.undo()
    assert number(document) == 1


def test_the_arrays_of_patches_count_for_the_room_that_the_history_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    def patches() -> tuple[Intervention, ...]:
        arrays = (np.zeros((5, 1, 8), dtype=np.float32) for _ in range(20))
        return tuple(Intervention("blocks.0.attn.z", "patch", array=array) for array in arrays)

    room = sum(change.array.nbytes for change in patches() if change.array is not None)
    monkeypatch.setattr(document_module, "UNDO_BYTES", 4 * room + 1000)
    document = new_document()
    document.apply(SetInterventions((Intervention("blocks.0.attn.z", "zero"),)))
    for _ in range(3):  # each step keeps its own arrays, and those before
        document.apply(SetInterventions(patches()))
    assert document.history()[1] == 2


def train(value: float) -> SetParameters:
    """One snapshot of a training run."""
    array = np.full((2, 8), value, dtype=np.float32)
    array.flags.writeable = False
    return SetParameters((("wte", array),), "train", "run")


def test_what_was_undone_since_a_run_began_can_be_redone_after_its_next_snapshot() -> None:
    document = new_document()
    document.apply(train(1.0))
    document.apply(SetPrompt("ab"))
    document.undo()
    assert document.amend(train(2.0)) is not None
    assert document.history() == (["train", "prompt “ab”"], 1)
    document.redo()
    assert (document.state.prompt_text, number(document)) == ("ab", 2)


def test_what_changed_weights_cannot_be_redone_over_a_run_s_next_snapshot() -> None:
    document = new_document()
    document.apply(train(1.0))
    document.apply(write(5.0))
    document.undo()
    document.amend(train(2.0))
    assert document.history() == (["train"], 1)
    assert document.redo() is None
    assert number(document) == 2


edits = st.one_of(
    st.builds(
        lambda r, c, v, g: SetCells("wte", (r, c), v, g),
        st.integers(0, 1),
        st.integers(0, 7),
        st.floats(width=32),
        st.sampled_from([None, "x", "y"]),
    ),
    st.builds(SetPrompt, st.text("ab", max_size=5), st.sampled_from([None, "x"])),
    st.builds(lambda n: SetGeneration(n, Sampling()), st.integers(0, 20)),
)


@given(st.lists(edits, max_size=12), st.lists(st.integers(0, 12), max_size=6))
def test_undo_restores_the_bits_however_one_walks(steps: list[Edit], walk: list[int]) -> None:
    document = new_document()
    beginning = bits(document)
    for edit in steps:
        document.apply(edit)
    end = bits(document)
    for count in walk:
        document.go_to(count)
    document.go_to(0)
    assert bits(document) == beginning
    document.go_to(len(steps))
    assert bits(document) == end
    np.testing.assert_equal(document.history()[1], len(document.history()[0]))


def test_an_edit_that_changes_nothing_is_no_step() -> None:
    document, told = Document(open_model("aab")), list[Change]()
    document.apply(SetPrompt("ab"))
    document.undo()
    document.subscribe(told.append)
    revision = document.revision
    document.apply(SetPrompt("aabaa"))
    document.apply(SetGeneration(document.state.length, document.state.sampling))
    assert document.history() == (["prompt “ab”"], 0)  # what was undone can still be done again
    assert (document.revision, told) == (revision, [])


def test_a_prompt_in_the_history_keeps_no_model_alive() -> None:
    document = Document(open_model("aab"))
    weights = [weakref.ref(document.state.model)]
    for number in range(3):
        document.apply(SetPrompt("ab" + number * "a"))
        document.apply(SetCells("wte", (0, 0), float(number) + 2.0))
        weights.append(weakref.ref(document.state.model))
    gc.collect()
    assert [found() is not None for found in weights] == [True, False, False, True]  # as opened, and as it is now
