"""The document: one state, the edits that led to it, and the listeners that are told what changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from visualizer.formats import OpenedModel
from visualizer.session.document.cells import are_same
from visualizer.session.document.edits import (
    MODEL,
    PARAMETERS,
    Edit,
    SetCells,
    SetGeneration,
    SetInterventions,
    SetParameters,
)
from visualizer.session.document.state import State, check_memory
from visualizer.session.listeners import Listeners

UNDO_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Change:
    """What listeners are told.

    Attributes:
        edit: what was applied; where undo or redo replays a gesture of several, the last of them.
        revision: the document's revision after it.
        initiator: who asked, so that a view can ignore its own change.
        edits: all that was applied, in order.
    """

    edit: Edit
    revision: int
    initiator: object = None
    edits: tuple[Edit, ...] = ()

    @property
    def touches(self) -> frozenset[str]:
        """What kinds of thing it changed: the words of `visualizer.session.document.edits`."""
        return frozenset(edit.touches for edit in (self.edit, *self.edits))


@dataclass(frozen=True)
class _Done:
    """One step of the history: the edit, its inverse, what undo calls it, and the revision that it began with."""

    title: str
    redo: tuple[Edit, ...]
    undo: tuple[Edit, ...]
    gesture: object
    began: int

    @cached_property
    def size(self) -> int:
        """Bytes that it keeps."""
        return sum(edit.size() for edit in (*self.redo, *self.undo))

    def touches_weights(self) -> bool:
        """Whether it changes parameters, or the whole model."""
        return any(edit.touches in (MODEL, PARAMETERS) for edit in self.redo)

    def and_then(self, edit: Edit, inverse: Edit) -> _Done:
        """The same step with one more edit of its gesture: undo goes back to where it began, redo to where it ended."""
        if _overwrites(edit, self.redo[-1]):
            return replace(self, title=edit.title(), redo=(*self.redo[:-1], edit))
        return replace(self, title=edit.title(), redo=(*self.redo, edit), undo=(inverse, *self.undo))


def _overwrites(edit: Edit, earlier: Edit) -> bool:
    """Whether nothing is left of the earlier edit once the later one is made (a drag of the same cells)."""
    if type(edit) is not type(earlier):
        return False
    if isinstance(edit, SetCells) and isinstance(earlier, SetCells):
        return edit.parameter == earlier.parameter and are_same(edit.cells, earlier.cells)
    if isinstance(edit, SetParameters) and isinstance(earlier, SetParameters):
        return [name for name, _ in edit.arrays] == [name for name, _ in earlier.arrays]
    return isinstance(edit, SetGeneration | SetInterventions)


def _leads_back(step: _Done, state: State) -> bool:
    """Whether a gesture has come back to where it began, as typing a letter and taking it back does."""
    if step.touches_weights():  # to find that out would take as long as the edit itself
        return False
    before = state
    for edit in step.undo:
        before, _ = edit.apply(before)
    return before == state


class Document:
    """What the user works on. Every change is an edit; every edit can be undone.

    Attributes:
        state: the present content.
        revision: a number that grows with every change, undo and redo included.
        began: the revision with which the present step began: that of the first edit of a gesture, while it goes on.
    """

    def __init__(self, opened: OpenedModel, prompt: str | None = None) -> None:
        self.state = State.opening(opened, prompt)
        check_memory(self.state)
        self.revision = self.began = 0
        self._done: list[_Done] = []
        self._undone: list[_Done] = []
        self._listeners = Listeners[Change]()

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` after every change; returns a function that ends it.

        A listener may edit in turn: that is told of once all have heard of the change before it.
        """
        return self._listeners.subscribe(listener)

    def subscribe_after(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every change, once all who subscribe have heard of it and of what they made of it."""
        self._listeners.subscribe_after(listener)

    def apply(self, edit: Edit, initiator: object = None) -> Change:
        """Make an edit. One that changes nothing is no step of the history, and nobody is told of it.

        Raises:
            InputError: it cannot be made; nothing has changed.
        """
        new, inverse = edit.apply(self.state)
        if new == self.state:
            return Change(edit, self.revision, initiator)
        check_memory(new)
        last = self._done[-1] if self._done else None
        if last is not None and edit.gesture is not None and last.gesture == edit.gesture:
            self._done[-1] = last.and_then(edit, inverse)
            self.began = last.began
            if _leads_back(self._done[-1], new):
                self._done.pop()
        else:
            self.began = self.revision + 1
            self._done.append(_Done(edit.title(), (edit,), (inverse,), edit.gesture, self.began))
        self._undone.clear()
        self._forget_oldest()
        return self._arrive(new, (edit,), initiator)

    def amend(self, edit: SetParameters, initiator: object = None) -> Change | None:
        """Put other weights in the place of those that the step of this gesture led to, wherever it stands.

        What was done since stays, for it has nothing to do with weights. None, and nothing is changed, where the step
        is undone or not there, or weights or the model were changed since.

        Raises:
            InputError: the edit cannot be made; nothing has changed.
        """
        place = self._amendable(edit.gesture)
        if place is None:
            return None
        new, inverse = edit.apply(self.state)
        self._done[place] = self._done[place].and_then(edit, inverse)
        self.began = self._done[place].began
        if any(undone.touches_weights() for undone in self._undone):
            self._undone.clear()
        return self._arrive(new, (edit,), initiator)

    def can_amend(self, gesture: object) -> bool:
        """Whether `amend` would find the step of this gesture."""
        return self._amendable(gesture) is not None

    def _amendable(self, gesture: object) -> int | None:
        """Where the gesture's step stands, if it is done and nothing since touched the weights."""
        for place in reversed(range(len(self._done))):
            if gesture is not None and self._done[place].gesture == gesture:
                return place
            if self._done[place].touches_weights():
                return None
        return None

    def undo(self, initiator: object = None) -> Change | None:
        """Take back the last step; None if there is none."""
        if not self._done:
            return None
        step = self._done.pop()
        self._undone.append(step)
        return self._replay(step.undo, initiator)

    def redo(self, initiator: object = None) -> Change | None:
        """Make the last undone step again; None if there is none."""
        if not self._undone:
            return None
        step = self._undone.pop()
        self._done.append(step)
        return self._replay(step.redo, initiator)

    def history(self) -> tuple[list[str], int]:
        """Titles of all steps, oldest first, and how many of them are done (the rest can be redone)."""
        return [step.title for step in (*self._done, *reversed(self._undone))], len(self._done)

    def go_to(self, count: int, initiator: object = None) -> None:
        """Undo or redo until `count` steps of the history are done."""
        while len(self._done) > max(count, 0):
            self.undo(initiator)
        while len(self._done) < count and self._undone:
            self.redo(initiator)

    def end_gesture(self) -> None:
        """The next edit starts a step of its own, whatever its gesture."""
        if self._done and self._done[-1].gesture is not None:
            self._done[-1] = replace(self._done[-1], gesture=None)

    def _replay(self, edits: tuple[Edit, ...], initiator: object) -> Change:
        state = self.state
        for edit in edits:
            state, _ = edit.apply(state)
        self.began = self.revision + 1
        return self._arrive(state, edits, initiator)

    def _arrive(self, state: State, edits: tuple[Edit, ...], initiator: object) -> Change:
        self.state = state
        self.revision += 1
        change = Change(edits[-1], self.revision, initiator, edits)
        self._listeners.tell(change)
        return change

    def _forget_oldest(self) -> None:
        total = sum(step.size for step in self._done)
        while total > UNDO_BYTES and len(self._done) > 1:
            total -= self._done.pop(0).size
