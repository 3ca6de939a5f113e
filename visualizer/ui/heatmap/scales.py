"""How the user wants numbers to become colours: scale and colour map of a heatmap, remembered by its name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QSettings

from visualizer.ui.look.colors import Mode, Scale

MODES: dict[Mode, str] = {
    "fixed": "Fixed",
    "data": "To the data",
    "log": "Symmetric logarithmic",
    "row": "Each row by itself",
}
#: pyqtgraph's colour maps that are offered, by kind of scale: (name, what it is called). The first is the usual one.
MAPS = {
    "sequential": (
        (None, "viridis (usual)"),
        ("cividis", "cividis (safe for colour-blind eyes)"),
        ("inferno", "inferno"),
        ("magma", "magma"),
        ("CET-L1", "grey"),
        ("CET-CBL2", "blue to yellow (safe for colour-blind eyes)"),
    ),
    "diverging": (
        (None, "blue to yellow (usual; safe for colour-blind eyes)"),
        ("CET-D1", "blue to red"),
        ("CET-D2", "green to violet"),
        ("CET-D9", "blue to red, lighter"),
        ("CET-CBD1", "blue to brown (safe for colour-blind eyes)"),
    ),
}


@dataclass(frozen=True)
class ScaleChoice:
    """A wish that holds for one heatmap, whatever it shows.

    Attributes:
        mode, first_key: as in `Scale`.
        sequential, diverging: the colour map of each kind of scale; None for the usual one.
    """

    mode: Mode = "fixed"
    first_key: bool = True
    sequential: str | None = None
    diverging: str | None = None

    def applied(self, scale: Scale) -> Scale:
        """A matrix' own scale with the wish in place."""
        chosen = self.sequential if scale.kind == "sequential" else self.diverging
        return replace(scale, mode=self.mode, first_key=self.first_key, map=chosen)

    def remember(self, name: str) -> None:
        """Keep it in the settings under a heatmap's name, where there are any."""
        settings = _kept.get("settings")
        if settings is None:
            return
        values = {
            "mode": self.mode,
            "firstKey": "yes" if self.first_key else "no",
            "sequential": self.sequential or "",
            "diverging": self.diverging or "",
        }
        for key, value in values.items():
            settings.setValue(f"scales/{name or 'heatmap'}/{key}", value)


_kept: dict[str, QSettings] = {}


def remember_choices_in(settings: QSettings | None) -> None:
    """Keep what is chosen from now on in these settings, and begin with what they hold; with None keep nothing."""
    _kept.clear()
    if settings is not None:
        _kept["settings"] = settings


def remembered_choice(name: str) -> ScaleChoice:
    """What was chosen for a heatmap before; the usual where nothing was, or what is kept makes no sense."""
    settings = _kept.get("settings")
    if settings is None:
        return ScaleChoice()

    def kept(key: str) -> str:
        return str(settings.value(f"scales/{name or 'heatmap'}/{key}", ""))

    mode: Mode = next((mode for mode in MODES if mode == kept("mode")), "fixed")
    maps = {kind: kept(kind) if kept(kind) in {name for name, _ in MAPS[kind]} else None for kind in MAPS}
    return ScaleChoice(mode, kept("firstKey") != "no", maps["sequential"], maps["diverging"])
