"""An explanation as text: the cell's name in words, the formula with its numbers, the terms by size."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.names import short_name
from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel
from visualizer.session.words.axis_labels import axis_labels, dimensions, token_label, with_position
from visualizer.session.words.numbers import MINUS, short

#: Significant digits of the numbers in a formula.
DIGITS = 4
#: So many addends of a long sum are written out.
WRITTEN_OUT = 4
#: So many terms are listed; the rest is summed up in a line.
LISTED = 50

# How far the recorded single-precision number may lie from the terms' sum before it is worth a word.
_RELATIVE, _OF_LARGEST = 1e-5, 1e-6


class Words:
    """Names cells by tokens and dimensions, as the heatmaps and grids do.

    Args:
        opened: whose tokenizer and dimension names are used.
        trace: whose positions are named by their tokens; without one, positions are numbers.
    """

    def __init__(self, opened: OpenedModel, trace: Trace | None) -> None:
        self._opened = opened
        self._trace = trace
        self._dimensions: list[str] | None = None
        self._labels: dict[str, tuple[list[str], list[str]]] = {}

    def cell(self, source: Source, block: str = "") -> str:
        """A cell as in `pattern[b₂, a₁]`; a constant's own name.

        The prefix `block` (`blocks.0.`) is left out, and that of the only block always.
        """
        if source.kind == "constant":
            return source.name
        if source.kind == "parameter":
            indices = self._parameter(source.name, source.cell)
        else:
            indices = self._activation(source.name, source.cell)
        only = "blocks.0." if self._opened.model.config.n_layers == 1 else ""
        return f"{name_beside(source.name, only or block)}[{', '.join(indices)}]"

    def _activation(self, name: str, cell: Sequence[int]) -> list[str]:
        trace = self._trace
        if trace is None or name not in trace:
            return [str(i) for i in cell]
        words = (self._index(axis, i) for axis, i in zip(trace.axes(name), cell, strict=True))
        return [word for word in words if word]

    def _index(self, axis: str, index: int) -> str:
        if axis in ("position", "query", "key") and self._trace is not None:
            return with_position(token_label(self._opened, int(self._trace.tokens[index])), index)
        if axis == "head":
            return f"head {index}" if self._opened.model.config.n_heads > 1 else ""
        if axis == "d_vocab":
            return token_label(self._opened, index)
        if axis == "d_model":
            return self._dimension(index)
        return "" if axis == "1" else str(index)

    def _dimension(self, index: int) -> str:
        if self._dimensions is None:
            self._dimensions = dimensions(self._opened)
        return self._dimensions[index]

    def _parameter(self, name: str, cell: Sequence[int]) -> list[str]:
        if name == "wte":  # a vocabulary is too long to be labelled for one cell
            return [token_label(self._opened, cell[0]), self._dimension(cell[1])]
        if name.startswith("lm_head."):
            return [*(self._dimension(i) for i in cell[:-1]), token_label(self._opened, cell[-1])]
        labels = self._labels.get(name)
        if labels is None:
            labels = self._labels[name] = axis_labels(self._opened, name)
        return [words[i] for words, i in zip(labels[-len(cell) :], cell, strict=True)]


def name_beside(name: str, block: str = "") -> str:
    """A name as one writes it beside others of the block with the prefix `block`: in short there, in full elsewhere."""
    return short_name(name) if block and name.startswith(block) else name


def term_text(explanation: Explanation, term: Term) -> str:
    """A term with its numbers: `1024·1`, `e^(362−362)`, or its value where it is no plain product."""
    values = [source.value for source in term.sources]
    if explanation.rule == "share" and len(values) == 2:
        return f"e^({_number(values[0])} {MINUS} {_in_sum(values[1])})"
    if explanation.rule == "function" and values:
        return _number(values[0])
    if explanation.rule == "root" or not values:
        return _number(term.value)
    dividing = [source.name.endswith(".scale") for source in term.sources]
    product = _product(values, dividing)
    for sign in (1.0, -1.0):
        if _close(sign * product, term.value):
            written = sorted(zip(dividing, values, strict=True), key=lambda pair: pair[0])  # what divides comes last
            text = "".join(
                ("" if i == 0 else " / " if divides else "·") + _in_product(value, i == 0)
                for i, (divides, value) in enumerate(written)
            )
            return text if sign > 0 else f"{MINUS}({text})"
    return _number(term.value)


def plugged_in(explanation: Explanation) -> str:
    """The formula with its numbers, ready to follow an equals sign: `1024·1 + 7 terms of 0`."""
    terms = explanation.terms
    if explanation.rule == "share":
        top = term_text(explanation, terms[explanation.index])
        below = _sum_of_values(terms)
        return f"{top} / {below}" if len(terms) == 1 else f"{top} / ({below})"
    if explanation.rule == "root":
        return f"√({_sum_of_values(terms)})"
    if explanation.symbols:
        return _substituted(explanation)
    if len(terms) == 1:
        return term_text(explanation, terms[0])
    return _sum(explanation)


@dataclass(frozen=True)
class TermList:
    """The terms that a panel lists, largest first.

    Attributes:
        terms: at most `LISTED` of them.
        rest: what the others come to, in words; empty where there are none.
    """

    terms: tuple[Term, ...]
    rest: str


def term_list(explanation: Explanation) -> TermList:
    """The largest terms, and a line about the rest."""
    ordered = explanation.sorted_terms()
    shown, rest = ordered[:LISTED], ordered[LISTED:]
    if not rest:
        return TermList(tuple(shown), "")
    return TermList(tuple(shown), f"… {len(rest)} smaller terms sum to {_number(_total(rest))}")


def disagreement(explanation: Explanation) -> str:
    """A sentence where the terms do not give the recorded number to single precision; else empty."""
    terms, recorded = explanation.recombine(), explanation.value
    if math.isnan(terms) and math.isnan(recorded):
        return ""
    largest = max((abs(t.value) for t in explanation.terms if math.isfinite(t.value)), default=0.0)
    scale = largest if explanation.rule == "sum" else 1.0
    if math.isclose(terms, recorded, rel_tol=_RELATIVE, abs_tol=_OF_LARGEST * scale):
        return ""
    return (
        f"In double precision the terms give {short(terms, 8)}; the model's arithmetic recorded {short(recorded, 8)}."
    )


def _number(value: float) -> str:
    return short(value, DIGITS)


def _in_sum(value: float) -> str:
    """A number after a minus or plus sign: a negative one in brackets."""
    return f"({_number(value)})" if value < 0 else _number(value)


def _in_product(value: float, first: bool) -> str:
    return _number(value) if first else _in_sum(value)


def _product(values: Sequence[float], dividing: Sequence[bool]) -> float:
    out = 1.0
    for value, divides in zip(values, dividing, strict=True):
        if divides:
            out = out / value if value else math.nan
        else:
            out *= value
    return out


def _substituted(explanation: Explanation) -> str:
    """The formula with numbers in the places of its letters, negative ones in brackets where they need them."""
    text = explanation.formula
    for symbol, value in explanation.symbols:

        def number(letter: re.Match[str], value: float = value) -> str:
            before, after = letter.string[: letter.start()], letter.string[letter.end() :]
            alone = (not before or before.endswith(("(", ", "))) and not after.startswith("³")
            return _number(value) if alone else _in_sum(value)

        text = re.sub(rf"(?<!\w){symbol}(?![a-zA-Z_])", number, text)
    return text


def _close(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12)


def _sum(explanation: Explanation) -> str:
    """Addends in the operation's order if they are few; else the largest, and the rest in a word."""
    if len(explanation.terms) <= WRITTEN_OUT:
        return _joined([term_text(explanation, term) for term in explanation.terms])
    ordered = explanation.sorted_terms()
    large = [term for term in ordered if term.value != 0][:WRITTEN_OUT] or ordered[:1]
    written = [term_text(explanation, term) for term in large]
    return _joined([*written, *_rest(ordered, large)])


