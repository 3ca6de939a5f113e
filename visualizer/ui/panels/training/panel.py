"""The training panel: choose text and shape, train, watch, and go back to see when it was learned."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer.errors import InputError
from visualizer.session.document.document import Change
from visualizer.session.selection import Chosen
from visualizer.session.session import Session
from visualizer.session.training.files import KeptRun
from visualizer.session.training.kept_runs import KeptRuns
from visualizer.session.training.landing import TrainingLanding
from visualizer.session.training.plan import TrainingPlan
from visualizer.session.training.record import TrainingRecord
from visualizer.session.training.report import Report, TrainingSnapshot
from visualizer.session.training.words import cost_words, ended_words, facts_words, sample_words
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.panels.training.closing import ask_whether_to_stop
from visualizer.ui.panels.training.kept_row import KeptRow
from visualizer.ui.panels.training.thread import TrainingThread, data_folder
from visualizer.ui.panels.training.view import TrainingView

#: The time of a plan is estimated when nothing was changed for so long.
SETTLED_MS = 300
#: Seconds between two drawings of the curves while they grow.
DRAW_SECONDS = 0.25
#: Seconds between showing weights and drawing curves.
APART_SECONDS = 0.05
#: Curves that have waited so many seconds wait no longer: on a slow machine every report brings new weights.
PATIENCE = 1.0
#: After weights were put on show, the window is left alone for so many times as long as that took.
REST = 4.0
LOST = "The window shows other weights than the run's. “Follow” shows the newest."
HISTORY_NOTE = "It is one step of the history."


class TrainingPanel(SessionPanel):
    """Runs a `TrainingThread`, keeps its `TrainingRecord`, and has the document follow.

    Attributes:
        ask: called when the window is to be closed while a run is under way; True stops it.
        kept_row: offers the runs on disk, to go on with after the window was closed or killed.
    """

    def __init__(self, session: Session, parent: QWidget | None = None, folder: Path | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("trainingPanel")
        self.setAccessibleName("Training")
        self.ask: Callable[[], bool] = partial(ask_whether_to_stop, self)
        self.record = TrainingRecord()
        self._landing: TrainingLanding | None = None
        self._title, self._new_model = "", True
        self._began_with = session.document.state.opened
        self._drawn: object = None
        self._drawn_at = self._rested_at = self._shown_at = 0.0
        self._ours = False
        self.thread_ = TrainingThread(self)
        self.thread_.reported.connect(self._reported)
        self.thread_.estimated.connect(self._estimated)
        self._settle = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._settle.timeout.connect(self._estimate)
        self.kept_row = KeptRow(KeptRuns(folder or data_folder()), self)
        self._kept = self.kept_row.runs.new()
        self.view = TrainingView(session, self, self.kept_row)
        self._connect()
        self._make_actions()
        self._enable()
        self._say(self.kept_row.damage)

    def _connect(self) -> None:
        view = self.view
        view.form.changed.connect(self._plan_changed)
        view.form.wanted.connect(self.thread_.look)
        self.thread_.looked.connect(view.form.take)
        view.start.clicked.connect(self.start)
        view.pause.clicked.connect(self.pause_or_resume)
        view.stop.clicked.connect(self.stop)
        self.kept_row.resume_wanted.connect(self.resume_kept)
        self.kept_row.refused.connect(self._say)
        view.follow.toggled.connect(self._follow_toggled)
        view.use.clicked.connect(self._use)
        view.slider.valueChanged.connect(self._slid)

    def _make_actions(self) -> None:
        for name, button, run in (
            ("train", self.view.start, self.start),
            ("pauseTraining", self.view.pause, self.pause_or_resume),
            ("stopTraining", self.view.stop, self.stop),
        ):
            action = QAction(button.text(), self)
            action.setStatusTip(button.toolTip())
            action.triggered.connect(lambda _checked=False, run=run: run())
            self.actions_by_name[name] = action

    @property
    def kept(self) -> KeptRun:
        """The run on disk that is chosen to be gone on with; while none is offered, the one under way."""
        return self.kept_row.chosen or self._kept

    @property
    def training(self) -> bool:
        """Whether a run is under way, paused or not."""
        return self.thread_.run is not None

    # -- what the user does

    def start(self) -> None:
        """Begin what the form says."""
        if self.training:
            return
        try:
            plan = self.view.form.plan()
        except InputError as error:
            self._say(str(error))
            return
        self._kept = self.kept_row.runs.new()
        self._begin(plan, plan.title(), plan.present is None)

    def resume_kept(self) -> None:
        """Go on with the kept run that is chosen."""
        about = self.kept.about()
        if about is not None and not self.training:
            self._kept = self.kept
            self._begin(None, f"train on {about.name}", True)

    def _begin(self, plan: TrainingPlan | None, title: str, new_model: bool) -> None:
        self._settle.stop()
        self.record, self._landing = TrainingRecord(), None
        self._title, self._new_model = title, new_model
        self._began_with = self.session.document.state.opened
        self._drawn = None
        self.view.settings.setChecked(False)
        self._set_follow(True)
        self._say("preparing …")
        self.thread_.start(plan, self._kept.folder)
        self._enable()
        self._draw()

    def pause_or_resume(self) -> None:
        """Wait after the step under way, or go on."""
        run = self.thread_.run
        if run is None:
            return
        if run.paused:
            run.resume()
        else:
            run.pause()
        self._enable()

    def stop(self) -> None:
        """End after the step under way."""
        if self.thread_.run is not None:
            self.thread_.run.stop()
            self._say("stopping …")

    def may_close(self) -> bool:
        """Whether the window may be closed: no run is under way, or the user says that it shall be stopped."""
        return not self.training or self.ask()

    def shut_down(self) -> None:
        """Stop the run after its present step, and keep it for another time; return when it has ended."""
        self._settle.stop()
        self.thread_.shut_down()

    # -- what the run tells

    def _reported(self, report: Report) -> None:
        self.record.add(report)
        if report.newest is not None and report.opened is not None:
            self._show_newest(report)
        if report.last:
            self._say(self._ended(report))
            self.message.emit(self.view.said.text())
            self._enable()
        elif report.phase == "preparing":
            self._say(report.said)
        elif report.phase == "paused":
            self._say("Paused. What is learned so far is shown, and kept on disk.")
            self._enable()
        else:
            self._say(report.said or ("" if self.view.follow.isChecked() else self._looking_back()))
        self._draw()

    def _show_newest(self, report: Report) -> None:
        assert report.newest is not None and report.opened is not None  # noqa: PT018
        if self._landing is None:
            opened = report.opened if self._new_model else self._began_with
            prompt = report.prompt if self._new_model else None
            self._landing = TrainingLanding(self.session.document, opened, self._title, prompt)
            self._show(report.newest, begin=True)
        elif self.view.follow.isChecked() and (report.last or self._has_time()):
            self._show(report.newest)

    def _has_time(self) -> bool:
        """Whether the weights shown last have been evaluated, and the window has had time for other things since."""
        return not self.session.pending and time.monotonic() >= self._rested_at

    def _show(self, snapshot: TrainingSnapshot, begin: bool = False) -> None:
        """Have the document show a snapshot of the run; where it has gone another way, only if it is to `begin`."""
        assert self._landing is not None
        began = time.monotonic()
        self._ours = True
        try:
            if begin and not self._landing.active:
                self._landing.begin(snapshot, self)
            elif not self._landing.show(snapshot, self):
                self._set_follow(False)
        finally:
            self._ours = False
        now = self._shown_at = time.monotonic()
        self._rested_at = now + REST * (now - began)

    def _ended(self, report: Report) -> str:
        said = ended_words(report, self.record)
        if self._landing is not None:
            said += f" {HISTORY_NOTE}" if self._landing.active else f" {LOST}"
            looked_at = self.looked_at()
            if self._landing.active and not self.view.follow.isChecked() and looked_at is not None:
                said += f" Shown are the weights after step {looked_at.step:,}; “Follow” shows the newest."
        return said

    def document_changed(self, change: Change) -> None:
        """The user may have changed weights, opened another model, or undone the run's step."""
        landing = self._landing
        if not self._ours and landing is not None and self.view.follow.isChecked() and not landing.active:
            self._set_follow(False)
            self._say(LOST)
        if not self.training and self.view.form.source.currentIndex():
            self._settle.start()

    # -- going back

    def _slid(self, index: int) -> None:
        """The slider was moved: show that snapshot; at the far end of a run under way, follow it again."""
        if self._landing is None:
            return
        newest = self.training and index >= len(self.record.snapshots)
        self._set_follow(newest or (not self.training and index == len(self.record.snapshots) - 1))
        snapshot = self.record.newest if newest else self.record.snapshot_at(index)
        if snapshot is not None:
            self._show_anyway(snapshot)
        if not self.training or not newest:
            self._say(self._looking_back())
        self._draw()

    def _show_anyway(self, snapshot: TrainingSnapshot) -> None:
        follow = self.view.follow.isChecked()
        self._show(snapshot, begin=True)
        self._set_follow(follow)

    def _looking_back(self) -> str:
        looked_at = self.looked_at()
        if looked_at is None or looked_at is self.record.newest:
            return ""
        return f"Looking back at the weights after step {looked_at.step:,}; “Use these weights” keeps them."

    def looked_at(self) -> TrainingSnapshot | None:
        """The snapshot under the slider; the newest weights at its end."""
        index = self.view.slider.value()
        return self.record.snapshots[index] if index < len(self.record.snapshots) else self.record.newest

    def _follow_toggled(self, checked: bool) -> None:
        newest = self.record.newest
        if checked and newest is not None and self._landing is not None:
            self._show_anyway(newest)
            self._say("")
        self._draw()

    def _set_follow(self, follow: bool) -> None:
        self.view.follow.blockSignals(True)
        self.view.follow.setChecked(follow)
        self.view.follow.blockSignals(False)

    def _use(self) -> None:
        snapshot, newest = self.looked_at(), self.record.newest
        if snapshot is None or newest is None or self._landing is None:
            return
        self._ours = True
        try:
            self._landing.use(snapshot, newest, self)
        finally:
            self._ours = False
        self._set_follow(False)
        self._say(f"The weights after step {snapshot.step:,} are a step of the history of their own.")

    # -- what is seen

    def refresh(self) -> None:
        """Catch up."""
        self._drawn = None
        self._draw()
        self._enable()
        if not self.training:
            self._plan_changed()

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        """Nothing here is about the selection."""

    def result_arrived(self, result: object) -> None:
        """Nothing here is about the result."""

    def theme_changed(self) -> None:
        self.view.apply_theme()

    def _seen(self) -> bool:
        """Whether the panel is seen; if not, `refresh` follows once it is."""
        self._behind = self._behind or not self.isVisible()
        return self.isVisible()

    def _plan_changed(self) -> None:
        """Say what the plan costs, as far as it is known at once."""
        if self.training or not self._seen():
            return
        try:
            plan = self.view.form.plan()
            count = plan.parameter_count()
        except InputError as error:
            self.view.cost.setText(str(error))
            self.view.start.setEnabled(False)
            self._settle.stop()
            return
        self.view.start.setEnabled(True)
        self.view.cost.setText(cost_words(count, None))
        self._settle.start()

    def _estimate(self) -> None:
        if self.training or not self._seen():
            return
        try:
            self.thread_.estimate(self.view.form.plan())
        except InputError as error:
            self.view.cost.setText(str(error))

    def _estimated(self, plan: TrainingPlan, seconds: float | None) -> None:
        if self.view.form.has(plan):
            self.view.cost.setText(cost_words(plan.parameter_count(), seconds))

    def _say(self, text: str) -> None:
        self.view.said.setText(text)
        self.view.said.setVisible(bool(text))

    def _enable(self) -> None:
        run, view = self.thread_.run, self.view
        self.kept_row.offer(run is None)
        view.form.setEnabled(run is None)
        view.start.setEnabled(run is None)
        view.pause.setEnabled(run is not None)
        view.pause.setText("Resume" if run is not None and run.paused else "Pause")
        view.stop.setEnabled(run is not None)
        self.actions_by_name["pauseTraining"].setText(view.pause.text())
        self.actions_by_name["train"].setEnabled(run is None)
        for name in ("pauseTraining", "stopTraining"):
            self.actions_by_name[name].setEnabled(run is not None)

    def _draw(self) -> None:
        """Curves, facts, samples and slider, if they are seen and there is something new."""
        self._draw_slider()
        if not self._seen():
            return
        looked_at, followed = self.looked_at(), self.view.follow.isChecked()
        key = (self.record.last, looked_at, followed)
        now = time.monotonic()
        # While a run goes on, curves wait for a report that does not bring new weights, so as not to add up with them.
        waited = now - self._drawn_at
        seldom = waited < DRAW_SECONDS or (waited < PATIENCE and now - self._shown_at < APART_SECONDS)
        if key == self._drawn or (self.training and followed and seldom):
            return
        self._drawn, self._drawn_at = key, now
        view = self.view
        if self.record.newest is not None:
            plots = view.shown_plots()
            plots.show_record(self.record)
            back = looked_at is not None and looked_at is not self.record.newest
            plots.look_at(looked_at.step if back and looked_at is not None else None)
        view.show_facts(facts_words(self.record))
        view.show_samples(sample_words(self.record))

    def _draw_slider(self) -> None:
        count = len(self.record.snapshots)
        self.view.show_snapshots(count if self.training else count - 1, self._landing is not None)
        looked_at = self.looked_at()
        self.view.at.setText("" if looked_at is None else f"step {looked_at.step:,}")
        self.view.follow.setEnabled(self._landing is not None)
        self.view.use.setEnabled(self._landing is not None and looked_at is not None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.view.fit()
        layout = self.layout()
        if layout is not None and layout.geometry() != self.rect():  # it was laid out while other parts were in it
            layout.setGeometry(self.rect())
