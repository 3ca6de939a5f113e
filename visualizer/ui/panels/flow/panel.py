"""The flow panel: the whole pass in one picture, from the prompt to the probabilities."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAction, QHideEvent, QKeySequence
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from visualizer.engine.sampling import top_tokens
from visualizer.engine.trace import Trace
from visualizer.session.analysis.cell_sources import sources_of
from visualizer.session.analysis.choose_cell import choose_cell
from visualizer.session.analysis.stages import sections_of
from visualizer.session.analysis.stations import Station, stations_of
from visualizer.session.evaluation.evaluate import SHOWN_TOKENS
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.bridge.remarks import Remark, part_remark, zoom_remarks
from visualizer.ui.look.theme import number_font
from visualizer.ui.panels.flow.canvas import FlowCanvas, Place
from visualizer.ui.panels.flow.content import FlowContent
from visualizer.ui.panels.flow.legend import Legend
from visualizer.ui.panels.flow.marks import marks_of
from visualizer.ui.widgets.buttons import action_button
from visualizer.ui.widgets.labels import ElidedLabel
from visualizer.ui.widgets.zoom_keys import ZOOM_STEP

NOTHING = "The prompt is empty. Type a few tokens to see how they flow through the model."
HINT = "Click a cell: where it comes from. Wheel: nearer. 0: all of it."
NEAR = 12.0  # logical pixels of a weight's sides from which on a click means that weight, not all of them


class FlowPanel(SessionPanel):
    """The picture; choosers for block and head above it, legend and the cell under the cursor below."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("flowPanel")
        self.setAccessibleName("Flow")
        self._stations_for: tuple[Any, ...] = ()
        self._stations: tuple[Station, ...] = ()
        self._model: object = None
        self._opened: frozenset[int] = frozenset({0})
        self._followed: int | None = 0  # the block that is open because it is chosen elsewhere
        self._sources: tuple[CellRef, ...] = ()
        self.canvas = FlowCanvas(self)
        self._make_actions()
        self._lay_out()
        self.canvas.laid_out.connect(self._mark)
        self.canvas.zoom_changed.connect(self.remarks_changed)
        self.canvas.cell_hovered.connect(self._cell_hovered)
        self.canvas.cell_chosen.connect(self._cell_chosen)
        self.canvas.head_chosen.connect(self._head_chosen)
        self.canvas.block_toggled.connect(self.toggle_block)
        self.canvas.row_chosen.connect(self._row_chosen)
        self.canvas.let_go.connect(session.selection.let_go)
        self.canvas.context_requested.connect(self._context)
        end_hover = session.selection.subscribe_hover(self._hover_changed)
        self.destroyed.connect(lambda: end_hover())

    # -- building

    def _make_actions(self) -> None:
        for name, text, tip, shortcut, run in (
            ("flow_every_step", "Every step", "Also what is computed on the way", "", self._every_step_switched),
            (
                "flow_open",
                "Open or close block",
                "The chosen one, or one column in its place",
                "",
                self._toggle_chosen,
            ),
            ("flow_zoom_out", "Zoom out", "Farther (− or the wheel)", "", lambda: self.canvas.zoom_by(1 / ZOOM_STEP)),
            ("flow_zoom_in", "Zoom in", "Nearer (+ or the wheel)", "", lambda: self.canvas.zoom_by(ZOOM_STEP)),
            ("flow_fit", "Fit", "Show the whole pass (0)", "0", self.canvas.fit),
        ):
            action = QAction(f"Flow: {text.lower()}", self)
            action.setIconText({"Zoom in": "+", "Zoom out": "−"}.get(text, text))
            action.setToolTip(tip)
            action.setCheckable(name == "flow_every_step")
            action.triggered.connect(run)
            if shortcut:
                action.setShortcuts([QKeySequence(shortcut), QKeySequence(f"Ctrl+{shortcut}")])
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self.addAction(action)
            self.actions_by_name[name] = action

    def _lay_out(self) -> None:
        self._block, self._head = QComboBox(self), QComboBox(self)
        self._where: list[tuple[QLabel, QComboBox]] = []
        bar = QHBoxLayout()
        bar.setContentsMargins(0, 0, 0, 0)
        bar.setSpacing(4)
        for text, box, chosen in (("Block", self._block, self._choose_block), ("Head", self._head, self._choose_head)):
            label = QLabel(text, self)
            label.setBuddy(box)
            box.setObjectName(f"flow{text}Chooser")
            box.setAccessibleName(text)
            box.setToolTip(f"The {text.lower()} that is shown")
            box.activated.connect(chosen)
            bar.addWidget(label)
            bar.addWidget(box)
            self._where.append((label, box))
        self._readout = ElidedLabel(self)
        self._readout.setText(HINT)
        self._readout.setObjectName("flowReadout")
        self._readout.setAccessibleName("The number under the cursor")
        self._readout.setFont(number_font(self.font().pointSizeF() * 0.95))
        bar.addStretch(1)
        for name in ("flow_every_step", "flow_fit", "flow_zoom_out", "flow_zoom_in"):
            bar.addWidget(action_button(self.actions_by_name[name], name, self, flat=True))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 2)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self._readout)
        layout.addWidget(Legend(self))

    # -- what the session tells

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        """Draw other numbers where they are another step's, head's or comparison's; else move the marks."""
        if not self.isVisible():
            self._behind = True
            return
        self._follow(before.block, now.block)
        drawn = (before.step, before.block, before.head, before.comparison, before.score_stage)
        same = drawn == (now.step, now.block, now.head, now.comparison, now.score_stage)
        if not same or self.canvas.content is None or self.canvas.opened != self._opened:
            self.refresh()
            return
        if before.cell != now.cell:
            self._find_sources()
        self._mark()

    def _follow(self, before: int, now: int) -> None:
        """A block that is chosen elsewhere is opened, and the one closed that was open for the same reason."""
        if before != now and now not in self._opened:
            self._opened = self._opened - {self._followed} | {now}
            self._followed = now

    def refresh(self) -> None:
        """Show the pass of the step under the cursor."""
        trace = self.session.trace
        self._fill_choosers()
        if trace is None or not len(trace.tokens):
            self.canvas.show_nothing(COMPUTING if self.result is None else NOTHING)
            self._stations_for = ()
            self._readout.setText("")
            return
        if self._model is not trace.graph:
            now = self.session.selection.now.block
            self._model, self._opened, self._followed, self.canvas.fitted = trace.graph, frozenset({now}), now, True
        self.canvas.show_pass(FlowContent(self.session), self._stations_of(trace), self._opened)
        self._find_sources()
        self._mark()
        self._say(self.session.selection.hovered)

    def forget(self) -> None:
        self.canvas.show_nothing()
        self._stations_for = ()

    def _stations_of(self, trace: Trace) -> tuple[Station, ...]:
        """The stations of a pass: the same object as long as they are the same."""
        shown = self._vocabulary(trace)
        tokens = tuple(map(int, trace.tokens)) if shown else len(trace.tokens)
        every = self.actions_by_name["flow_every_step"].isChecked()
        stage = self.session.selection.now.score_stage
        key = (trace.graph, tokens, tuple(shown), every, stage)
        if key != self._stations_for:
            self._stations_for = key
            config = self.session.document.state.model.config if self.result is None else self.result.state.model.config
            self._stations = stations_of(sections_of(trace, config, shown), every, stage)
        return self._stations

    def _vocabulary(self, trace: Trace) -> list[int]:
        """The tokens that are shown of a large vocabulary: the most probable next ones."""
        result = self.result
        if result is None or trace.graph.producer["logits"] in trace.graph.eager:
            return []
        return top_tokens(result.steps[self.session.shown_step].probs, SHOWN_TOKENS)

    def _fill_choosers(self) -> None:
        config, now = self.session.document.state.model.config, self.session.selection.now
        counts = (config.n_layers, config.n_heads)
        for (label, box), count, chosen in zip(self._where, counts, (now.block, now.head), strict=True):
            if box.count() != count:
                box.clear()
                box.addItems([str(i) for i in range(count)])
            box.setCurrentIndex(chosen)
            box.setVisible(count > 1)
            label.setVisible(count > 1)

    def _find_sources(self) -> None:
        self._sources = sources_of(self.session.trace, self.session.selection.now.cell)

    def _mark(self) -> None:
        content, selection = self.canvas.content, self.session.selection
        if content is not None:
            landscape = self.canvas.landscape
            marks = marks_of(landscape, content.values, selection.now, selection.hovered, self._sources, content.keys)
            self.canvas.set_marks(marks)

    def _hover_changed(self, ref: CellRef | None) -> None:
        if self.isVisible():
            self._mark()
            self._say(ref)

    def _say(self, ref: CellRef | None) -> None:
        """The hovered number below the canvas, wherever it is hovered."""
        content = self.canvas.content
        for i, tile in enumerate(self.canvas.landscape.tiles):
            if ref is not None and content is not None and tile.matrix.name == ref.name:
                place = content.values.place(tile.matrix, ref)
                if place is not None:
                    self._readout.setText(self.canvas.readout((i, *place)))
                    return
        self._readout.setText(HINT)

    def remarks(self) -> list[Remark]:
        """How near the picture is, and how much of the vocabulary it shows."""
        size, shown = self.session.document.state.model.config.d_vocab, self._stations_for[2:3]
        part = part_remark(len(shown[0]), size, "tokens") if shown and shown[0] else []
        return [*zoom_remarks((self.canvas,)), *part]

    # -- what the user does

    def _ref(self, place: Place | None) -> CellRef | None:
        if place is None or self.canvas.content is None or place[0] >= len(self.canvas.landscape.tiles):
            return None
        return self.canvas.content.values.cell(self.canvas.landscape.tiles[place[0]].matrix, place[1], place[2])

    def _cell_hovered(self, place: Place | None) -> None:
        self.session.selection.hover(self._ref(place))

    def _cell_chosen(self, place: Place) -> None:
        ref, selection = self._ref(place), self.session.selection
        if ref is None:
            return
        if ref.kind == "parameter":
            tile = self.canvas.landscape.tiles[place[0]]
            self._open_weights(ref, self.canvas.camera.rect(tile.cell(0, 0)).toRect().size())
            return
        if selection.now.cell == ref:
            selection.let_go()
            return
        choose_cell(self.session, ref)

    def _open_weights(self, ref: CellRef, size: QSize) -> None:
        """The parameter in the grid; where its cells are near, that cell of it."""
        changes: dict[str, object] = {"parameter": ref.name}
        if min(size.width(), size.height()) >= NEAR:
            changes["cell"] = ref
        self.session.selection.choose(**changes)
        self.panel_wanted.emit("weightPanel")

    def _row_chosen(self, row: int) -> None:
        chosen = row == self.session.selection.now.row
        self.session.selection.choose(row=None if chosen else row, key=None, cell=None)

    def _head_chosen(self, block: int, head: int) -> None:
        self._opened |= {block}
        self._choose_or_refresh(block=block, head=head)

    def toggle_block(self, block: int) -> None:
        """Open a block that is one column, and choose it; make an open one a column."""
        if block in self._opened:
            self._opened -= {block}
            self.refresh_if_seen()
            return
        self._opened |= {block}
        self._choose_or_refresh(block=block)

    def _choose_or_refresh(self, **chosen: int) -> None:
        """Choose a block or head; where that is chosen already, only what is open has changed."""
        before = self.session.selection.now
        self.session.selection.choose(cell=None, **chosen)
        if before == self.session.selection.now:
            self.refresh_if_seen()

    def _toggle_chosen(self) -> None:
        self.toggle_block(self.session.selection.now.block)

    def _every_step_switched(self) -> None:
        self.refresh_if_seen()

    def _context(self, place: Place | None, where: QPoint) -> None:
        self.context_requested.emit(self._ref(place), where)

    def _choose_block(self, block: int) -> None:
        self.session.selection.choose(block=block, cell=None)

    def _choose_head(self, head: int) -> None:
        self.session.selection.choose(head=head, cell=None)

    # -- Qt

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.session.selection.hover(None)
