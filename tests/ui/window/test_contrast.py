"""All text is readable: measured on what every part of the window really paints, in both themes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QTabBar,
    QTextBrowser,
    QWidget,
)
from pytestqt.qtbot import QtBot

import visualizer
from tests.cells import several
from tests.ui.painted_texts import PaintedText, painted_texts
from visualizer.formats import open_model
from visualizer.session.document.edits import SetCells, pin_baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.look.theme import DARK, LIGHT, MINIMUM_CONTRAST, Theme, apply_theme, contrast_ratio, current_theme
from visualizer.ui.panels.token_strip.panel import TokenStrip
from visualizer.ui.window.guide import open_guide
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.palette import CommandPalette

SPECIAL = (math.nan, math.inf, -math.inf)


@pytest.fixture(params=[LIGHT, DARK], ids=lambda theme: theme.name)
def theme(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[Theme]:
    before = current_theme()
    apply_theme(qapp, request.param)
    yield request.param
    apply_theme(qapp, before)


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> MainWindow:
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    window.choose_theme(theme.name)
    window.resize(1440, 900)
    window.session.wait()
    return window


def texts_of(window: MainWindow) -> Iterator[tuple[str, PaintedText]]:
    """Every text of every panel, each brought to the front, and of what stands around them."""
    for name, dock in window.docks.items():
        dock.reveal()
        QApplication.processEvents()
        window.session.wait()
        QApplication.processEvents()
        yield from ((name, text) for text in painted_texts(dock.panel))
    tabs = [bar for bar in window.findChildren(QTabBar) if bar.isVisible() and bar.count()]
    parts: list[QWidget] = [window.prompt_bar, window.status, window.menuBar(), *tabs]
    yield from ((part.objectName() or "tabs", text) for part in parts for text in painted_texts(part))


def check(found: list[tuple[str, PaintedText]], at_least: int) -> None:
    assert len(found) > at_least
    assert [(name, text) for name, text in found if text.contrast < MINIMUM_CONTRAST] == []


def test_all_text_of_the_window_is_readable(window: MainWindow) -> None:
    check(list(texts_of(window)), 700)


def test_all_text_is_readable_with_a_choice_a_baseline_an_edit_and_special_values(window: MainWindow) -> None:
    document = window.session.document
    document.apply(pin_baseline(document.state))
    document.apply(SetCells("wpe", several((1, 0), (2, 0), (3, 1)), SPECIAL))
    document.apply(SetCells("blocks.0.attn.c_attn.w", (6, 23), 3.0))
    window.session.selection.choose(cell=CellRef("activation", "blocks.0.attn.pattern", (0, 4, 3)), row=4, key=3)
    found = list(texts_of(window))
    check(found, 700)
    assert {"nan", "inf", "−inf"} <= {text.text for _, text in found}
    window.session.selection.choose(comparison="difference")
    check(list(texts_of(window)), 700)


def test_palette_menus_and_guide_are_readable(window: MainWindow) -> None:
    palette = window.findChild(CommandPalette)
    assert palette is not None
    palette.open_for(window)
    found = [("palette", text) for text in painted_texts(palette.list) + painted_texts(palette.edit)]
    palette.dismiss()
    for menu in (window.menus.file, window.menus.edit, window.menus.view):
        menu.popup(window.mapToGlobal(QPoint(100, 100)))
        found += [(menu.title(), text) for text in painted_texts(menu)]
        menu.close()
    guide = open_guide("keyboard", window)
    browser = guide.findChild(QTextBrowser)
    assert browser is not None
    found += [("guide", text) for text in painted_texts(browser.viewport())]
    guide.close()
    check(found, 60)


def test_the_texts_of_chips_are_readable(qapp: QApplication, qtbot: QtBot, theme: Theme) -> None:
    """They are kept as pictures, so their pixels are looked at: in large letters, which reach their full ink."""
    before, large = qapp.font(), qapp.font()
    large.setPointSizeF(40)
    qapp.setFont(large)
    try:
        strip = TokenStrip(Session(open_model("aab")))
        qtbot.addWidget(strip)
        strip.resize(3000, strip.sizeHint().height())
        strip.show()
        strip.session.wait()
        picture, shown = strip.grab().toImage(), strip.strip
    finally:
        qapp.setFont(before)
    assert shown is not None
    states = set()
    for place in range(len(shown.ids)):
        chip = strip.chip_rect(place).adjusted(6, 6, -6, -6)
        for part in (chip.adjusted(0, 0, 0, -chip.height() / 2), chip.adjusted(0, chip.height() / 2, 0, 0)):
            colors = pixels(picture.copy(part.toRect()))
            ground = max(colors, key=colors.__getitem__)
            assert max(contrast_ratio(color, ground) for color in colors) >= MINIMUM_CONTRAST, shown.text(place)
        states.add((shown.is_dim(place), place >= shown.prompt))
    assert len(states) > 2


def pixels(picture: QImage) -> dict[str, int]:
    """How many pixels have each colour."""
    counts: dict[str, int] = {}
    for x in range(picture.width()):
        for y in range(picture.height()):
            name = QColor(picture.pixel(x, y)).name()
            counts[name] = counts.get(name, 0) + 1
    return counts


def test_an_unreadable_text_is_found(qtbot: QtBot, theme: Theme) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    label = QLabel("hardly to be seen", widget)
    label.setStyleSheet(f"color: {theme.rule}")
    widget.show()
    assert [(text.text, text.contrast < MINIMUM_CONTRAST) for text in painted_texts(widget)] == [(label.text(), True)]


FIELDS = (QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit, QComboBox, QCheckBox, QRadioButton, QPushButton)


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("checked", [False, True])
def test_the_frame_of_a_field_stands_out_from_its_ground(
    qtbot: QtBot, theme: Theme, kind: type[QWidget], checked: bool
) -> None:
    ground = QWidget()
    qtbot.addWidget(ground)
    ground.resize(120, 90)
    field = kind(ground)
    field.setGeometry(20, 20, 80, 40)
    if checked and isinstance(field, QAbstractButton):
        field.setCheckable(True)
        field.setChecked(True)
    picture = ground.grab().toImage()
    below = QColor(picture.pixel(2, 2)).name()
    edge = (QColor(picture.pixel(x, 40)).name() for x in range(18, 26))
    assert max(contrast_ratio(color, below) for color in edge) >= 3
    assert below == theme.background
