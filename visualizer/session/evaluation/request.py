"""A request for an evaluation: what to compute, and what may be reused."""

from __future__ import annotations

from dataclasses import dataclass, replace

from visualizer.session.evaluation.result import Result
from visualizer.session.evaluation.snapshot import Snapshot


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
        """A rough count of multiplications, to tell what can be done at once from what needs the worker."""
        state = self.snapshot.state
        rows = max(len(state.prompt), 1) + state.length * state.model.config.n_ctx
        return 2.0 * rows * state.model.parameters.count()

    def after(self, result: Result | None) -> Request:
        """The same request where it had to wait for `result`: that is what is shown, compared with and reused then."""
        if result is None or result.state.opened is not self.snapshot.state.opened:
            return self
        return replace(self, previous=result)
