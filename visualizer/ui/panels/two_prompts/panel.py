"""Two prompts side by side on one model: the same activation of both, and patching one with the other by dragging."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from visualizer.engine.names import local_name, short_name
from visualizer.engine.ops.softmax import softmax
from visualizer.engine.trace import Trace
from visualizer.errors import InputError
from visualizer.session.analysis.choose_cell import choose_cell
from visualizer.session.analysis.two_prompts import EXTENTS, activations, cell_at, logit_difference, part_at
from visualizer.session.document.document import Change
from visualizer.session.document.edits import MODEL, SECOND_PROMPT
from visualizer.session.document.interventions import patch
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.session.words.comparison import SENTENCES
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.bridge.remarks import Remark, zoom_remarks
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.two_prompts.patch_heatmap import DragHeatmap, DropHeatmap
from visualizer.ui.panels.two_prompts.prompt_pair import (
    MOST_COLUMNS,
    PairSide,
    difference_words,
    draw_pair,
    pair_notes,
    top_words,
)
from visualizer.ui.panels.two_prompts.second_prompt import SecondPromptField
from visualizer.ui.widgets.buttons import action_button
from visualizer.ui.widgets.labels import WrappedLabel
from visualizer.ui.widgets.plain_text import as_entry, as_tip

NO_SECOND = "Type a second prompt above: the same activation of both stands side by side, to be patched across."
NO_FIRST = "The first prompt is empty."
PATCH_TIPS = {
    "cell": "Take one cell across",
    "row": "Take a whole row across: one query's weights, or one position's vector",
    "head": "Take all that is shown across: every position of the head, or of the stream",
}


class TwoPromptsPanel(SessionPanel):
    """The first prompt's numbers at the left, the second's at the right.

    What is dragged from the right onto the left, or patched by the button or Ctrl+Return, becomes an intervention.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("twoPromptsPanel")
        self.setAccessibleName("Two prompts")
        self._picked: tuple[int, int] | None = None
        self._drawn: tuple[object, ...] = (object(),)
        self._said: tuple[object, int] = (None, 0)
        self._make_fields()
        self._make_heatmaps()
        self._make_actions()
        self._lay_out()

    # -- making it

    def _make_fields(self) -> None:
        self.second_prompt = SecondPromptField(self.session, self)
        self.second_prompt.message.connect(self.message)
        self.activation, self.block, self.head = QComboBox(self), QComboBox(self), QComboBox(self)
        for box, name, tip in (
            (self.activation, "activation", "Which numbers of both prompts are shown"),
            (self.block, "block", "Of which block"),
            (self.head, "head", "Of which head"),
        ):
            box.setObjectName(f"twoPrompts_{name}")
            box.setAccessibleName(name.capitalize())
            box.setToolTip(tip)
        self.activation.activated.connect(lambda _index: self._activation_chosen())
        self.block.activated.connect(lambda index: self.session.selection.choose(block=index, cell=None))
        self.head.activated.connect(lambda index: self.session.selection.choose(head=index, cell=None))
        self.first_words, self.second_words = WrappedLabel("firstTop", self), WrappedLabel("secondTop", self)
        self.difference = WrappedLabel("logitDifference", self)
        self.note = WrappedLabel("twoPromptsNote", self)

    def _make_heatmaps(self) -> None:
        self.first, self.second = DropHeatmap(self), DragHeatmap(self)
        self.first.whose, self.second.whose = "the first prompt", "the second prompt"
        self.first.setObjectName("firstHeatmap")
        self.second.setObjectName("secondHeatmap")
        self.first.cell_chosen.connect(self._first_chosen)
        self.first.row_chosen.connect(lambda row: self.session.selection.choose(row=row, key=None, cell=None))
        self.first.cell_hovered.connect(self._first_hovered)
        self.first.let_go.connect(self.session.selection.let_go)
        for heatmap in (self.first, self.second):
            heatmap.zoom_changed.connect(self.remarks_changed)
        self.first.context_requested.connect(
            lambda row, column, where: self.context_requested.emit(
                self._first_ref(row, column) if row >= 0 else None, where
            )
        )
        self.first.dragged_over.connect(self._dragged_over)
        self.first.dropped.connect(self._dropped)
        self.second.cell_chosen.connect(self._pick)
        self.second.row_chosen.connect(lambda row: self._pick(row, 0))
        self.second.let_go.connect(self._let_go)
        self.second.context_requested.connect(lambda _row, _column, where: self.context_requested.emit(None, where))

    def _make_actions(self) -> None:
        patching = QAction("Patch into the first prompt", self)
        patching.setObjectName("patchAction")
        patching.setShortcut(QKeySequence("Ctrl+Return"))
        patching.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        patching.triggered.connect(lambda _checked=False: self._patch_picked())
        self.addAction(patching)
        self.actions_by_name["patch"] = patching
        group = QActionGroup(self)
        for extent in EXTENTS:
            action = QAction(f"Patch a {extent}", self, checkable=True)
            action.setIconText(extent.capitalize())
            action.setToolTip(PATCH_TIPS[extent])
            action.setChecked(extent == "row")
            action.triggered.connect(lambda _checked=False: self._mark())
            group.addAction(action)
            self.actions_by_name[f"patch_{extent}"] = action

    def _lay_out(self) -> None:
        choose = QHBoxLayout()
        choose.setSpacing(4)
        self._head_label, self._block_label = QLabel("Head", self), QLabel("Block", self)
        choose.addWidget(self.activation)
        for word, box in ((self._block_label, self.block), (self._head_label, self.head)):
            choose.addWidget(word)
            choose.addWidget(box)
        choose.addStretch(1)
        patching = QHBoxLayout()
        patching.setSpacing(0)
        patching.addWidget(QLabel("Drag or patch:  ", self))
        for extent in EXTENTS:
            patching.addWidget(self._button(f"patch_{extent}", f"patch_{extent}"))
        patching.addSpacing(8)
        patching.addWidget(self._button("patch", "patchButton"))
        patching.addStretch(1)
        grid = QGridLayout()
        grid.setSpacing(4)
        grid.setHorizontalSpacing(12)
        for column, (words, heatmap) in enumerate(((self.first_words, self.first), (self.second_words, self.second))):
            grid.addWidget(words, 0, column)
            grid.addWidget(heatmap, 1, column)
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self.second_prompt)
        layout.addLayout(choose)
        layout.addLayout(patching)
        layout.addLayout(grid, 1)
        layout.addWidget(self.difference)
        layout.addWidget(self.note)

    def _button(self, action: str, name: str) -> QToolButton:
        button = action_button(self.actions_by_name[action], name, self)
        if self.actions_by_name[action].isCheckable():
            button.setStyleSheet("QToolButton:checked { font-weight: bold; }")
        return button

    # -- what is shown

    @property
    def extent(self) -> str:
        """How much is taken across at once: "cell", "row" or "head"."""
        return next(extent for extent in EXTENTS if self.actions_by_name[f"patch_{extent}"].isChecked())

    @property
    def name(self) -> str:
        """The activation that is shown."""
        return f"blocks.{self.session.selection.now.block}.{self.activation.currentData()}"

    def remarks(self) -> list[Remark]:
        return zoom_remarks((self.first, self.second))

    def refresh(self) -> None:
        """Show the chosen activation of both prompts."""
        self._fill_choosers()
        result, first = self.result, self.session.trace
        second = result.second.trace if result is not None and result.second is not None else None
        if first is not None and not len(first.tokens):
            first = None
        self._draw(first, second)
        self._say(first, second)
        self._mark()

    def forget(self) -> None:
        self._drawn, self._said = (object(),), (None, 0)

    def document_changed(self, change: Change) -> None:
        if change.touches & {MODEL, SECOND_PROMPT}:
            self._picked = None
        super().document_changed(change)

    def _fill_choosers(self) -> None:
        model, now = self.session.document.state.model, self.session.selection.now
        inside = [local_name(name) for name in activations(model, now.block)]
        if [self.activation.itemData(i) for i in range(self.activation.count())] != inside:
            kept = self.activation.currentData() or "attn.pattern"
            self.activation.clear()
            for name in inside:
                self.activation.addItem(short_name(f"blocks.0.{name}"), name)
            self.activation.setCurrentIndex(inside.index(kept) if kept in inside else 0)
        for box, label, count, chosen in (
            (self.block, self._block_label, model.config.n_layers, now.block),
            (self.head, self._head_label, model.config.n_heads, now.head),
        ):
            if box.count() != count:
                box.clear()
                box.addItems([str(i) for i in range(count)])
            box.setCurrentIndex(chosen)
            shown = count > 1 and (box is self.block or "head" in model.graph.axes(self.name))
            box.setVisible(shown)
            label.setVisible(shown)

    def _draw(self, first: Trace | None, second: Trace | None) -> None:
        now, state, result = self.session.selection.now, self.session.document.state, self.result
        base = self.session.baseline_trace
        other = result.second.baseline_trace if result is not None and result.second is not None else None
        drawn = (first, second, self.name, now.head, current_theme(), base, other, now.comparison)
        if all(a is b or (isinstance(a, str | int) and a == b) for a, b in zip(drawn, self._drawn, strict=False)):
            return
        self._drawn = drawn
        nothing = (COMPUTING, COMPUTING) if result is None else (NO_FIRST, NO_SECOND)
        for heatmap, trace, missing in zip((self.first, self.second), (first, second), nothing, strict=True):
            if trace is None:
                heatmap.set_empty(missing)
        pairs = ((self.first, first, base), (self.second, second, other))
        shown = [PairSide(heatmap, trace, before) for heatmap, trace, before in pairs if trace is not None]
        draw_pair(state, shown, self.name, now.head, now.comparison)

    def _say(self, first: Trace | None, second: Trace | None) -> None:
        result, step, state = self.result, self.session.shown_step, self.session.document.state
        compared = "" if self.session.baseline_trace is None else SENTENCES[self.session.selection.now.comparison]
        notes = " ".join(filter(None, (compared, pair_notes(state, first, second, self.name))))
        self.note.setText(notes)
        self.note.setVisible(bool(notes))
        if result is None:
            self._said = (None, 0)
            for label in (self.first_words, self.second_words, self.difference):
                label.setText("")
            self.difference.hide()
            return
        if self._said[0] is result and self._said[1] == step:
            return
        self._said = (result, step)
        self.first_words.setText("" if first is None else f"First: {top_words(state, first, result.steps[step].probs)}")
        words = "" if result.second is None else top_words(state, result.second.trace, softmax(result.second.logits))
        self.second_words.setText(words and f"Second: {words}")
        self.difference.setText(difference_words(state, logit_difference(result, step)))
        self.difference.setVisible(bool(self.difference.text()))

    def _mark(self) -> None:
        """Frame what is chosen in the first, and what would be taken from the second."""
        now, cell = self.session.selection.now, self.session.selection.now.cell
        column = now.key if "key" in self.session.document.state.model.graph.axes(self.name) else None
        if cell is not None and cell.name == self.name:
            column = cell.cell[-1]
        rows, columns = self.first.image().shape
        row = now.row if now.row is not None and now.row < rows else None
        self.first.set_selection(row, column if row is not None and column is not None and column < columns else None)
        rows, columns = self.second.image().shape
        if self._picked is not None and not (self._picked[0] < rows and self._picked[1] < columns):
            self._picked = None
        self.second.set_marked_cells(self._extent_cells(self.second, self._picked))
        action, picked = self.actions_by_name["patch"], self._picked
        action.setEnabled(self.second.image().size > 0 and self.first.image().size > 0)
        words = self._words(picked) if picked is not None else "Patch into the first prompt"
        action.setText(as_entry(words))
        tip = "Drag from the second heatmap onto the first, or choose there and press this (Ctrl+Return)"
        action.setToolTip(as_tip(tip if picked is None else f"{words}, as an intervention (Ctrl+Return)"))
        self.second.dragged_words = self._words(picked) if picked is not None else ""

    def _extent_cells(self, heatmap: Heatmap, cell: tuple[int, int] | None) -> list[tuple[int, int]]:
        """The cells that a patch from or to `cell` covers, to be outlined."""
        rows, columns = heatmap.image().shape
        if cell is None or not (cell[0] < rows and cell[1] < columns) or self.extent == "head":
            return []
        if self.extent == "cell":
            return [cell]
        return [(cell[0], column) for column in range(min(columns, MOST_COLUMNS))]

    def _words(self, cell: tuple[int, int]) -> str:
        row, column = cell
        target = self._target(row, None)
        if self.extent == "head":
            return f"Patch all of {short_name(self.name)}"
        what = f"row {row}" if self.extent == "row" else f"cell [{row}, {column}]"
        return f"Patch {what}" + (f" into row {target}" if target is not None and target != row else "")

    def _target(self, row: int, dropped_on: int | None) -> int | None:
        """The first prompt's row that a row goes to: where it is dropped, or the chosen one, or the same.

        Weights over keys keep their place: those of another query would mean other tokens.
        """
        if self.extent == "head" or "key" in self.session.document.state.model.graph.axes(self.name):
            return None
        chosen = self.session.selection.now.row if dropped_on is None else dropped_on
        return row if chosen is None else chosen

    # -- what the user does

    def _activation_chosen(self) -> None:
        self._picked = None
        self.refresh()

    def _pick(self, row: int, column: int) -> None:
        self._picked = (row, column)
        self._mark()

    def _let_go(self) -> None:
        self._picked = None
        self._mark()

    def _first_ref(self, row: int, column: int) -> CellRef:
        model, head = self.session.document.state.model, self.session.selection.now.head
        return CellRef("activation", self.name, cell_at(model, self.name, head, row, column))

    def _first_chosen(self, row: int, column: int) -> None:
        ref = self._first_ref(row, column)
        if ref == self.session.selection.now.cell:
            self.session.selection.let_go()
            return
        choose_cell(self.session, ref)

    def _first_hovered(self, row: int, column: int) -> None:
        self.session.selection.hover(self._first_ref(row, column) if row >= 0 else None)

    def _dragged_over(self, source: tuple[int, int] | None, over: tuple[int, int] | None) -> None:
        """Outline where it would land."""
        landing = None
        if source is not None:
            target = self._target(source[0], over[0] if over is not None else None)
            landing = (source[0] if target is None else target, source[1])
        self.first.set_marked_cells(self._extent_cells(self.first, landing))

    def _dropped(self, source: tuple[int, int], over: tuple[int, int] | None) -> None:
        self._patch(source, self._target(source[0], over[0] if over is not None else None))

    def _patch_picked(self) -> None:
        picked = self._picked or self.second.cursor_cell()
        if picked is None and self.extent == "head":
            picked = (0, 0)
        if picked is None:
            self.message.emit(f"Choose a {self.extent} in the second prompt's heatmap first.")
            return
        self._patch(picked, self._target(picked[0], None))

    def _patch(self, source: tuple[int, int], target: int | None) -> None:
        document, result, first = self.session.document, self.result, self.session.trace
        if result is None or result.second is None or first is None:
            return
        row = source[0] if target is None else target
        if self.extent != "head" and row >= len(first.tokens):
            self.message.emit(
                f"The first prompt has no position {row}: it has {len(first.tokens)} tokens. "
                "Drop it on a position that both have."
            )
            return
        head = self.session.selection.now.head
        part = part_at(document.state.model, self.name, head, *source, self.extent)
        try:
            document.apply(patch(document.state, result.second.trace, part, target), self)
        except InputError as error:
            self.message.emit(str(error))
