"""Where the panels stand: the arrangement that the window begins with, and how its columns share a changing size."""

from __future__ import annotations

import json
from itertools import pairwise

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QTabBar, QTabWidget, QWidget

from visualizer.ui.window.docks import PanelDock

#: What the first window measures where the screen has the room, in pixels; on a huge screen it is a part of that.
FIRST_SIZE, FIRST_PART = QSize(1280, 720), 0.6
#: Panels that share a place, from left to right; the first is in front. By the place's name.
PLACES = {
    "upper left": ("parameterPanel", "interventionsPanel", "historyPanel"),
    "lower left": ("weightPanel", "flipPanel"),
    "middle": (
        *("attentionPanel", "flowPanel", "headsPanel", "arcsPanel", "twoPromptsPanel", "behaviourPanel"),
        *("gradientsPanel", "trainingPanel"),
    ),
    "upper right": ("nextTokenPanel",),
    "lower right": ("explainPanel", "lensPanel", "comparePanel"),
    "bottom": ("timelinePanel",),
}
#: No panel asks for more than this (width, height) in pixels, so that what comes to be in one never moves the others.
LEAST = {"left": (250, 90), "right": (190, 90), "middle": (340, 200), "bottom": (300, 58)}
#: What is remembered of a window that shares its room by itself.
AS_SUGGESTED = "as suggested"
_AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}


