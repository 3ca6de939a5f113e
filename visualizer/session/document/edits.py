"""Edits: what one user action does to the document, each with its inverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visualizer.engine.interventions import Intervention
from visualizer.engine.sampling import Sampling
from visualizer.errors import EditError
from visualizer.formats import OpenedModel
from visualizer.session.document.cells import Cells, check, count, named
from visualizer.session.document.state import Baseline, Branch, State
from visualizer.session.words.activation_parts import check_part
from visualizer.session.words.numbers import short

Array = NDArray[Any]

MODEL, PARAMETERS, PROMPT, GENERATION, INTERVENTIONS = "model", "parameters", "prompt", "generation", "interventions"
BRANCHES, BASELINE, SECOND_PROMPT = "branches", "baseline", "second prompt"
#: A title holds so many characters of a prompt.
QUOTED = 24


class Edit(Protocol):
    """One named change of the document's state.

    Attributes:
        touches: what kind of thing it changes, for listeners: one of the words above.
        gesture: edits with the same gesture (one drag, one word typed) are undone together; None stands alone.
    """

    @property
    def touches(self) -> str: ...

    @property
    def gesture(self) -> object: ...

    def title(self) -> str:
        """What undo calls it."""

    def apply(self, state: State) -> tuple[State, Edit]:
        """The new state, and the edit that brings the old one back. Raises InputError and changes nothing."""

    def size(self) -> int:
        """Bytes that keeping it costs."""


@dataclass(frozen=True, eq=False)
class SetCells:
    """Write numbers into cells of one parameter.

    Attributes:
        parameter: its name.
        cells: which.
        values: a number for one cell, an array [cell] for several.
    """

    parameter: str
    cells: Cells
    values: ArrayLike
    gesture: object = None
    name: str = ""
    touches: str = field(default=PARAMETERS, init=False)

    def title(self) -> str:
        if self.name:
            return self.name
        where = named(self.parameter, self.cells)
        return f"{where} = {short(np.asarray(self.values).item(), 6)}" if count(self.cells) == 1 else where

    def apply(self, state: State) -> tuple[State, Edit]:
        array = state.model.parameters[self.parameter]
        check(self.parameter, array, self.cells)
        old, values = array[self.cells], np.asarray(self.values)
        if values.shape != old.shape:
            raise EditError(f"{count(self.cells)} cells and {values.size} values do not go together")
        new = np.array(array)
        with np.errstate(over="ignore"):
            new[self.cells] = values.astype(array.dtype)
        new.flags.writeable = False
        inverse = SetCells(self.parameter, self.cells, old, self.gesture, self.name)
        array = _known(state, self.parameter, new, self.cells)
        return state.with_(model=state.model.replace({self.parameter: array})), inverse

    def size(self) -> int:
        return 100 * count(self.cells)


def _known(state: State, parameter: str, new: Array, cells: Cells) -> Array:
    """The array of the opened model or of the baseline, where the cells written have given it the same bits again.

    So what was taken back counts as unchanged wherever arrays are told apart as objects.
    """
    pinned = [] if state.baseline is None else [state.baseline.model]
    for model in (state.opened.model, *pinned):
        known = model.parameters[parameter]
        if known[cells].tobytes() == new[cells].tobytes() and _same_bits(known, new):
            return known
    return new


def _same_bits(left: Array, right: Array) -> bool:
    bits = np.dtype(f"u{left.itemsize}")
    return np.array_equal(np.ascontiguousarray(left).view(bits), np.ascontiguousarray(right).view(bits))


def _quoted(prompt: str | Sequence[int]) -> str:
    """A prompt in a title, cut short."""
    if not isinstance(prompt, str):
        return f"of {len(prompt)} ids"
    return f"“{prompt}”" if len(prompt) <= QUOTED else f"“{prompt[: QUOTED - 1]}…”"


@dataclass(frozen=True)
class SetParameters:
    """Put whole arrays in place of parameters: a reset, a paste over everything, a training run."""

    arrays: tuple[tuple[str, Array], ...]
    name: str
    gesture: object = None
    touches: str = field(default=PARAMETERS, init=False)

    def title(self) -> str:
        return self.name

    def apply(self, state: State) -> tuple[State, Edit]:
        old = tuple((name, state.model.parameters[name]) for name, _ in self.arrays)
        model = state.model.replace(dict(self.arrays))
        return state.with_(model=model), SetParameters(old, self.name, self.gesture)

    def size(self) -> int:
        return sum(array.nbytes for _, array in self.arrays)


@dataclass(frozen=True)
class SetPrompt:
    """Another prompt, as text or as ids; `words` are what the history calls ids."""

    prompt: str | Sequence[int]
    gesture: object = None
    words: str = ""
    touches: str = field(default=PROMPT, init=False)

    def title(self) -> str:
        return f"prompt {_quoted(self.words or self.prompt)}" if len(self.prompt) else "no prompt"

    def apply(self, state: State) -> tuple[State, Edit]:
        # No text is no tokens, also for a model that has no tokenizer to read it.
        ids = tuple(map(int, state.model.ids(self.prompt if len(self.prompt) else ())))
        if ids == state.prompt:
            return state, self
        # Branches are ways that the old prompt went on.
        inverse = _RestorePrompt(state.prompt, state.branches, state.branch, self.gesture)
        return state.with_(prompt=ids, branches=(Branch("main"),), branch=0), inverse

    def size(self) -> int:
        return 100 + 8 * len(self.prompt)


@dataclass(frozen=True)
class _RestorePrompt:
    """Bring a prompt back with its branches: the inverse of setting one."""

    prompt: tuple[int, ...]
    branches: tuple[Branch, ...]
    branch: int
    gesture: object = None
    touches: str = field(default=PROMPT, init=False)

    def title(self) -> str:
        return "prompt"

    def apply(self, state: State) -> tuple[State, Edit]:
        restored = state.with_(prompt=self.prompt, branches=self.branches, branch=self.branch)
        return restored, _RestorePrompt(state.prompt, state.branches, state.branch, self.gesture)

    def size(self) -> int:
        return 100 + 8 * len(self.prompt)


@dataclass(frozen=True)
class SetGeneration:
    """How many tokens are generated, and how they are chosen. `name` says which of them it is about."""

    length: int
    sampling: Sampling
    gesture: object = None
    name: str = ""
    touches: str = field(default=GENERATION, init=False)

    def title(self) -> str:
        return self.name or f"generate {self.length}"

    def apply(self, state: State) -> tuple[State, Edit]:
        if self.length < 0:
            raise EditError(f"{self.length} tokens cannot be generated; a number of at least 0 is needed")
        inverse = SetGeneration(state.length, state.sampling, self.gesture, self.name)
        return state.with_(length=self.length, sampling=self.sampling), inverse

    def size(self) -> int:
        return 100


@dataclass(frozen=True)
class SetInterventions:
    """The list of interventions, in the order in which they are applied."""

    interventions: tuple[Intervention, ...]
    name: str = "interventions"
    gesture: object = None
    touches: str = field(default=INTERVENTIONS, init=False)

    def title(self) -> str:
        return self.name

    def apply(self, state: State) -> tuple[State, Edit]:
        for change in self.interventions:
            check_part(state.model, change)
        inverse = SetInterventions(state.interventions, self.name, self.gesture)
        return state.with_(interventions=self.interventions), inverse

    def size(self) -> int:
        return 100 + sum(0 if c.array is None else c.array.nbytes for c in self.interventions)


@dataclass(frozen=True)
class OpenModel:
    """Another model, with a prompt that it can read. Undo brings the whole earlier state back."""

    opened: OpenedModel
    prompt: str | None = None
    gesture: object = None
    touches: str = field(default=MODEL, init=False)

    def title(self) -> str:
        return f"open {self.opened.name}"

    def apply(self, state: State) -> tuple[State, Edit]:
        new = State.opening(self.opened, self.prompt)
        return new.with_(length=state.length, sampling=state.sampling), _Restore(state, self.title())

    def size(self) -> int:
        return sum(array.nbytes for array in self.opened.model.parameters.values())


@dataclass(frozen=True)
class _Restore:
    """Bring one whole state back: the inverse of opening a model."""

    state: State
    name: str
    gesture: object = None
    touches: str = field(default=MODEL, init=False)

    def title(self) -> str:
        return self.name

    def apply(self, state: State) -> tuple[State, Edit]:
        return self.state, _Restore(state, self.name)

    def size(self) -> int:
        return sum(array.nbytes for array in self.state.model.parameters.values())


def reset_parameters(state: State, names: Sequence[str]) -> SetParameters:
    """The edit that gives whole parameters the numbers they had when the model was opened.

    Raises:
        EditError: they have them already.
    """
    original = state.opened.model.parameters
    changed = [name for name in names if state.is_changed(name)]
    if not changed:
        what = names[0] if len(names) == 1 else "every parameter"
        raise EditError(f"{what} is as it was opened already")
    what = changed[0] if len(changed) == 1 else "all parameters"
    return SetParameters(tuple((name, original[name]) for name in changed), f"reset {what}")


@dataclass(frozen=True)
class SetBranches:
    """The branches of the text, and which of them is shown."""

    branches: tuple[Branch, ...]
    branch: int
    name: str = "branch"
    gesture: object = None
    touches: str = field(default=BRANCHES, init=False)

    def title(self) -> str:
        return self.name

    def apply(self, state: State) -> tuple[State, Edit]:
        if not 0 <= self.branch < len(self.branches):
            raise EditError(f"there is no branch {self.branch}; there are {len(self.branches)}")
        for branch in self.branches:
            for place, token in branch.forced:
                if place < len(state.prompt) or not 0 <= token < state.model.config.d_vocab:
                    raise EditError(f"token {token} cannot be forced at position {place} of the text")
        inverse = SetBranches(state.branches, state.branch, self.name, self.gesture)
        return state.with_(branches=self.branches, branch=self.branch), inverse

    def size(self) -> int:
        return 100 * len(self.branches)


def force_token(state: State, place: int, token: int) -> SetBranches:
    """The edit that branches off the shown branch at `place` in the text: `token` stands there, the model goes on."""
    kept = tuple(item for item in state.branches[state.branch].forced if item[0] < place)
    text = state.model.text([token])
    branch = Branch(f"{text!r} at {place}", (*kept, (place, token)))
    return SetBranches((*state.branches, branch), len(state.branches), f"force {text!r} at {place}")


@dataclass(frozen=True)
class SetBaseline:
    """Pin what the present is compared with, or unpin it."""

    baseline: Baseline | None
    gesture: object = None
    touches: str = field(default=BASELINE, init=False)

    def title(self) -> str:
        return "unpin the baseline" if self.baseline is None else "pin the baseline"

    def apply(self, state: State) -> tuple[State, Edit]:
        if self.baseline is not None and self.baseline.model.graph is not state.model.graph:
            raise EditError("the baseline is of another architecture; pin one of the present model")
        return state.with_(baseline=self.baseline), SetBaseline(state.baseline)

    def size(self) -> int:
        return 0 if self.baseline is None else sum(a.nbytes for a in self.baseline.model.parameters.values())


def pin_baseline(state: State) -> SetBaseline:
    """The edit that pins the present model and interventions."""
    return SetBaseline(Baseline(state.model, state.interventions))


@dataclass(frozen=True)
class SetSecondPrompt:
    """A second prompt to look at beside the first, as text or as ids; None for none. `words` as in `SetPrompt`."""

    prompt: str | Sequence[int] | None
    gesture: object = None
    words: str = ""
    touches: str = field(default=SECOND_PROMPT, init=False)

    def title(self) -> str:
        return f"second prompt {_quoted(self.words or self.prompt)}" if self.prompt else "no second prompt"

    def apply(self, state: State) -> tuple[State, Edit]:
        ids = None if self.prompt is None else tuple(map(int, state.model.ids(self.prompt)))
        return state.with_(second_prompt=ids), SetSecondPrompt(state.second_prompt, self.gesture)

    def size(self) -> int:
        return 100 + 8 * len(self.prompt or ())
