"""The patterns of all heads as small pictures in one array of colour indices. NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.head_scores import SCORES, HeadDetector, Role, main_roles
from visualizer.engine.trace import Trace
from visualizer.session.analysis.intervened_heads import intervened_heads
from visualizer.ui.look.colors import MASKED, Kind, color_indices, symmetric_limit

Array = NDArray[Any]

#: A head's picture has at most so many cells a side; larger patterns are pooled once for each trace.
MOST_CELLS = 128
#: So many weights are read before the window is asked whether something else is due.
AT_A_TIME = 1 << 20


def bounds(count: int, cells: int) -> Array:
    """Where each of `cells` nearly equal parts of `count` begins, and the end: whole numbers [cells + 1]."""
    return np.arange(cells + 1) * count // cells


def pooled(tiles: Array, cells: int, signed: bool) -> Array:
    """Tiles [tile, n, n] as [tile, cells, cells], each the largest (if signed: in magnitude) of the cells under it.

    The largest, not the mean: a weight of 1 among a thousand zeros is what one looks for. NaN stays NaN.
    """
    count = tiles.shape[-1]
    if cells >= count:
        return tiles
    at = bounds(count, cells)
    highest = _reduced(np.maximum, tiles, at)
    if not signed:
        return highest
    lowest = _reduced(np.minimum, tiles, at)
    return np.where(highest >= -lowest, highest, lowest)


def _reduced(function: np.ufunc, tiles: Array, at: Array) -> Array:
    # Over rows first, where whole rows are combined at once; what is left for the slow direction is small.
    cells = len(at) - 1
    rows = np.empty((len(tiles), cells, tiles.shape[-1]), dtype=tiles.dtype)
    for i in range(cells):
        function.reduce(tiles[:, at[i] : at[i + 1]], axis=1, out=rows[:, i])
    return np.asarray(function.reduceat(rows, at[:-1], axis=2))


def hidden_cells(count: int, cells: int) -> NDArray[np.bool_]:
    """Which of the pooled cells [cells, cells] hold nothing but keys that lie after their query."""
    at = bounds(count, cells)
    hidden: NDArray[np.bool_] = at[None, :-1] > at[1:, None] - 1
    return hidden


@dataclass(eq=False)
class Heads:
    """Pictures and scores of every head for one pass, filled in portions; `done` once all is there.

    Attributes:
        trace, baseline: what is shown, and what it is compared with.
        comparison: "value", "baseline" or "difference".
        labels: the tokens as text.
        measured: the scores of the model's and of the baseline's heads, where others than this text measured them.
        shape: (layers, heads).
        count: tokens T.
        tiles: [layer · heads + head, n, n] with n = min(T, MOST_CELLS): weights or differences of weights.
        scores: of the trace, or of the baseline where that is shown, each [layer, head].
        changes: the scores less those of the baseline where differences are shown, else NaN, each [layer, head].
        limit: the end of the colour scale: 1, or the largest difference.
        roles: of each head (layer · heads + head) what it mainly does: its place in SCORES, or −1.
        intervened: of the heads (layer · heads + head) in which something is intervened, what was done: `zeroed`.
    """

    trace: Trace
    baseline: Trace | None = None
    comparison: str = "value"
    labels: tuple[str, ...] = ()
    measured: tuple[dict[str, Array], dict[str, Array] | None] | None = None
    done: bool = False
    limit: float = 1.0
    shape: tuple[int, int] = field(init=False)
    count: int = field(init=False)
    tiles: Array = field(init=False)
    scores: dict[str, Array] = field(init=False)
    changes: dict[str, Array] = field(init=False)
    roles: NDArray[np.intp] = field(init=False)
    intervened: dict[int, str] = field(init=False)
    detector: HeadDetector = field(init=False)

    def __post_init__(self) -> None:
        if self.baseline is None:
            self.comparison = "value"
        self.names = [name for name in self.trace.graph.names if name.endswith(".attn.pattern")]
        first = self.trace[self.names[0]]
        self.shape = (len(self.names), len(first))
        self.count = len(self.trace.tokens)
        side = min(self.count, MOST_CELLS)
        self.tiles = np.zeros((len(self.names) * len(first), side, side), dtype=first.dtype)
        self.scores, self.changes = ({name: np.full(self.shape, np.nan) for name in SCORES} for _ in range(2))
        self.roles = np.full(len(self.tiles), -1)
        self.intervened = intervened_heads(self.trace)
        self.detector = HeadDetector(self.trace.tokens)
        self._work = self._portions()

    @property
    def signed(self) -> bool:
        """Whether differences are shown."""
        return self.comparison == "difference"

    @property
    def kind(self) -> Kind:
        """The kind of colour scale."""
        return "diverging" if self.signed else "sequential"

    def is_of(self, trace: Trace, baseline: Trace | None, comparison: str) -> bool:
        """Whether this shows just that."""
        wanted = comparison if baseline is not None else "value"
        return self.trace is trace and self.comparison == wanted and (wanted == "value" or self.baseline is baseline)

    def role(self, head: int) -> Role | None:
        """What a head (layer · heads + head) mainly does; None for nothing clear."""
        place = int(self.roles[head])
        name = list(SCORES)[place]
        return None if place < 0 else Role(name, float(self.scores[name].flat[head]))

    def weights(self, head: int) -> Array:
        """The numbers that are shown of one head (layer · heads + head) [query, key]."""
        layer, number = divmod(head, self.shape[1])
        return np.asarray(self._read(self.names[layer], slice(number, number + 1))[1][0])

    def advance(self) -> bool:
        """Read one portion more; whether all is done now."""
        if next(self._work, None) is None:
            self.done = True
            self._take_measured()
            self.roles = main_roles(self.scores).ravel()
            self.limit = symmetric_limit(self.tiles, None) if self.signed else 1.0
        return self.done

    def _take_measured(self) -> None:
        if self.measured is None:
            return
        own, base = self.measured
        self.scores = base if self.comparison == "baseline" and base is not None else own
        if self.signed and base is not None:
            with np.errstate(all="ignore"):
                self.changes = {name: own[name] - base[name] for name in SCORES}

    def _portions(self) -> Iterator[int]:
        """Pool and measure a few heads, and stop; and so on."""
        layers, heads = self.shape
        portion = max(1, AT_A_TIME // max(self.count**2, 1))
        side = self.tiles.shape[-1]
        waiting = 0
        for layer in range(layers):
            for first in range(0, heads, portion):
                chosen = slice(first, min(first + portion, heads))
                pattern, shown = self._read(self.names[layer], chosen)
                place = slice(layer * heads + chosen.start, layer * heads + chosen.stop)
                self.tiles[place] = pooled(shown, side, self.signed)
                for name, values in self.detector.scores(pattern).items():
                    self.scores[name][layer, chosen] = values
                if self.signed:  # a score is a mean of weights, so that of the differences is its difference
                    for name, values in self.detector.scores(shown).items():
                        self.changes[name][layer, chosen] = values
                waiting += pattern.size
                if waiting >= AT_A_TIME:
                    waiting = 0
                    yield layer

    def _read(self, name: str, chosen: slice) -> tuple[Array, Array]:
        """The weights that are measured, and the numbers that are shown, of a few heads [head, query, key]."""
        own = self.trace[name][chosen]
        if self.baseline is None or self.comparison == "value":
            return own, own
        base = self.baseline[name][chosen]
        if self.comparison == "baseline":
            return base, base
        with np.errstate(all="ignore"):
            return own, own - base


def tile_indices(heads: Heads) -> NDArray[np.uint8]:
    """Heads' pictures [layer · heads + head, n, n] as rows of the colour table, keys after their query masked."""
    indices = color_indices(heads.tiles, None, heads.kind, heads.limit)
    hidden = hidden_cells(heads.count, heads.tiles.shape[-1])
    indices &= np.where(hidden, 0, 0xFF).astype(np.uint8)  # faster than copying where it is hidden
    indices |= np.where(hidden, MASKED, 0).astype(np.uint8)
    return indices
