"""The ways of Tab through a part: where they lead, what comes into sight, and what stays where it is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QScrollArea, QStatusBar, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from visualizer.engine.sampling import Sampling
from visualizer.session.document.edits import SetGeneration
from visualizer.ui.panels.next_token.panel import NextTokenPanel
from visualizer.ui.widgets.focus_order import enter, stops
from visualizer.ui.window.main_window import MainWindow


@pytest.fixture
def area(qtbot: QtBot) -> QScrollArea:
    area = QScrollArea()
    qtbot.addWidget(area)
    inner = QWidget()
    inner.setMinimumHeight(2000)
    column = QVBoxLayout(inner)
    column.addWidget(QLineEdit(inner), 0, Qt.AlignmentFlag.AlignTop)
    column.addWidget(QLineEdit(inner), 0, Qt.AlignmentFlag.AlignBottom)
    area.setWidget(inner)
    area.setWidgetResizable(True)
    area.resize(200, 200)
    area.show()
    return area


def test_a_control_out_of_sight_comes_into_sight(area: QScrollArea) -> None:
    last = area.findChildren(QLineEdit)[1]
    assert last.visibleRegion().isEmpty()
    assert enter(last)
    assert not last.visibleRegion().isEmpty()


def test_a_control_larger_than_its_area_stays_where_it_is(area: QScrollArea) -> None:
    large = area.widget()
    assert large is not None
    large.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    assert enter(large)
    assert large.hasFocus()
    assert area.verticalScrollBar().value() == 0


def test_tab_from_the_seed_leaves_the_first_tokens_in_sight(qtbot: QtBot) -> None:
    window: MainWindow = visualizer.ui.open_window("rhymes")
    qtbot.addWidget(window)
    window.resize(1280, 640)
    window.docks["nextTokenPanel"].reveal()
    panel = window.findChild(NextTokenPanel)
    assert panel is not None
    document = window.session.document
    document.apply(SetGeneration(document.state.length, Sampling(1.0)))
    window.session.wait()
    panel.sampling_button.setChecked(True)
    qtbot.waitUntil(lambda: panel.controls.seed.isVisible() and panel.controls.seed.isEnabled())
    bar = panel._area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    window.activateWindow()
    panel.controls.seed.setFocus()
    qtbot.keyClick(panel.controls.seed, Qt.Key.Key_Tab)
    assert panel.bars.hasFocus()
    assert bar.value() == 0


def test_tab_goes_on_through_a_status_bar_whose_parts_change_their_height(qtbot: QtBot) -> None:
    """It then deletes its layout and makes another, which may come to lie where a spacer of the old one lay."""
    bar = QStatusBar()
    qtbot.addWidget(bar)
    left, right = QPushButton("left", bar), QPushButton("right", bar)
    bar.addPermanentWidget(left)
    bar.addPermanentWidget(right)
    bar.show()
    for i in range(100):
        assert stops(bar) == [left, right]
        right.setFixedHeight(10 + 40 * (i % 2))
        QApplication.processEvents()
