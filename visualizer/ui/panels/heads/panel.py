"""The heads panel: every layer and head at once, sorted by what they do, one of them close up."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup, QHideEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from visualizer.engine.trace import Trace
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.panels.heads.layout import LARGEST_SIDE, MODEL, ORDERS
from visualizer.ui.panels.heads.mosaic import EMPTY, HeadMosaic
from visualizer.ui.panels.heads.preview import HeadPreview
from visualizer.ui.panels.heads.random import RandomText
from visualizer.ui.panels.heads.tiles import Heads
from visualizer.ui.widgets.buttons import action_button

PREVIEW_WIDTH, PREVIEW_HEIGHT = 210, 150
#: Panels smaller than this have no room for the head close up; its words are in the tooltip.
SMALLEST_WIDTH, SMALLEST_HEIGHT = 420, 330
MOST_LABELS = 24
LARGEST = 16777215  # Qt's own largest size of a widget


class HeadsPanel(SessionPanel):
    """All heads as one mosaic. Pointing previews a head, a click chooses it, another click or Esc lets go.

    There is always a head that the other panels show; letting go takes the accent from it and the chosen row and
    cell from all panels.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("headsPanel")
        self.setAccessibleName("Heads")
        self._order = MODEL
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
        self.title = QLabel(self)
        self.title.setObjectName("headsTitle")
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._area = QScrollArea(self)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidgetResizable(True)
        self._area.setWidget(self.mosaic)
        self._area.viewport().installEventFilter(self)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        head.addWidget(self._order_chooser())
        head.addWidget(self._random_button())
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(8)
        self._body.addWidget(self._area, 1)
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
        return action_button(self._on_random, "headsOnRandomText", self)

    def _connect(self) -> None:
        mosaic = self.mosaic
        mosaic.hovered.connect(self._pointed)
        mosaic.clicked.connect(self._clicked)
        mosaic.moved.connect(self._choose)
        mosaic.let_go.connect(self._let_go)
        mosaic.context_requested.connect(self._context)

    # -- what is shown

    @property
    def heads(self) -> Heads | None:
        """What is on screen; None before the first result and for an empty context."""
        return self._heads

    @property
    def order(self) -> str:
        """In which of ORDERS the heads lie."""
        return self._order

    def set_order(self, order: str) -> None:
        """Sort or group the heads. Raises KeyError for an unknown order."""
        self.actions_by_name[f"heads_{order}"].setChecked(True)
        self._chooser.setCurrentIndex(list(ORDERS).index(order))
        if order != self._order:
            self._order = order
            self.mosaic.set_heads(self._heads, order)
            self._bring_into_view()

    def refresh(self) -> None:
        """Show the pass under the cursor: at once if it is small, else in portions between other events."""
        now = self.session.selection.now
        traces = self._traces()
        config = self.session.document.state.model.config
        if traces is None or self.result is None:
            if self._heads is None or self._heads.shape != (config.n_layers, config.n_heads):
                self._show(None, "computing …")
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
        self._coming = Heads(trace, baseline, now.comparison, self._labels(trace))
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
        """The tokens as text, where there is room for them."""
        if len(trace.tokens) > MOST_LABELS or self.result is None:
            return ()
        # A result may be of the model before, whose tokens the present one need not have.
        state = self.session.document.state if self._on_random.isChecked() else self.result.state
        return tuple(token_label(state.opened, int(token)) for token in trace.tokens)

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
        other = self._heads is None or heads is None or self._heads.shape != heads.shape
        self._heads = heads
        if other:
            self._share_room()
        self.mosaic.set_heads(heads, self._order, message)
        self._mark()

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
            self.title.setText("<b>Heads</b>")
            return
        layers, per_layer = heads.shape
        what = {
            "value": "softmax weights",
            "baseline": "weights of the baseline",
            "difference": "change of the weights",
        }
        text = f"{heads.count // 2} random tokens, twice" if self._on_random.isChecked() else f"{heads.count} tokens"
        reading = " · reading …" if self._coming is not None else ""
        words = f"{what[heads.comparison]} · {layers} × {per_layer} [block, head] · {text}{reading}"
        short = "" if heads.comparison == "value" else f"{what[heads.comparison]} · "
        self.title.setText(f"<b>Heads</b> {short}{layers} × {per_layer} · {text}{reading}")
        self.title.setToolTip(words)

    def _preview(self, head: int) -> None:
        self.preview.set_head(self._heads, head)

    def _bring_into_view(self) -> None:
        layout = self.mosaic.layout_now()
        if layout is not None and self.mosaic.current in layout.places:
            centre = layout.rect(self.mosaic.current).center()
            margin = round(layout.side / 2 + layout.caption + 4)
            self._area.ensureVisible(round(centre.x()), round(centre.y()), margin, margin)

    # -- what the user does

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if (before.block, before.head) != (now.block, now.head):
            self._held = True
        elif (before.row, before.cell) != (now.row, now.cell) and now.row is None and now.cell is None:
            self._held = False
        self.refresh_if_seen()
        if self.isVisible() and (before.block, before.head) != (now.block, now.head):
            self._bring_into_view()

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

    def _ref(self, cell: tuple[int, int, int]) -> CellRef | None:
        """The number under the mouse; None where several share the pixel, and for a text that is not the prompt's."""
        head, query, key = cell
        if query < 0 or self._on_random.isChecked() or self._heads is None:
            return None
        block, number = self._place(head)
        return CellRef("activation", f"blocks.{block}.attn.pattern", (number, query, key))

    def _context(self, cell: tuple[int, int, int], where: QPoint) -> None:
        ref = self._ref(cell) or self._ref((cell[0], 0, 0))
        if ref is not None:
            self.context_requested.emit(ref, where)

    # -- Qt

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.session.selection.hover(None)

    def theme_changed(self) -> None:
        """Everything drawn is keyed on the theme."""
        self.mosaic.update()
        self.preview.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """Give the head close up what the mosaic, as wide as its tiles can be, has no use for."""
        width, height = self.width(), self.height()
        wide = width > height
        self._body.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self.preview.setVisible(width >= SMALLEST_WIDTH if wide else height >= SMALLEST_HEIGHT)
        layers, per_layer = (1, 1) if self._heads is None else self._heads.shape
        tile = min(height // layers, int(LARGEST_SIDE))
        share = min(width - tile * per_layer, round(height * 0.6), round(width * 0.34))
        if height < SMALLEST_HEIGHT and width >= 3 * PREVIEW_WIDTH:
            share = PREVIEW_WIDTH + height  # pattern and scores side by side
        share = max(PREVIEW_WIDTH, share)
        self.preview.setMinimumSize(*((share, 0) if wide else (0, PREVIEW_HEIGHT)))
        self.preview.setMaximumSize(*((share, LARGEST) if wide else (LARGEST, PREVIEW_HEIGHT)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._area.viewport() and event.type() == QEvent.Type.Resize:
            self.mosaic.set_room(self._area.viewport().size())
        return super().eventFilter(watched, event)
