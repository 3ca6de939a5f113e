"""From logits to next-token probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

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
        row = run.values[self.reads[0]][position].astype(np.float64)
        highest = float(row.max())  # NaN where any is
        with np.errstate(all="ignore"):
            weights = np.ones_like(row) if highest == -math.inf else np.exp(row - highest)
            weights = weights.astype(run.values[name].dtype)  # what is too small for the model's numbers is 0 in them
        top = Source("constant", "max", (), highest)
        terms = tuple(
            Term(weight, (Source("activation", self.reads[0], (position, i), logit), top))
            for i, (logit, weight) in enumerate(zip(row.tolist(), weights.tolist(), strict=True))
        )
        value = float(run.values[name][cell])
        return Explanation(name, cell, value, "e^(logit − max) / Σ e^(logit − max)", terms, "share", token)
