"""From logits to next-token probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.ops.base import Array, Axes, Cell, Gradients, Operation, Run, accumulate
from visualizer.engine.ops.softmax import softmax, softmax_backward

#: Of a larger vocabulary so many tokens are told one by one where a probability is explained.
MANY_TOKENS, TOKENS_TOLD = 4096, 200


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
        told = _told(weights, token)
        terms = [
            Term(weight, (Source("activation", self.reads[0], (position, i), logit), top))
            for i, logit, weight in zip(told.tolist(), row[told].tolist(), weights[told].tolist(), strict=True)
        ]
        if len(told) < len(row):
            rest = math.fsum(np.delete(weights, told).tolist())
            terms.append(Term(rest, (Source("constant", f"the other {len(row) - len(told):,} tokens", (), rest),)))
        value, formula = float(run.values[name][cell]), "e^(logit − max) / Σ e^(logit − max)"
        return Explanation(name, cell, value, formula, tuple(terms), "share", int(np.flatnonzero(told == token)[0]))


def _told(weights: Array, token: int) -> Array:
    """Ids of the tokens that stand alone in an explanation: all, or the most probable and `token` itself."""
    if len(weights) <= MANY_TOKENS:
        return np.arange(len(weights))
    most = np.argpartition(-weights, TOKENS_TOLD)[:TOKENS_TOLD]
    return np.union1d(most, token)
