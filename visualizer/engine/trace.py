"""What one pass computed: every activation under its name, with named axes; derived ones on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.explanation import Cell, Explanation
from visualizer.engine.graph import Graph
from visualizer.engine.interventions import Intervention, explain_intervention, touching
from visualizer.engine.ops.base import Run
from visualizer.engine.ops.linear import Unembed
from visualizer.engine.parameters import Parameters
from visualizer.engine.progress import listener
from visualizer.errors import InputError

Array = NDArray[Any]

#: A derived array larger than this is computed anew each time it is asked for.
KEPT_BYTES = 16 * 2**20
#: Rows of logits that are kept, and made at a time, where the vocabulary is large.
KEPT_ROWS, ROWS_AT_A_TIME = 8, 64
#: Derived activations of one head that are kept.
KEPT_HEADS = 4


def _count_nonfinite(array: Array) -> int:
    if np.isfinite(np.add.reduce(array, axis=None)):  # one pass without a temporary array tells that all is well
        return 0
    return array.size - int(np.count_nonzero(np.isfinite(array)))


class _Derived(dict[str, Array]):
    """The recorded arrays, and the derived ones made from them the first time they are read.

    It does not know its trace: in a circle with it, large arrays would stay until Python looks for such circles.
    """

    def __init__(self, graph: Graph, parameters: Parameters, tokens: Array, known: Mapping[str, Array]) -> None:
        super().__init__(known)
        self._graph = graph
        self._parameters = parameters
        self._tokens = tokens

    def __missing__(self, name: str) -> Array:
        array = self._make(name)
        if array.nbytes > KEPT_BYTES:
            del self[name]
        return array

    def _make(self, name: str) -> Array:
        with np.errstate(all="ignore"):
            self._graph.producer[name].forward(Run(self._tokens, self._parameters.as_dict(), self, careful=True))
        return self[name]


class _ForOneCell(_Derived):
    """The arrays that one cell's explanation reads: each made once, and of a large one only the cell's row or head.

    That part stands at every position, or head, of an array that takes no memory. What is small is left in `known`.
    """

    def __init__(self, trace: Trace, known: _Derived, name: str, cell: Cell) -> None:
        super().__init__(trace.graph, trace.parameters, trace.tokens, known)
        self._trace = trace
        self._known = known
        self._axis = trace.axes(name)[0]
        count = len(trace.tokens) if self._axis == "position" else trace.graph.n_heads
        self._part = cell[0] if cell and 0 <= cell[0] < count else None
        self._count = count

    def __missing__(self, name: str) -> Array:
        if self._part is not None and self._trace.axes(name)[0] == self._axis:
            part = (self._trace.row if self._axis == "position" else self._trace.head)(name, self._part)
            if part.nbytes * self._count > KEPT_BYTES:
                whole = self[name] = np.broadcast_to(part, (self._count, *part.shape))
                return whole
        array = self._make(name)
        if array.nbytes <= KEPT_BYTES:
            self._known[name] = array
        return array


class Trace(Mapping[str, Array]):
    """A read-only record of one pass over `tokens`.

    Arrays have the position axis first (`[head, query, key]` between q·k and the pattern) and no batch axis.
    Asking for a name that the model does not have raises KeyError.

    Attributes:
        tokens: ids [position] that the pass saw.
        parameters, graph, interventions: what it was computed with.
    """

    def __init__(
        self,
        graph: Graph,
        parameters: Parameters,
        tokens: Array,
        recorded: dict[str, Array],
        interventions: tuple[Intervention, ...] = (),
    ) -> None:
        self.graph = graph
        self.parameters = parameters
        self.tokens = tokens
        self.recorded = recorded
        self.interventions = interventions
        self._values: _Derived | None = None
        self._nonfinite: int | None = None
        self._logit_rows: dict[int, Array] = {}
        self._log_normalizers: Array | None = None
        self._columns: tuple[tuple[int, ...], Array] | None = None
        self._heads: dict[tuple[str, int], Array] = {}

    def __repr__(self) -> str:
        count = len(self.interventions)
        changes = f", {count} intervention{'s' * (count > 1)}" if count else ""
        return f"Trace({len(self.tokens)} tokens, {len(self)} activations{changes})"

    def __getitem__(self, name: str) -> Array:
        if name not in self.graph.producer:
            raise KeyError(name)
        view = self._all()[name].view()
        view.flags.writeable = False
        return view

    def __iter__(self) -> Iterator[str]:
        return iter(self.graph.names)

    def __len__(self) -> int:
        return len(self.graph.names)

    def __contains__(self, name: object) -> bool:
        return name in self.graph.producer

    def axes(self, name: str) -> tuple[str, ...]:
        """Axis names of an activation, such as ("head", "query", "key"). Raises KeyError for an unknown name."""
        return self.graph.axes(name)

    def logits_at(self, position: int) -> Array:
        """The logits [d_vocab] of one position (negative counts from the end), without making those of all others.

        Raises IndexError outside the pass.
        """
        logits = self.recorded.get("logits")
        if logits is not None:
            row: Array = logits[position]
            row.flags.writeable = False
            return row
        position = range(len(self.tokens))[position]
        if position not in self._logit_rows:
            if len(self._logit_rows) >= KEPT_ROWS:
                self._logit_rows.pop(next(iter(self._logit_rows)))
            self._logit_rows[position] = self._unembed(slice(position, position + 1))[0]
        return self._logit_rows[position]

    def row(self, name: str, position: int) -> Array:
        """One position's row of an activation whose first axis is the position; a derived one's others are not made.

        Raises KeyError for an unknown name, IndexError outside the pass.
        """
        position = range(len(self.tokens))[position]
        if name in self._all():
            known: Array = self[name][position]
            return known
        if name == "logits":
            return self.logits_at(position)
        op = self.graph.producer[name]
        values = {read: self.row(read, position)[None] for read in op.reads}
        with np.errstate(all="ignore"):
            op.forward(Run(self.tokens[position : position + 1], self.parameters.as_dict(), values, position))
        made: Array = values[name][0]
        return made

    def head(self, name: str, head: int) -> Array:
        """An activation without its head axis: of query head `head`, or of the keys and values that it shares.

        What is derived is made for that head alone; what has no heads comes as it is. Raises KeyError for an
        unknown name, IndexError for a head that is not there.
        """
        axes = self.axes(name)
        if "head" not in axes:
            return self[name]
        head = range(self.graph.n_heads)[head]
        part = self._heads.get((name, head))
        if part is None:
            part = self._one_head(name, head).squeeze(axes.index("head")).view()
            part.flags.writeable = False
            if name not in self._all():
                if len(self._heads) >= KEPT_HEADS:
                    self._heads.pop(next(iter(self._heads)))
                self._heads[name, head] = part
        return part

    def number(self, name: str, cell: Cell) -> np.generic:
        """One number of an activation, without making more of what is derived than its row or head.

        Raises KeyError for an unknown name, IndexError for a cell that is not there.
        """
        axes = self.axes(name)
        if len(cell) != len(axes) or min(cell) < 0:
            raise IndexError(f"{name} has no cell {list(cell)}; its axes are {', '.join(axes)}")
        known = self._all()
        if name in known:
            return known[name][tuple(cell)]  # type: ignore[no-any-return]
        part = self.row(name, cell[0]) if axes[0] == "position" else self.head(name, cell[0])
        return part[tuple(cell[1:])]  # type: ignore[no-any-return]

    def _one_head(self, name: str, head: int) -> Array:
        """The same with a head axis of length 1."""
        op, known = self.graph.producer[name], self._all()
        if name in known:
            array, axis = known[name], op.axes(name).index("head")
            own = head * array.shape[axis] // self.graph.n_heads
            return array[(slice(None),) * axis + (slice(own, own + 1),)]
        op, parameters = op.one_head(self.parameters.as_dict(), head)
        run = Run(self.tokens, parameters, {read: self._one_head(read, head) for read in op.reads}, careful=True)
        with np.errstate(all="ignore"):
            op.forward(run)
        return run.values[name]

    def vocabulary_columns(self, name: str, tokens: Sequence[int]) -> Array:
        """Columns [position, len(tokens)] of `logits` or `probs`, without the others; the last ones are kept."""
        if "logits" in self.recorded or not len(self.tokens):
            return self[name][:, list(tokens)]
        unembed = self.graph.producer["logits"]
        assert isinstance(unembed, Unembed)
        chosen = tuple(tokens)
        if self._columns is None or self._columns[0] != chosen:
            made = unembed.columns(self.recorded[self.graph.final_stream], self.parameters, tokens)
            made.flags.writeable = False
            self._columns = (chosen, made)
        logits = self._columns[1]
        if name == "logits":
            return logits
        with np.errstate(all="ignore"):
            probs: Array = np.exp(logits - self.log_normalizers()[:, None])
        return probs

    def log_normalizers(self) -> Array:
        """For each position [position] log Σ e^logit; kept, since a large vocabulary makes it dear."""
        if self._log_normalizers is None:
            parts = []
            tell = listener()
            for start in range(0, len(self.tokens), ROWS_AT_A_TIME):
                if tell is not None:
                    tell(start / len(self.tokens))
                logits = self._unembed(slice(start, start + ROWS_AT_A_TIME))
                with np.errstate(all="ignore"):
                    top = logits.max(axis=-1, keepdims=True)
                    logits -= top
                    np.exp(logits, out=logits)
                    parts.append(np.log(logits.sum(axis=-1)) + top[:, 0])
            self._log_normalizers = np.concatenate(parts) if parts else np.zeros(0)
        return self._log_normalizers

    def _unembed(self, rows: slice) -> Array:
        """Logits of some positions, from the stream that is recorded."""
        stream = self.graph.final_stream
        run = Run(self.tokens, self.parameters.as_dict(), {stream: self.recorded[stream][rows]})
        with np.errstate(all="ignore"):
            self.graph.producer["logits"].forward(run)
        return run.values["logits"]

    def nonfinite(self) -> int:
        """How many recorded numbers are NaN or infinite."""
        if self._nonfinite is None:
            with np.errstate(all="ignore"):
                self._nonfinite = sum(map(_count_nonfinite, self.recorded.values()))
        return self._nonfinite

    def explain(self, name: str, cell: Cell) -> Explanation:
        """Where the number at `cell` of `name` comes from: the terms of its operation.

        Raises:
            InputError: there is no such activation or cell.
        """
        if name not in self.graph.producer:
            raise InputError(f"no activation {name!r}; this model has {', '.join(self.graph.names)}")
        cell = tuple(cell)
        values = _ForOneCell(self, self._all(), name, cell)
        shape = values[name].shape
        if len(cell) != len(shape) or not all(0 <= i < n for i, n in zip(cell, shape, strict=False)):
            raise InputError(f"{name} has no cell {list(cell)}; its shape is {list(shape)}")
        own = self.graph.producer[name].explain(Run(self.tokens, self.parameters.as_dict(), values), name, cell)
        changes = touching(self.interventions, name, self.graph.axes(name), shape, cell)
        return explain_intervention(changes, own, float(values[name][cell])) if changes else own

    def _all(self) -> _Derived:
        if self._values is None:
            self._values = _Derived(self.graph, self.parameters, self.tokens, self.recorded)
        return self._values
