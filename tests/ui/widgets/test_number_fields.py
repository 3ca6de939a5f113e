"""Number fields: what is typed is what they hold, in every locale, or what was there before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QDoubleSpinBox, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from visualizer.ui.widgets.number_fields import DecimalField, WholeField
from visualizer.ui.window.main_window import MainWindow


@pytest.fixture(params=["en_US", "de_DE", "ar_EG"])
def locale(request: pytest.FixtureRequest) -> Iterator[str]:
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield request.param
    QLocale.setDefault(before)


def type_into(qtbot: QtBot, field: WholeField | DecimalField, text: str, end: Qt.Key = Qt.Key.Key_Return) -> float:
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, end)
    return field.value()


def shown(qtbot: QtBot, field: WholeField | DecimalField) -> None:
    qtbot.addWidget(field)
    field.show()
    field.activateWindow()


@pytest.mark.parametrize("tracking", [True, False])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0.8", 0.8), ("0,8", 0.8), (".25", 0.25), (",25", 0.25), ("7", 7), ("7.", 7), ("100", 100)),
        *((typed, 1.5) for typed in ("1.2.3", "1.000,5", "1,000.5", "200", "-1", ".", "2-3")),
    ],
)
def test_a_decimal_field_takes_both_marks_and_nothing_else(
    qtbot: QtBot, locale: str, tracking: bool, text: str, value: float
) -> None:
    field = DecimalField()
    field.setRange(0, 100)
    field.setValue(1.5)
    field.setPrefix("at least ")
    field.setKeyboardTracking(tracking)
    shown(qtbot, field)
    assert type_into(qtbot, field, text) == value
    assert field.text() == f"at least {value:.2f}"


@pytest.mark.parametrize("tracking", [True, False])
@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("1000", 1000), ("0", 0), ("1.5", 4), ("1,5", 4), ("1.000", 4), ("5000", 4), ("-3", 4)],
)
def test_a_whole_field_refuses_fractions_and_what_is_out_of_range(
    qtbot: QtBot, locale: str, tracking: bool, text: str, value: int
) -> None:
    field = WholeField()
    field.setRange(0, 1000)
    field.setValue(4)
    field.setSuffix(" keys")
    field.setSpecialValueText("all")
    field.setKeyboardTracking(tracking)
    shown(qtbot, field)
    assert type_into(qtbot, field, text) == value
    assert field.text() == (f"{value} keys" if value else "all")


@pytest.mark.parametrize("text", ["٣", "²", "x", "1e1", "1_0", "٣.5"])
@pytest.mark.parametrize("kind", [WholeField, DecimalField])
def test_digits_of_other_scripts_and_letters_are_no_numbers(
    qtbot: QtBot, kind: type[WholeField | DecimalField], text: str
) -> None:
    field = kind()
    field.setValue(4)
    shown(qtbot, field)
    field.selectAll()
    field.lineEdit().insert(text)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.value() == 4


def test_what_comes_back_is_what_was_there_last(qtbot: QtBot) -> None:
    field = WholeField()
    field.setRange(0, 10)
    shown(qtbot, field)
    assert type_into(qtbot, field, "6") == 6
    field.stepUp()
    assert type_into(qtbot, field, "1.5") == 7
    field.setValue(3)
    assert type_into(qtbot, field, "99") == 3


def test_every_number_field_of_the_window_is_such_a_field(qtbot: QtBot) -> None:
    window: MainWindow = visualizer.ui.open_window()
    qtbot.addWidget(window)
    for dock in window.docks.values():
        dock.reveal()
        QApplication.processEvents()
    fields = [field for field in window.findChildren(QWidget) if isinstance(field, QAbstractSpinBox)]
    assert len(fields) > 10
    assert [f.objectName() for f in fields if not isinstance(f, WholeField | DecimalField)] == []
    assert all(isinstance(field, QSpinBox | QDoubleSpinBox) for field in fields)
