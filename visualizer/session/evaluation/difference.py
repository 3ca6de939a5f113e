"""The ripple of a change: which operation it first shows in, how far each activation moved, which token flipped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.generate import Step
from visualizer.engine.ops.attention import Mask, Pattern
from visualizer.engine.trace import Trace

Array = NDArray[Any]

#: Recorded passes up to so many numbers are compared where they are shown; larger ones by whoever evaluates.
AT_ONCE = 200_000
#: So many bytes of an earlier pass may be kept alive only to be compared with.
KEPT_BYTES = 32 * 2**20


@dataclass(frozen=True)
class ActivationChange:
    """How far one activation moved.

    Attributes:
        name: the activation.
        largest: the largest |difference| of its cells; 0 where nothing moved, infinity where one is not finite.
        cell: where that is.
        before, now: the numbers there.
    """

    name: str
    largest: float
    cell: tuple[int, ...]
    before: float
    now: float

    @property
    def moved(self) -> bool:
        """Whether any of its numbers differs."""
        return self.largest != 0


@dataclass(frozen=True)
class FlippedToken:
    """The first generated token that differs.

    Attributes:
        step: which generation step chose it.
        before, now: its ids.
    """

    step: int
    before: int
    now: int


@dataclass(frozen=True)
class Earlier:
    """The generation before the last change of weights or interventions.

    Attributes:
        tokens: the id that each of its steps chose.
        traces: the internals of each; none at all where they take much memory.
    """

    tokens: tuple[int, ...]
    traces: tuple[Trace | None, ...]

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Earlier:
        """What to compare with later."""
        traces = tuple(step.trace for step in steps)
        total = 0
        for array in (array for trace in traces if trace is not None for array in trace.recorded.values()):
            total += array.nbytes
            if total > KEPT_BYTES:
                traces = ()
                break
        return cls(tuple(step.token for step in steps), traces)


@dataclass(frozen=True)
class Ripple:
    """What differs between two passes over the same tokens.

    Attributes:
        stages: every activation that was compared, in the order of the operations.
        partial: whether those that are made only on demand were left out, because the pass is large.
    """

    stages: tuple[ActivationChange, ...]
    partial: bool = False

    @property
    def first(self) -> ActivationChange | None:
        """The first activation that differs; None where all are the same."""
        return next((stage for stage in self.stages if stage.moved), None)


def ripple(now: Trace, before: Trace) -> Ripple | None:
    """How far each activation moved from `before` to `now`; None where the two saw different tokens.

    In large passes only what is recorded is compared.
    """
    if now.graph is not before.graph or not np.array_equal(now.tokens, before.tokens):
        return None
    partial = not is_small(now)
    names = [name for name in now.graph.names if not partial or (name in now.recorded and name in before.recorded)]
    return Ripple(tuple(_stage(now, before, name) for name in names), partial)


def is_small(trace: Trace) -> bool:
    """Whether comparing with a pass of this size takes no time that anyone could notice."""
    if trace.graph.is_derived("logits"):  # the vocabulary is large
        return False
    return sum(array.size for array in trace.recorded.values()) <= AT_ONCE


def first_flip(now: Sequence[Step], before: Sequence[int]) -> FlippedToken | None:
    """The first token that differs between a generation and the tokens of an earlier one, or None."""
    pairs = zip(before, now, strict=False)
    return next((FlippedToken(i, old, new.token) for i, (old, new) in enumerate(pairs) if old != new.token), None)


def _stage(now: Trace, before: Trace, name: str) -> ActivationChange:
    left, right = now.recorded.get(name), before.recorded.get(name)
    if left is not None and left is right:
        return ActivationChange(name, 0.0, (0,) * left.ndim, math.nan, math.nan)
    left, right = now[name], before[name]
    difference = _difference(left, right)
    op = now.graph.producer[name]
    if isinstance(op, Mask | Pattern):  # what the mask hides counts for nothing
        difference = np.tril(difference)
    if not difference.size:
        return ActivationChange(name, 0.0, (0,) * left.ndim, math.nan, math.nan)
    cell = tuple(int(i) for i in np.unravel_index(int(difference.argmax()), difference.shape))
    return ActivationChange(name, float(difference[cell]), cell, float(right[cell]), float(left[cell]))


def _difference(left: Array, right: Array) -> Array:
    """|left − right|; NaN against NaN and ∞ against the same ∞ are no difference, NaN against a number is infinite."""
    with np.errstate(all="ignore"):
        difference: Array = left - right
        np.abs(difference, out=difference)
        if difference.size and not math.isfinite(float(np.add.reduce(difference, axis=None))):
            same = (left == right) | (np.isnan(left) & np.isnan(right))
            difference = np.where(same, 0, np.where(np.isnan(difference), math.inf, difference))
    return difference
