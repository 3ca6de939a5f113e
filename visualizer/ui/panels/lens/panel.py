"""The lens: what each residual stream would predict, and what each part of the model adds to a chosen logit."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from visualizer.engine.readings import Contribution
from visualizer.engine.sampling import largest
from visualizer.engine.trace import Trace
from visualizer.session.analysis.choose_cell import choose_cell
from visualizer.session.analysis.lens import Lens, contribution_words, contributions, cost, lens, less
from visualizer.session.document.state import State
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label, with_position
from visualizer.session.words.comparison import ADDED
from visualizer.session.words.numbers import short
from visualizer.ui.bridge.background import Background
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.bridge.remarks import Remark, zoom_remarks
from visualizer.ui.panels.lens.contribution_bars import ROW_HEIGHT, Bar, ContributionBars
from visualizer.ui.panels.lens.grid import LensGrid
from visualizer.ui.widgets.labels import ElidedLabel
from visualizer.ui.widgets.title import Title

#: Readings with fewer multiplications are made at once.
AT_ONCE = 1.5e7
#: So many tokens can be chosen from; the others by choosing their logit in another panel.
OFFERED = 40
#: The map of the streams is at least so high, in pixels.
LOWEST_GRID = 88
EMPTY = "The prompt is empty. Type a few tokens to see what each layer would predict."


@dataclass(frozen=True)
class _Read:
    """A reading of one pass, and of the baseline's where there is one."""

    state: State
    trace: Trace
    seen: Lens
    base: Lens | None


