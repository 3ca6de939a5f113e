"""The residual stream: sums of two activations, and the same stream under its next name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.names import last_part
from visualizer.engine.ops.base import Axes, Cell, Gradients, Operation, Run, accumulate


@dataclass(frozen=True)
class Add(Operation):
    """x + y, both [..., position, d_model]; y may lack the batch axes (positions do)."""

    formula: ClassVar[str] = "x + y"

    def axes(self, name: str) -> Axes:
        return ("position", "d_model")

    def forward(self, run: Run) -> None:
        run.values[self.writes[0]] = run.values[self.reads[0]] + run.values[self.reads[1]]

    def backward(self, run: Run, gradients: Gradients) -> None:
        given = gradients[self.name]
        accumulate(gradients, self.reads[0], given)
        if run.values[self.reads[1]].ndim < given.ndim:
            given = given.reshape(-1, *given.shape[-2:]).sum(axis=0)
        accumulate(gradients, self.reads[1], given)

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        terms = []
        for read in self.reads:
            value = float(run.values[read][cell])
            terms.append(Term(value, (Source("activation", read, cell, value),)))
        return Explanation(
            name, cell, float(run.values[name][cell]), " + ".join(map(last_part, self.reads)), tuple(terms)
        )


@dataclass(frozen=True)
class Identity(Operation):
    """The stream [..., position, d_model] under the name of its next place; no arithmetic."""

    formula: ClassVar[str] = "x"

    def axes(self, name: str) -> Axes:
        return ("position", "d_model")

    def forward(self, run: Run) -> None:
        run.values[self.writes[0]] = run.values[self.reads[0]]

    def backward(self, run: Run, gradients: Gradients) -> None:
        accumulate(gradients, self.reads[0], gradients[self.name])

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        value = float(run.values[self.reads[0]][cell])
        source = Source("activation", self.reads[0], cell, value)
        return Explanation(
            name, cell, float(run.values[name][cell]), last_part(self.reads[0]), (Term(value, (source,)),)
        )
