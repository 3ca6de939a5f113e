"""Choosing the next token: greedy, or temperature, then top-k, then top-p, then one seeded draw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.ops.softmax import softmax
from visualizer.errors import SamplingError

Array = NDArray[Any]

#: Rows of more numbers are not sorted whole to find the largest.
SORTED = 256


def is_whole(value: object) -> bool:
    """Whether it is a whole number of Python's or NumPy's."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return is_whole(value) or isinstance(value, float | np.floating)


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen from probabilities.

    Attributes:
        temperature: logits are divided by it; 0 means greedy, and so do logits with NaN or +∞ among them, of which
            no probabilities can be made.
        top_k: only the k most probable tokens stay; None keeps all.
        top_p: only the most probable tokens whose probabilities first reach p together stay; None keeps all.
        seed: with the position of the token, it decides the draw, so that stepping back and forth repeats it.
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not (_is_number(self.temperature) and 0 <= self.temperature < math.inf):
            raise SamplingError(f"temperature is {self.temperature}; a number of at least 0 is needed (0 is greedy)")
        if self.top_k is not None and not (is_whole(self.top_k) and self.top_k >= 1):
            raise SamplingError(f"top-k is {self.top_k}; a whole number of at least 1 is needed")
        if self.top_p is not None and not (_is_number(self.top_p) and 0 < self.top_p <= 1):
            raise SamplingError(f"top-p is {self.top_p}; a number above 0 and up to 1 is needed")
        if not (is_whole(self.seed) and self.seed >= 0):
            raise SamplingError(f"seed is {self.seed}; a whole number of at least 0 is needed")

    @classmethod
    def of(cls, temperature: float | None, top_k: int | None, top_p: float | None, seed: int = 0) -> Sampling:
        """Greedy where nothing is given; temperature 1 where only a filter is.

        Raises:
            SamplingError: a value lies outside its range.
        """
        if temperature is None:
            temperature = 0.0 if top_k is None and top_p is None else 1.0
        return cls(temperature, top_k, top_p, seed)

    @property
    def greedy(self) -> bool:
        """Whether the most probable token is always taken."""
        return self.temperature == 0


@dataclass(frozen=True)
class Distribution:
    """The probabilities [d_vocab] of the next token after each stage; filters that are off leave them as they were.

    Attributes:
        probs: softmax of the logits.
        tempered: softmax of the logits over the temperature.
        top_k, top_p: what is left after each filter, made to sum to 1 again.
    """

    probs: Array
    tempered: Array
    top_k: Array
    top_p: Array

    @property
    def final(self) -> Array:
        """What the token is drawn from."""
        return self.top_p


def argmax(values: Array) -> int:
    """Index of the largest number, the lowest on a tie. NaN is never the largest; if all are NaN, 0."""
    best = int(values.argmax())
    if math.isnan(values[best]):
        numbers = np.flatnonzero(~np.isnan(values))
        best = int(numbers[values[numbers].argmax()]) if numbers.size else 0
    return best


def distribution(logits: Array, sampling: Sampling) -> Distribution:
    """The stages from logits [d_vocab] to what is drawn from."""
    with np.errstate(all="ignore"):
        probs = softmax(logits)
        highest = float(logits.max(initial=-math.inf))  # NaN where any is
        if sampling.greedy or math.isnan(highest) or highest == math.inf:
            chosen = np.zeros_like(probs)
            chosen[argmax(logits)] = 1
            return Distribution(probs, chosen, chosen, chosen)
        wide = logits.astype(np.float64)
        # The highest goes first: over a tiny temperature all would be infinite, and none the highest.
        tempered = softmax(wide if highest == -math.inf else (wide - highest) / float(sampling.temperature))
        by_k = _keep(tempered, sampling.top_k)
        by_p = by_k
        if sampling.top_p is not None and sampling.top_p < 1:
            reached = np.cumsum(np.sort(by_k)[::-1])
            by_p = _keep(by_k, int(np.searchsorted(reached, sampling.top_p * (1 - 1e-12))) + 1)
    return Distribution(probs, tempered, by_k, by_p)


def _keep(probs: Array, count: int | None) -> Array:
    """The `count` most probable (lowest ids first on a tie), scaled to sum to 1."""
    if count is None or count >= probs.size:
        return probs
    order = largest(probs, count)
    kept = np.zeros_like(probs)
    kept[order] = probs[order]
    total = kept.sum()
    return kept / total if total > 0 else kept


def choose(stages: Distribution, sampling: Sampling, position: int) -> int:
    """The next token's id."""
    final = stages.final
    if sampling.greedy:
        return int(final.argmax())
    running = np.cumsum(final, dtype=np.float64)
    draw = float(np.random.default_rng([sampling.seed, position]).random()) * running[-1]
    # The last token with any probability, should rounding carry the draw past the end.
    last = int(np.flatnonzero(final)[-1])
    return min(int(np.searchsorted(running, draw, side="right")), last)


def top_tokens(logits: Array, count: int) -> list[int]:
    """Ids of the `count` largest logits [d_vocab], largest first, the lowest id first on a tie; NaN comes last."""
    return [int(token) for token in largest(logits, count)]


def largest(numbers: Array, count: int, nan_first: bool = False) -> NDArray[np.intp]:
    """Indices [..., count] of the largest of `numbers` [..., n], largest first, the lowest index first on a tie.

    All n of them where `count` is more. NaN comes last, or first.
    """
    size = numbers.shape[-1]
    keys = np.where(np.isnan(numbers), -math.inf if nan_first else math.inf, -numbers)
    if size <= SORTED or not 0 < count < size:
        return np.argsort(keys, axis=-1, kind="stable")[..., :count]
    rows = np.empty((*numbers.shape[:-1], count), dtype=np.intp)
    for index in np.ndindex(*numbers.shape[:-1]):
        row = keys[index]
        candidates = np.flatnonzero(row <= np.partition(row, count - 1)[count - 1])
        rows[index] = candidates[np.argsort(row[candidates], kind="stable")[:count]]
    return rows