class Arrangement:
    """The default places of the docks of a window, and of the window in its middle."""

    def __init__(self, window: QMainWindow, middle: QMainWindow, docks: dict[str, PanelDock]) -> None:
        self._window, self._middle, self._docks = window, middle, docks
        self._moved = QTimer(window, singleShot=True)
        self._moved.timeout.connect(self._title)
        self._edge_moved = QTimer(window, singleShot=True)
        self._edge_moved.timeout.connect(self.note)
        self._parts: dict[str, tuple[float, float]] = {}
        self._as_suggested = False

    def put(self) -> None:
        """Put every panel back into its place, docked and shown."""
        for dock in self._docks.values():
            dock.setFloating(False)
            self._home(dock.panel_name).removeDockWidget(dock)
        for place, names in PLACES.items():
            window = self._home(names[0])
            side = place.split()[-1]
            present = [self._docks[name] for name in names if name in self._docks]
            for dock in present:
                window.addDockWidget(_AREAS.get(side, _AREAS["left"]), dock)
                dock.least = LEAST[side]
            if len(present) > 1:
                for before, dock in pairwise(present):
                    window.tabifyDockWidget(before, dock)
            for dock in present:  # not before they share a place: each beside the others would make the window grow
                dock.show()
            present[0].raise_()
        self._title()
        timeline = self._docks["timelinePanel"]  # height is dearer than width
        timeline.setFeatures(timeline.features() | QDockWidget.DockWidgetFeature.DockWidgetVerticalTitleBar)

    def _title(self) -> None:
        """Take the title from a dock that shares its place: its tab is title enough. Give it back to all others."""
        if QApplication.mouseButtons() != Qt.MouseButton.NoButton:  # a dock that is being dragged keeps what it has
            self._moved.start(100)
            return
        for name, dock in self._docks.items():
            tabbed = not dock.isFloating() and bool(self._home(name).tabifiedDockWidgets(dock))
            if tabbed and dock.titleBarWidget() is None:
                dock.setTitleBarWidget(QWidget(dock))
            elif not tabbed and dock.titleBarWidget() is not None:
                dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # which gives the dock its own again
        for bar in self._window.findChildren(QTabBar):
            bar.setAccessibleName("Panels in this place")

    def prepare(self) -> None:
        """Set how the docks of both windows behave."""
        for window in (self._window, self._middle):  # a panel is moved by its tab
            window.setDockNestingEnabled(True)
            window.setDockOptions(window.dockOptions() | QMainWindow.DockOption.GroupedDragging)
            window.setAnimated(False)
            window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        for dock in self._docks.values():
            dock.topLevelChanged.connect(lambda _floats: self._moved.start(0))
            dock.edge_moved.connect(lambda: self._edge_moved.start(0))
            dock.dockLocationChanged.connect(lambda _area: self._moved.start(0))
        for corner in (Qt.Corner.BottomLeftCorner, Qt.Corner.BottomRightCorner):
            self._window.setCorner(corner, _AREAS["bottom"])

    def share(self) -> None:
        """Share the room as the window's size suggests, now and at every other size, until the user moves an edge."""
        self._as_suggested = True
        self.follow()

    def _suggested(self) -> dict[str, tuple[float, float]]:
        """What part of the window each place has by itself: beside the text columns, the middle gets the most."""
        width, height = self._window.width(), self._window.height()
        left = min(max(0.265 * width, 254), max(480, 0.2 * width)) / width
        right = min(max(0.21 * width, min(250, 0.245 * width), 230), max(420, 0.17 * width)) / width
        timeline = self._docks["timelinePanel"]
        along = 0 if timeline.isFloating() or timeline.isHidden() else timeline.height()
        rows = 1 - (142 + along) / height  # less the prompt, the timeline and the status bar
        return {
            "upper left": (left, 0.38 * rows),
            "lower left": (left, 0.62 * rows),
            "upper right": (right, 0.38 * rows),
            "lower right": (right, 0.62 * rows),
        }

    def give_height(self, name: str, height: int) -> None:
        """Make a panel so many pixels high, as far as there is room; what is above it gives or takes the difference."""
        dock = self._docks[name]
        if dock.isFloating():
            dock.resize(dock.width(), dock.height() - dock.widget().height() + height)
        else:
            self._resize({name: height}, Qt.Orientation.Vertical)
            if not self._as_suggested:
                self._edge_moved.start(0)

    def note(self) -> None:
        """Remember what part of the window each place has now: the parts that `follow` keeps."""
        width, height = self._window.width(), self._window.height()
        self._parts, self._as_suggested = {}, False
        for place in ("upper left", "lower left", "upper right", "lower right"):
            front = self._in_front(place)
            if front is not None:
                self._parts[place] = (front.width() / width, front.height() / height)

    def note_first(self) -> None:
        """`note`, unless there is something to be kept already: that is followed."""
        if self._parts or self._as_suggested:
            self.follow()
        else:
            self.note()

    def remembered(self) -> str:
        """What part of the window each place has, to be recalled at the next start."""
        if self._as_suggested:
            return AS_SUGGESTED
        self.note()
        return json.dumps(self._parts)

    def recall(self, remembered: object) -> None:
        """Keep the parts that were remembered.

        The pixels of a remembered layout are those of the window as it was, say maximised, while the one that it is
        laid out in may still have the size of a plain one.
        """
        self._as_suggested = remembered == AS_SUGGESTED
        try:
            parts = json.loads(str(remembered))
            self._parts = {str(place): (float(part[0]), float(part[1])) for place, part in parts.items()}
        except (ValueError, TypeError, LookupError, AttributeError):
            self._parts = {}  # nothing was remembered, or by another program

    def follow(self) -> None:
        """Give each place its part of the window's new size, so that no column takes all that is gained or lost."""
        if self._as_suggested:
            self._parts = self._suggested()
        docked = {place: dock for place in self._parts if (dock := self._docked(place)) is not None}
        for axis, extent, orientation in (
            (0, self._window.width(), Qt.Orientation.Horizontal),
            (1, self._window.height(), Qt.Orientation.Vertical),
        ):
            sizes = {dock.panel_name: round(self._parts[place][axis] * extent) for place, dock in docked.items()}
            if sizes:
                self._resize(sizes, orientation)

    def _in_front(self, place: str) -> PanelDock | None:
        """The dock that is seen of those that share a place, if one still stands in the window."""
        for name in PLACES[place]:
            dock = self._docks.get(name)
            if dock is not None and not dock.isFloating() and dock.in_front:
                return dock
        return None

    def tabs(self, place: str) -> list[QTabBar]:
        """The row of tabs of a place, in a list; an empty one where the place has none."""
        titles = {self._docks[name].windowTitle() for name in PLACES[place] if name in self._docks}
        bars = self._home(PLACES[place][0]).findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return [bar for bar in bars if bar.isVisible() and bar.count() and bar.tabText(0) in titles]

    def _docked(self, place: str) -> PanelDock | None:
        """A dock that stands in the window at its place, in front or behind another."""
        docks = [self._docks[name] for name in PLACES[place] if name in self._docks]
        return next((dock for dock in docks if not dock.isFloating() and not dock.isHidden()), None)

    def _home(self, name: str) -> QMainWindow:
        return self._middle if name in PLACES["middle"] else self._window

    def _resize(self, sizes: dict[str, int], orientation: Qt.Orientation) -> None:
        self._window.resizeDocks([self._docks[name] for name in sizes], list(sizes.values()), orientation)


def first_size(window: QWidget) -> QSize:
    """The size of a window that nobody has sized yet: no larger than the room on its screen."""
    frame = QSize(8, 40)  # the window manager's, which is not known before the window is shown
    available = window.screen().availableSize()
    return FIRST_SIZE.expandedTo(available * FIRST_PART).boundedTo(available - frame)
