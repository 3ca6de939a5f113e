"""The weights that arcs are drawn for: of one head or the mean of a block's, in rows that are asked for. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.trace import Trace
from visualizer.session.words.comparison import compared

Array = NDArray[Any]


@dataclass(frozen=True)
class ArcFilter:
    """Which weights have an arc.

    Attributes:
        at_least: none that is smaller (a difference: in magnitude).
        keys: of each query at most so many, the strongest; of equal ones the first. 0 for as many as there are.
    """

    at_least: float = 0.05
    keys: int = 5

    def words(self, signed: bool) -> str:
        """As in `weights of at least 0.05, the 5 strongest of each query`."""
        kept = f", the {self.keys} strongest of each query" if self.keys else ""
        return f"{'differences' if signed else 'weights'} of at least {self.at_least:g}{kept}"


@dataclass(frozen=True, eq=False)
class Weights:
    """One head's attention, or the mean over the heads of its block.

    Attributes:
        trace, baseline: what is shown, and what it is compared with.
        block, head: whose; a head of None is the mean over all.
        comparison: "value", "baseline" or "difference".
        tokens: each token's id; labels: each as text.
    """

    trace: Trace
    baseline: Trace | None
    block: int
    head: int | None
    comparison: str
    tokens: tuple[int, ...]
    labels: tuple[str, ...]

    @property
    def name(self) -> str:
        """The activation."""
        return f"blocks.{self.block}.attn.pattern"

    @property
    def count(self) -> int:
        """Tokens T."""
        return len(self.tokens)

    @property
    def signed(self) -> bool:
        """Whether differences are shown."""
        return self.baseline is not None and self.comparison == "difference"

    def is_of(self, trace: Trace, baseline: Trace | None, block: int, head: int | None, comparison: str) -> bool:
        """Whether these are just those. (Traces are mappings: `==` would compare all their numbers.)"""
        wanted = (block, head, comparison)
        same = self.trace is trace and self.baseline is baseline
        return same and (self.block, self.head, self.comparison) == wanted

    def rows(self, queries: Sequence[int]) -> Array:
        """The weights of some queries [query, key]; a key after its query has 0."""
        return self._compared(lambda trace: self._of(trace, queries))

    def _compared(self, read: Callable[[Trace], Array]) -> Array:
        """What is read from the present trace, from the baseline's, or the difference."""
        base = self.baseline
        return compared(self.comparison, lambda: read(self.trace), None if base is None else lambda: read(base))

    def _of(self, trace: Trace, queries: Sequence[int]) -> Array:
        pattern, chosen = trace[self.name], list(queries)
        if self.head is not None:
            rows: Array = pattern[self.head, chosen]
        else:
            rows = pattern[:, chosen].mean(axis=0)
        return rows

    def received(self, queries: Sequence[int]) -> Array:
        """What each key is given by some queries together [key]."""
        if not len(queries):
            return np.zeros(self.count)
        return self._compared(lambda trace: self._sum_of(trace, queries))

    def _sum_of(self, trace: Trace, queries: Sequence[int]) -> Array:
        # All of them are a view and need no copy, which for a thousand tokens and twelve heads has 50 MB.
        chosen = slice(None) if len(queries) == self.count else list(queries)
        heads = slice(None) if self.head is None else slice(self.head, self.head + 1)
        total: Array = trace[self.name][heads, chosen].sum(axis=1).mean(axis=0)
        return total

    def reach(self, at_least: float) -> int:
        """The largest distance of a query from a key that it gives so much; 0 where no weight is as large."""
        query, key = np.nonzero(np.abs(self.rows(range(self.count))) >= at_least)
        return int((query - key).max(initial=0))

    def arcs(self, queries: Sequence[int], wanted: ArcFilter, most: int) -> list[tuple[int, int, float]]:
        """(query, key, weight) of up to `most` of the wanted arcs of some queries, the faintest first.

        A weight that is 0 or NaN is none that could be drawn.
        """
        if not len(queries):
            return []
        weights = np.nan_to_num(self.rows(queries), nan=0.0, posinf=0.0, neginf=0.0)
        sizes = np.abs(weights)
        drawn = (sizes >= wanted.at_least) & (sizes > 0)
        if 0 < wanted.keys < self.count:
            weaker = np.argsort(-sizes, axis=1, kind="stable")[:, wanted.keys :]
            np.put_along_axis(drawn, weaker, False, axis=1)
        places = np.flatnonzero(drawn)
        places = places[np.argsort(sizes.ravel()[places], kind="stable")][-most:]
        rows, keys = np.divmod(places, self.count)
        values = weights[rows, keys]
        return [
            (queries[row], key, value)
            for row, key, value in zip(rows.tolist(), keys.tolist(), values.tolist(), strict=True)
        ]
