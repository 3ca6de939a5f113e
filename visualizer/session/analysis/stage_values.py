"""The numbers of a stage's matrix: one head of it, as value, baseline or difference, and whether they are fresh."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.ops.base import Run
from visualizer.engine.ops.linear import Unembed
from visualizer.engine.ops.softmax import softmax
from visualizer.engine.trace import Trace
from visualizer.session.analysis.stages import StageMatrix
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.session.words.comparison import compared

Array = NDArray[Any]


class StageValues:
    """What the stages' matrices hold at one moment of a session: the step, head and comparison that are chosen."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.trace = session.trace
        self._baseline_trace = session.baseline_trace
        self._now = session.selection.now
        self._state = session.document.state if session.result is None else session.result.state
        self._heads = self._state.model.config.n_heads

    def is_difference(self, matrix: StageMatrix) -> bool:
        """Whether what is shown of a matrix is the difference from the baseline."""
        return self._now.comparison == "difference" and self._sources(matrix)[1] is not None

    @property
    def shows_baseline(self) -> bool:
        """Whether the baseline's numbers are shown in place of the present ones."""
        return self._now.comparison == "baseline" and self._baseline_trace is not None

    def differs(self, matrix: StageMatrix) -> bool:
        """Whether any shown number of a matrix differs from the baseline's."""
        present, base = self._sources(matrix)
        if base is None or present is base:
            return False
        return not np.array_equal(
            self._plane(matrix, baseline=False), self._plane(matrix, baseline=True), equal_nan=True
        )

    def all_heads(self, name: str) -> Array:
        """An activation of every head [head, query, key], as value, baseline or difference. There must be a trace."""
        return self._session.compared(lambda trace: trace[name])

    def head_of(self, matrix: StageMatrix) -> int:
        """The head of this array that belongs to the chosen one."""
        if not matrix.per_head:
            return 0
        return self._now.head * matrix.shape[matrix.axes.index("head")] // self._heads

    def cell(self, matrix: StageMatrix, row: int, column: int) -> CellRef:
        """The number at a shown row and column."""
        return CellRef(matrix.kind, matrix.name, matrix.cell(row, column, self.head_of(matrix)))

    def place(self, matrix: StageMatrix, ref: CellRef) -> tuple[int, int] | None:
        """Where a number is shown in a matrix; None where it is not."""
        if (ref.kind, ref.name) != (matrix.kind, matrix.name):
            return None
        return matrix.place(ref.cell, self.head_of(matrix))

    def origin(self, matrix: StageMatrix) -> tuple[object, ...]:
        """What the numbers follow from: as long as each part is the same object, they are the same numbers."""
        present, base = self._sources(matrix)
        key = (matrix, self.head_of(matrix), self._now.comparison if base is not None else "value")
        return (present, base, key)

    def values(self, matrix: StageMatrix) -> Array:
        """The shown numbers [rows, columns]. There must be a trace for an activation's."""
        base = self._sources(matrix)[1]
        return compared(
            self._now.comparison,
            lambda: self._plane(matrix, baseline=False),
            None if base is None else lambda: self._plane(matrix, baseline=True),
        )

    def beside(self, matrix: StageMatrix) -> Array | None:
        """The baseline's numbers where the present ones are shown, and the other way round; None where neither is.

        The two are coloured on one scale, so that they can be compared.
        """
        if self._sources(matrix)[1] is None or self._now.comparison == "difference":
            return None
        return self._plane(matrix, baseline=self._now.comparison == "value")

    def changed(self, matrix: StageMatrix) -> NDArray[np.bool_] | None:
        """Which shown cells of a parameter differ from the model as it was opened; None where none do."""
        if matrix.kind != "parameter":
            return None
        now, then = (model.parameters[matrix.name] for model in (self._state.model, self._state.opened.model))
        if now is then:
            return None
        flags = _shown(now, matrix) != _shown(then, matrix)
        return flags if flags.any() else None

    def _sources(self, matrix: StageMatrix) -> tuple[object, object]:
        """The array (or the trace it is derived from) at present, and of the baseline where there is one."""
        if matrix.kind == "parameter":
            pinned = self._state.baseline
            known = pinned is not None and matrix.name in pinned.model.parameters
            base = pinned.model.parameters[matrix.name] if pinned is not None and known else None
            now = self._state.model.parameters[matrix.name]
            return now, base if base is not None and base.shape == now.shape else None
        trace, before = self.trace, self._baseline_trace
        if trace is None:
            return None, None
        if before is not None and matrix.name not in before:
            before = None
        return (
            trace.recorded.get(matrix.name, trace),
            before.recorded.get(matrix.name, before) if before is not None else None,
        )

    def _plane(self, matrix: StageMatrix, baseline: bool) -> Array:
        if matrix.kind == "parameter":
            pinned = self._state.baseline
            model = pinned.model if baseline and pinned is not None else self._state.model
            return _shown(model.parameters[matrix.name], matrix)
        trace = self._baseline_trace if baseline else self.trace
        assert trace is not None
        if matrix.column_ids is not None:
            return self._vocabulary(trace, matrix)
        return trace.head(matrix.name, self._now.head)

    def _vocabulary(self, trace: Trace, matrix: StageMatrix) -> Array:
        """Some columns of the logits, or of the probabilities of some positions, without making all of them."""
        ids = list(matrix.column_ids or ())
        op = trace.graph.producer[matrix.name]
        if matrix.row_ids is not None:
            return np.stack([softmax(trace.logits_at(row))[ids] for row in matrix.row_ids])
        if not isinstance(op, Unembed) or matrix.name in trace.recorded:
            return trace[matrix.name][:, ids]
        cut = {
            name: array[ids] if array.ndim == 1 or op.tied else array[:, ids]
            for name, array in ((name, trace.parameters[name]) for name in op.parameters)
        }
        run = Run(trace.tokens, cut, {op.reads[0]: trace[op.reads[0]]})
        with np.errstate(all="ignore"):
            op.forward(run)
        return run.values[matrix.name]


def _shown(array: Array, matrix: StageMatrix) -> Array:
    plane = array if array.ndim == 2 else array[None]
    if matrix.row_ids is not None:
        plane = plane[list(matrix.row_ids)]
    if matrix.column_ids is not None:
        plane = plane[:, list(matrix.column_ids)]
    return plane
