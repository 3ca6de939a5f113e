"""Tokens that look like markup, mnemonics or formulas are shown as they are, wherever the window shows a token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction, QTextDocument
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from visualizer.engine.model import Model
from visualizer.formats import OpenedModel
from visualizer.session.document.edits import SetCells, SetPrompt, pin_baseline
from visualizer.session.selection import CellRef
from visualizer.ui.panels.next_token.panel import NextTokenPanel
from visualizer.ui.widgets.labels import ElidedLabel
from visualizer.ui.widgets.plain_text import PlainLabel, as_entry, as_tip, entry_words
from visualizer.ui.window.application import settings
from visualizer.ui.window.cell_menu import build_cell_menu
from visualizer.ui.window.main_window import MainWindow

BOLD, AMPERSAND, FORMULA = "<b>x</b>", "R&D", "=1+1"
TOKENS = (BOLD, AMPERSAND, FORMULA, "&amp;", "@b", "-2")


class WordTokenizer:
    """A token for each word of a text."""

    def encode(self, text: str) -> list[int]:
        return [TOKENS.index(word) for word in text.split()]

    def decode(self, ids: Iterable[int]) -> str:
        return " ".join(TOKENS[token] for token in ids)

    def token_text(self, token_id: int) -> str:
        return TOKENS[token_id]

    def description(self) -> str:
        return "words: " + " ".join(TOKENS)

    def to_dict(self) -> dict[str, object]:
        return {"kind": "words"}


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    bare = of_kind("gpt-2", dtype="float32")
    model = Model(bare.config, bare.parameters, WordTokenizer())
    window = MainWindow(OpenedModel(model, f"{BOLD} & co", "words"), settings(), [0, 1, 2, 3, 0])
    qtbot.addWidget(window)
    window.resize(1440, 900)
    window.show()
    window.session.wait()
    return window


def busy(window: MainWindow) -> None:
    """A pinned baseline, an edit, a choice: as much as can be said of tokens is said."""
    document = window.session.document
    document.apply(pin_baseline(document.state))
    document.apply(SetCells("wte", (0, 0), 3.0))
    window.session.selection.choose(cell=CellRef("activation", "logits", (4, 0)), row=4, key=0)
    window.session.wait()


def all_tips(window: MainWindow) -> Iterator[tuple[str, str]]:
    """Every tool tip, of widgets and of what stands in lists and tables."""
    for widget in window.findChildren(QWidget):
        yield widget.objectName() or type(widget).__name__, widget.toolTip()
        if isinstance(widget, QAbstractItemView) and widget.model() is not None:
            yield from ((widget.objectName(), tip) for tip in tips_of(widget.model()))


def tips_of(model: QAbstractItemModel) -> Iterator[str]:
    role = Qt.ItemDataRole.ToolTipRole
    columns = 1 if isinstance(model, QAbstractListModel) else min(model.columnCount(QModelIndex()), 8)
    for row in range(min(model.rowCount(QModelIndex()), 8)):
        yield str(model.headerData(row, Qt.Orientation.Vertical, role) or "")
        yield from (str(model.index(row, column, QModelIndex()).data(role) or "") for column in range(columns))
    yield from (str(model.headerData(column, Qt.Orientation.Horizontal, role) or "") for column in range(columns))


def as_seen(tip: str) -> str:
    """What a tool tip shows."""
    if not GuiQt.mightBeRichText(tip):
        return tip
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText()


def test_no_tool_tip_and_no_label_takes_a_token_for_markup(window: MainWindow) -> None:
    busy(window)
    tips, labels = [], []
    for dock in window.docks.values():
        dock.reveal()
        QApplication.processEvents()
        window.session.wait()
        tips += list(all_tips(window))
        labels += [label for label in window.findChildren(QLabel) if label.isVisible()]
    assert any(BOLD in as_seen(tip) for _, tip in tips)
    # Where a token's letter is left without its tags, they have been taken for markup.
    assert [(name, tip) for name, tip in tips if "x" in tip and "b>" in tip and BOLD not in as_seen(tip)] == []
    rich = [label for label in labels if label.textFormat() != Qt.TextFormat.PlainText]
    assert [label.objectName() for label in rich if BOLD in label.text()] == []


def test_the_status_bar_and_an_elided_line_show_a_token_as_it_is(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.hover(CellRef("activation", "logits", (4, 0)))
    said = [label for label in window.status.findChildren(QLabel) if BOLD in label.text()]
    assert said
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in said)
    line = ElidedLabel()
    qtbot.addWidget(line)
    line.setText(f"{BOLD} and more")
    assert as_seen(line.toolTip()) == f"{BOLD} and more"


def entries(menu: QMenu) -> list[QAction]:
    found = []
    for action in menu.actions():
        found.append(action)
        inner = action.menu()
        found += entries(inner) if isinstance(inner, QMenu) else []
    return found


def test_an_ampersand_is_seen_in_menus_and_underlines_nothing(window: MainWindow, qtbot: QtBot) -> None:
    busy(window)
    menu = build_cell_menu(window.session, CellRef("activation", "blocks.0.attn.pattern", (0, 1, 1)), window)
    said = [action.text() for action in entries(menu) if "R" in action.text() and "D" in action.text()]
    assert len(said) >= 2
    assert all("R&&D" in text for text in said)
    panel = window.findChild(NextTokenPanel)
    assert panel is not None
    window.docks["nextTokenPanel"].reveal()
    qtbot.waitUntil(lambda: panel.shown is not None)
    panel._show_menu(1, QPoint(0, 0))
    shown = window.findChild(QMenu, "nextTokenMenu")
    assert shown is not None
    assert shown.actions()[0].text() == "Force R&&D here and branch"
    shown.close()
    menu.deleteLater()


def test_what_undo_names_is_shown_as_it_is(window: MainWindow) -> None:
    session = window.session
    session.document.apply(SetPrompt(f"{AMPERSAND} {BOLD}"))
    assert "&" in session.document.history()[0][-1]
    assert entry_words(window.undo_action.text()) == f"Undo {session.document.history()[0][-1]}"
    assert "&&" in window.undo_action.text()


def test_no_button_has_a_mnemonic_of_a_tokens(window: MainWindow) -> None:
    busy(window)
    for dock in window.docks.values():
        dock.reveal()
        QApplication.processEvents()
    texts = [button.text() for button in window.findChildren(QAbstractButton)]
    assert [text for text in texts if "R&D" in text] == []
    assert "Force R&&D" in texts


@pytest.mark.parametrize("text", [BOLD, AMPERSAND, "a && b", "&amp; <i>", "plain", "1 < 2 > 0", "line\n<b>x</b>", ""])
def test_texts_come_out_as_they_went_in(qtbot: QtBot, text: str) -> None:
    assert as_seen(as_tip(text)) == text
    assert entry_words(as_entry(text)) == text
    label = PlainLabel(text, None)
    qtbot.addWidget(label)
    assert (label.text(), label.textFormat()) == (text, Qt.TextFormat.PlainText)
