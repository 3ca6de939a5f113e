"""Where the tokens of the arcs lie: on one line, in the largest writing that fits it. Geometry alone, no widget."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF

from visualizer.session.words.axis_labels import with_position
from visualizer.ui.look.theme import drawn_font

SMALL = 0.8  # of the usual font's size
SMALLEST_TOKEN, SPREAD = 16.0, 260.0  # the gap of few tokens grows up to the latter
#: A token that the mouse can hit; where more than fit so are to be seen, they are scrolled.
SMALLEST_SLOT = 7.0
MARGIN = 6.0
SLOPE = 0.7  # how high an arc between near tokens is, of its width
HIGHER = 1.3  # by so much at most all arcs are drawn higher where there is room
LONGEST = 12
_SUBSCRIPTS_AS_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


@dataclass(frozen=True)
class Writing:
    """Share of the font's size, padding of a token, gap to the next, and whether its position is written with it."""

    share: float
    padding: float
    gap: float
    numbered: bool


#: The first that fits is taken; where none does, tokens are written upright, as many as do not collide.
WRITINGS = (Writing(1.0, 4.0, 3.0, True), Writing(SMALL, 1.0, 1.0, True), Writing(SMALL, 0.5, 0.5, False))


@dataclass(frozen=True)
class Line:
    """The tokens of a text, laid out; all lengths in logical pixels.

    Attributes:
        labels: the tokens as they are written; font: in which.
        upright: whether they are turned by a quarter.
        lefts, widths: of the tokens, before they are moved by `offset`.
        width: of the room; total: of the tokens, which is more where they are scrolled.
        reach: the width of the widest arc that is looked for.
        top: the upper edge of the room for arcs; line: that of the tokens; token: their height.
        ruler: height of a row of positions below them, 0 where they are written with the tokens.
        bottom: where the room for bars ends.
    """

    labels: tuple[str, ...]
    font: QFont
    upright: bool
    lefts: tuple[float, ...]
    widths: tuple[float, ...]
    offset: float
    width: float
    total: float
    reach: float
    top: float
    line: float
    token: float
    ruler: float
    bottom: float

    @property
    def pitch(self) -> float:
        """The mean distance of two tokens."""
        return self.total / max(len(self.lefts), 1)

    def left(self, place: int) -> float:
        """A token's left edge as it is seen."""
        return self.lefts[place] + self.offset

    def centre(self, place: int) -> float:
        """A token's middle as it is seen."""
        return self.left(place) + self.widths[place] / 2

    def visible(self) -> range:
        """The tokens that are seen at least partly."""
        first = max(bisect_right(self.lefts, -self.offset) - 1, 0)
        return range(first, bisect_right(self.lefts, self.width - self.offset))

    def token_rect(self, place: int) -> QRectF:
        """Where a token lies. Raises IndexError for one that is not there."""
        return QRectF(self.left(place), self.line, self.widths[place], self.token)

    def bar_rect(self, place: int) -> QRectF:
        """Where the weight that a token receives is drawn. Raises IndexError for a token that is not there."""
        top = self.line + self.token + self.ruler
        return QRectF(self.left(place), top, self.widths[place], self.bottom - top)

    def token_at(self, point: QPointF) -> tuple[int | None, bool]:
        """The token under a point, and whether the point is on the bars below the line; (None, False) elsewhere."""
        if not self.lefts or not self.line <= point.y() <= self.bottom:
            return None, False
        x = point.x() - self.offset
        place = bisect_right(self.lefts, x) - 1
        if place < 0 or x > self.lefts[place] + self.widths[place]:
            return None, False
        return place, point.y() > self.line + self.token

    def rise(self, distance: float) -> float:
        """How high an arc rises: near ones grow with their width, far ones approach the upper edge."""
        room = max(self.line - self.top, 4.0)
        reached = 1 - math.exp(-SLOPE * max(self.reach, 1.0) / room)
        return room * min((1 - math.exp(-SLOPE * distance / room)) * min(1 / reached, HIGHER), 1.0)

    @property
    def loop(self) -> float:
        """How high the loop of a token that attends to itself is drawn."""
        return min(1.6 * self.pitch, 34.0, max(self.line - self.top, 8.0) / 2)


def lay_out(
    tokens: Sequence[str],
    font: QFont,
    width: float,
    height: float,
    smallest: float = SMALLEST_SLOT,
    reach: int | None = None,
) -> Line:
    """Lay the tokens out: spread if they are few, written small, without positions or upright if they are many.

    `tokens` are text, every sign of it visible; of `font` only the size counts; a token gets at least `smallest` of
    the room `width` × `height`: with 0 all are in it, with more some may lie beyond. The widest arc goes over `reach`
    tokens, or over all.
    """
    tokens = [token if len(token) <= LONGEST else token[: LONGEST - 1] + "…" for token in tokens]
    count, writing, written = len(tokens), WRITINGS[0], drawn_font(font.pointSizeF())
    labels: list[str] = []
    widths: list[float] = []
    gap = 0.0
    for writing in WRITINGS:
        written = drawn_font(font.pointSizeF() * writing.share)
        labels = [with_position(token, i) if writing.numbered else token for i, token in enumerate(tokens)]
        least = SMALLEST_TOKEN if writing.numbered else smallest
        widths = [max(advance + 2 * writing.padding, least) for advance in _advances(labels, QFontMetricsF(written))]
        room = width - sum(widths)
        if room >= writing.gap * (count + 1) or not count:
            gap = min(room / (count + 1), SPREAD)
            break
    else:
        labels = [with_position(token, i) for i, token in enumerate(tokens)]
        widths = [max((width - 2 * MARGIN) / count, smallest)] * count
    upright = bool(count) and not gap
    line = QFontMetricsF(written).height()
    longest = max(_advances(labels, QFontMetricsF(written)), default=0.0) + 8 if upright else 0.0
    token = min(longest, 0.3 * height) if upright else line + 6
    ruler = line if not upright and not writing.numbered else 0.0
    lefts = [gap or MARGIN] if count else []
    for one in widths[:-1]:
        lefts.append(lefts[-1] + one + gap)
    total = lefts[-1] + widths[-1] + lefts[0] if lefts else 0.0
    widest = total * (1.0 if reach is None else reach / max(count, 1))
    bars = min(max(0.24 * (height - token - ruler), 36.0), 120.0)
    top = line + 2 * MARGIN

    def placed(bottom: float) -> Line:
        on = max(bottom - token - ruler - bars, 0.0)
        offset = max(width - total, 0.0) / 2
        return Line(tuple(labels), written, upright, tuple(lefts), tuple(widths), offset, width, total,
                    widest, top, on, token, ruler, bottom)  # fmt: skip

    full = placed(height)
    # Few tokens: in the middle of the room, not at its foot.
    spare = full.line - top - max(full.rise(widest), full.loop) if lefts else 0.0
    return placed(height - max(spare, 0.0) / 2)


def _advances(labels: Sequence[str], metrics: QFontMetricsF) -> list[float]:
    """How wide labels are. The font's characters are of one width, but not those that it borrows from another."""
    known: dict[int, float] = {}
    advances = []
    for label in labels:
        plain = label.translate(_SUBSCRIPTS_AS_DIGITS)
        advance = known.get(len(plain)) if plain.isascii() else metrics.horizontalAdvance(label)
        if advance is None:
            advance = known[len(plain)] = metrics.horizontalAdvance(label)
        advances.append(advance)
    return advances
