"""What every operation says about itself, and the run that it reads from and writes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.explanation import Explanation

Array = NDArray[Any]
Cell = tuple[int, ...]
Axes = tuple[str, ...]


class Cache(Protocol):
    """Where a run that continues an earlier one finds the rows already computed."""

    def extend(self, name: str, rows: Array) -> Array:
        """Store the new rows of `name` and return all its rows so far [position, ...]."""


@dataclass(slots=True)
class Run:
    """One pass through the operations: what is known so far.

    Attributes:
        tokens: ids [..., position], the rows that this pass computes.
        parameters: arrays by name.
        values: activations by name [..., position, ...]; operations add theirs.
        offset: how many positions precede the first row (0 without a cache).
        cache: keys and values of those positions; None where the pass starts at position 0.
        careful: whether NaN and infinity may occur, and must not reach where they have no business.
    """

    tokens: Array
    parameters: Mapping[str, Array]
    values: dict[str, Array] = field(default_factory=dict)
    offset: int = 0
    cache: Cache | None = None
    careful: bool = False


Gradients = dict[str, Array]


def accumulate(gradients: Gradients, name: str, value: Array) -> None:
    """Add `value` to the gradient of `name`."""
    known = gradients.get(name)
    gradients[name] = value if known is None else known + value


@dataclass(frozen=True)
class Operation:
    """One named step of the model. The list of these is the model's order; nothing else knows it.

    Attributes:
        writes: names of the activations it computes; the first is its own name.
        reads: names of the activations it needs.
        parameters: names of the parameters it needs (absent biases are not listed).
    """

    writes: tuple[str, ...]
    reads: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    #: The formula in the article's notation, as a panel shows it.
    formula: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """The name of its (first) result."""
        return self.writes[0]

    @property
    def derived(self) -> bool:
        """Whether its result is large and follows from what is recorded, so that it is computed when asked for."""
        return False

    def formula_of(self, name: str) -> str:
        """The formula of one of its results, without a bias that is not there."""
        biased = any(parameter.endswith(".b") for parameter in self.parameters)
        return self.formula if biased else self.formula.removesuffix(" + b")

    def axes(self, name: str) -> Axes:
        """Axis names of one of its results, without batch axes."""
        raise NotImplementedError

    def forward(self, run: Run) -> None:
        """Compute `writes` from `reads` and `parameters`."""
        raise NotImplementedError

    def follow(self, run: Run, name: str) -> None:
        """Compute those of `writes` anew that are made from `name`, another of them, which has been changed."""

    def backward(self, run: Run, gradients: Gradients) -> None:
        """Add to the gradients of `reads` and `parameters`, given those of `writes`."""
        raise NotImplementedError

    def one_head(self, parameters: Mapping[str, Array], head: int) -> tuple[Operation, Mapping[str, Array]]:
        """What computes head `head` alone from that head of what it reads, and the parameters to do it with."""
        return self, parameters

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        """Where the number at `cell` of `name` (one of `writes`) comes from."""
        raise NotImplementedError


def rows_of(array: Array) -> Array:
    """View `array` [..., n] as a matrix [rows, n]."""
    return array.reshape(-1, array.shape[-1])


def matmul_rows(x: Array, w: Array) -> Array:
    """`x @ w` for x [..., in], w [in, out], as one matrix product."""
    out: Array = np.matmul(x if x.ndim == 2 else rows_of(x), w)
    return out if x.ndim == 2 else out.reshape(*x.shape[:-1], w.shape[1])


def sum_rows(x: Array) -> Array:
    """The sum over the rows of x [rows, n], as a product with ones, which is faster than a reduction."""
    total: Array = np.matmul(_ones(x.shape[0], x.dtype), x)
    return total


def mean_last(x: Array) -> Array:
    """The mean over the last axis of x [..., n], kept as an axis of length 1, as a product."""
    n = x.shape[-1]
    mean: Array = np.matmul(x, _ones(n, x.dtype))[..., None]
    mean /= n
    return mean


@lru_cache(maxsize=64)
def _ones(n: int, dtype: np.dtype[Any]) -> Array:
    ones = np.ones(n, dtype=dtype)
    ones.flags.writeable = False
    return ones


def table_rows(positions: int, n_ctx: int) -> int:
    """How many rows of a computed table of positions to make for this many: a power of 2, at most n_ctx.

    A configuration may allow far more positions than anybody ever gives.
    """
    return min(n_ctx, max(64, 1 << (positions - 1).bit_length() if positions else 0))


def surely_finite(array: Array) -> bool:
    """Whether no number of `array` is NaN or infinite; numbers whose squares overflow may be doubted too."""
    flat = array.reshape(-1)
    return math.isfinite(flat.dot(flat))  # the fastest look at every number
