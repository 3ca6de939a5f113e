"""The work of the gradients panel, as generators that a background runs in pieces."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from visualizer.errors import InputError, TrainingError
from visualizer.session.analysis.descent import Descent, Difference, Reading, check, read
from visualizer.session.analysis.objective import Objective
from visualizer.session.document.edits import SetParameters
from visualizer.session.document.state import State
from visualizer.session.selection import CellRef
from visualizer.session.words.numbers import short


def reading_of(
    state: State, objective: Objective, here: Objective, activation: str | None
) -> Generator[None, None, Reading]:
    """A reading whose parameters are about the objective, and whose activation is about the context at hand."""
    yield None
    if objective == here:
        return read(state.model, objective, activation)
    shown = read(state.model, here, activation)
    found = read(state.model, objective)
    return replace(found, activation=shown.activation, activation_name=activation, context=shown.context)


def stepping(
    descent: Descent, state: State, objective: Objective, lr: float, steps: int, only: str | None
) -> Generator[str, None, tuple[State, SetParameters] | InputError]:
    """Steps of Adam as one edit of the state, or why they cannot be taken."""
    yield "taking steps"
    try:
        return state, descent.step(state, objective, lr, steps, only)
    except TrainingError as error:
        return error


def checking(state: State, objective: Objective, cell: CellRef) -> Generator[str, None, tuple[CellRef, Difference]]:
    """The gradient of one weight by finite differences."""
    differences = check(state.model, objective, cell.name, cell.cell)
    while True:
        try:
            made = next(differences)
        except StopIteration as end:
            return cell, end.value
        yield f"{made} differences"


def difference_words(cell: CellRef, found: Difference) -> str:
    """How the gradient of a weight and its finite differences agree."""
    place = ", ".join(map(str, cell.cell))
    if found.analytic == found.numeric == 0:
        return f"{cell.name}[{place}] in float64: by backward pass and by differences exactly 0."
    return (
        f"{cell.name}[{place}] in float64: analytic {short(found.analytic, 10)}, numeric {short(found.numeric, 10)} "
        f"(± {found.step:.0e}), relative error {found.relative_error:.1e}"
    )
