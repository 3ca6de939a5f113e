"""Pictures and words for two prompts side by side: the same activation of both, and what each goes on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.names import block_of, short_name
from visualizer.engine.sampling import top_tokens
from visualizer.engine.trace import Trace
from visualizer.session.analysis.two_prompts import LogitDifference, in_common
from visualizer.session.document.state import State
from visualizer.session.words.activation_parts import axis_size
from visualizer.session.words.axis_labels import about_pass, token_label
from visualizer.session.words.comparison import ADDED, compared
from visualizer.session.words.numbers import short
from visualizer.ui.heatmap.matrix import Axis, Matrix
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.colors import SEQUENTIAL, Scale, symmetric_limit
from visualizer.ui.look.theme import current_theme, token_color

Array = NDArray[Any]
#: So many tokens are listed after each prompt.
LISTED = 3
#: So many columns of an activation are drawn; patches of rows and heads take all of them.
MOST_COLUMNS = 1024


@dataclass(frozen=True)
class PairSide:
    """What a heatmap is to show.

    Attributes:
        heatmap: where.
        trace: the pass.
        base: the baseline's pass over the same tokens; None where nothing is pinned.
    """

    heatmap: Heatmap
    trace: Trace
    base: Trace | None = None

    def values(self, name: str, head: int, comparison: str) -> Array:
        """The numbers [row, column]: the present ones, the baseline's, or the difference."""
        base = self.base
        return compared(
            comparison,
            lambda: _first_columns(self.trace, name, head),
            None if base is None else lambda: _first_columns(base, name, head),
        )


def _first_columns(trace: Trace, name: str, head: int) -> Array:
    """An activation as [query, key], or as [position, dimension], of one head where it has heads."""
    if name in ("logits", "probs") and trace.parameters.config.d_vocab > MOST_COLUMNS:
        return trace.vocabulary_columns(name, range(MOST_COLUMNS))
    return trace.head(name, head)[:, :MOST_COLUMNS]


def draw_pair(state: State, pairs: Sequence[PairSide], name: str, head: int, comparison: str = "value") -> None:
    """Show one activation of each trace in its heatmap, all on one scale, so that colours can be compared."""
    shown = [pair.values(name, head, comparison) for pair in pairs]
    signed = comparison == "difference" and any(pair.base is not None for pair in pairs)
    scale = SEQUENTIAL
    if signed or not name.endswith(".pattern"):
        scale = Scale("diverging", max((symmetric_limit(v, _hidden(name, v)) for v in shown), default=0.0))
    for pair, values in zip(pairs, shown, strict=True):
        added = ADDED[comparison] if pair.base is not None else ""
        _draw(state, pair, values, name, scale, added)


def _hidden(name: str, values: Array) -> NDArray[np.bool_] | None:
    """Which cells the mask hides; None where the numbers are before the mask, or have no key axis."""
    if not name.endswith((".pattern", ".scores")):
        return None
    return np.triu(np.ones(values.shape, dtype=np.bool_), 1)


def _draw(state: State, shown: PairSide, values: Array, name: str, scale: Scale, added: str) -> None:
    heatmap, trace, opened, theme = shown.heatmap, shown.trace, state.opened, current_theme()
    tokens = [token_label(opened, int(token)) for token in trace.tokens]
    hues = [token_color(int(token), theme) for token in trace.tokens]
    axes = trace.axes(name)
    by_key = "key" in axes
    dimensions: Sequence[str] = [str(i) for i in range(values.shape[1])]
    if axes[-1] == "d_model" and opened.dimension_names is not None:
        dimensions = opened.dimension_names[: values.shape[1]]
    heatmap.set_square(by_key)
    down = Axis("query" if by_key else "position", tokens, hues)
    width = values.shape[1]
    across = Axis("key", tokens[:width], hues[:width]) if by_key else Axis(axes[-1], dimensions, positions=False)
    called, masked = short_name(name) + added, _hidden(name, values)
    about = about_pass(opened, trace.tokens.tolist(), block_of(name))
    look = Matrix(values, down, across, name=called, scale=scale, masked=masked, about=about, origin=opened)
    heatmap.set_matrix(look)


def top_words(state: State, trace: Trace, probs: Array) -> str:
    """A prompt and its most probable next tokens: `aabaa → b 1, a 0`."""
    tokens = top_tokens(probs, min(LISTED, len(probs)))
    listed = ", ".join(f"{token_label(state.opened, token)} {short(float(probs[token]))}" for token in tokens)
    return f"{state.model.text(trace.tokens)} → {listed}"


def difference_words(state: State, difference: LogitDifference | None) -> str:
    """How far the first prompt has come towards the second's next token, in a sentence; empty where nobody knows."""
    if difference is None:
        return ""
    token, other = (token_label(state.opened, t) for t in (difference.token, difference.instead_of))
    if difference.token == difference.instead_of:
        return f"Both prompts go on with {token}."
    words = (
        f"logit({token}) − logit({other}) at the last position: {short(difference.untouched)} without interventions, "
        f"{short(difference.now)} now, {short(difference.second)} in the second prompt"
    )
    way = difference.way
    moved = way is not None and difference.now != difference.untouched
    return f"{words} ({short(100 * way)} % of the way)." if moved and way is not None else f"{words}."


def pair_notes(state: State, first: Trace | None, second: Trace | None, name: str) -> str:
    """What else there is to know about the pair; often nothing."""
    if first is None or second is None:
        return ""
    notes = [in_common(len(first.tokens), len(second.tokens))]
    axis = second.axes(name)[-1]
    columns = len(second.tokens) if axis == "key" else axis_size(state.model, name, axis)
    if columns > MOST_COLUMNS:
        notes.append(f"Only the first {MOST_COLUMNS} columns are drawn; rows and heads are patched whole.")
    return " ".join(note for note in notes if note)
