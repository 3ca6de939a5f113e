"""What an attention head mainly does, measured: how much of its weight lies where a known kind of head looks.

Each score is a mean over queries of the weight on the keys that a kind of head attends to, from 0 to 1. The keys are
those of TransformerLens' head detector (`head_detector.py`: previous token, duplicate token, induction); the induction
score is the prefix-matching score of Olsson et al. 2022, "In-context Learning and Induction Heads", when it is measured
on a random sequence that is repeated. Unlike there, queries for which no such key exists are left out of the mean, so
that a score tells of the head and not of how often the text repeats itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.errors import InputError

Array = NDArray[Any]

#: The scores in the order in which they are shown, each with the keys j that query i should attend to.
SCORES = {
    "previous_token": "the token just before: j = i − 1",
    "first_token": "the first token: j = 0",
    "current_token": "the token itself: j = i",
    "duplicate_token": "earlier occurrences of the same token: t[j] = t[i], j < i",
    "induction": "what followed earlier occurrences of the same token: t[j − 1] = t[i], j ≤ i",
}
#: Above this score a head is said to do mainly that.
CLEAR = 0.4
#: So is a head from this score on where no other is more than half of it: in a long random text, where even attention
#: scores a few hundredths, a head that does one thing beside resting elsewhere stays below `CLEAR`.
DISTINCT = 0.25
#: Tokens of a random sequence, where the context has room for it twice.
RANDOM_LENGTH = 50


@dataclass(frozen=True)
class Role:
    """What a head mainly does: the name of its highest score, and that score."""

    name: str
    score: float


class HeadDetector:
    """The keys that each kind of head would attend to in one text, found once and then summed over for any head.

    Args:
        tokens: ids [position].
    """

    def __init__(self, tokens: Array) -> None:
        self._count = count = len(tokens)
        later = np.arange(1, count)
        same = np.equal.outer(tokens, tokens)  # [query, key]
        earlier = np.tril(same, -1)
        after = np.zeros_like(earlier)
        after[:, 1:] = earlier[:, :-1]
        # For each score the cells [query, key] as flat places in a pattern, and over how many queries the mean goes.
        self._cells: dict[str, tuple[Array, int]] = {
            "previous_token": (later * count + later - 1, len(later)),
            "first_token": (later * count, len(later)),
            "current_token": (later * count + later, len(later)),
            "duplicate_token": (np.flatnonzero(earlier), int(earlier.any(axis=1).sum())),
            "induction": (np.flatnonzero(after), int(after.any(axis=1).sum())),
        }

    def defined(self, name: str) -> bool:
        """Whether the text has any query with a key for this score. Raises KeyError for an unknown score."""
        return self._cells[name][1] > 0

    def scores(self, pattern: Array) -> dict[str, Array]:
        """Each score [head] of a `pattern` [head, query, key] over the same text; NaN where it is not defined.

        Position 0 can attend to nothing but itself, so no query there is counted.

        Raises:
            InputError: the pattern is not of this text.
        """
        if pattern.ndim != 3 or pattern.shape[1:] != (self._count, self._count):
            raise InputError(f"a pattern of {self._count} tokens is [head, {self._count}, {self._count}], "
                             f"not {list(pattern.shape)}")  # fmt: skip
        flat = pattern.reshape(len(pattern), -1)
        scores = {}
        for name, (cells, queries) in self._cells.items():
            if queries:
                scores[name] = flat.take(cells, axis=1).sum(axis=1, dtype=np.float64) / queries
            else:
                scores[name] = np.full(len(pattern), np.nan)
        return scores


def head_scores(trace: Trace) -> dict[str, Array]:
    """Every score of SCORES for every head, each [layer, head] in float64; NaN where the text does not define it.

    Induction and duplicates need a text that repeats itself: `repeated_random_tokens` makes one.
    """
    detector = HeadDetector(trace.tokens)
    names = [name for name in trace.graph.names if name.endswith(".attn.pattern")]
    by_layer = [detector.scores(trace[name]) for name in names]
    return {score: np.stack([scores[score] for scores in by_layer]) for score in SCORES}


def mean_scores(scores: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """Each score's mean over several texts, [layer, head]."""
    return {name: np.mean([one[name] for one in scores], axis=0) for name in SCORES}


def main_roles(scores: dict[str, Array], clear: float = CLEAR) -> NDArray[np.intp]:
    """For each head the place in SCORES of its highest score, if that is above `clear`, or distinct; else −1.

    Distinct is what reaches `DISTINCT` and twice every other score; of equal scores the first counts.

    Args:
        scores: each of SCORES [layer, head]; NaN where it is not defined.
        clear: what is high enough, whatever the other scores are.
    """
    table = np.stack([np.nan_to_num(scores[name], nan=0.0) for name in SCORES])
    second, best = np.partition(table, -2, axis=0)[-2:]
    named = (best > clear) | ((best >= DISTINCT) & (best >= 2 * second))
    return np.where(named, table.argmax(axis=0), -1)


def main_role(scores: dict[str, Array], layer: int, head: int, clear: float = CLEAR) -> Role | None:
    """What `main_roles` says of one head; None where no score stands out."""
    place = int(main_roles({name: values[layer, head] for name, values in scores.items()}, clear))
    name = list(SCORES)[place]
    return None if place < 0 else Role(name, float(scores[name][layer, head]))


def repeated_random_tokens(model: Model, seed: int = 0, length: int | None = None) -> Array:
    """Ids [2 · length] of a random sequence, twice: what follows can be foretold only by looking back (Olsson et al.).

    The tokens are all different where the vocabulary has enough of them. Without a `length`, as many as fit the
    context twice, up to RANDOM_LENGTH, and no more than half of the vocabulary: where every token comes, what comes
    again can be foretold from what is left over.

    Raises:
        InputError: the context has no room for the sequence twice, or `length` is less than 1.
    """
    config = model.config
    if length is None:
        length = max(1, min(RANDOM_LENGTH, config.n_ctx // 2, max(2, config.d_vocab // 2)))
    if length < 1 or 2 * length > config.n_ctx:
        raise InputError(f"a sequence of {length} tokens, twice, does not fit; "
                         f"the context of {config.n_ctx} has room for 1 to {config.n_ctx // 2}")  # fmt: skip
    generator = np.random.default_rng(seed)
    sequence = generator.choice(config.d_vocab, size=length, replace=length > config.d_vocab).astype(np.intp)
    return np.concatenate([sequence, sequence])
