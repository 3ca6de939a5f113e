"""The training panel, by clicks: a run from the form to one step of the history, looking back, resuming, closing."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QSpinBox,
)
from pytestqt.qtbot import QtBot

from tests.ui.finding import child, on_screen
from visualizer.cli import main
from visualizer.formats import open_model
from visualizer.session.document.edits import SetCells, SetPrompt
from visualizer.session.session import Session
from visualizer.session.training import process
from visualizer.session.training.corpora import open_corpus
from visualizer.session.training.record import TrainingRecord
from visualizer.session.training.report import Evaluation, Point, Report, TrainingSnapshot
from visualizer.training_options import add_training_options
from visualizer.training_run import plan_of
from visualizer.ui.panels.training.panel import LOST, TrainingPanel
from visualizer.ui.panels.training.plots import TrainingPlots

SMALL = {"n_layers": 1, "n_heads": 1, "d_model": 8, "d_mlp": 8, "context": 8, "steps": 60, "batch": 4}
LONG = {"steps": 1_000_000}
WAIT = 20_000


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A text file."""
    path = tmp_path / "letters.txt"
    path.write_text("abcd" * 100, encoding="utf-8")
    return path


@pytest.fixture
def panel(session: Session, qtbot: QtBot, tmp_path: Path, corpus: Path) -> Iterator[TrainingPanel]:
    """The panel, shown, with the text file chosen and a small shape."""
    panel = shown_panel(session, qtbot, tmp_path / "kept")
    panel.view.form.choose_file = lambda: str(corpus)
    box = child(panel, QComboBox, "trainingText")
    box.setCurrentIndex(box.count() - 1)
    box.activated.emit(box.count() - 1)
    set_numbers(panel, SMALL)
    yield panel
    panel.shut_down()


def shown_panel(session: Session, qtbot: QtBot, folder: Path) -> TrainingPanel:
    """A panel on screen."""
    return on_screen(TrainingPanel(session, folder=folder), qtbot, 700, 480)


def set_numbers(panel: TrainingPanel, numbers: dict[str, int]) -> None:
    """Type into the form."""
    for name, value in numbers.items():
        child(panel, QSpinBox, f"training_{name}").setValue(value)


def click(panel: TrainingPanel, qtbot: QtBot, name: str) -> None:
    """Press a button."""
    button = child(panel, QPushButton, name)
    assert button.isEnabled(), name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def said(panel: TrainingPanel, name: str = "trainingSaid") -> str:
    """What it says."""
    return child(panel, QLabel, name).text()


def train(panel: TrainingPanel, qtbot: QtBot) -> None:
    """A whole run."""
    click(panel, qtbot, "trainingStart")
    qtbot.waitUntil(lambda: not panel.training, timeout=WAIT)


def learning(panel: TrainingPanel, qtbot: QtBot) -> None:
    """Begin a run that will not end by itself, and wait until it has learned something."""
    set_numbers(panel, LONG)
    click(panel, qtbot, "trainingStart")
    qtbot.waitUntil(lambda: panel.record.last is not None and panel.record.last.step > 20, timeout=WAIT)


