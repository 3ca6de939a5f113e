"""The ways of Tab through a part, where Qt changes its layout meanwhile."""

from PySide6.QtWidgets import QApplication, QPushButton, QStatusBar
from pytestqt.qtbot import QtBot

from visualizer.ui.widgets.focus_order import stops


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
