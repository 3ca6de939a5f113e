"""The widgets of the training panel, laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QSlider,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from visualizer.session.session import Session
from visualizer.ui.look.theme import number_font
from visualizer.ui.panels.training.form import TrainingForm
from visualizer.ui.widgets.buttons import push_button
from visualizer.ui.widgets.labels import WrappedLabel
from visualizer.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from visualizer.ui.panels.training.plots import TrainingPlots

NOTHING_YET = (
    "Nothing is being trained. Choose a text and a shape, and press Train: loss and samples appear here, "
    "and every other panel follows the weights as they change."
)
#: Curves and samples stand beside the settings if they are at least so wide then, in pixels.
NARROWEST_CURVES = 240


class TrainingView:
    """Lays the widgets out in `panel`, `kept` among them; what they do is connected there."""

    def __init__(self, session: Session, panel: QWidget, kept: QWidget) -> None:
        self._panel = panel
        self._plots: TrainingPlots | None = None
        self.form = TrainingForm(session, panel)
        self.start = push_button("Train", "trainingStart", "Begin training with these settings", panel)
        self.pause = push_button("Pause", "trainingPause", "Wait after the step under way, or go on", panel)
        self.stop = push_button("Stop", "trainingStop", "End after the step under way; what is learned is kept", panel)
        self.settings = QToolButton(panel)
        self.settings.setObjectName("trainingSettings")
        self.settings.setText("Settings")
        self.settings.setToolTip("Show or hide the settings")
        self.settings.setCheckable(True)
        self.settings.setChecked(True)
        self.cost = WrappedLabel("trainingCost", panel)
        self.facts = WrappedLabel("trainingFacts", panel)
        self.said = WrappedLabel("trainingSaid", panel)
        self._kept_row = kept
        self.samples = QPlainTextEdit(panel)
        self.samples.setObjectName("trainingSamples")
        self.samples.setAccessibleName("Samples of generated text, the newest first")
        self.samples.setToolTip("What the model writes as it is trained, the newest first")
        self.samples.setReadOnly(True)
        self.samples.setFont(number_font())
        self.samples.setPlaceholderText("Samples of generated text appear here while the model learns.")
        self.at = PlainLabel("", panel)
        self.at.setObjectName("trainingAt")
        self.at.setMinimumWidth(80)
        self.slider = QSlider(Qt.Orientation.Horizontal, panel)
        self.slider.setObjectName("trainingSlider")
        self.slider.setAccessibleName("Snapshot of the weights")
        self.slider.setToolTip("Go back over the weights of this run: every panel shows them")
        self.slider.setEnabled(False)
        self.follow = QCheckBox("Follow", panel)
        self.follow.setObjectName("trainingFollow")
        self.follow.setToolTip("Show the newest weights of the run in every panel")
        self.follow.setChecked(True)
        self.use = push_button(
            "Use these weights", "trainingUse", "Make the weights shown a step of the history", panel
        )
        self._lay_out()
        self.show_facts("")
        self.said.hide()
        self.settings.toggled.connect(lambda _shown: self.fit())

    def _lay_out(self) -> None:
        panel = self._panel
        buttons = _row(self.settings, self.start, self.pause, self.stop)
        buttons.addStretch(1)
        self._scroll = QScrollArea(panel)
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows the control that has the keyboard
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self.form)
        self._scroll.setMinimumWidth(self.form.sizeHint().width() + 16)
        self._empty = QLabel(NOTHING_YET, panel)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMargin(24)
        self._room = QStackedWidget(panel)
        self._room.addWidget(self._empty)
        self._seen = QSplitter(Qt.Orientation.Vertical, panel)
        self._seen.addWidget(self._room)
        self._seen.addWidget(self.samples)
        self._seen.setStretchFactor(0, 3)
        self._seen.setStretchFactor(1, 1)
        middle = QHBoxLayout()
        middle.addWidget(self._scroll)
        middle.addWidget(self._seen, 1)
        back = _row(self.at)
        back.addWidget(self.slider, 1)
        back.addWidget(self.follow)
        back.addWidget(self.use)
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        for widget in (self.cost, self._kept_row, self.facts, self.said):
            layout.addWidget(widget)
        layout.addLayout(middle, 1)
        layout.addLayout(back)

    def fit(self) -> None:
        """Show settings and curves side by side where the panel has the width for both, else the one or the other."""
        wanted, least = self.settings.isChecked(), self._scroll.minimumWidth()
        both = self._panel.width() >= least + NARROWEST_CURVES
        self._scroll.setVisible(wanted)
        self._scroll.setMaximumWidth(least if both else self._panel.maximumWidth())
        self._seen.setVisible(both or not wanted)

    def shown_plots(self) -> TrainingPlots:
        """The plots, made when there is something to draw."""
        if self._plots is None:
            from visualizer.ui.panels.training.plots import (
                TrainingPlots,  # the plotting library takes as long as a start
            )

            self._plots = TrainingPlots(self._room)
            self._room.addWidget(self._plots)
            self._room.setCurrentWidget(self._plots)
        return self._plots

    def show_facts(self, text: str) -> None:
        """Write the facts of the run; without any, they take no room."""
        self.facts.setText(text)
        self.facts.setVisible(bool(text))

    def show_samples(self, text: str) -> None:
        """Write the samples, unless they are there already."""
        if self.samples.toPlainText() != text:
            self.samples.setPlainText(text)

    def show_snapshots(self, last: int, can_be_chosen: bool) -> None:
        """Let the slider go to the snapshot `last`, and stand there where the run is followed."""
        blocked = self.slider.blockSignals(True)
        self.slider.setEnabled(can_be_chosen and last > 0)
        self.slider.setMaximum(max(last, 0))
        if self.follow.isChecked():
            self.slider.setValue(self.slider.maximum())
        self.slider.blockSignals(blocked)

    def apply_theme(self) -> None:
        """Take the present theme's colours."""
        if self._plots is not None:
            self._plots.apply_theme()


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget)
    return row
