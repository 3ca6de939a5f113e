"""Names of files that are saved from the window: a suffix is added, none is replaced, and nothing goes unasked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.training import init_parameters
from visualizer.formats import open_model
from visualizer.formats.presets import OpenedModel
from visualizer.session.document.edits import SetPrompt
from visualizer.session.session import Session
from visualizer.ui.window.export import asked_name
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.script_export import script_action

Answer = Callable[[Path], None]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """What the user types as a name."""

    def will_be(path: Path) -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))

    return will_be


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions whether a file may be replaced; each is answered with no."""
    questions: list[str] = []

    def question(_parent: object, _title: str, text: str) -> QMessageBox.StandardButton:
        questions.append(text)
        return QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", question)
    return questions


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow(open_model("aab"), QSettings())
    qtbot.addWidget(window)
    window.session.wait()
    return window


def save(window: MainWindow) -> None:
    """File ▸ Save model as…"""
    next(action for action in window.menus.file.actions() if "Save model" in action.text()).trigger()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_dot_in_the_name_of_a_model_is_part_of_it(
    window: MainWindow, tmp_path: Path, typed: Answer, asked: list[str]
) -> None:
    for name in ("run.1", "run.2", "plain", "whole.safetensors", "LOUD.SAFETENSORS"):
        typed(tmp_path / name)
        save(window)
    whole = ["LOUD.SAFETENSORS", "plain.safetensors", "run.1.safetensors", "run.2.safetensors", "whole.safetensors"]
    assert files(tmp_path) == whole
    assert asked == []
    assert open_model(tmp_path / "run.1.safetensors").name == "run.1"
    assert window.status.currentMessage() == f"saved {tmp_path / 'LOUD.SAFETENSORS'}"


def test_a_model_whose_name_was_completed_is_replaced_only_by_leave(
    window: MainWindow, tmp_path: Path, typed: Answer, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "plain.safetensors"
    target.write_bytes(b"theirs")
    typed(tmp_path / "plain")
    save(window)
    assert asked == ["plain.safetensors is there already. Replace it?"]
    assert target.read_bytes() == b"theirs"
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    save(window)
    assert open_model(target).name == "plain"


def test_a_model_that_cannot_be_saved_is_said_so(window: MainWindow, tmp_path: Path, typed: Answer) -> None:
    typed(tmp_path / "gone" / "m")
    save(window)
    assert "No such file or directory" in window.status.currentMessage()


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".png", ".svg", ".py", ".safetensors"])
def test_every_dialog_adds_its_suffix_and_asks_for_the_final_name(
    qtbot: QtBot, tmp_path: Path, typed: Answer, asked: list[str], suffix: str
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    for name, final in (("heat", f"heat{suffix}"), ("heat.1", f"heat.1{suffix}"), (f"x{suffix}", f"x{suffix}")):
        typed(tmp_path / name)
        assert asked_name(parent, "proposed", "", suffix) == tmp_path / final
    (tmp_path / f"heat{suffix}").write_bytes(b"theirs")
    typed(tmp_path / "heat")
    assert asked_name(parent, "proposed", "", suffix) is None
    typed(tmp_path / f"heat{suffix}")  # the dialog itself has asked for this one
    assert asked_name(parent, "proposed", "", suffix) == tmp_path / f"heat{suffix}"
    assert asked == [f"heat{suffix} is there already. Replace it?"]


def test_the_numbers_beside_a_script_are_replaced_only_by_leave(
    qtbot: QtBot, tmp_path: Path, typed: Answer, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ModelConfig(n_layers=1, d_model=32, n_ctx=8, n_heads=4, d_vocab=26, act_fn="gelu_new")
    opened = OpenedModel(Model(config, init_parameters(config, 0)), "large", "")
    session, parent, said = Session(opened), QWidget(), list[str]()
    qtbot.addWidget(parent)
    session.document.apply(SetPrompt([1, 2]))
    (tmp_path / "run.npz").write_bytes(b"theirs")
    (tmp_path / "run.py.npz").write_bytes(b"theirs")
    typed(tmp_path / "run")
    script_action(session, parent, said.append).trigger()
    assert asked == ["run.py.npz is there already. Replace it?"]
    assert files(tmp_path) == ["run.npz", "run.py.npz"]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    script_action(session, parent, said.append).trigger()
    assert said == [f"saved {tmp_path / 'run.py'}"]
    assert (tmp_path / "run.npz").read_bytes() == b"theirs"
    with np.load(tmp_path / "run.py.npz") as arrays:
        assert arrays


def test_a_small_script_asks_for_no_second_file(qtbot: QtBot, tmp_path: Path, typed: Answer, asked: list[str]) -> None:
    session, parent, said = Session(replace(open_model("aab"), prompt="aab")), QWidget(), list[str]()
    qtbot.addWidget(parent)
    session.wait()
    (tmp_path / "run.py.npz").write_bytes(b"theirs")
    typed(tmp_path / "run.py")
    script_action(session, parent, said.append).trigger()
    assert asked == []
    assert files(tmp_path) == ["run.py", "run.py.npz"]
