"""What the token strip shows, worked out once for each change: chips with their places and states."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from visualizer.engine.generate import Step
from visualizer.engine.ops.softmax import softmax
from visualizer.session.evaluation.result import Result
from visualizer.session.words.axis_labels import token_and_id, token_label, with_position
from visualizer.session.words.numbers import full, short


@dataclass(frozen=True)
class Strip:
    """The tokens of a result as seen from one step.

    Attributes:
        result: whose tokens.
        step: the step under the cursor.
        row: the chosen row of its context, or None.
        start, stop: the context, as places in the text.
        prompt: how many tokens the prompt has.
        cursor: the place of the token that the step under the cursor chose; one past the end where it is not
            part of the text yet.
        ids: token ids, that one included.
    """

    result: Result
    step: int
    row: int | None
    start: int
    stop: int
    prompt: int
    cursor: int
    ids: tuple[int, ...]

    @classmethod
    def of(cls, result: Result, step: int, row: int | None) -> Strip:
        """The strip for a step of a result."""
        start, context = result.context(step)
        cursor = result.steps[step].position
        ids = result.tokens
        if cursor >= len(ids):
            ids = (*ids, result.steps[step].token)
        if row is not None and row >= len(context):
            row = None
        return cls(result, step, row, start, start + len(context), len(result.state.prompt), cursor, ids)

    @property
    def chosen(self) -> int | None:
        """The place of the chosen row's token."""
        return None if self.row is None else self.start + self.row

    def is_next(self, place: int) -> bool:
        """Whether the token is not part of the text yet but would come next."""
        return place >= len(self.result.tokens)

    def in_context(self, place: int) -> bool:
        """Whether the pass under the cursor sees the token."""
        return self.start <= place < self.stop

    def is_dim(self, place: int) -> bool:
        """Whether the token lies outside the context and is not the one under the cursor."""
        return not self.in_context(place) and place != self.cursor

    def text(self, place: int) -> str:
        """The token's text alone."""
        return token_label(self.result.state.opened, self.ids[place])

    def id_line(self, place: int) -> str:
        """The token's id, to stand under its text; empty where that is the id already."""
        return "" if self.result.state.model.tokenizer is None else str(self.ids[place])

    def name(self, place: int) -> str:
        """The token as the heatmaps name it: with its position in the context, where it is part of that."""
        text = self.text(place)
        return with_position(text, place - self.start) if self.in_context(place) else text

    def step_that_sees(self, place: int) -> int | None:
        """The step nearest to the cursor whose context holds the token; None where there is none."""
        n_ctx = self.result.state.model.config.n_ctx
        first = max(place + 1 - self.prompt, 0)
        last = min(place + n_ctx - self.prompt, len(self.result.steps) - 1)
        if first > last or self.is_next(place):
            return None
        return min(max(self.step, first), last)

    def brief(self, place: int) -> str:
        """A token in words that cost nothing to find: its id and places."""
        return f"{token_and_id(self.result.state.opened, self.ids[place])}\n{self._where(place)}"

    def readout(self, place: int) -> str:
        """A token in words: id, places, the probability it was given, and the runner-up."""
        lines = [self.brief(place)]
        if place in self.result.changed:
            lines.append("another token than before the last edit")
        given = self._given(place)
        if given is not None:
            probs, chosen = given
            token = self.ids[place]
            verb = "would come next with" if self.is_next(place) else "chosen with" if chosen else "was given"
            lines.append(f"{verb} probability {full(probs[token], probs.dtype)}")
            second = runner_up(probs, token)
            if second is not None:
                named = token_and_id(self.result.state.opened, second)
                lines.append(f"runner-up {named}: {short(float(probs[second]))}")
        elif place == 0:
            lines.append("the first token: nothing came before it")
        return "\n".join(lines)

    def _where(self, place: int) -> str:
        kind = "next" if self.is_next(place) else "generated" if place >= self.prompt else "prompt"
        where = f"position {place} in the text ({kind})"
        if self.in_context(place):
            return f"{where}, {place - self.start} in the context"
        if place < self.start:
            return f"{where}, before the context"
        return where

    def _given(self, place: int) -> tuple[np.ndarray, bool] | None:
        """The probabilities from which a token came (or which the model gave in its place), and which of the two."""
        if place >= self.prompt:
            return self.result.steps[place - self.prompt].probs, True
        first: Step = self.result.steps[0]
        row = place - first.context_start - 1
        if row < 0 or first.trace is None:
            return None
        return softmax(first.trace.logits_at(row)), False


def runner_up(probs: np.ndarray, token: int) -> int | None:
    """The most probable token beside `token`; None in a vocabulary of one, or where all is NaN."""
    others = np.array(probs, dtype=np.float64)
    others[token] = np.nan
    if np.isnan(others).all():
        return None
    return int(np.nanargmax(others))


class ChipPlaces:
    """Where each chip begins, in pixels; a chip's width depends on its token alone.

    Args:
        widths: of each chip.
        gap: between two chips.
        bar: where (before which chip) the wider gap with the bar lies, and how wide that is.
    """

    def __init__(self, widths: list[float], gap: float, bar: tuple[int, float]) -> None:
        self.widths = widths
        self.lefts: list[float] = []
        at, (place, extra) = gap, bar
        for i, width in enumerate(widths):
            if i == place:
                at += extra
            self.lefts.append(at)
            at += width + gap
        self.bar = None
        if len(widths) > place:
            self.bar = self.lefts[place] - extra / 2 - gap / 2
        self.total = at

    def visible(self, left: float, right: float) -> range:
        """The chips that lie at least partly between two pixels."""
        first = max(bisect_right(self.lefts, left) - 1, 0)
        return range(first, bisect_right(self.lefts, right))

    def at(self, x: float) -> int | None:
        """The chip under a pixel."""
        place = bisect_right(self.lefts, x) - 1
        return place if place >= 0 and x <= self.lefts[place] + self.widths[place] else None
