"""The part of a heatmap's menu that is about how it is looked at: all in sight, colour scale, colour map."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from visualizer.ui.heatmap.scales import MAPS, MODES
from visualizer.ui.heatmap.view import HeatmapView
from visualizer.ui.widgets.drawing import Zoomable


def add_view_all(menu: QMenu, picture: Zoomable) -> None:
    """Add the way back from a zoom to a context menu; disabled where all is in sight."""
    everything = menu.addAction("View all")
    everything.setObjectName("viewAll")
    everything.setToolTip("Undo the zoom (0)")
    everything.setEnabled(picture.zoomed > 1)
    everything.triggered.connect(lambda _checked=False: picture.fit())


def add_view_actions(menu: QMenu, heatmap: HeatmapView) -> None:
    """Add them to a context menu; disabled while the heatmap is empty."""
    add_view_all(menu, heatmap)
    scale, colours = menu.addMenu("Colour scale"), menu.addMenu("Colour map")
    painted, choice = heatmap.painted, heatmap.choice
    for sub in (scale, colours):
        sub.setEnabled(painted is not None)
    if painted is None:
        return
    modes = QActionGroup(scale)
    for mode, word in MODES.items():
        _add(scale, word, f"scale_{mode}", choice.mode == mode, partial(_choose, heatmap, mode=mode), modes)
    scale.addSeparator()
    less = partial(_choose, heatmap, first_key=not choice.first_key)
    without = _add(scale, "Leave the first key out", "scaleLessFirstKey", not choice.first_key, less)
    without.setToolTip("Real heads rest on the first token, and everything else goes dark beside it")
    reset = scale.addAction("Reset levels")
    reset.setObjectName("resetLevels")
    reset.setEnabled(heatmap.levels_by_hand)
    reset.triggered.connect(lambda _checked=False: heatmap.reset_levels())
    kind = painted.scale.kind
    maps, used = QActionGroup(colours), choice.sequential if kind == "sequential" else choice.diverging
    for name, word in MAPS[kind]:
        _add(colours, word, f"map_{name or 'usual'}", used == name, partial(_choose, heatmap, **{kind: name}), maps)


def _add(
    menu: QMenu, word: str, name: str, checked: bool, chosen: partial[None], group: QActionGroup | None = None
) -> QAction:
    action = QAction(word, menu, checkable=True)
    action.setObjectName(name)
    action.setChecked(checked)
    action.triggered.connect(lambda _checked=False: chosen())
    if group is not None:
        group.addAction(action)
    menu.addAction(action)
    return action


def _choose(heatmap: HeatmapView, **changes: str | bool | None) -> None:
    heatmap.choose_scale(replace(heatmap.choice, **changes))  # type: ignore[arg-type]
