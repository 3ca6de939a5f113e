"""The attention panel: scores, softmax weights, logits and probabilities of the chosen block and head."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction, QActionGroup, QHideEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from visualizer.engine.sampling import top_tokens
from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel
from visualizer.session.analysis.cell_sources import sources_of
from visualizer.session.analysis.intervened_heads import intervened_heads
from visualizer.session.evaluation.evaluate import SHOWN_TOKENS
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.session.words.attention import EMPTY, STAGES, words_above
from visualizer.session.words.axis_labels import about_pass, token_label
from visualizer.session.words.comparison import ADDED
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.bridge.remarks import Remark, part_remark, zoom_remarks
from visualizer.ui.heatmap.matrix import Axis, Matrix
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.colors import DIVERGING, SEQUENTIAL, Scale, symmetric_limit
from visualizer.ui.look.theme import current_theme, token_color
from visualizer.ui.widgets.buttons import action_button
from visualizer.ui.widgets.title import Title

#: Vocabularies larger than this show the tokens that the last position finds most probable.
ALL_TOKENS = 96
#: What marks a head, a block or a stage that is intervened in.
INTERVENED = "●"


class AttentionPanel(SessionPanel):
    """Heatmaps side by side, all of them of the step under the cursor."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("attentionPanel")
        self._session = session
        self._columns: list[int] = []
        self._intervened: dict[int, str] = {}
        self.scores, self.pattern = self._heatmap("scoresHeatmap"), self._heatmap("patternHeatmap")
        self.logits, self.probs = self._heatmap("logitsHeatmap"), self._heatmap("probsHeatmap")
        for heatmap in (self.logits, self.probs):
            heatmap.set_square(False)
        self.scores.link(self.pattern)
        self.logits.link(self.probs)
        self._titles = {name: Title(self) for name in ("scores", "pattern", "logits", "probs")}
        self._build()

    # -- building

    def _heatmap(self, name: str) -> Heatmap:
        heatmap = Heatmap(self)
        heatmap.setObjectName(name)
        heatmap.cell_hovered.connect(partial(self._hovered, heatmap))
        heatmap.cell_chosen.connect(partial(self._chosen, heatmap))
        heatmap.row_chosen.connect(self._row_chosen)
        heatmap.let_go.connect(self._session.selection.let_go)
        heatmap.context_requested.connect(partial(self._context, heatmap))
        heatmap.zoom_changed.connect(self.remarks_changed)
        return heatmap

    def _build(self) -> None:
        self._block, self._head = QComboBox(self), QComboBox(self)
        for box, name in ((self._block, "block"), (self._head, "head")):
            box.setObjectName(f"{name}Chooser")
            box.setAccessibleName(name.capitalize())
            box.setToolTip(f"Whose attention is shown: the {name}")
            box.activated.connect(partial(self._choose, name))
        self._where = QWidget(self)
        where = QHBoxLayout(self._where)
        where.setContentsMargins(0, 0, 0, 0)
        for text, box in (("Block", self._block), ("Head", self._head)):
            where.addWidget(QLabel(text, self._where))
            where.addWidget(box)
        where.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self._where)
        layout.addLayout(self._grid(self._stage_buttons()), 1)

    def _stage_buttons(self) -> QWidget:
        """Raw, scaled or masked: a button each."""
        stages = QWidget(self)
        row = QHBoxLayout(stages)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        group = QActionGroup(self)
        for stage, word, formula in STAGES:
            action = QAction(f"Scores: {word}", self, checkable=True)
            action.setIconText(word)
            action.setToolTip(f"Show the scores {word}: {formula}")
            action.setChecked(stage == self._session.selection.now.score_stage)
            action.triggered.connect(partial(self._choose_stage, stage))
            group.addAction(action)
            row.addWidget(action_button(action, f"scoreStage_{stage}", stages))
            self.actions_by_name[f"scores_{stage}"] = action
        return stages

    def _grid(self, stages: QWidget) -> QGridLayout:
        """The four heatmaps under their titles, with the stages' buttons beside that of the scores."""
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        places = {"scores": (0, 0), "pattern": (0, 1), "logits": (2, 0), "probs": (2, 1)}
        for name, (row, column) in places.items():
            head = QHBoxLayout()
            head.addWidget(self._titles[name], 1)
            if name == "scores":
                head.addWidget(stages)
            grid.addLayout(head, row, column)
            grid.addWidget(getattr(self, name), row + 1, column)
        grid.setRowStretch(1, 3)
        grid.setRowStretch(3, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return grid

    # -- what the session tells

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        same = (before.step, before.block, before.head, before.score_stage, before.comparison)
        if same != (now.step, now.block, now.head, now.score_stage, now.comparison):
            self.refresh_if_seen()
        else:
            self._mark()

    def refresh(self) -> None:
        """Draw the trace of the step under the cursor."""
        trace = self._session.trace
        self._find_interventions()
        self._fill_choosers()
        if trace is None or not len(trace.tokens):
            words = COMPUTING if self._session.result is None else EMPTY
            for heatmap in (self.scores, self.pattern, self.logits, self.probs):
                heatmap.set_empty(words)
            self._write_titles(0)
            return
        self._draw(trace)
        self._mark()

    def remarks(self) -> list[Remark]:
        vocabulary = self._opened().model.config.d_vocab
        part = part_remark(len(self._columns), vocabulary, "tokens") if self._columns else []
        return [*zoom_remarks((self.scores, self.pattern, self.logits, self.probs)), *part]

    def _opened(self) -> OpenedModel:
        """The model of the result that is shown, which the document may have left behind."""
        result = self._session.result
        return (result.state if result is not None else self._session.document.state).opened

    def _draw(self, trace: Trace) -> None:
        session, now = self._session, self._session.selection.now
        opened, theme = self._opened(), current_theme()
        block = f"blocks.{now.block}.attn."
        tokens = [token_label(opened, int(t)) for t in trace.tokens]
        hues = [token_color(int(t), theme) for t in trace.tokens]
        count = len(tokens)
        hidden = np.arange(count) > np.arange(count)[:, None]
        compared = now.comparison == "difference" and session.baseline_trace is not None
        weights = DIVERGING if compared else SEQUENTIAL
        shown = ADDED[now.comparison if session.baseline_trace is not None else "value"]
        self._columns = self._vocabulary(trace)
        vocabulary = [token_label(opened, t) for t in self._columns]
        vocabulary_hues = [token_color(t, theme) for t in self._columns]
        of_keys = Axis("query", tokens, hues), Axis("key", tokens, hues)
        of_tokens = Axis("position", tokens, hues), Axis("token", vocabulary, vocabulary_hues, positions=False)
        stage = now.score_stage
        reads = self._reads(block, stage)
        future = hidden if stage == "scores" else None
        for heatmap, name, read, masked, scale in (
            (self.scores, stage, reads["scores"], future, self._signed(reads["scores"], future)),
            (self.pattern, "pattern", reads["pattern"], hidden, weights),
            (self.logits, "logits", reads["logits"], None, self._signed(reads["logits"], None)),
            (self.probs, "probs", reads["probs"], None, weights),
        ):
            rows, columns = of_keys if heatmap in (self.scores, self.pattern) else of_tokens
            values = session.compared(read)
            where = (now.block, now.head) if rows is of_keys[0] else ()
            about = about_pass(opened, trace.tokens.tolist(), *where)
            called, axes = name + shown, (rows, columns)
            heatmap.set_matrix(
                Matrix(values, *axes, name=called, scale=scale, masked=masked, about=about, origin=opened)
            )
        self._write_titles(count)

    def _reads(self, block: str, stage: str) -> dict[str, Callable[[Trace], NDArray[Any]]]:
        """How each heatmap's numbers are found in a pass: [query, key] of the chosen head, [position, shown token]."""
        head, whole = self._session.selection.now.head, self._opened().model.config.d_vocab <= ALL_TOKENS
        columns = self._columns

        def of_tokens(name: str) -> Callable[[Trace], NDArray[Any]]:
            return lambda trace: trace[name] if whole else trace.vocabulary_columns(name, columns)

        return {
            "scores": lambda trace: trace.head(block + stage, head),
            "pattern": lambda trace: trace.head(block + "pattern", head),
            "logits": of_tokens("logits"),
            "probs": of_tokens("probs"),
        }

    def _signed(self, read: Callable[[Trace], NDArray[Any]], masked: NDArray[np.bool_] | None) -> Scale:
        """The scale of scores or logits: one for the value and its baseline, so that colours can be compared."""
        trace, base = self._session.trace, self._session.baseline_trace
        if base is None or trace is None or self._session.selection.now.comparison == "difference":
            return DIVERGING
        return Scale("diverging", max(symmetric_limit(read(one), masked) for one in (trace, base)))

    def _vocabulary(self, trace: Trace) -> list[int]:
        """The tokens whose columns are shown."""
        size = self._opened().model.config.d_vocab
        return list(range(size)) if size <= ALL_TOKENS else top_tokens(trace.logits_at(-1), SHOWN_TOKENS)

    def _write_titles(self, tokens: int) -> None:
        now, vocabulary = self._session.selection.now, self._opened().model.config.d_vocab
        shown = now.comparison if self._session.baseline_trace is not None else "value"
        for name, heading in self._titles.items():
            title, detail, meaning = words_above(name, now.score_stage, tokens, vocabulary, len(self._columns))
            done = self._intervened.get(now.block * self._opened().model.config.n_heads + now.head)
            mark = f" {INTERVENED} {done}" if done and name in ("scores", "pattern") else ""
            heading.set_words(title + ADDED[shown] + mark, detail, meaning)

    def _find_interventions(self) -> None:
        """Which heads something is done to in the pass that is shown: the baseline has interventions of its own."""
        now = self._session.selection.now
        base = self._session.baseline_trace if now.comparison == "baseline" else None
        trace = self._session.trace if base is None else base
        self._intervened = {} if trace is None else intervened_heads(trace)

    def _fill_choosers(self) -> None:
        config, now = self._opened().model.config, self._session.selection.now
        self._where.setVisible(config.n_layers > 1 or config.n_heads > 1)
        blocks = {head // config.n_heads for head in self._intervened}
        heads = {head % config.n_heads for head in self._intervened if head // config.n_heads == now.block}
        for box, count, chosen, marked in (
            (self._block, config.n_layers, now.block, blocks),
            (self._head, config.n_heads, now.head, heads),
        ):
            names = [f"{i} {INTERVENED}" if i in marked else str(i) for i in range(count)]
            if names != [box.itemText(i) for i in range(box.count())]:
                box.clear()
                box.addItems(names)
            box.setCurrentIndex(chosen)

    def _mark(self) -> None:
        now = self._session.selection.now
        for heatmap in (self.scores, self.pattern, self.logits, self.probs):
            rows, columns = heatmap.image().shape
            row = now.row if now.row is not None and now.row < rows else None
            column = now.key if heatmap in (self.scores, self.pattern) else self._token_column()
            heatmap.set_selection(row, column if column is not None and column < columns else None)
        self._mark_sources()

    def _mark_sources(self) -> None:
        """Outline the numbers that the chosen one was made from, where they are on show here."""
        now = self._session.selection.now
        sources = sources_of(self._session.trace, now.cell)
        block = f"blocks.{now.block}.attn."
        for heatmap, name in (
            (self.scores, block + now.score_stage),
            (self.pattern, block + "pattern"),
            (self.logits, "logits"),
            (self.probs, "probs"),
        ):
            cells = [source.cell for source in sources if source.name == name]
            if name.startswith(block):
                heatmap.set_marked_cells((row, key) for head, row, key in cells if head == now.head)
            else:
                shown = {token: column for column, token in enumerate(self._columns)}
                heatmap.set_marked_cells((row, shown[token]) for row, token in cells if token in shown)

    def _token_column(self) -> int | None:
        cell = self._session.selection.now.cell
        if cell is None or cell.name not in ("logits", "probs") or cell.cell[-1] not in self._columns:
            return None
        return self._columns.index(cell.cell[-1])

    # -- what the user does

    def _cell_ref(self, heatmap: Heatmap, row: int, column: int) -> CellRef:
        now = self._session.selection.now
        if heatmap in (self.logits, self.probs):
            name = "logits" if heatmap is self.logits else "probs"
            return CellRef("activation", name, (row, self._columns[column]))
        stage = now.score_stage if heatmap is self.scores else "pattern"
        return CellRef("activation", f"blocks.{now.block}.attn.{stage}", (now.head, row, column))

    def _hovered(self, heatmap: Heatmap, row: int, column: int) -> None:
        self._session.selection.hover(self._cell_ref(heatmap, row, column) if row >= 0 else None)

    def _chosen(self, heatmap: Heatmap, row: int, column: int) -> None:
        cell, now = self._cell_ref(heatmap, row, column), self._session.selection.now
        if now.cell == cell:
            self._session.selection.let_go()
            return
        key = column if heatmap in (self.scores, self.pattern) else None
        self._session.selection.choose(row=row, key=key, cell=cell)

    def _row_chosen(self, row: int) -> None:
        same = self._session.selection.now.row == row and self._session.selection.now.cell is None
        self._session.selection.choose(row=None if same else row, key=None, cell=None)

    def _context(self, heatmap: Heatmap, row: int, column: int, where: QPoint) -> None:
        self.context_requested.emit(self._cell_ref(heatmap, row, column) if row >= 0 else None, where)

    def _choose(self, what: str, index: int) -> None:
        self._session.selection.choose(**{what: index}, cell=None)

    def _choose_stage(self, stage: str) -> None:
        self._session.selection.choose(score_stage=stage)

    # -- Qt

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._session.selection.hover(None)
