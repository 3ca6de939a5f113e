"""What the explain panel says about one cell: name, value, formula, numbers, and links to what it was made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.names import block_prefix
from visualizer.engine.trace import Trace
from visualizer.errors import InputError
from visualizer.formats import OpenedModel
from visualizer.session.document.state import State
from visualizer.session.selection import CellRef
from visualizer.session.words.formulas import (
    Words,
    disagreement,
    name_beside,
    plugged_in,
    term_list,
    term_text,
)
from visualizer.session.words.numbers import full, short

EMPTY = "Click any number to see where it comes from."


@dataclass(frozen=True)
class Link:
    """A number that a term uses: its cell in words, and the number. `target` is None for a constant."""

    name: str
    value: str
    tip: str
    target: CellRef | None


@dataclass(frozen=True)
class ExplainedTerm:
    """One term: its value, the same as a product of its numbers, and those numbers."""

    value: str
    product: str
    tip: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Explained:
    """A cell, taken apart into texts.

    Attributes:
        title: the cell in words.
        place: its full name with indices.
        value: the number with all its digits.
        formula: how the operation makes it.
        numbers: the same with its numbers, and what comes of them.
        note: what else there is to say; often empty.
        lines: the terms, largest first.
        rest: a line for the terms that are not listed; often empty.
        parameter: the parameter that the cell belongs to, or None.
    """

    title: str
    place: str
    value: str
    formula: str = ""
    numbers: str = ""
    note: str = ""
    lines: tuple[ExplainedTerm, ...] = ()
    rest: str = ""
    parameter: str | None = None


def explain_cell(state: State, trace: Trace | None, ref: CellRef) -> Explained | str:
    """The explanation of a cell in a state and the trace of one step, or a sentence on why there is none.

    `trace` is None for an empty context: then only parameters can be explained.
    """
    if ref.kind == "parameter":
        return _explain_parameter(state, trace, ref)
    if trace is None:
        return "The prompt is empty, so nothing was computed at this step."
    try:
        explanation = trace.explain(ref.name, ref.cell)
    except InputError as error:
        return f"That number is not there at this step: {error}."
    return _explain_activation(state.opened, trace, explanation)


def _explain_activation(opened: OpenedModel, trace: Trace, explanation: Explanation) -> Explained:
    words, block = Words(opened, trace), block_prefix(explanation.name)
    itself = Source("activation", explanation.name, explanation.cell, explanation.value)
    listed = term_list(explanation)
    top = explanation.terms[explanation.index] if explanation.rule == "share" else None
    dtype = np.dtype(trace.parameters.config.dtype)
    return Explained(
        title=words.cell(itself, block),
        place=_place(explanation.name, explanation.cell),
        value=full(explanation.value, dtype),
        formula=f"{name_beside(explanation.name, block)} = {explanation.formula}",
        numbers=_numbers(explanation),
        note=" ".join(filter(None, (_without(explanation), disagreement(explanation)))),
        lines=tuple(_line(explanation, term, lambda s: words.cell(s, block), term is top) for term in listed.terms),
        rest=listed.rest,
    )


def _without(explanation: Explanation) -> str:
    number = explanation.without
    return "" if number is None else f"Without the intervention it would be {short(number, 8)}."


def _numbers(explanation: Explanation) -> str:
    """The formula with its numbers and what comes of them; once, where that is the same."""
    written, value = plugged_in(explanation), short(explanation.value, 4)
    return written if written == value else f"{written} = {value}"


def _line(explanation: Explanation, term: Term, name: Callable[[Source], str], on_top: bool) -> ExplainedTerm:
    tip = f"{term_text(explanation, term)} = {full(term.value)}"
    # The maximum is the same in every term, and stands in the formula.
    shown = [source for source in term.sources if explanation.rule != "share" or source.kind != "constant"]
    links = tuple(_link(source, name) for source in shown)
    if on_top:
        tip += "\nthe numerator: this term over the sum of all"
    mark = "▸ " if on_top else ""
    value = mark + short(term.value)
    # An exponential is longer than its value, and its only number is the link beside it.
    product = value if explanation.rule == "share" else mark + term_text(explanation, term)
    return ExplainedTerm(value, product, tip, links)


def _link(source: Source, name: Callable[[Source], str]) -> Link:
    value = short(source.value)
    if source.kind == "constant":
        return Link(source.name, value, f"{source.name} = {full(source.value)}, a constant", None)
    tip = f"{_place(source.name, source.cell)} = {full(source.value)}\nclick to see where it comes from (Return)"
    return Link(name(source), value, tip, CellRef(source.kind, source.name, source.cell))


def _explain_parameter(state: State, trace: Trace | None, ref: CellRef) -> Explained | str:
    parameters = state.model.parameters
    shape = parameters[ref.name].shape if ref.name in parameters else None
    if (
        shape is None
        or len(ref.cell) != len(shape)
        or not all(0 <= i < n for i, n in zip(ref.cell, shape, strict=True))
    ):
        return f"This model has no {_place(ref.name, ref.cell)}."
    array = parameters[ref.name]
    now, then = float(array[ref.cell]), float(state.opened.model.parameters[ref.name][ref.cell])
    source = Source("parameter", ref.name, ref.cell, now)
    same = now == then or (now != now and then != then)
    changed = "" if same else f"It was {full(then, array.dtype)} when the model was opened."
    return Explained(
        title=Words(state.opened, trace).cell(source, block_prefix(ref.name)),
        place=_place(ref.name, ref.cell),
        value=full(now, array.dtype),
        formula="a weight: nothing computes it, it can only be edited or trained",
        note=changed,
        parameter=ref.name,
    )


def _place(name: str, cell: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, cell))}]"
