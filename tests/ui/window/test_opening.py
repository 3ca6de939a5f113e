"""Opening files: a large one is read beside the window, and what is wrong with one is said and changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

import visualizer
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.errors import FormatError, TooLargeError
from visualizer.formats import OpenedModel, open_model, save_safetensors
from visualizer.ui.window import opening
from visualizer.ui.window.main_window import MainWindow


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    return window


class Gate:
    """Lets `open_model` go on when it is opened; knows the thread that waits there."""

    def __init__(self) -> None:
        self.opened, self.reached = threading.Event(), threading.Event()
        self.sources: list[str] = []
        self.fails: type[BaseException] | None = None

    def read(self, source: str) -> OpenedModel:
        """As `open_model`, once the gate is open."""
        self.sources.append(source)
        assert threading.current_thread() is not threading.main_thread(), "the window would wait"
        self.reached.set()
        assert self.opened.wait(30)
        if self.fails is not None:
            raise self.fails
        return open_model(source)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Every file is large, and is read when the gate is opened."""
    gate = Gate()
    monkeypatch.setattr(opening, "AT_ONCE_BYTES", 0)
    monkeypatch.setattr(opening, "open_model", gate.read)
    yield gate
    gate.opened.set()


def saved(path: Path, model: str = "ab") -> str:
    save_safetensors(open_model(model), path)
    return str(path)


def name(window: MainWindow) -> str:
    return window.session.document.state.opened.name


def test_the_window_goes_on_while_a_large_file_is_read(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, gate: Gate
) -> None:
    window.open_source(saved(tmp_path / "large.safetensors"))
    assert window.status.currentMessage() == "Reading large.safetensors …"
    qtbot.waitUntil(gate.reached.is_set)
    ticks: list[int] = []
    timer = QTimer(interval=0)
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start()
    qtbot.waitUntil(lambda: len(ticks) > 20)
    window.prompt_bar.prompt_edit.setText("abaab")
    assert (name(window), window.opening.busy) == ("aab", True)
    gate.opened.set()
    qtbot.waitUntil(lambda: name(window) == "large")
    assert not window.opening.busy
    window.undo_action.trigger()
    assert (name(window), window.session.document.state.prompt_text) == ("aab", "abaab")


def test_of_several_files_the_latest_is_opened(window: MainWindow, qtbot: QtBot, tmp_path: Path, gate: Gate) -> None:
    for word in ("first", "second", "third"):
        window.open_source(saved(tmp_path / f"{word}.safetensors"))
    gate.opened.set()
    qtbot.waitUntil(lambda: name(window) == "third")
    assert [Path(source).stem for source in gate.sources] == ["first", "third"]


def test_what_is_small_replaces_what_is_being_read(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.open_source(saved(tmp_path / "large.safetensors"))
    qtbot.waitUntil(gate.reached.is_set)
    monkeypatch.setattr(opening, "open_model", open_model)
    window.open_source("aaab")
    assert name(window) == "aaab"
    gate.opened.set()
    qtbot.wait(0)
    window.opening.stop()  # joins the thread
    qtbot.wait(0)
    assert name(window) == "aaab"


@pytest.mark.parametrize("fails", [None, MemoryError])
def test_what_is_wrong_with_a_large_file_is_said_and_nothing_changes(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, gate: Gate, fails: type[BaseException] | None
) -> None:
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"x" * 1000)
    gate.fails = fails
    gate.opened.set()
    window.open_source(str(bad))
    wanted = "is not a .safetensors file" if fails is None else "is larger than the memory that is left"
    qtbot.waitUntil(lambda: wanted in window.status.currentMessage())
    assert (name(window), window.session.document.history()) == ("aab", ([], 0))


def test_the_window_closes_while_a_file_is_read(window: MainWindow, qtbot: QtBot, tmp_path: Path, gate: Gate) -> None:
    window.open_source(saved(tmp_path / "large.safetensors"))
    qtbot.waitUntil(gate.reached.is_set)
    QTimer.singleShot(0, gate.opened.set)
    threading.Timer(0.1, gate.opened.set).start()
    assert window.close()
    qtbot.wait(0)
    assert name(window) == "aab"


def of_many_heads() -> OpenedModel:
    """A model whose very first pass needs more memory than there is."""
    config = ModelConfig(
        n_layers=1, d_model=2, n_heads=20_000, d_head=1, n_ctx=10**6, d_vocab=2, attn_only=True,
        positional_embedding_type="sinusoidal", normalization_type=None,
    )  # fmt: skip
    arrays = {name: np.zeros(shape) for name, shape in parameter_shapes(config).items()}
    return OpenedModel(Model(config, arrays, open_model("aab").model.tokenizer), "m", "m", "aab" * 80)


def test_a_model_that_memory_has_no_room_for_is_refused(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_safetensors(of_many_heads(), path)
    assert path.stat().st_size > opening.AT_ONCE_BYTES
    window.open_source(str(path))
    qtbot.waitUntil(lambda: "GB of memory" in window.status.currentMessage())
    assert name(window) == "aab"
    with pytest.raises(TooLargeError):
        window.open(str(path))


def test_a_program_that_opens_a_file_has_it_at_once_or_an_error(window: MainWindow, tmp_path: Path) -> None:
    window.open(Path(saved(tmp_path / "mine.safetensors")))
    assert name(window) == "mine"
    window.open("aab")
    assert name(window) == "aab"
    with pytest.raises(FormatError, match="'nothing' is neither"):
        window.open("nothing")
    assert window.session.document.history()[1] == 2


@pytest.mark.parametrize("source", ["no-such-file", "", "a\x00b", "x" * 5000, "."])
def test_what_is_no_file_is_refused_at_once(window: MainWindow, source: str) -> None:
    window.open_source(source)
    assert "is neither" in window.status.currentMessage() or "is a folder" in window.status.currentMessage()
    assert name(window) == "aab"