def test_curves_come_even_where_every_report_brings_new_weights(
    panel: TrainingPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("visualizer.ui.panels.training.panel.APART_SECONDS", WAIT)
    set_numbers(panel, LONG)
    click(panel, qtbot, "trainingStart")
    qtbot.waitUntil(lambda: "step" in said(panel, "trainingFacts"), timeout=WAIT)
    assert panel.training


def test_a_run_that_nobody_watched_is_shown_later(panel: TrainingPanel, qtbot: QtBot) -> None:
    click(panel, qtbot, "trainingStart")
    panel.hide()
    qtbot.waitUntil(lambda: not panel.training, timeout=WAIT)
    panel.show()
    assert f"step {SMALL['steps']} " in said(panel, "trainingFacts")


def test_the_number_of_parameters_and_the_time_are_said(panel: TrainingPanel, qtbot: QtBot) -> None:
    assert said(panel, "trainingCost") == "612 parameters · time: …"
    qtbot.waitUntil(lambda: "about" in said(panel, "trainingCost"), timeout=WAIT)


def test_what_cannot_be_trained_is_said_in_place(panel: TrainingPanel, corpus: Path, qtbot: QtBot) -> None:
    set_numbers(panel, {"n_heads": 3})
    assert "not a multiple of n_heads 3" in said(panel, "trainingCost")
    assert not child(panel, QPushButton, "trainingStart").isEnabled()
    set_numbers(panel, {"n_heads": 1})
    child(panel, QLineEdit, "trainingRate").setText("quick")
    assert "'quick' is not a learning rate" in said(panel, "trainingCost")
    child(panel, QLineEdit, "trainingRate").setText("0.003")
    set_numbers(panel, {"context": 300})
    train(panel, qtbot)
    assert "at least 602 are needed" in said(panel)


def test_a_run_is_one_step_of_the_history(panel: TrainingPanel, session: Session, qtbot: QtBot) -> None:
    before = session.document.state
    train(panel, qtbot)
    assert "Trained 60 steps: validation loss" in said(panel)
    assert session.document.history() == (["train on letters"], 1)
    state = session.document.state
    assert state.opened.name == "trained on letters"
    assert state.prompt_text == "abcdabcd"
    assert panel.record.newest is not None
    np.testing.assert_array_equal(state.model.parameters["wte"], panel.record.newest.parameters["wte"])
    assert "step 60 / 60" in said(panel, "trainingFacts")
    assert "abcdabcd│" in child(panel, QPlainTextEdit, "trainingSamples").toPlainText()
    session.document.undo()
    assert session.document.state == before
    assert said(panel) == LOST


def test_the_slider_goes_back_and_a_snapshot_can_be_used(panel: TrainingPanel, session: Session, qtbot: QtBot) -> None:
    train(panel, qtbot)
    slider = child(panel, QSlider, "trainingSlider")
    assert slider.value() == slider.maximum() == 60
    slider.setValue(7)
    snapshot = panel.record.snapshots[7]
    assert snapshot.step == 7
    assert "after step 7" in said(panel)
    assert not child(panel, QCheckBox, "trainingFollow").isChecked()
    shown = session.document.state.model.parameters
    np.testing.assert_array_equal(shown["wte"], snapshot.parameters["wte"])
    assert len(session.document.history()[0]) == 1
    click(panel, qtbot, "trainingUse")
    assert session.document.history()[0][-1] == "weights after step 7 of: train on letters"
    session.document.undo()
    last = panel.record.snapshots[-1].parameters
    np.testing.assert_array_equal(session.document.state.model.parameters["wte"], last["wte"])
    session.document.redo()
    child(panel, QCheckBox, "trainingFollow").click()
    np.testing.assert_array_equal(session.document.state.model.parameters["wte"], last["wte"])


def test_the_window_follows_while_it_learns_and_stops_within_a_step(
    panel: TrainingPanel, session: Session, qtbot: QtBot
) -> None:
    learning(panel, qtbot)
    first = session.document.state.model
    qtbot.waitUntil(lambda: session.document.state.model is not first, timeout=WAIT)
    session.document.apply(SetPrompt("dcba"))
    qtbot.waitUntil(lambda: session.document.state.model is not first, timeout=WAIT)
    click(panel, qtbot, "trainingPause")
    qtbot.waitUntil(lambda: said(panel).startswith("Paused"), timeout=WAIT)
    assert panel.record.last is not None
    paused_at = panel.record.last.step
    assert (panel.kept.folder / "training.checkpoint").exists()
    click(panel, qtbot, "trainingPause")
    qtbot.waitUntil(lambda: panel.record.last is not None and panel.record.last.step > paused_at, timeout=WAIT)
    click(panel, qtbot, "trainingStop")
    qtbot.waitUntil(lambda: not panel.training, timeout=WAIT)
    assert said(panel).startswith("Stopped after")
    assert session.document.state.prompt_text == "dcba"
    assert session.document.history()[0] == ["train on letters", "prompt “dcba”"]
    assert panel.record.newest is not None
    np.testing.assert_array_equal(session.document.state.model.parameters["wte"], panel.record.newest.parameters["wte"])


def test_a_weight_that_the_user_edits_is_left_alone(panel: TrainingPanel, session: Session, qtbot: QtBot) -> None:
    learning(panel, qtbot)
    session.document.apply(SetCells("wte", (0, 0), 7.0))
    assert said(panel) == LOST
    seen = panel.record.last
    qtbot.waitUntil(lambda: panel.record.last is not seen, timeout=WAIT)
    assert session.document.state.model.parameters["wte"][0, 0] == 7
    child(panel, QCheckBox, "trainingFollow").click()
    assert session.document.state.model.parameters["wte"][0, 0] != 7


def test_the_open_model_is_trained_on(panel: TrainingPanel, session: Session, qtbot: QtBot) -> None:
    train(panel, qtbot)
    before = session.document.state
    child(panel, QComboBox, "trainingModel").setCurrentIndex(1)
    assert not child(panel, QSpinBox, "training_n_layers").isEnabled()
    assert said(panel, "trainingCost").startswith("612 parameters")
    train(panel, qtbot)
    assert said(panel).startswith("Trained 60 steps")
    assert session.document.state.opened is before.opened
    first = panel.record.snapshots[0].parameters["wte"]
    np.testing.assert_array_equal(first, before.model.parameters["wte"])
    assert session.document.history() == (["train on letters", "train on letters"], 2)
    session.document.undo()
    np.testing.assert_array_equal(session.document.state.model.parameters["wte"], first)


def test_a_handmade_model_is_too_sharp_and_is_left_as_it_was(
    panel: TrainingPanel, session: Session, qtbot: QtBot, corpus: Path
) -> None:
    corpus.write_text("aab" * 60, encoding="utf-8")
    session.document.apply(SetCells("blocks.0.attn.c_proj.b", (5,), 0.0))
    before = session.document.state.model.parameters
    child(panel, QComboBox, "trainingModel").setCurrentIndex(1)
    assert said(panel, "trainingCost").startswith("344 parameters")
    train(panel, qtbot)
    assert "training stopped at step 0" in said(panel)
    assert "Gradients panel" in said(panel)
    now = session.document.state.model.parameters
    assert all(np.array_equal(now[name], before[name]) for name in before)


def test_an_exploding_run_says_so_and_keeps_the_last_good_weights(
    panel: TrainingPanel, session: Session, qtbot: QtBot
) -> None:
    child(panel, QLineEdit, "trainingRate").setText("1e6")
    train(panel, qtbot)
    assert "lower lr" in said(panel)
    assert all(np.isfinite(array).all() for array in session.document.state.model.parameters.values())


def test_a_kept_run_is_offered_and_resumed(
    panel: TrainingPanel, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    assert not child(panel, QPushButton, "trainingResume").isVisible()
    learning(panel, qtbot)
    panel.shut_down()
    other = shown_panel(Session(open_model("aab")), qtbot, tmp_path / "kept")
    about = other.kept.about()
    assert about is not None
    assert said(other, "trainingKept") == f"Kept on disk: letters, step {about.step:,} of 1,000,000"
    click(other, qtbot, "trainingResume")
    qtbot.waitUntil(lambda: other.record.last is not None and other.record.last.step > about.step, timeout=WAIT)
    assert other.session.document.state.opened.name == "trained on letters"
    click(other, qtbot, "trainingStop")
    qtbot.waitUntil(lambda: not other.training, timeout=WAIT)
    click(other, qtbot, "trainingForget")
    assert other.kept.about() is None
    assert not child(other, QPushButton, "trainingResume").isVisible()
    other.shut_down()


def test_a_new_training_leaves_the_runs_that_are_kept(
    panel: TrainingPanel, session: Session, qtbot: QtBot, tmp_path: Path, corpus: Path
) -> None:
    learning(panel, qtbot)
    click(panel, qtbot, "trainingStop")
    qtbot.waitUntil(lambda: not panel.training, timeout=WAIT)
    stopped = panel.kept.about()
    assert stopped is not None
    corpus.write_text("dcba" * 100, encoding="utf-8")
    set_numbers(panel, SMALL)
    train(panel, qtbot)
    box = child(panel, QComboBox, "trainingRuns")
    assert box.isVisible()
    words = [box.itemText(index) for index in range(box.count())]
    assert words == ["letters, step 60 of 60", f"letters, step {stopped.step:,} of 1,000,000"]
    resume = child(panel, QPushButton, "trainingResume")
    assert resume.text() == "Bring it back"
    box.setCurrentIndex(1)
    assert resume.text() == "Resume"
    click(panel, qtbot, "trainingResume")
    qtbot.waitUntil(lambda: panel.record.last is not None and panel.record.last.step > stopped.step, timeout=WAIT)
    click(panel, qtbot, "trainingStop")
    qtbot.waitUntil(lambda: not panel.training, timeout=WAIT)
    assert (panel.kept.folder / "training.txt").read_text("utf-8") == "abcd" * 100
    click(panel, qtbot, "trainingForget")
    assert not box.isVisible()
    assert said(panel, "trainingKept") == "Kept on disk: letters, step 60 of 60"


def test_two_windows_of_one_home_train_side_by_side(
    panel: TrainingPanel, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    other = shown_panel(Session(open_model("aab")), qtbot, tmp_path / "kept")
    (tmp_path / "figures.txt").write_text("1234" * 100, encoding="utf-8")
    other.view.form.add_file(str(tmp_path / "figures.txt"))
    set_numbers(other, SMALL)
    learning(panel, qtbot)
    learning(other, qtbot)
    for each in (panel, other):
        click(each, qtbot, "trainingPause")
    qtbot.waitUntil(lambda: all(said(each).startswith("Paused") for each in (panel, other)), timeout=WAIT)
    assert panel.kept.folder != other.kept.folder
    texts = [(each.kept.folder / "training.txt").read_text("utf-8")[:4] for each in (panel, other)]
    assert texts == ["abcd", "1234"]
    third = shown_panel(Session(open_model("aab")), qtbot, tmp_path / "kept")
    assert not child(third, QPushButton, "trainingResume").isVisible(), "both are being trained"
    other.shut_down()
    third.refresh()
    assert said(third, "trainingKept").startswith("Kept on disk: figures, step ")
    click(third, qtbot, "trainingResume")
    qtbot.waitUntil(lambda: third.record.last is not None and third.record.last.step > 0, timeout=WAIT)
    third.shut_down()


def test_closing_asks_while_a_run_is_under_way(panel: TrainingPanel, qtbot: QtBot) -> None:
    asked = []

    def answer(stop: bool) -> bool:
        asked.append(stop)
        return stop

    panel.ask = lambda: answer(False)
    assert panel.may_close()
    assert asked == []
    learning(panel, qtbot)
    assert not panel.may_close()
    panel.ask = lambda: answer(True)
    assert panel.may_close()
    panel.shut_down()
    assert asked == [False, True]
    assert panel.kept.about() is not None


def test_a_form_that_nobody_touched_has_the_plan_of_the_command_without_options(
    session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    panel = shown_panel(session, qtbot, tmp_path / "kept")
    parser = argparse.ArgumentParser()
    add_training_options(parser)
    options = parser.parse_args(["corpus:rhymes"])
    plan, expected = panel.view.form.plan(), plan_of(options, open_corpus("corpus:rhymes"))
    assert (plan.text, plan.present, plan.settings) == (expected.text, expected.present, expected.settings)
    assert plan.config() == expected.config()
    panel.shut_down()


def test_the_form_and_the_command_train_the_same_model_to_the_bit(
    panel: TrainingPanel, session: Session, qtbot: QtBot, tmp_path: Path, corpus: Path
) -> None:
    choices = {**SMALL, "steps": 25, "seed": 7}
    set_numbers(panel, choices)
    child(panel, QComboBox, "trainingPositions").setCurrentIndex(1)
    child(panel, QLineEdit, "trainingRate").setText("0.02")
    click(panel, qtbot, "trainingStart")
    qtbot.waitUntil(lambda: "Trained 25 steps" in said(panel), timeout=WAIT)
    options = [word for name, value in choices.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    output = tmp_path / "command.safetensors"
    command = ["train", str(corpus), "-o", str(output), "--positions", "sinusoidal", "--lr", "0.02", *options]
    assert main(command) == 0
    ours, theirs = session.document.state.model.parameters, open_model(output).model.parameters
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], strict=True, err_msg=name)


def test_going_from_one_snapshot_of_a_step_to_another_of_the_same_step(
    panel: TrainingPanel, session: Session, qtbot: QtBot
) -> None:
    """As after a run that was stopped where it had just kept one."""
    train(panel, qtbot)
    last = panel.record.snapshots[-1]
    arrays = {name: array + 1 for name, array in last.parameters.items()}
    panel.record.snapshots.append(TrainingSnapshot(last.step, arrays))
    panel.refresh()
    slider = child(panel, QSlider, "trainingSlider")
    for index in (len(panel.record.snapshots) - 2, len(panel.record.snapshots) - 1):
        slider.setValue(index)
        shown = panel.record.snapshots[index].parameters["wte"]
        np.testing.assert_array_equal(session.document.state.model.parameters["wte"], shown)


def test_numbers_that_no_axis_can_be_marked_for_are_gaps_in_the_curves(qtbot: QtBot) -> None:
    """Pyqtgraph refuses a range that ends at 1e308."""
    plots, record = TrainingPlots(), TrainingRecord()
    on_screen(plots, qtbot, 500, 300)
    for step, number in enumerate((1.0, 1e308, np.inf, np.nan, 2.0)):
        points, evaluations = (Point(step, number, number, number),), (Evaluation(step, number, number),)
        record.add(Report("running", points=points, evaluations=evaluations))
        plots.show_record(record)
        plots.grab()
    ends = plots.rate.getPlotItem().viewRange()[1]
    assert 0 < ends[0] < 1.1
    assert 1.9 < ends[1] < 3


def test_a_damaged_kept_run_prevents_nothing_and_is_set_aside_with_a_word(
    session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    for name in ("training.txt", "training.checkpoint"):
        (tmp_path / name).write_text("damaged", encoding="utf-8")
    (tmp_path / "training.json").write_text('{"name": "a", "step": 1e999, "steps": 4}', encoding="utf-8")
    panel = shown_panel(session, qtbot, tmp_path)
    assert "step is inf" in panel.view.said.text()
    assert "was set aside there under names that end in .damaged" in panel.view.said.text()
    assert not panel.kept_row.isVisible()
    assert (tmp_path / "training.json.damaged").is_file()
    panel.shut_down()
    assert shown_panel(session, qtbot, tmp_path).view.said.text() == ""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="the system stops no process")
def test_a_training_process_that_was_stopped_ends_at_once_and_keeps_its_run(
    panel: TrainingPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by Ctrl+Z in another terminal; the window would wait for it, and then kill it."""
    learning(panel, qtbot)
    child_process = panel.thread_._process._child
    assert child_process is not None
    monkeypatch.setattr(process, "PATIENCE", WAIT / 1000)
    os.kill(child_process.pid, signal.SIGSTOP)
    panel.shut_down()
    assert child_process.returncode == 0  # it ended by itself
    assert panel.kept.about() is not None
