"""What is chosen: one selection that every panel is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from visualizer.session.listeners import Listeners


@dataclass(frozen=True)
class CellRef:
    """One number: a cell of an activation, or of a parameter."""

    kind: str  # "activation" or "parameter"
    name: str
    cell: tuple[int, ...]


@dataclass(frozen=True)
class Chosen:
    """What is chosen.

    Attributes:
        step: the generation step whose internals are shown: 0 is the prompt's own pass.
        block, head: whose attention is shown.
        row: the position (query) whose row is marked in every heatmap; None marks none.
        key: the key position marked beside it.
        cell: the number that is being explained.
        parameter: the matrix in the grid.
        score_stage: which scores are shown: "qk", "scaled" or "scores".
        comparison: what every panel shows of a number: "value", "baseline" or "difference".
    """

    step: int = 0
    block: int = 0
    head: int = 0
    row: int | None = None
    key: int | None = None
    cell: CellRef | None = None
    parameter: str = "blocks.0.attn.c_attn.w"
    score_stage: str = "scores"
    comparison: str = "value"


class Selection:
    """The present choice, and the listeners that are told what it was and is.

    `hovered` is a preview: the number under the cursor, which replaces nothing that is chosen.
    """

    def __init__(self) -> None:
        self.now = Chosen()
        self.hovered: CellRef | None = None
        self._listeners = Listeners[Chosen, Chosen]()
        self._hover_listeners = Listeners[CellRef | None]()

    def subscribe(self, listener: Callable[[Chosen, Chosen], None]) -> Callable[[], None]:
        """Call `listener(before, now)` after every change; returns a function that ends it."""
        return self._listeners.subscribe(listener)

    def subscribe_after(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every change, once all who subscribe have heard of it and of what they made of it."""
        self._listeners.subscribe_after(listener)

    def subscribe_hover(self, listener: Callable[[CellRef | None], None]) -> Callable[[], None]:
        """Call `listener(cell or None)` when what is hovered changes; returns a function that ends it."""
        return self._hover_listeners.subscribe(listener)

    def choose(self, **changes: Any) -> None:  # noqa: ANN401
        """Choose something else; fields that are not named stay."""
        before, self.now = self.now, replace(self.now, **changes)
        if before != self.now:
            self._listeners.tell(before, self.now)

    def let_go(self) -> None:
        """Choose no row and no cell."""
        self.choose(row=None, key=None, cell=None)

    def hover(self, cell: CellRef | None) -> None:
        """Preview a number, or none."""
        if cell != self.hovered:
            self.hovered = cell
            self._hover_listeners.tell(cell)
