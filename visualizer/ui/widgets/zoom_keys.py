"""The keys that bring a picture nearer or farther, the same in every picture."""

from __future__ import annotations

from PySide6.QtCore import Qt

ZOOM_STEP = 1.25
#: Key -> factor of the zoom. The plus sign is typed without Shift on some keyboards and with it on others.
ZOOM_KEYS = {Qt.Key.Key_Plus: ZOOM_STEP, Qt.Key.Key_Equal: ZOOM_STEP, Qt.Key.Key_Minus: 1 / ZOOM_STEP}
