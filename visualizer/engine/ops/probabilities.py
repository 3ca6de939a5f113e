"""From logits to next-token probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.ops.base import Axes, Cell, Gradients, Operation, Run, accumulate
from visualizer.engine.ops.softmax import softmax, softmax_backward


@dataclass(frozen=True)
class Probabilities(Operation):
    """`probs` [..., position, d_vocab] = softmax of the logits over the vocabulary."""

    formula: ClassVar[str] = "softmax(logits)"

    @property
    def derived(self) -> bool:
        return True

    def axes(self, name: str) -> Axes:
        return ("position", "d_vocab")

    def forward(self, run: Run) -> None:
        run.values[self.writes[0]] = softmax(run.values[self.reads[0]])

    def backward(self, run: Run, gradients: Gradients) -> None:
        accumulate(gradients, self.reads[0], softmax_backward(run.values[self.name], gradients[self.name]))

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, token = cell
        row = [float(x) for x in run.values[self.reads[0]][position]]
        top = math.nan if any(map(math.isnan, row)) else max(row)
        terms = []
        for i, logit in enumerate(row):
            weight = 1.0 if top == -math.inf else math.exp(logit - top)
            source = Source("activation", self.reads[0], (position, i), logit)
            terms.append(Term(weight, (source, Source("constant", "max", (), top))))
        value = float(run.values[name][cell])
        return Explanation(name, cell, value, "e^(logit − max) / Σ e^(logit − max)", tuple(terms), "share", token)
