"""A large text file: the window never reads it, and neither waits for whoever does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.panels.training.test_panel import SMALL, WAIT, click, said, set_numbers, shown_panel
from visualizer.formats import open_model
from visualizer.session.session import Session
from visualizer.session.training.plan import TrainingText
from visualizer.session.training.process import TrainingProcess
from visualizer.ui.panels.training import form as form_module
from visualizer.ui.panels.training.panel import TrainingPanel
from visualizer.ui.panels.training.text_file import LARGE, TextFile


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.txt"
    path.write_text("the cat sat.\n" * (LARGE // 13 + 1), "utf-8")
    return path


@pytest.fixture
def panel(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainingPanel]:
    """A panel whose window may read no file of the user's."""
    open_corpus = form_module.open_corpus

    def only_built_in(source: str) -> object:
        assert ":" in source, "the window reads the file itself"
        return open_corpus(source)

    monkeypatch.setattr(form_module, "open_corpus", only_built_in)
    panel = shown_panel(Session(open_model("aab")), qtbot, tmp_path / "kept")
    set_numbers(panel, SMALL)
    yield panel
    panel.shut_down()


def choose(panel: TrainingPanel, path: Path) -> None:
    panel.view.form.add_file(str(path))
    panel.view.form.changed.emit()


def known(panel: TrainingPanel, qtbot: QtBot) -> None:
    """Wait until the file was looked at."""
    qtbot.waitUntil(lambda: not said(panel, "trainingCost").startswith("reading"), timeout=WAIT)


def test_a_large_file_is_looked_at_by_the_other_process_and_trained_on(
    panel: TrainingPanel, qtbot: QtBot, large: Path
) -> None:
    choose(panel, large)
    assert said(panel, "trainingCost") == "reading large.txt …"
    assert not panel.view.start.isEnabled()
    known(panel, qtbot)
    assert said(panel, "trainingCost").startswith("697 parameters")
    text = panel.view.form.plan().text
    assert (text.name, text.text, text.alphabet_size()) == ("large", "", 9)
    qtbot.waitUntil(lambda: "about" in said(panel, "trainingCost"), timeout=WAIT)
    click(panel, qtbot, "trainingStart")
    qtbot.waitUntil(lambda: not panel.training, timeout=WAIT)
    assert said(panel).startswith("Trained 60 steps")
    assert panel.session.document.state.model.config.d_vocab == 9
    assert (panel.kept.folder / "training.txt").read_bytes() == large.read_bytes()
    assert panel.session.document.state.prompt_text.startswith("the c")


def test_a_changed_field_reads_nothing_again(panel: TrainingPanel, qtbot: QtBot, large: Path) -> None:
    choose(panel, large)
    known(panel, qtbot)
    asked: list[object] = []
    panel.view.form.wanted.connect(asked.append)
    set_numbers(panel, {"n_layers": 2, "batch": 8})
    assert "parameters" in said(panel, "trainingCost")
    assert asked == []
    large.write_text("another text " * (LARGE // 13 + 1), "utf-8")
    os.utime(large, (time.time() + 5, time.time() + 5))
    set_numbers(panel, {"n_layers": 3})
    assert said(panel, "trainingCost") == "reading large.txt …"
    assert asked == [TextFile.at(str(large))]


def test_a_large_file_that_cannot_be_trained_on_is_said_in_place(
    panel: TrainingPanel, qtbot: QtBot, large: Path
) -> None:
    large.write_bytes(b"\xff" * (LARGE + 1))
    choose(panel, large)
    known(panel, qtbot)
    assert "UTF-8 text: byte 0xff at 0" in said(panel, "trainingCost")
    assert not panel.view.start.isEnabled()


def test_an_estimate_of_what_is_not_chosen_any_more_is_not_shown(
    panel: TrainingPanel, qtbot: QtBot, large: Path
) -> None:
    before = panel.view.form.plan()
    choose(panel, large)
    panel.thread_.estimated.emit(before, 12.0)
    assert said(panel, "trainingCost") == "reading large.txt …"
    known(panel, qtbot)


def test_stop_and_closing_wait_for_no_preparation(
    panel: TrainingPanel, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "endless.txt"
    os.mkfifo(fifo)  # whoever reads it waits for ever
    endless = TrainingText("endless", "", source=str(fifo), characters=2)
    monkeypatch.setattr(panel.view.form, "chosen_text", lambda: endless)
    panel.start()
    qtbot.waitUntil(lambda: said(panel) == "reading the text", timeout=WAIT)
    click(panel, qtbot, "trainingStop")
    qtbot.waitUntil(lambda: not panel.training, timeout=WAIT)
    assert said(panel) == "Stopped before the first step."
    panel.start()
    click(panel, qtbot, "trainingStop")  # before it has begun
    qtbot.waitUntil(lambda: not panel.training, timeout=WAIT)
    panel.start()
    qtbot.waitUntil(lambda: said(panel) == "reading the text", timeout=WAIT)
    monkeypatch.setattr("visualizer.session.training.process.PATIENCE", float(WAIT))
    panel.shut_down()  # would not return


def test_the_process_tells_why_a_file_is_no_text(tmp_path: Path) -> None:
    process = TrainingProcess()
    try:
        (tmp_path / "empty.txt").write_bytes(b"")
        assert "is empty; a text to train on is needed" in str(process.look(str(tmp_path / "empty.txt")))
        (tmp_path / "few.txt").write_text("abca", "utf-8")
        found = process.look(str(tmp_path / "few.txt"))
        assert isinstance(found, TrainingText)
        assert (found.name, found.text, found.characters) == ("few", "", 3)
        assert found.read().text == "abca"
    finally:
        process.close()
        process.release()
