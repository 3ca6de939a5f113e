"""The heads panel: every layer and head at once, sorted by what they do, one of them close up."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtGui import QAction, QActionGroup, QHideEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QToolButton, QWidget

from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import about_pass, token_label
from visualizer.session.words.comparison import ADDED
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.panels.heads.layout import MODEL, ORDERS, share
from visualizer.ui.panels.heads.mosaic import HeadMosaic
from visualizer.ui.panels.heads.picture import EMPTY
from visualizer.ui.panels.heads.preview import HeadPreview
from visualizer.ui.panels.heads.random import RandomText
from visualizer.ui.panels.heads.tiles import Heads
from visualizer.ui.widgets.buttons import action_button
from visualizer.ui.widgets.title import Title

#: Panels smaller than this have no room for the head close up; its words are in the tooltip.
SMALLEST_WIDTH, SMALLEST_HEIGHT = 420, 330


class HeadsPanel(SessionPanel):
    """All heads as one mosaic. Pointing previews a head, a click chooses it, another click or Esc lets go.

    There is always a head that the other panels show; letting go takes the accent from it and the chosen row and
    cell from all panels.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("headsPanel")
        self.setAccessibleName("Heads")
        self._order, self._message = MODEL, COMPUTING
        self._held = False
        self._heads: Heads | None = None  # what is shown
        self._coming: Heads | None = None  # what is being read
        self.random = RandomText(self)
        self.random.ready.connect(self.refresh_if_seen)
        self._portions = QTimer(self)
        self._portions.setInterval(0)
        self._portions.timeout.connect(self._read_on)
        self.mosaic, self.preview = HeadMosaic(self), HeadPreview(self)
        self._build()
        self._connect()

    # -- building

    def _build(self) -> None:
        self.title = Title(self)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.title, 1)
        head.addWidget(self._order_chooser())
        head.addWidget(self._random_button())
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(8)
        self._body.addWidget(self.mosaic)
        self._body.addWidget(self.preview)
        column = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(head)
        column.addLayout(self._body, 1)

    def _order_chooser(self) -> QComboBox:
        self._chooser = QComboBox(self)
        self._chooser.setObjectName("headOrder")
        self._chooser.setAccessibleName("Order of the heads")
        self._chooser.setToolTip("In which order the heads lie: as in the model, or by what they do, measured")
        group = QActionGroup(self)
        for order, words in ORDERS.items():
            self._chooser.addItem(words, order)
            action = QAction(f"Sort heads: {words[0].lower()}{words[1:]}", self, checkable=True)
            action.setChecked(order == self._order)
            action.triggered.connect(partial(self.set_order, order))
            group.addAction(action)
            self.actions_by_name[f"heads_{order}"] = action
        self._chooser.activated.connect(lambda index: self.set_order(self._chooser.itemData(index)))
        return self._chooser

    def _random_button(self) -> QToolButton:
        self._on_random = QAction("Measure heads on repeated random text", self, checkable=True)
        self._on_random.setIconText("Random text, twice")
        self._on_random.setToolTip(
            "Show and measure the heads on a random sequence that is repeated, in place of the prompt:\n"
            "what follows can be foretold only by looking back, so induction heads stand out"
        )
        self._on_random.toggled.connect(self.refresh_if_seen)
        self.actions_by_name["heads_random_text"] = self._on_random
        fit = QAction("Heads: view all", self)
        fit.setToolTip("Show all heads again after zooming (0 in the mosaic)")
        fit.triggered.connect(self.mosaic.fit)
        self.actions_by_name["heads_fit"] = fit
        return action_button(self._on_random, "headsOnRandomText", self)

    def _connect(self) -> None:
        mosaic = self.mosaic
        mosaic.hovered.connect(self._pointed)
        mosaic.clicked.connect(self._clicked)
        mosaic.moved.connect(self._choose)
        mosaic.let_go.connect(self._let_go)
        mosaic.context_requested.connect(self._context)
        mosaic.view_box().sigRangeChanged.connect(lambda *_range: self._say())
        heatmap = self.preview.heatmap
        heatmap.cell_hovered.connect(self._hover_cell)
        heatmap.cell_chosen.connect(self._choose_cell)
        heatmap.let_go.connect(self._let_go)
        heatmap.context_requested.connect(self._cell_context)

    # -- what is shown

    @property
    def heads(self) -> Heads | None:
        """What is on screen; None before the first result and for an empty context."""
        return self._heads

    def set_order(self, order: str) -> None:
        """Sort or group the heads. Raises KeyError for an unknown order."""
        self.actions_by_name[f"heads_{order}"].setChecked(True)
        self._chooser.setCurrentIndex(list(ORDERS).index(order))
        if order != self._order:
            self._order = order
            self._fill()
            self.mosaic.bring_into_view(self.mosaic.current)

    def refresh(self) -> None:
        """Show the pass under the cursor: at once if it is small, else in portions between other events."""
        now = self.session.selection.now
        traces = self._traces()
        config = self.session.document.state.model.config
        if traces is None or self.result is None:
            other = self._heads is None or self._heads.shape != (config.n_layers, config.n_heads)
            if other or self.result is None:  # of another model nothing is left standing
                self._coming = None
                self._portions.stop()
                self._show(None, "computing …")
            self._say()
            return
        trace, baseline = traces
        if trace is None or not len(trace.tokens):
            self._coming = None
            self._portions.stop()
            self._show(None, EMPTY)
            return
        if self._coming is not None and self._coming.is_of(trace, baseline, now.comparison):
            return
        if self._heads is not None and self._heads.is_of(trace, baseline, now.comparison):
            self._coming = None
            self._portions.stop()
            self._mark()
            return
        measured = self.random.scores if self._on_random.isChecked() else None
        self._coming = Heads(trace, baseline, now.comparison, self._labels(trace), measured)
        self._read_on()
        if self._coming is not None:
            self._portions.start()
            self._say()

    def forget(self) -> None:
        self._coming = None
        self._portions.stop()
        self.random.forget()
        if self._heads is not None:
            self._show(None, COMPUTING)

    def _traces(self) -> tuple[Trace | None, Trace | None] | None:
        """The passes to show and to compare with; None while they are being made."""
        if not self._on_random.isChecked():
            return self.session.trace, self.session.baseline_trace
        state = self.session.document.state
        if state.model.config.n_ctx < 2:
            self.message.emit("A context of one token has no room for a text that repeats itself")
            self._on_random.setChecked(False)
            return None
        pinned = None if state.baseline is None else state.baseline.model
        if not self.random.want(state.model, pinned):
            return None
        assert self.random.passes is not None
        return self.random.passes

    def _labels(self, trace: Trace) -> tuple[str, ...]:
        return tuple(token_label(self._opened(), int(token)) for token in trace.tokens)

    def _read_on(self) -> None:
        """One portion of what is to be shown; the rest when nothing else is due."""
        coming = self._coming
        if coming is None or not self.isVisible():
            self._portions.stop()
            self._behind = self._behind or coming is not None
            self._coming = None
        elif coming.advance():
            self._portions.stop()
            self._coming = None
            self._show(coming)

    def _show(self, heads: Heads | None, message: str = "") -> None:
        self._heads, self._message = heads, message
        self._share_room()
        self._fill()
        self._mark()

    def _fill(self) -> None:
        about = "" if self._heads is None else self._about(self._heads)
        self.mosaic.set_heads(self._heads, self._order, self._message, about)

    def _about(self, heads: Heads, *where: int) -> str:
        """For a caption: which model, which block and head, which text."""
        if not self._is_random(heads):
            return about_pass(self._opened(), heads.trace.tokens.tolist(), *where)
        place = "block {}, head {} · ".format(*where) if where else ""
        return f"{self._opened().name} · {place}{heads.count // 2} random tokens, twice"

    def _opened(self) -> OpenedModel:
        """The model of what is shown: a result may be of the model before."""
        state = self.session.document.state if self._on_random.isChecked() or self.result is None else self.result.state
        return state.opened

    def _is_random(self, heads: Heads) -> bool:
        """Whether what is shown is the random text, and not the prompt."""
        return self.random.passes is not None and self.random.passes[0] is heads.trace

    def _mark(self) -> None:
        """Frame the head that the other panels show, and have it close up."""
        now = self.session.selection.now
        layers, per_layer = (1, 1) if self._heads is None else self._heads.shape
        there = now.block < layers and now.head < per_layer  # not yet, while a larger model's pass is being made
        self.mosaic.set_current(now.block * per_layer + now.head if there else 0, self._held)
        self._preview(self.mosaic.current)
        self._say()

    def _say(self) -> None:
        heads = self._heads
        if heads is None:
            self.title.set_words("", "")
            return
        layers, per_layer = heads.shape
        text = f"{heads.count // 2} random tokens, twice" if self._is_random(heads) else f"{heads.count} tokens"
        compared = f"weights{ADDED[heads.comparison]} · " if ADDED[heads.comparison] else ""
        waiting = self._coming is not None or self._on_random.isChecked() != self._is_random(heads)
        zoomed = f" · zoomed {self.mosaic.zoomed:.1f}×" if self.mosaic.zoomed > 1.01 else ""
        reading = " · reading …" if waiting else ""
        shape = f"{layers} block{'s' * (layers > 1)} × {per_layer} head{'s' * (per_layer > 1)}"
        self.title.set_words(shape, f"{compared}{text}{zoomed}{reading}")

    def _preview(self, head: int) -> None:
        heads = self._heads
        about = self._message if heads is None else self._about(heads, *self._place(head))
        self.preview.set_head(heads, head, self._opened(), about)
        now = self.session.selection.now
        here = heads is not None and head == self.mosaic.current and not self._is_random(heads)
        count = heads.count if heads is not None and here else 0
        row, key = (place if place is not None and place < count else None for place in (now.row, now.key))
        self.preview.heatmap.set_selection(row, None if row is None else key)

    # -- what the user does

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if (before.block, before.head) != (now.block, now.head):
            self._held = True
        elif (before.row, before.cell) != (now.row, now.cell) and now.row is None and now.cell is None:
            self._held = False
        self.refresh_if_seen()
        if self.isVisible() and (before.block, before.head) != (now.block, now.head):
            self.mosaic.bring_into_view(self.mosaic.current)

    def _place(self, head: int) -> tuple[int, int]:
        per_layer = 1 if self._heads is None else self._heads.shape[1]
        return divmod(head, per_layer)

    def _choose(self, head: int) -> None:
        block, number = self._place(head)
        now = self.session.selection.now
        self._held = True
        if (now.block, now.head) == (block, number):
            self._mark()
        else:
            self.session.selection.choose(block=block, head=number, cell=None)

    def _clicked(self, head: int) -> None:
        if self._held and head == self.mosaic.current:
            self._let_go()
        else:
            self._choose(head)

    def _let_go(self) -> None:
        self.session.selection.let_go()
        self._held = False
        self._mark()

    def _pointed(self, cell: tuple[int, int, int] | None) -> None:
        self._preview(self.mosaic.current if cell is None else cell[0])
        self.session.selection.hover(None if cell is None else self._ref(cell))

    def _hover_cell(self, row: int, column: int) -> None:
        """A number of the head close up is under the mouse."""
        self.session.selection.hover(None if row < 0 else self._ref((self.preview.head, row, column)))

    def _choose_cell(self, row: int, column: int) -> None:
        """Explain a number of the head close up."""
        ref = self._ref((self.preview.head, row, column))
        if ref is None:
            self.message.emit("Numbers of a random text are not explained: show the heads on the prompt")
            return
        block, number = self._place(self.preview.head)
        self._held = True
        self.session.selection.choose(block=block, head=number, row=row, key=column, cell=ref)

    def _ref(self, cell: tuple[int, int, int]) -> CellRef | None:
        """The number under the mouse; None where several share the pixel, and for a text that is not the prompt's."""
        head, query, key = cell
        if query < 0 or self._heads is None or self._is_random(self._heads):
            return None
        block, number = self._place(head)
        return CellRef("activation", f"blocks.{block}.attn.pattern", (number, query, key))

    def _context(self, cell: tuple[int, int, int], where: QPoint) -> None:
        """A menu for a number of a head; where none is under the mouse, for its first, and for what is drawn alone."""
        self.context_requested.emit(self._ref(cell) or self._ref((cell[0], 0, 0)), where)

    def _cell_context(self, row: int, column: int, where: QPoint) -> None:
        """A menu for a number of the head close up, or for its colour bar."""
        self.context_requested.emit(self._ref((self.preview.head, row, column)), where)

    # -- Qt

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.session.selection.hover(None)

    def theme_changed(self) -> None:
        """Everything drawn is keyed on the theme."""
        self.mosaic.theme_changed()
        self._preview(self.preview.head)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """Give mosaic and the head close up such parts of the panel that both are large."""
        width, height = self.width(), self.height()
        rows, columns = (1, 1) if self._heads is None else self._heads.shape
        beside, part = share(width, height, rows, columns)
        roomy = width >= SMALLEST_WIDTH if beside else height >= SMALLEST_HEIGHT
        self.preview.setVisible(roomy and self._heads is not None)
        self._body.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self._body.setStretch(0, round(part))
        self._body.setStretch(1, round((width if beside else height) - part))
