"""Everything a small model does: its next token after every input there is, against a pattern."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.interventions import Intervention, within
from visualizer.engine.model import Model

Array = NDArray[Any]

#: No table has more rows than this; longer inputs are left out.
MOST_ROWS = 20_000
#: Instead of an expected token: the input is no part of the repeated pattern, or could go on in several ways.
OUTSIDE, AMBIGUOUS = -1, -2
_NUMBERS_AT_A_TIME = 2**21  # bounds the memory of one batch


@dataclass(frozen=True)
class Behaviour:
    """What follows each input, one row an input: all of length 1 first, each length in the order of ids.

    Attributes:
        inputs: ids [row, longest], −1 after an input's end.
        lengths: how long each input is, [row].
        next: the token that the model finds most probable, [row].
        expected: the token that the pattern has there, or OUTSIDE or AMBIGUOUS, [row].
        margin: the largest logit less the second largest, [row]; infinite with one token, NaN where a logit is NaN.
        n_ctx: how long an input could be; longer ones than `longest` were left out.
    """

    inputs: Array
    lengths: Array
    next: Array
    expected: Array
    margin: Array
    n_ctx: int

    @property
    def longest(self) -> int:
        """The length of the longest inputs in the table."""
        return int(self.inputs.shape[1])

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Which rows the pattern says something about, [row]."""
        judged: NDArray[np.bool_] = self.expected >= 0
        return judged

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which rows differ from what the pattern says, [row]."""
        failed: NDArray[np.bool_] = self.judged & (self.next != self.expected)
        return failed

    def input(self, row: int) -> tuple[int, ...]:
        """The ids of one input."""
        return tuple(self.inputs[row, : self.lengths[row]].tolist())


def longest_input(d_vocab: int, n_ctx: int, most: int = MOST_ROWS) -> int:
    """Up to which length all inputs together are at most `most` rows; 0 where one token alone is too much."""
    total, length = 0, 0
    while length < n_ctx:
        total += d_vocab ** (length + 1)
        if total > most:
            break
        length += 1
    return length


def cost(model: Model, most: int = MOST_ROWS) -> float:
    """A rough count of the multiplications that `behaviour` takes."""
    longest = longest_input(model.config.d_vocab, model.config.n_ctx, most)
    return float(longest * model.config.d_vocab**longest * model.parameters.count())


def behaviour(
    model: Model,
    pattern: tuple[int, ...] = (),
    interventions: Sequence[Intervention] = (),
    most: int = MOST_ROWS,
) -> Generator[float, None, Behaviour | None]:
    """Work the table out, yielding how much of it is done (0 to 1); returns None where it would be too large.

    `pattern` holds the ids that repeat. The interventions are made in the pass over each input.
    """
    config = model.config
    longest = longest_input(config.d_vocab, config.n_ctx, most)
    if longest == 0:
        return None
    changes = tuple(change for change in interventions if change.enabled)
    answers: list[tuple[Array, Array]] = []
    if changes:  # one may reach back, as a mean does, or count from the end: each input has a pass of its own
        for length in range(1, longest + 1):
            top, gap = yield from _predicted(model, length, within(changes, model.graph, length), length == longest)
            answers.append((top[:, -1], gap[:, -1]))
    else:  # a position sees only what lies before it, so a pass over an input answers for all its beginnings
        top, gap = yield from _predicted(model, longest)
        for length in range(1, longest + 1):  # the first of the full inputs that begin so speaks for all
            rows = (slice(None, None, config.d_vocab ** (longest - length)), length - 1)
            answers.append((top[rows], gap[rows]))
    inputs, lengths = _rows(config.d_vocab, longest)
    return Behaviour(
        inputs,
        lengths,
        np.concatenate([top for top, _ in answers]),
        expected_tokens(config.d_vocab, longest, pattern),
        np.concatenate([gap for _, gap in answers]),
        config.n_ctx,
    )


def _predicted(
    model: Model, length: int, interventions: Sequence[Intervention] = (), tells: bool = True
) -> Generator[float, None, tuple[Array, Array]]:
    """Next token and margin [input, position] over every input of one length; yields the share done if it `tells`."""
    config = model.config
    inputs = _all_inputs(config.d_vocab, length)
    following, margin = np.empty(inputs.shape, dtype=np.intp), np.empty(inputs.shape)
    widest = max(config.d_vocab, 4 * config.d_model, config.d_mlp, length * config.n_heads)
    batch = max(1, _NUMBERS_AT_A_TIME // (length * widest))
    for first in range(0, len(inputs), batch):
        part = slice(first, first + batch)
        following[part], margin[part] = top_and_margin(model.forward_batch(inputs[part], interventions)["logits"])
        if tells and first + batch < len(inputs):
            yield (first + batch) / len(inputs)
    return following, margin


def top_and_margin(logits: Array) -> tuple[Array, Array]:
    """The largest logit's id (the lowest on a tie; never NaN's unless all are), and how far the second is below it.

    `logits` [..., d_vocab]; both results [...], the margin in double precision.
    """
    missing = np.isnan(logits)
    keys = np.where(missing, -np.inf, logits).astype(np.float64)
    top = np.asarray(keys.argmax(axis=-1))
    largest = np.take_along_axis(keys, top[..., None], axis=-1)[..., 0]
    lost = np.isneginf(largest)
    if lost.any():
        top = np.where(lost, (~missing).argmax(axis=-1), top)
    np.put_along_axis(keys, top[..., None], -np.inf, axis=-1)
    with np.errstate(invalid="ignore"):
        margin = largest - keys.max(axis=-1)
    return top, np.where(missing.any(axis=-1), np.nan, margin)


@lru_cache(maxsize=8)
def expected_tokens(d_vocab: int, longest: int, pattern: tuple[int, ...]) -> Array:
    """What the repeated pattern has after each input, [row]; OUTSIDE or AMBIGUOUS where it does not say."""
    inputs, lengths = _rows(d_vocab, longest)
    expected = np.full(len(inputs), OUTSIDE, dtype=np.intp)
    if not pattern:
        return _frozen(expected)
    steps = np.arange(longest)
    repeated = np.array(pattern, dtype=np.intp)
    for start in range(len(pattern)):
        agrees = ((inputs == repeated[(start + steps) % len(pattern)]) | (steps >= lengths[:, None])).all(axis=1)
        token = repeated[(start + lengths) % len(pattern)]
        unlike = (expected != OUTSIDE) & (expected != token)
        expected = np.where(agrees, np.where(unlike, AMBIGUOUS, token), expected)
    return _frozen(expected)


@lru_cache(maxsize=4)
def _all_inputs(d_vocab: int, length: int) -> Array:
    """Every input of one length in the order of ids, [input, position]."""
    place_values = d_vocab ** np.arange(length - 1, -1, -1, dtype=np.intp)
    return _frozen(np.arange(d_vocab**length, dtype=np.intp)[:, None] // place_values % d_vocab)


@lru_cache(maxsize=4)
def _rows(d_vocab: int, longest: int) -> tuple[Array, Array]:
    """Every input up to a length, [row, longest] with −1 after its end, and its length [row]."""
    counts = [d_vocab**length for length in range(1, longest + 1)]
    inputs = np.full((sum(counts), longest), -1, dtype=np.intp)
    first = 0
    for length, count in enumerate(counts, start=1):
        inputs[first : first + count, :length] = _all_inputs(d_vocab, length)
        first += count
    return _frozen(inputs), _frozen(np.repeat(np.arange(1, longest + 1), counts))


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
