"""The flow panel: every stage of the pass as connected matrices, from the embeddings to the probabilities."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAction, QHideEvent, QKeySequence
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from visualizer.engine.names import block_of
from visualizer.engine.sampling import top_tokens
from visualizer.engine.trace import Trace
from visualizer.session.analysis.cell_sources import sources_of
from visualizer.session.analysis.stages import sections_of
from visualizer.session.evaluation.evaluate import SHOWN_TOKENS
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.look.theme import number_font
from visualizer.ui.panels.flow.canvas import ZOOM_STEP, FlowCanvas, Place
from visualizer.ui.panels.flow.content import FlowContent
from visualizer.ui.panels.flow.layout import Tile, lay_out
from visualizer.ui.panels.flow.marks import marks_of
from visualizer.ui.widgets.buttons import action_button
from visualizer.ui.widgets.labels import ElidedLabel

NOTHING = "The prompt is empty. Type a few tokens to see how they flow through the model."
HINT = "Click a cell: where it comes from. Ctrl+wheel: nearer."


class FlowPanel(SessionPanel):
    """A canvas with all stages; choosers for block and head above it, the cell under the cursor below."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("flowPanel")
        self.setAccessibleName("Flow")
        self._laid_out_for: object = None
        self._fitted_model: object = None
        self._content: FlowContent | None = None
        self._sources: tuple[CellRef, ...] = ()
        self._choosing = False
        self.canvas = FlowCanvas(self)
        self._make_actions()
        self._lay_out()
        self.canvas.cell_hovered.connect(self._cell_hovered)
        self.canvas.cell_chosen.connect(self._cell_chosen)
        self.canvas.let_go.connect(session.selection.let_go)
        self.canvas.context_requested.connect(self._context)
        end_hover = session.selection.subscribe_hover(self._hover_changed)
        self.destroyed.connect(lambda: end_hover())

    # -- building

    def _make_actions(self) -> None:
        for name, text, tip, shortcut, run in (
            ("flow_zoom_in", "Zoom in", "Nearer (+ or Ctrl+wheel)", "", lambda: self.canvas.zoom_by(ZOOM_STEP)),
            ("flow_zoom_out", "Zoom out", "Farther (− or Ctrl+wheel)", "", lambda: self.canvas.zoom_by(1 / ZOOM_STEP)),
            ("flow_fit_block", "Fit block", "Show the chosen block in its whole width (0)", "0", self._fit_block),
            ("flow_fit_stack", "Whole stack", "Show all blocks at once (Ctrl+0)", "Ctrl+0", self.canvas.fit_stack),
        ):
            action = QAction(f"Flow: {text.lower()}", self)
            action.setIconText({"Zoom in": "+", "Zoom out": "−"}.get(text, text))
            action.setToolTip(tip)
            action.triggered.connect(run)
            if shortcut:
                action.setShortcut(QKeySequence(shortcut))
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
        bar.addStretch(1)
        for name in ("flow_fit_block", "flow_fit_stack", "flow_zoom_out", "flow_zoom_in"):
            bar.addWidget(action_button(self.actions_by_name[name], name, self, flat=True))
        self._readout = ElidedLabel(self)
        self._readout.setText(HINT)
        self._readout.setObjectName("flowReadout")
        self._readout.setAccessibleName("The number under the cursor")
        self._readout.setFont(number_font(self.font().pointSizeF() * 0.95))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self._readout)

    # -- what the session tells

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        """Draw other numbers where they are another step's, head's or comparison's; else move the marks."""
        if not self.isVisible():
            self._behind = True
            return
        numbers = (before.step, before.head, before.comparison) != (now.step, now.head, now.comparison)
        if numbers or self._content is None:
            self.refresh()
        else:
            self._fill_choosers()
            if before.cell != now.cell:
                self._find_sources()
            self._content.block = now.block
            self._mark()
        if before.block != now.block:
            self.canvas.viewport().update()
            if not self._choosing:
                self.canvas.bring_block(now.block)

    def refresh(self) -> None:
        """Show the pass of the step under the cursor."""
        trace = self.session.trace
        self._fill_choosers()
        if trace is None or not len(trace.tokens):
            self._content = None
            self._laid_out_for = None
            self.canvas.set_empty(COMPUTING if self.result is None else NOTHING)
            self._readout.setText("")
            return
        content = FlowContent(self.session)
        shown = self._vocabulary(trace)
        key = (trace.graph, tuple(map(int, trace.tokens)) if shown else len(trace.tokens), tuple(shown))
        self._content = content
        self.canvas.set_content(content)
        if key != self._laid_out_for:
            self._laid_out_for = key
            config = self.session.document.state.model.config if self.result is None else self.result.state.model.config
            self.canvas.set_scene(lay_out(sections_of(trace, config, shown)))
            if self._fitted_model is not trace.graph:
                self._fitted_model = trace.graph
                self._fit_block()
        self._find_sources()
        self._mark()
        self._say(self.session.selection.hovered)

    def forget(self) -> None:
        self._content = None
        self.canvas.set_content(None)

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
        if self._content is not None:
            selection = self.session.selection
            tiles, values = self.canvas.scene.tiles, self._content.values
            self.canvas.set_marks(marks_of(tiles, values, selection.now, selection.hovered, self._sources))

    def _hover_changed(self, ref: CellRef | None) -> None:
        if self.isVisible():
            self._mark()
            self._say(ref)

    def _say(self, ref: CellRef | None) -> None:
        """The hovered number below the canvas, wherever it is hovered."""
        for i, tile in enumerate(self.canvas.scene.tiles):
            if ref is not None and self._content is not None and tile.matrix.name == ref.name:
                place = self._content.values.place(tile.matrix, ref)
                if place is not None:
                    self._readout.setText(self.canvas.readout((i, *place)))
                    return
        self._readout.setText(HINT)

    # -- what the user does

    def _ref(self, place: Place) -> CellRef | None:
        if self._content is None or place[0] >= len(self.canvas.scene.tiles):
            return None
        return self._content.values.cell(self._tile(place).matrix, place[1], place[2])

    def _tile(self, place: Place) -> Tile:
        return self.canvas.scene.tiles[place[0]]

    def _cell_hovered(self, place: Place | None) -> None:
        self.session.selection.hover(self._ref(place) if place is not None else None)

    def _cell_chosen(self, place: Place) -> None:
        ref, selection = self._ref(place), self.session.selection
        if ref is None:
            return
        if selection.now.cell == ref:
            selection.let_go()
            return
        changes: dict[str, object] = {"cell": ref}
        block = block_of(ref.name)
        if block is not None:
            changes["block"] = block
        if ref.kind == "parameter":
            changes["parameter"] = ref.name
        else:
            matrix = self._tile(place).matrix
            changes["row"] = place[1] if matrix.row_ids is None else matrix.row_ids[place[1]]
            changes["key"] = place[2] if matrix.plane[1] == "key" else None
        self._choosing = True
        selection.choose(**changes)
        self._choosing = False

    def _context(self, place: Place, where: QPoint) -> None:
        ref = self._ref(place)
        if ref is not None:
            self.context_requested.emit(ref, where)

    def _choose_block(self, block: int) -> None:
        if block == self.session.selection.now.block:
            self._fit_block()
        else:
            self.session.selection.choose(block=block, cell=None)
            self._fit_block()

    def _choose_head(self, head: int) -> None:
        self.session.selection.choose(head=head, cell=None)

    def _fit_block(self) -> None:
        self.canvas.fit_block(self.session.selection.now.block)

    # -- Qt

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.session.selection.hover(None)
