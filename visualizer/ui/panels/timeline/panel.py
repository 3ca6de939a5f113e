"""The timeline: a slider over the generation's steps under each step's token; in detail, cache and branches."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from visualizer.session.evaluation.cache_map import WORDS, cache_map, said, without_internals
from visualizer.session.evaluation.result import Result
from visualizer.session.selection import Chosen
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label
from visualizer.session.words.numbers import short
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.timeline.branch_list import BranchList
from visualizer.ui.panels.timeline.cache_strip import CacheStrip, state_colors
from visualizer.ui.panels.timeline.step_bars import INSET, StepBars
from visualizer.ui.widgets.plain_text import PlainLabel, as_tip

#: Heights of the panel in pixels: what bars and slider need, what it asks for to show its details with one branch, and
#: from where on it shows them without being asked.
PLAIN, WITH_DETAILS, DETAILS_FROM = 58, 178, 140
#: It asks for room to list so many branches.
MOST_ROWS = 4


class TimelinePanel(SessionPanel):
    """Scrubbing through the generation. The slider's value is the number of generated tokens before the cursor.

    The details are shown where the panel is high enough for them.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("timelinePanel")
        self.label = PlainLabel("", self)
        self.label.setObjectName("timelineLabel")
        self.label.setMinimumWidth(self.label.fontMetrics().horizontalAdvance("step 1000 of 1000"))
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("timelineSlider")
        self.slider.setAccessibleName("Generation step")
        self.slider.setToolTip(
            "Move the cursor through the generated tokens (arrow keys, Page Up and Down, Home, End; anywhere: "
            "Alt+Left and Alt+Right)"
        )
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setPageStep(5)
        self.slider.valueChanged.connect(self.session.go_to_step)
        self.bars = StepBars(self.slider, self)
        self.bars.step_chosen.connect(self.session.go_to_step)
        # The first result of the present revision and the one before it, to tell what an edit invalidated.
        self._cached = session.result
        self._make_details()
        self._lay_out()

    def _make_details(self) -> None:
        self.branch = QComboBox(self)
        self.branch.setObjectName("branchChooser")
        self.branch.setAccessibleName("Branch")
        self.branch.setToolTip("Which branch of the text is shown")
        self.branch.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.branch.setMinimumContentsLength(6)
        self.branches = BranchList(self.session, self)
        self.branches.message.connect(self.message)
        self.branch.activated.connect(self.branches.switch_to)
        self.cache = CacheStrip(self.bars.centre, self.bars.spacing, self)
        self.cache.cell_chosen.connect(self._go_to_row)
        self.legend = QLabel(self)
        self.legend.setObjectName("cacheLegend")
        self.legend.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        details = QAction("Timeline details", self)
        details.setIconText("Details")
        details.setCheckable(True)
        details.setShortcut(QKeySequence("Ctrl+Shift+T"))
        details.setToolTip("Show what the key/value cache reused, and the branches of the text (Ctrl+Shift+T)")
        details.toggled.connect(self._show_details)
        details.triggered.connect(self._ask_for_height)
        self.actions_by_name["timelineDetails"] = details
        self.details_button = QToolButton(self)
        self.details_button.setObjectName("timelineDetails")
        self.details_button.setDefaultAction(details)
        self.details_button.setAutoRaise(True)
        self.details = QWidget(self)
        self.details.hide()

    def _lay_out(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(0)
        side.addWidget(self.branch)
        side.addWidget(self.details_button)
        side.addStretch(1)
        layout = QGridLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        layout.setVerticalSpacing(0)
        layout.setHorizontalSpacing(8)
        layout.addLayout(side, 0, 0)
        layout.addWidget(self.label, 1, 0)
        layout.addWidget(self.bars, 0, 1)
        inset = QHBoxLayout()
        inset.setContentsMargins(INSET, 0, INSET, 0)
        inset.addWidget(self.slider)
        layout.addLayout(inset, 1, 1)
        # The cache strip lies in the bars' column, so that each of its columns stands under its bar.
        layout.addWidget(self.cache, 2, 1)
        under = QHBoxLayout(self.details)
        under.setContentsMargins(0, 4, 0, 2)
        under.setSpacing(12)
        under.addWidget(self.legend)
        under.addWidget(self.branches, 1)
        layout.addWidget(self.details, 3, 0, 1, 2)
        layout.setColumnStretch(1, 1)
        layout.setRowStretch(2, 2)
        layout.setRowStretch(3, 3)
        self._show_details(False)

    def _ask_for_height(self, for_details: bool) -> None:
        more = min(len(self.session.document.state.branches), MOST_ROWS) - 1
        row = self.branches.fontMetrics().height()
        self.height_wanted.emit(WITH_DETAILS + more * row if for_details else PLAIN)

    def _show_details(self, shown: bool) -> None:
        for widget in (self.details, self.cache):
            widget.setVisible(shown)
        vertical = QSizePolicy.Policy.Preferred if shown else QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Expanding, vertical)
        self.updateGeometry()
        self.refresh_if_seen()

    def refresh(self) -> None:
        """Show length, cursor and bars."""
        length, step = self.session.document.state.length, self.session.selection.now.step
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(0, length)
        interval = max(1, 10 ** math.ceil(math.log10(max(length, 1) / 100)))
        if interval != self.slider.tickInterval():  # Qt paints it anew in any case
            self.slider.setTickInterval(interval)
        self.slider.setValue(step)
        self.slider.blockSignals(blocked)
        self.label.setText(f"step {step} of {length}")
        result = self.result
        self.slider.setAccessibleDescription(f"{self.label.text()}{_chosen(result, self.session.shown_step)}")
        self.bars.show_result(result, self.session.shown_step, self.session.selection.now.comparison)
        self.branch.setVisible(result is not None and len(result.state.branches) > 1)
        if result is not None:
            self._show_branches(result)
            if self.cache.isVisibleTo(self):
                self._show_cache(self._cached or result)

    def _show_branches(self, result: Result) -> None:
        names = [branch.name for branch in result.state.branches]
        if names != [self.branch.itemText(i) for i in range(self.branch.count())]:
            self.branch.clear()
            self.branch.addItems(names)
        self.branch.setCurrentIndex(result.state.branch)
        if self.details.isVisibleTo(self):
            self.branches.show_result(result)

    def _show_cache(self, result: Result) -> None:
        block = min(self.session.selection.now.block, result.state.model.config.n_layers - 1)
        states = cache_map(result, block)
        step = self.session.shown_step
        self.cache.show_states(states, step)
        colors = state_colors(current_theme())
        present = [kind for kind in WORDS if (states == kind).any()]
        lines = [f"<span style='color:{colors[kind]}'>■</span> {WORDS[kind]}" for kind in present]
        of_block = f" of block {block}" if result.state.model.config.n_layers > 1 else ""
        head = f"Keys and values{of_block}, step {step}: {said(states, step)}."
        why = _why_nothing_is_reused(result, step)
        self.legend.setText("<br>".join([*lines, *([why] if why else [])]))
        self.legend.setToolTip(as_tip(head))
        self.legend.setAccessibleName(head)

    def result_arrived(self, result: Result) -> None:
        if self._cached is None or result.revision != self._cached.revision or not self._cached.complete:
            self._cached = result
        else:  # made again for a step's internals: what the first run did is what counts, but not its arrays
            self._cached = without_internals(self._cached)
        super().result_arrived(result)

    def forget(self) -> None:
        self.bars.show_result(None, 0)

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if (before.step, before.block, before.comparison) != (now.step, now.block, now.comparison):
            self.refresh_if_seen()

    def _go_to_row(self, step: int, position: int) -> None:
        """Move the cursor to a step, and choose a row of its context."""
        self.session.go_to_step(step)
        result = self.result
        if result is not None and position < len(result.context(self.session.shown_step)[1]):
            self.session.selection.choose(row=position, key=None, cell=None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        tall, was_tall = (size.height() >= DETAILS_FROM for size in (event.size(), event.oldSize()))
        if tall != was_tall:
            self.actions_by_name["timelineDetails"].setChecked(tall)


def _why_nothing_is_reused(result: Result, step: int) -> str:
    if any(change.enabled for change in result.state.interventions):
        return "interventions: nothing is reused"
    if result.steps[step].context_start > 0:
        return "full context: the window slides, every position moves"
    return ""


def _chosen(result: Result | None, step: int) -> str:
    """The token that a step chose, in words after the step's own."""
    if result is None:
        return ""
    token, probs = result.steps[step].token, result.steps[step].probs
    return f": {token_label(result.state.opened, token)} with probability {short(float(probs[token]))}"
