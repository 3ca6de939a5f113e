"""Sweeping a weight: a wheel, a drag or a key moves its number continuously, as one step of the history."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QTimer, Signal

from visualizer.session.document.cells import named
from visualizer.session.document.document import Change, Document
from visualizer.session.document.edits import SetCells
from visualizer.session.words.numbers import short
from visualizer.ui.panels.weights.table import WeightTableModel

STEP = 0.05  # of the number's magnitude, for one notch of the wheel
FINE = 0.1  # of a step, with Shift
PAUSE = 600  # milliseconds without a notch end a gesture


def step_for(value: float, limit: float) -> float:
    """How far one notch moves `value`: about a twentieth of it, rounded to 1, 2 or 5 times a power of ten.

    A zero moves by a twentieth of `limit`, the largest magnitude of its matrix, or of 1 where that is 0 too.
    """
    target = (abs(value) or limit or 1.0) * STEP
    power = 10.0 ** math.floor(math.log10(target))
    return float(f"{max(m for m in (1, 2, 5) if m * power <= target * 1.000001) * power:.6g}")


@dataclass
class Gesture:
    """One sweep: where it began and how far it is. Its identity is what undo takes together."""

    parameter: str
    cell: tuple[int, ...]
    start: float
    step: float
    notches: float = 0.0
    key: object = field(default_factory=object)

    def value(self) -> float:
        """The number now, without the dust of repeated addition."""
        return float(f"{self.start + self.notches * self.step:.12g}")


class Sweeper(QObject):
    """Turns notches over a cell of the table into edits of the document.

    Signals:
        message(str): what one notch does, or why a cell cannot be swept.
    """

    message = Signal(str)

    def __init__(self, document: Document, table: WeightTableModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._table = document, table
        self._gesture: Gesture | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self.end)
        self.destroyed.connect(document.subscribe(self._follow))

    def move(self, row: int, column: int, notches: float, fine: bool = False, held: bool = False) -> None:
        """Move a cell's number; `held` says that a mouse button ends the gesture, and no pause does."""
        gesture = self._gesture_at(self._table.cell(row, column), float(self._table.values[row, column]))
        if gesture is None:
            return
        gesture.notches += notches * (FINE if fine else 1.0)
        title = f"sweep {named(gesture.parameter, gesture.cell)} to {short(gesture.value())}"
        edit = SetCells(gesture.parameter, gesture.cell, gesture.value(), gesture.key, title)
        if held:
            self._pause.stop()
        else:
            self._pause.start()
        self._document.apply(edit, self)

    def end(self) -> None:
        """The next notch begins another gesture."""
        self._pause.stop()
        self._gesture = None

    def _gesture_at(self, cell: tuple[int, ...], value: float) -> Gesture | None:
        """The gesture under way, or a new one where that is about another cell."""
        parameter = self._table.parameter
        gesture = self._gesture
        if gesture is not None and (gesture.parameter, gesture.cell) == (parameter, cell):
            return gesture
        self.end()
        place = named(parameter, cell)
        if not math.isfinite(value):
            self.message.emit(f"{place} is {short(value)} and cannot be swept; type a number first")
            return None
        self._gesture = Gesture(parameter, cell, value, step_for(value, self._table.limit))
        self.message.emit(f"sweeping {place} in steps of {short(self._gesture.step)}; Shift: a tenth of it")
        return self._gesture

    def _follow(self, change: Change) -> None:
        if change.initiator is not self:
            self.end()
