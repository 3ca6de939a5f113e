"""Where the tokens of the arcs lie: on one line, spread out or dense, scrolled where they are more than fit."""

from __future__ import annotations

import math
from bisect import bisect_right

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtWidgets import QScrollBar, QWidget

from visualizer.ui.panels.arcs.paint import ArcsPainter, Places

#: Padding of a token and gap to the next, in a usual and in a small font where the usual does not fit.
USUAL, DENSE = (4.0, 3.0), (1.0, 1.0)
SMALLEST_TOKEN, SPREAD = 16.0, 160.0  # the gap of few tokens grows up to the latter
_SUBSCRIPTS_AS_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
#: So much, in pixels, may the tokens' widths add up to more than the room that they were given.
ROUNDING = 1e-6
#: Tokens closer than this far ahead of the cursor are kept in view.
AHEAD = 60.0


class TokenLine:
    """The tokens of a widget as it is now, and the scroll bar at its foot.

    Attributes:
        names: the tokens in words, as they are drawn.
    """

    def __init__(self, widget: QWidget, painter: ArcsPainter) -> None:
        self.names: list[str] = []
        self._widget, self._painter = widget, painter
        self._lefts: list[float] = []
        self._widths: list[float] = []
        self._gap = 0.0
        self._scroll = QScrollBar(Qt.Orientation.Horizontal, widget)
        self._scroll.setAccessibleName("Scroll the tokens")
        self._scroll.valueChanged.connect(lambda: widget.update())
        self._scroll.hide()

    def set_names(self, names: list[str]) -> None:
        """Lay other tokens in the line."""
        self.names = names
        self.lay_out()

    def set_painter(self, painter: ArcsPainter) -> None:
        """Measure with another font."""
        self._painter = painter
        self.lay_out()

    def lay_out(self) -> None:
        """Find places for the tokens in the widget's present width."""
        self._measure()
        self._fit()

    def _measure(self) -> None:
        """Spread the tokens out if they are few, in a small font if they would not fit otherwise."""
        for dense, (padding, gap) in ((False, USUAL), (True, DENSE)):
            self._painter.set_dense(dense)
            self._widths = self._token_widths(padding)
            room = self._widget.width() - sum(self._widths)
            if room >= gap * (len(self.names) + 1):
                gap = min(room / (len(self.names) + 1), SPREAD) if self.names else gap
                break
        self._gap = gap
        self._lefts = [gap] if self.names else []
        for width in self._widths[:-1]:
            self._lefts.append(self._lefts[-1] + width + gap)

    def _token_widths(self, padding: float) -> list[float]:
        metrics, widths = self._painter.token_metrics(), []
        known: dict[int, float] = {}
        for name in self.names:
            # The font's characters are of one width, but not those that it borrows from another.
            plain = name.translate(_SUBSCRIPTS_AS_DIGITS)
            width = known.get(len(plain)) if plain.isascii() else metrics.horizontalAdvance(name)
            if width is None:
                width = known[len(plain)] = metrics.horizontalAdvance(name)
            widths.append(max(width + 2 * padding, SMALLEST_TOKEN))
        return widths

    def _total(self) -> float:
        return self._lefts[-1] + self._widths[-1] + self._gap if self._lefts else 0.0

    def _fit(self) -> None:
        widget = self._widget
        beyond = max(math.ceil(self._total() - ROUNDING) - widget.width(), 0)
        self._scroll.setRange(0, beyond)
        self._scroll.setPageStep(widget.width())
        self._scroll.setSingleStep(40)
        self._scroll.setVisible(beyond > 0)
        height = self._scroll.sizeHint().height()
        self._scroll.setGeometry(0, widget.height() - height, widget.width(), height)

    def places(self) -> Places:
        """Where everything lies now: centred while it fits, else as it is scrolled."""
        width, height = self._widget.width(), self._widget.height()
        bottom = height - (self._scroll.height() if self._scroll.isVisible() else 0.0)
        spare = max(width - self._total(), 0.0) / 2
        left = spare - self._scroll.value()
        places = self._painter.places(self._lefts, self._widths, left, width, bottom)
        if not self._lefts:
            return places
        highest = (self._lefts[-1] - self._lefts[0]) / 2  # an arc is about half as high as it is wide
        above = max(places.line - highest - AHEAD, 0.0)  # few tokens: in the middle of the room, not at its foot
        return self._painter.places(self._lefts, self._widths, left, width, bottom - above / 2)

    def token_rect(self, place: int) -> QRectF:
        """Where a token lies. Raises IndexError for one that is not there."""
        places = self.places()
        return QRectF(places.left(place), places.line, places.widths[place], places.token)

    def bar_rect(self, place: int) -> QRectF:
        """Where the weight that a token receives is drawn. Raises IndexError for a token that is not there."""
        places = self.places()
        top = places.line + places.token
        return QRectF(places.left(place), top, places.widths[place], places.bottom - top)

    def token_at(self, point: QPointF) -> tuple[int | None, bool]:
        """The token under a point, and whether the point is on the bars below the line; (None, False) elsewhere."""
        if not self._lefts:
            return None, False
        places = self.places()
        if not places.line <= point.y() <= places.bottom:
            return None, False
        x = point.x() - places.offset
        place = bisect_right(self._lefts, x) - 1
        if place < 0 or x > self._lefts[place] + self._widths[place]:
            return None, False
        return place, point.y() > places.line + places.token

    def bring_into_view(self, place: int) -> None:
        """Scroll so far that a token and what is beside it can be seen."""
        left, right = self._lefts[place] - AHEAD, self._lefts[place] + self._widths[place] + AHEAD
        if left < self._scroll.value():
            self._scroll.setValue(round(left))
        elif right > self._scroll.value() + self._widget.width():
            self._scroll.setValue(round(right - self._widget.width()))

    def scroll_by(self, pixels: int) -> None:
        """Scroll, as far as there is anything to see."""
        self._scroll.setValue(self._scroll.value() + pixels)
