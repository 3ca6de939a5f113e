"""Two prompts on one model: which numbers are shown side by side, what a patch takes across, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.model import Model
from visualizer.engine.names import block_of
from visualizer.engine.sampling import argmax
from visualizer.engine.trace import Trace
from visualizer.errors import TokenError
from visualizer.session.evaluation.difference import is_small
from visualizer.session.evaluation.result import Result, SecondPrompt
from visualizer.session.words.activation_parts import ActivationPart, axis_size, parts_around
from visualizer.session.words.whole_numbers import parse_whole

Array = NDArray[Any]
#: How much is taken across at once.
EXTENTS = ("cell", "row", "head")
#: Characters of a prompt that can still be typed into without waiting a second for each.
LONGEST_PROMPT = 250_000


def activations(model: Model, block: int) -> list[str]:
    """The activations of a block that can be shown as a matrix, in the order of the operations."""
    names = (name for name in model.graph.names if block_of(name) == block)
    return [name for name in names if model.graph.axes(name)[-1] != "1"]


def head_in(model: Model, name: str, head: int) -> int | None:
    """Which place of an activation's head axis belongs to a head (several may share keys and values); None without."""
    if "head" not in model.graph.axes(name):
        return None
    return head * axis_size(model, name, "head") // model.config.n_heads


def cell_at(model: Model, name: str, head: int, row: int, column: int) -> tuple[int, ...]:
    """The activation's cell that stands at a row and a column where one head is shown."""
    place = head_in(model, name, head)
    if place is None:
        return (row, column)
    return (place, row, column) if "key" in model.graph.axes(name) else (row, place, column)


def part_at(model: Model, name: str, head: int, row: int, column: int, extent: str) -> ActivationPart:
    """The cell there, its row, or the whole that is shown, as a part to intervene in.

    Raises:
        ValueError: the extent is none of EXTENTS.
    """
    kinds = {"cell": ("cell",), "row": ("row", "position"), "head": ("head", "whole")}
    if extent not in kinds:
        raise ValueError(f"{extent!r} is none of {', '.join(EXTENTS)}")
    around = parts_around(model, name, cell_at(model, name, head, row, column))
    return next(part for kind in kinds[extent] for part in around if part.kind == kind)


def in_common(first: int, second: int) -> str:
    """In words, which positions two passes of these lengths have in common; empty where they are equally long."""
    if first == second:
        return ""
    shorter = "first" if first < second else "second"
    last = min(first, second) - 1
    return f"The {shorter} prompt is shorter: whole heads are patched at positions 0–{last}, which both have."


@dataclass(frozen=True)
class LogitDifference:
    """How far the first prompt has come from its own next token to the second's, at its last position.

    Attributes:
        token: the second prompt's most probable next token.
        instead_of: the first prompt's, without interventions.
        untouched, now, second: logit of `token` minus logit of `instead_of`: of the first prompt without
            interventions, of the first prompt as it is, and of the second prompt.
    """

    token: int
    instead_of: int
    untouched: float
    now: float
    second: float

    @property
    def way(self) -> float | None:
        """The share of the way from the first prompt to the second; None where they do not differ."""
        distance = self.second - self.untouched
        return (self.now - self.untouched) / distance if distance and np.isfinite(distance) else None


def logit_difference(result: Result, step: int) -> LogitDifference | None:
    """The difference at one step; None without a second prompt, for an empty context, and while it is computed."""
    trace, other = result.trace(step), result.second
    if trace is None or other is None:
        return None
    now = trace.logits_at(-1)
    untouched = _untouched(result, other, trace, step, now)
    if untouched is None:
        return None
    token, instead_of = argmax(other.logits), argmax(untouched)
    differences = (float(logits[token]) - float(logits[instead_of]) for logits in (untouched, now, other.logits))
    return LogitDifference(token, instead_of, *differences)


def _untouched(result: Result, other: SecondPrompt, trace: Trace, step: int, now: Array) -> Array | None:
    if not any(change.enabled for change in trace.interventions):
        return now
    if other.untouched is not None and result.snapshot.step == step:
        return other.untouched
    return result.state.model.forward(trace.tokens).logits_at(-1) if is_small(trace) else None


def read_prompt(model: Model, text: str) -> tuple[int, ...]:
    """The ids of a typed text; for a model without a tokenizer those that it lists, separated by commas.

    Raises:
        TokenError: the text has no tokens here, is no list of ids, or is longer than what can be worked with.
    """
    if len(text) > LONGEST_PROMPT:
        raise TokenError(f"a text of more than {LONGEST_PROMPT:,} characters is too long to be a prompt")
    if model.tokenizer is not None or not text.strip():
        return tuple(map(int, model.ids(text if text else ())))
    ids = []
    for word in filter(None, map(str.strip, text.split(","))):
        token = parse_whole(word, 9)
        if token is None or token < 0:
            last = model.config.d_vocab - 1
            raise TokenError(
                f"{word[:20]!r} is not a token id; token ids from 0 to {last}, separated by commas, are needed"
            )
        ids.append(token)
    return tuple(map(int, model.ids(ids)))
