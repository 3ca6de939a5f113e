"""Next-token accuracy over a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.interventions import Intervention, within
from visualizer.engine.model import Model
from visualizer.engine.sampling import argmax
from visualizer.errors import TokenError

Array = NDArray[Any]

_NUMBERS_AT_A_TIME = 2**22  # bounds the memory of one batch


@dataclass(frozen=True)
class Accuracy:
    """How often the most probable next token was the text's.

    Attributes:
        correct, total: how many positions were right, and how many were asked.
        predicted: the predicted id for each position asked; −1 where a logit is NaN: no token is the most probable.
    """

    correct: int
    total: int
    predicted: Array

    @property
    def fraction(self) -> float:
        """Correct / total."""
        return self.correct / self.total

    def __str__(self) -> str:
        return f"{100 * self.fraction:.1f}% ({self.correct} / {self.total})"


def next_token_accuracy(
    model: Model, ids: Array, skip: int = 2, interventions: Sequence[Intervention] = ()
) -> Accuracy:
    """Predict each of `ids` [position] from `skip` on, each from the last n_ctx ids before it, as generation would.

    Raises:
        TokenError: nothing is left to predict.
    """
    if not 0 <= skip < len(ids):
        raise TokenError(
            f"the text has {len(ids)} tokens and the first {skip} are skipped; at least one must be left to predict"
        )
    n_ctx = model.config.n_ctx
    predicted = np.zeros(len(ids), dtype=np.intp)  # position 0: an empty context yields the first id
    head = ids[:n_ctx]
    changes = tuple(change for change in interventions if change.enabled)
    if changes:  # one may reach back, as a mean does, or count from the end: each beginning has a pass of its own
        for count in range(1, min(n_ctx, len(ids) - 1) + 1):
            trace = model.forward(ids[:count], interventions=within(changes, model.graph, count))
            predicted[count] = _predicted(trace["logits"][-1])
    elif len(ids) > 1:  # one pass predicts what follows each of its positions
        rows = model.forward(head)["logits"]
        predicted[1 : len(head) + 1] = [_predicted(row) for row in rows][: len(ids) - 1]
    starts = np.arange(1, len(ids) - n_ctx)
    widest = max(model.config.d_vocab, 4 * model.config.d_model, model.config.d_mlp, n_ctx * model.config.n_heads)
    batch = max(1, _NUMBERS_AT_A_TIME // (n_ctx * widest))
    for first in range(0, len(starts), batch):
        windows = ids[starts[first : first + batch, None] + np.arange(n_ctx)]
        logits = model.forward_batch(windows, within(changes, model.graph, n_ctx))["logits"][:, -1]
        predicted[starts[first : first + batch] + n_ctx] = [_predicted(row) for row in logits]
    predicted = predicted[skip:]
    return Accuracy(int(np.count_nonzero(predicted == ids[skip:])), len(predicted), predicted)


def _predicted(logits: Array) -> int:
    return -1 if np.isnan(logits).any() else argmax(logits)
