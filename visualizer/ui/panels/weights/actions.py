"""Everything one can do to the selected weights, as actions for buttons, menus and the command palette."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

# name: text, text of a button, shortcut, what it does
_ACTIONS = {
    "copyWeights": ("Copy weights", "Copy", "Ctrl+C", "Copy the selected block as tab-separated text, all digits"),
    "pasteWeights": (
        "Paste weights",
        "Paste",
        "Ctrl+V",
        "Paste a block from a spreadsheet; a single number fills the selection",
    ),
    "zeroWeights": ("Zero selection", "Zero", "Del", "Write 0 into the selected cells"),
    "fillWeights": ("Fill selection", "Fill", "", "Write the value beside this button into the selected cells"),
    "scaleWeights": ("Scale selection", "Scale ×", "", "Multiply the selected cells by the value beside this button"),
    "sweepUp": (
        "Sweep up",
        "",
        "Alt+Up",
        "Raise the cell by a step; also Ctrl or Alt with the wheel, Ctrl with a drag",
    ),
    "sweepDown": (
        "Sweep down",
        "",
        "Alt+Down",
        "Lower the cell by a step; also Ctrl or Alt with the wheel, Ctrl with a drag",
    ),
    "sweepUpFine": ("Sweep up finely", "", "Alt+Shift+Up", "Raise the cell by a tenth of a step"),
    "sweepDownFine": ("Sweep down finely", "", "Alt+Shift+Down", "Lower the cell by a tenth of a step"),
    "resetCells": ("Reset cells", "", "", "Give the selected cells the numbers they had when the model was opened"),
    "resetMatrix": ("Reset matrix", "", "", "Give the whole matrix the numbers it had when the model was opened"),
    "resetAll": ("Reset all weights", "", "", "Give every parameter the numbers it had when the model was opened"),
}


def weight_actions(does: dict[str, Callable[[], None]], parent: QObject) -> dict[str, QAction]:
    """The actions by name, each connected to what `does` says under its name.

    Shortcuts work where the action's widget or one of its children has the keyboard.
    """
    actions = {}
    for name, (text, short_text, shortcut, tip) in _ACTIONS.items():
        action = QAction(text, parent)
        action.setObjectName(name)
        action.setIconText(short_text or text)
        keys = f" ({QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)})" if shortcut else ""
        action.setToolTip(tip + keys)
        action.setStatusTip(tip)
        if shortcut:
            action.setShortcut(QKeySequence(shortcut))
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _checked=False, run=does[name]: run())
        actions[name] = action
    return actions
