"""Fields for numbers that read the same in every locale: a point and a comma are decimal marks, and nothing is dropped.

Qt's own take one of the two marks, as the desktop's locale has it, drop the other, and keep the digits: of a typed
`0.8` comes 8, and of 5000 where at most 1000 is allowed 500. Here what does not fit stays in sight, and what was there
before it was typed comes back.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QLocale
from PySide6.QtGui import QFocusEvent, QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox, QWidget

State = QValidator.State
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,20}([.,][0-9]{0,20})?|[.,][0-9]{1,20})")
#: What may be on its way to a number, or is one that a field does not take.
_BEGUN = re.compile(r"[0-9.,+-]*")


class WholeField(QSpinBox):
    """A field for whole numbers; a fraction is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._before = 0
        self.setLocale(QLocale.c())
        self.valueChanged.connect(self._remember)

    def _remember(self) -> None:
        if not self.lineEdit().isModified():  # it is not being typed
            self._before = self.value()

    def validate(self, text: str, position: int) -> object:
        typed = _bare(self, text)
        fits = _WHOLE.fullmatch(typed) and self.minimum() <= int(typed) <= self.maximum()
        return _state(typed, bool(fits)), text, position

    def valueFromText(self, text: str) -> int:
        return self.minimum() if text == self.specialValueText() else int(_bare(self, text))

    def fixup(self, _text: str) -> str:
        return f"{self.prefix()}{self._before}{self.suffix()}"

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._before = self.value()
        super().focusInEvent(event)


class DecimalField(QDoubleSpinBox):
    """A field for decimal fractions, typed with a point or a comma and shown with a point."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._before = 0.0
        self.setLocale(QLocale.c())
        self.valueChanged.connect(self._remember)

    def _remember(self) -> None:
        if not self.lineEdit().isModified():  # it is not being typed
            self._before = self.value()

    def validate(self, text: str, position: int) -> object:
        typed = _bare(self, text)
        fits = _DECIMAL.fullmatch(typed) and self.minimum() <= _read(typed) <= self.maximum()
        return _state(typed, bool(fits)), text, position

    def valueFromText(self, text: str) -> float:
        return self.minimum() if text == self.specialValueText() else _read(_bare(self, text))

    def fixup(self, _text: str) -> str:
        return f"{self.prefix()}{self.textFromValue(self._before)}{self.suffix()}"

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._before = self.value()
        super().focusInEvent(event)


def _bare(field: QSpinBox | QDoubleSpinBox, text: str) -> str:
    """What was typed, without what the field puts around it."""
    if text and text == field.specialValueText():
        return f"{field.minimum():g}"
    return text.removeprefix(field.prefix()).removesuffix(field.suffix()).strip()


def _read(typed: str) -> float:
    return float(typed.replace(",", "."))


def _state(typed: str, fits: bool) -> State:
    if fits:
        return State.Acceptable
    return State.Intermediate if _BEGUN.fullmatch(typed) else State.Invalid