def _sum_of_values(terms: Sequence[Term]) -> str:
    """The terms' values, added."""
    if len(terms) <= 2 * WRITTEN_OUT:
        return _joined([_number(term.value) for term in terms])
    ordered = sorted(terms, key=lambda term: math.inf if math.isnan(term.value) else abs(term.value), reverse=True)
    large = [term for term in ordered if term.value != 0][:WRITTEN_OUT] or ordered[:1]
    return _joined([*(_number(term.value) for term in large), *_rest(ordered, large)])


def _rest(ordered: Sequence[Term], written: Sequence[Term]) -> list[str]:
    """What stands for the terms after those written out: nothing, so many zeros, or so many and their sum."""
    rest = ordered[len(written) :]
    if not rest:
        return []
    if all(term.value == 0 for term in rest):
        return [f"{len(rest)} {'term' if len(rest) == 1 else 'terms'} of 0"]
    return [f"… ({len(rest)} more: {_number(_total(rest))})"]


def _joined(parts: Sequence[str]) -> str:
    """Addends joined by their signs."""
    text = parts[0] if parts else "0"
    for part in parts[1:]:
        text += f" {MINUS} {part[1:]}" if part.startswith(MINUS) else f" + {part}"
    return text


def _total(terms: Sequence[Term]) -> float:
    return sum(term.value for term in terms)
