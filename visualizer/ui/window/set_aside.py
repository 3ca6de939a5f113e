"""Remembered settings that make no sense are set aside, with a word, so that they prevent nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import QSettings

from visualizer.errors import short_repr
from visualizer.ui.look.theme import THEMES

ASIDE = ".damaged"


def set_aside_damage(settings: QSettings) -> str:
    """Repair the settings that the window begins with; returns what was wrong, or nothing.

    A file that cannot be read whole is copied before anything is written into it.
    """
    words = []
    settings.allKeys()  # a file is read whole only now
    if settings.status() == QSettings.Status.FormatError:
        file = Path(settings.fileName())
        words.append(f"The settings in {str(file)!r} could not all be read")
        try:
            shutil.copyfile(file, f"{file}{ASIDE}")
            words[-1] += f"; as they were they are in {f'{file.name}{ASIDE}'!r}."
        except OSError:
            words[-1] += "."
    theme = settings.value("theme", THEMES[-1])
    if theme not in THEMES:
        settings.setValue(f"theme{ASIDE}", theme)
        settings.remove("theme")
        words.append(f"The remembered theme {short_repr(theme)} is none of {', '.join(THEMES)}: the system's is used.")
    return " ".join(words)
