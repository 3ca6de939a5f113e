"""A request for an evaluation: what to compute, and what may be reused."""

from __future__ import annotations

from dataclasses import dataclass, replace

from visualizer.session.document.state import PATTERN_REPEATS
from visualizer.session.evaluation.result import Result
from visualizer.session.evaluation.snapshot import Snapshot


def accuracy_rows(pattern: int, n_ctx: int, with_interventions: bool) -> int:
    """How many rows of passes it takes to measure the accuracy over a pattern of so many tokens."""
    tokens = PATTERN_REPEATS * pattern
    first = min(tokens, n_ctx)
    beginnings = first * (first + 1) // 2 if with_interventions else first
    return beginnings + max(tokens - n_ctx, 0) * n_ctx


@dataclass(frozen=True)
class Request:
    """What to compute, frozen.

    Attributes:
        snapshot: the document as it is.
        previous: the last result, whose passes are reused where they still hold.
    """

    snapshot: Snapshot
    previous: Result | None = None

    def cost(self) -> float:
        """A rough count of multiplications, to tell what can be done at once from what needs the worker.

        Counted are the texts of all branches, the baseline's, a second prompt's passes, and those over the pattern.
        """
        state = self.snapshot.state
        config, n_ctx = state.model.config, state.model.config.n_ctx
        longest = min(len(state.prompt) + state.length, n_ctx)
        text = max(min(len(state.prompt), n_ctx), 1) + state.length * longest
        others = min(len(state.second_prompt), n_ctx) if state.second_prompt else 0
        passes = 1 if state.baseline is None else 2
        rows = text * len(state.branches) + (text + longest) * (passes - 1) + 2 * others * passes
        if state.opened.pattern is not None:
            rows += accuracy_rows(len(state.opened.pattern), n_ctx, bool(state.interventions))
        row = state.model.parameters.count() + 2 * config.n_layers * config.n_heads * config.d_head * longest
        return 2.0 * rows * row

    def after(self, result: Result | None) -> Request:
        """The same request where it had to wait for `result`: that is what is shown, compared with and reused then."""
        if result is None or result.state.opened is not self.snapshot.state.opened:
            return self
        return replace(self, previous=result)
