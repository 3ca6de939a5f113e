"""A network: configuration, parameters and the list of operations, and the passes through them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visualizer.engine.config import ModelConfig
from visualizer.engine.graph import Graph, build_graph
from visualizer.engine.interventions import Intervention, applied, listed
from visualizer.engine.kv_cache import RowCache
from visualizer.engine.memory import pass_bytes, require_pass_memory
from visualizer.engine.ops.base import Operation, Run, surely_finite
from visualizer.engine.parameters import Parameters
from visualizer.engine.progress import listener
from visualizer.engine.trace import Trace
from visualizer.errors import InterventionError, TokenError

Array = NDArray[Any]


class Network:
    """What runs: the operations of a configuration, with their parameters. It knows token ids only, and never changes.

    Attributes:
        config: its shape.
        parameters: arrays by name, `[in, out]`.
        graph: its operations.
    """

    def __init__(self, config: ModelConfig, parameters: Mapping[str, ArrayLike]) -> None:
        self.config = config
        self.parameters = Parameters(config, parameters)
        self.graph: Graph = build_graph(config, frozenset(parameters))

    def forward(
        self, tokens: Array, *, interventions: Sequence[Intervention] = (), reuse: Trace | None = None
    ) -> Trace:
        """Run `tokens` (at most n_ctx ids of the vocabulary, [position]) and record everything; see `Model.forward`."""
        self.require_memory(len(tokens))
        tokens.flags.writeable = False
        changes = listed(interventions)
        hooks = applied(changes) if changes else {}
        if hooks:
            self._check_hooks(hooks)
        if reuse is not None and reuse.graph is self.graph and np.array_equal(reuse.tokens, tokens):
            values, operations = self._what_remains(reuse, hooks)
        else:
            values, operations = {}, self.graph.schedule(hooks) if hooks else self.graph.eager
        run = Run(tokens, self.parameters.as_dict(), values)
        self._execute(operations, run, hooks)
        return Trace(self.graph, self.parameters, tokens, run.values, changes)

    def require_memory(self, positions: int) -> None:
        """Refuse a pass over more positions than memory has room for. Raises TooLargeError."""
        if positions > self.graph.most_positions:
            require_pass_memory(pass_bytes(self.config, positions), f"a pass over {positions} tokens")

    def _what_remains(
        self, reuse: Trace, hooks: Mapping[str, list[Intervention]]
    ) -> tuple[dict[str, Array], tuple[Operation, ...]]:
        """What an earlier trace still says, and the operations to run for the rest."""
        changed = self._changed_parameters(reuse)
        old_hooks = applied(reuse.interventions)
        if not hooks and not old_hooks:
            if len(changed) == 1:
                return dict(reuse.recorded), self.graph.eager_after(changed[0])
            dirty = self.graph.downstream(changed)
            return dict(reuse.recorded), tuple(op for op in self.graph.eager if op.name in dirty)
        touched = {name for name in {*hooks, *old_hooks} if hooks.get(name) != old_hooks.get(name)}
        dirty = self.graph.downstream(changed, touched)
        scheduled = self.graph.schedule(hooks)
        running = {name for op in scheduled for name in op.writes}
        values = {n: a for n, a in reuse.recorded.items() if n not in dirty and n in running}
        return values, tuple(op for op in scheduled if op.name not in values)

    def _check_hooks(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.graph.producer:
                raise InterventionError(f"no activation {name!r}; this model has {', '.join(self.graph.names)}")

    def _execute(
        self, operations: Sequence[Operation], run: Run, hooks: Mapping[str, list[Intervention]] | None = None
    ) -> None:
        with np.errstate(all="ignore"):  # NaN and infinity are shown, not warned about
            self._execute_once(operations, run, hooks)
            # What is not finite shows in the stream that everything flows into, unless an intervention hides it.
            checked = run.values.values() if hooks else (run.values[self.graph.final_stream],)
            if not all(map(surely_finite, checked)):
                run.careful = True
                self._execute_once(operations, run, hooks)

    def _execute_once(
        self, operations: Sequence[Operation], run: Run, hooks: Mapping[str, list[Intervention]] | None
    ) -> None:
        tell = listener()
        if not hooks and tell is None:
            for op in operations:
                op.forward(run)
            return
        hooks = hooks or {}
        for done, op in enumerate(operations):
            if tell is not None:
                tell(done / len(operations))
            op.forward(run)
            for name in reversed(op.writes):  # the first is made from the others, where any is
                for change in hooks.get(name, ()):
                    run.values[name] = change.apply(run.values[name], self.graph.axes(name))
                if name in hooks and len(op.writes) > 1:
                    op.follow(run, name)

    def forward_batch(self, tokens: Array, interventions: Sequence[Intervention] = ()) -> dict[str, Array]:
        """Every recorded activation and the logits, with a leading batch axis.

        `tokens` are ids [batch, position] with at most n_ctx positions; `interventions` are made in each text.

        Raises:
            TokenError: an id lies outside the vocabulary.
            InterventionError: an intervention names what this model does not have.
        """
        wrong = tokens[(tokens < 0) | (tokens >= self.config.d_vocab)]
        if wrong.size:
            last = self.config.d_vocab - 1
            raise TokenError(f"token id {wrong[0]} is not in the vocabulary; ids go from 0 to {last}")
        hooks = applied(interventions)
        self._check_hooks(hooks)
        run = Run(tokens, self.parameters.as_dict())
        self._execute(self.graph.schedule(("logits", *hooks)), run, hooks)
        return run.values

    def extend(self, cache: RowCache, tokens: Array, reuse: Trace | None = None) -> tuple[Trace, frozenset[str]]:
        """Compute only the rows of `tokens` that follow those in `cache`, and add them to it.

        Args:
            cache: the rows already there.
            tokens: ids of all rows, [position].
            reuse: a trace whose tokens begin with these, or are these. What no difference between its parameters
                and this model's reaches is copied from it.

        Returns:
            the trace of all rows, and the names of the activations whose new rows were copied.
        """
        offset, end = cache.length, len(tokens)
        run = Run(tokens[offset:], self.parameters.as_dict(), {}, offset, cache)
        operations = self.graph.eager
        if reuse is not None and self._begins_with(reuse, tokens):
            dirty = self.graph.downstream(self._changed_parameters(reuse))
            operations = tuple(op for op in operations if op.name in dirty)
            run.values = {
                name: array[:, offset:end, :end] if "key" in self.graph.axes(name) else array[offset:end]
                for name, array in reuse.recorded.items()
                if name not in dirty
            }
        copied = frozenset(run.values)
        self._execute(operations, run)
        seen = tokens[:]
        seen.flags.writeable = False
        return Trace(self.graph, self.parameters, seen, cache.commit(run.values, end - offset)), copied

    def _begins_with(self, trace: Trace, tokens: Array) -> bool:
        return (
            trace.graph is self.graph
            and not any(change.enabled for change in trace.interventions)
            and np.array_equal(trace.tokens[: len(tokens)], tokens)
        )

    def _changed_parameters(self, trace: Trace) -> list[str]:
        old, new = trace.parameters.as_dict(), self.parameters.as_dict()
        return [name for name in new if new[name] is not old.get(name)]
