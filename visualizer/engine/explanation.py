"""Where a number comes from: the terms that an operation combined into it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Cell = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One number that a term uses: a cell of an activation or parameter, or a constant.

    Attributes:
        kind: "activation" and "parameter" can be walked to; "constant" cannot.
        name: the array's name; for a constant, what it is (`√d_head`).
        cell: its index in that array; empty for a constant.
        value: the number itself.
    """

    kind: Literal["activation", "parameter", "constant"]
    name: str
    cell: Cell
    value: float

    def __str__(self) -> str:
        return f"{self.name}[{','.join(map(str, self.cell))}]" if self.cell else self.name


@dataclass(frozen=True, slots=True)
class Term:
    """One addend (or exponential, or square) of a number, and the numbers it was made of."""

    value: float
    sources: tuple[Source, ...]


def _softmax(terms: Sequence[float], index: int) -> float:
    total = math.fsum(terms)
    return terms[index] / total if total else math.nan


@dataclass(frozen=True, slots=True)
class Explanation:
    """One number, taken apart.

    Attributes:
        name, cell, value: which number, and what it is.
        formula: how the operation makes it, in the article's notation.
        rule: how the terms combine: "sum" (added up), "share" (term `index` over the sum of all),
            "root" (square root of the sum), "function" (`function` of the first term's value).
        terms: the addends, exponentials or arguments, in the operation's order.
        index: for "share", which term is on top.
        function: for "function", what is applied.
        symbols: what letters of the formula stand for, where it is more than the terms say.
        without: what the operation gives, where an intervention has changed it and no other before that one.
    """

    name: str
    cell: Cell
    value: float
    formula: str
    terms: tuple[Term, ...]
    rule: Literal["sum", "share", "root", "function"] = "sum"
    index: int = 0
    function: Callable[[float], float] | None = None
    symbols: tuple[tuple[str, float], ...] = ()
    without: float | None = None

    def recombine(self) -> float:
        """The number that the terms give, in double precision."""
        values = [term.value for term in self.terms]
        try:
            if self.rule == "share":
                return _softmax(values, self.index)
            if self.rule == "root":
                return math.sqrt(math.fsum(values))
            if self.rule == "function" and self.function is not None:
                return self.function(values[0])
            return math.fsum(values)
        except (OverflowError, ValueError):  # fsum and sqrt refuse what IEEE arithmetic calls NaN or infinity
            return _by_ieee(values)

    def sorted_terms(self) -> list[Term]:
        """The terms by size of their contribution, largest first; NaN before everything."""
        return sorted(self.terms, key=lambda t: math.inf if math.isnan(t.value) else abs(t.value), reverse=True)


def _by_ieee(values: Sequence[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total