class LensPanel(SessionPanel):
    """Above, the logit lens by stream and position; below, direct contributions to a logit of the chosen row."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("lensPanel")
        self.setAccessibleName("Lens")
        self._read: _Read | None = None
        self._asked: tuple[Trace, Trace | None, int] | None = None
        self._compared = False
        self._offered: list[int] = []
        self._token: int | None = None  # None: the most probable one
        self._minus: int | None = None
        self._work = Background(self)
        self._work.finished.connect(self._show)
        self._work.progressed.connect(
            lambda share: self._title.set_words("Logit lens", f"reading … {100 * share:.0f} %")
        )
        self._make_grid()
        self._make_contributions()
        self._lay_out()

    def _make_grid(self) -> None:
        self._title = Title(self)
        self.grid = LensGrid(self)
        self.grid.setObjectName("lensHeatmap")
        self.grid.set_square(False)
        self.grid.setMinimumHeight(LOWEST_GRID)
        self.grid.cell_chosen.connect(self._choose_cell)
        self.grid.cell_hovered.connect(self._hover_cell)
        self.grid.let_go.connect(self.session.selection.let_go)
        self.grid.zoom_changed.connect(self.remarks_changed)
        self.grid.context_requested.connect(
            lambda row, column, where: self.context_requested.emit(self._stream_cell(row, column), where)
        )

    def _make_contributions(self) -> None:
        self.token = self._chooser("lensToken", "Logit of", "Whose logit is taken apart", self._choose_token)
        self.minus = self._chooser(
            "lensMinus", "Less the logit of", "Take apart a difference of two logits", self._choose_minus
        )
        self.by_size = QCheckBox("Largest first", self)
        self.by_size.setObjectName("lensBySize")
        self.by_size.setToolTip("Order the parts by size, not by their order in the model")
        self.by_size.toggled.connect(lambda _on: self._show_contributions())
        self.bars = ContributionBars(self)
        self.bars.chosen.connect(self._choose_part)
        self.bars.let_go.connect(self.session.selection.let_go)
        self.bars.current_moved.connect(self._bring_into_view)
        self._sum = ElidedLabel(self)
        self._sum.setObjectName("lensSum")
        self._area = QScrollArea(self)
        self._area.setWidget(self.bars)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setMinimumHeight(round(3 * ROW_HEIGHT))

    def _lay_out(self) -> None:
        upper, lower = QWidget(self), QWidget(self)
        above, below = QVBoxLayout(upper), QVBoxLayout(lower)
        chooser = QHBoxLayout()
        for widget in (self.token, QLabel("minus", lower), self.minus):
            chooser.addWidget(widget, 1 if isinstance(widget, QComboBox) else 0)
        for column in (above, below):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(4)
        above.addWidget(self._title)
        above.addWidget(self.grid, 1)
        below.addLayout(chooser)
        below.addWidget(self._sum)
        below.addWidget(self._area, 1)
        below.addWidget(self.by_size, 0, Qt.AlignmentFlag.AlignRight)
        splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(upper)
        splitter.addWidget(lower)
        splitter.setSizes([100, 100])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addWidget(splitter)

    def _chooser(self, name: str, accessible: str, tip: str, chosen: object) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(name)
        box.setAccessibleName(accessible)
        box.setToolTip(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(3)
        box.activated.connect(chosen)
        return box

    def _bring_into_view(self, row: int) -> None:
        self._area.ensureVisible(0, round((row + 0.5) * ROW_HEIGHT), 0, round(ROW_HEIGHT))

    # -- following the session

    def remarks(self) -> list[Remark]:
        return zoom_remarks((self.grid,))

    def refresh(self) -> None:
        """Read the pass under the cursor, unless that has been done."""
        trace, result, now = self.session.trace, self.result, self.session.selection.now
        if result is None or trace is None or not len(trace.tokens):
            self._work.cancel()
            self._read = self._asked = None
            self.grid.set_empty(COMPUTING if result is None else EMPTY)
            self._title.set_words("Logit lens", "")
            if result is None:  # a token that was chosen is one of another model's
                self._token = self._minus = None
            self._offered = []
            for box in (self.token, self.minus):
                box.clear()
            self._show_contributions()
            return
        base = self.session.baseline_trace
        if now.comparison == "baseline" and base is not None:
            trace, base = base, None
        position = now.row if now.row is not None and now.row < len(trace.tokens) else len(trace.tokens) - 1
        asked, had = (trace, base, position), self._asked
        if had is not None and had[0] is trace and had[1] is base and had[2] == position:
            if self._read is not None and self._compared != (now.comparison == "difference"):
                self._show(self._read)
            self._mark()
            self._show_contributions()
            return
        self._asked = asked
        small = cost(trace, len(trace.tokens)) * (1 if base is None else 2) <= AT_ONCE
        state, read = result.state, trace
        self._work.request(lambda: _reading(state, read, base, position), at_once=small)

    def forget(self) -> None:
        self._work.cancel()
        self._read = self._asked = None

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        cares = ("step", "row", "cell", "block", "head", "comparison")
        if any(getattr(before, field) != getattr(now, field) for field in cares):
            self.refresh_if_seen()

    def theme_changed(self) -> None:
        if not self.isVisible():  # what was read may be of another model than the one that is open by now
            self._behind = True
            self.forget()
        elif self._read is not None:
            self._show(self._read)

    def _show(self, read: _Read) -> None:
        self._read, self._compared = read, self.session.selection.now.comparison == "difference"
        opened, seen = read.state.opened, read.seen
        ids = read.trace.tokens.tolist()
        compared = read.base is not None and self.session.selection.now.comparison == "difference"
        self.grid.show_lens(opened, ids, seen, read.base, compared)
        streams, count = len(seen.names), len(ids)
        shape = f"[{streams}, {count}]" if len(seen.positions) == count else f"position {seen.position} of {count}"
        read_out = "x W_U" if read.state.model.config.normalization_type is None else "Norm(x) W_U"
        shown = "value" if self.session.baseline_trace is None else self.session.selection.now.comparison
        self._title.set_words(f"Logit lens{ADDED[shown]}", f"softmax({read_out}) of each residual stream {shape}")
        self._offer()
        self._mark()
        self._show_contributions()

    def _mark(self) -> None:
        if self._read is not None:
            row = self.session.selection.now.row
            positions = self._read.seen.positions
            self.grid.set_selection(None, positions.index(row) if row in positions else None)

    # -- contributions

    def _offer(self) -> None:
        """Fill the choosers: every token of a small vocabulary, the most probable of a large one."""
        assert self._read is not None
        opened, logits = self._read.state.opened, self._read.seen.part["logits"][0]
        offered = largest(logits, OFFERED, nan_first=True).tolist()
        if len(logits) <= OFFERED:
            offered = list(range(len(logits)))
        self._token, self._minus = (
            t if t is not None and t < len(logits) else None for t in (self._token, self._minus)
        )
        offered += [t for t in (self._token, self._minus) if t is not None and t not in offered]
        if offered != self._offered or self.token.count() != len(offered) + 1:
            self._offered = offered
            names = [f"{token_label(opened, t)}" for t in offered]
            for box, first in ((self.token, "Top token"), (self.minus, "Nothing")):
                box.clear()
                box.addItems([first, *names])
        for box, chosen in ((self.token, self._token), (self.minus, self._minus)):
            box.setCurrentIndex(0 if chosen is None else self._offered.index(chosen) + 1)

    def _chosen_token(self, read: _Read) -> int:
        """The token whose logit is taken apart: that of the chooser, or of the chosen cell, or the most probable."""
        if self._token is not None:
            return self._token
        cell = self.session.selection.now.cell
        about_logit = cell is not None and cell.kind == "activation" and cell.name in ("logits", "probs")
        if cell is not None and about_logit and cell.cell[0] == read.seen.position:
            return cell.cell[1]
        return int(largest(read.seen.part["logits"][0], 1, nan_first=True)[0])

    def _show_contributions(self) -> None:
        read = self._read
        for widget in (self.token, self.minus, self.by_size):
            widget.setEnabled(read is not None)
        if read is None:
            self.bars.set_bars((), None)
            self._sum.setText("")
            return
        token, minus = self._chosen_token(read), self._minus
        parts = contributions(read.seen.part, token, minus)
        compared = read.base is not None and self.session.selection.now.comparison == "difference"
        if compared and read.base is not None:
            parts = less(parts, contributions(read.base.part, token, minus))
        blocks = read.state.model.config.n_layers
        bars = [Bar(contribution_words(part, blocks), part.value, (part.name, part.head)) for part in parts]
        if self.by_size.isChecked():
            bars.sort(key=lambda bar: -np.inf if np.isnan(bar.value) else -abs(bar.value))
        self.bars.set_bars(tuple(bars), self._chosen_part(parts))
        self._sum.setText(self._sum_words(read, parts, token, compared))

    def _sum_words(self, read: _Read, parts: list[Contribution], token: int, compared: bool) -> str:
        opened, position = read.state.opened, read.seen.position
        label = with_position(token_label(opened, int(read.trace.tokens[position])), position)
        what = f"the logit of {token_label(opened, token)}"
        if self._minus is not None:
            what += f" less that of {token_label(opened, self._minus)}"
        if compared:
            what = f"the change of {what} against the baseline"
        return f"Σ = {short(sum(part.value for part in parts), 5)}, {what} after {label}"

    def _chosen_part(self, parts: list[Contribution]) -> tuple[str, int | None] | None:
        """The part that the chosen cell belongs to."""
        cell = self.session.selection.now.cell
        if cell is None:
            return None
        for part in parts:
            if part.name == cell.name and (part.head is None or part.head == cell.cell[1]):
                return part.name, part.head
        return None

    # -- what the user does

    def _choose_token(self, index: int) -> None:
        self._token = self._offered[index - 1] if index else None
        self._show_contributions()

    def _choose_minus(self, index: int) -> None:
        self._minus = self._offered[index - 1] if index else None
        self._show_contributions()

    def _stream_cell(self, row: int, column: int) -> CellRef | None:
        """The largest number of a residual stream at a position: a cell to stand for it."""
        if self._read is None or row < 0:
            return None
        seen = self._read.seen
        name, position = seen.names[row], seen.positions[column]
        return CellRef("activation", name, (position, _largest(self._read.trace[name][position])))

    def _choose_cell(self, row: int, column: int) -> None:
        cell = self._stream_cell(row, column)
        if cell is not None:
            choose_cell(self.session, cell)

    def _hover_cell(self, row: int, column: int) -> None:
        self.session.selection.hover(self._stream_cell(row, column) if row >= 0 else None)

    def _choose_part(self, key: tuple[str, int | None]) -> None:
        """Choose the head or part of a bar, and the largest number that it writes to be explained."""
        read = self._read
        if read is None or key[0] == "interventions":
            return
        (name, head), position = key, read.seen.position
        if name in read.state.model.parameters:
            ref = CellRef("parameter", name, (_largest(read.state.model.parameters[name]),))
        else:
            vector = read.seen.part[name][0] if head is None else read.seen.part[name][0, head]
            place = (position, _largest(vector)) if head is None else (position, head, _largest(vector))
            ref = CellRef("activation", name, place)
        choose_cell(self.session, ref, row=position, key=None)


def _reading(state: State, trace: Trace, base: Trace | None, position: int) -> Generator[float, None, _Read]:
    seen = yield from lens(trace, position)
    other = None
    if base is not None:
        other = yield from lens(base, position, seen.tokens[:, :, 0])
    return _Read(state, trace, seen, other)


def _largest(vector: np.ndarray) -> int:
    return int(np.argmax(np.nan_to_num(np.abs(vector), nan=np.inf)))
