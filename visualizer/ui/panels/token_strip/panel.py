"""The token strip: every token as a chip, the generated ones behind a bar, the cursor's framed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QScrollBar, QSizePolicy, QWidget

from visualizer.session.analysis.token_chips import ChipPlaces, Strip
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.look.theme import current_theme, number_font, token_color
from visualizer.ui.widgets.plain_text import show_tip
from visualizer.ui.widgets.spoken import speak

GAP = 4.0
BAR_GAP = 12.0
PADDING = 6.0
MINIMUM_WIDTH = 26.0
#: How much of a token's hue fills its chip, of 255: its text stays readable on it.
PROMPT_FILL, GENERATED_FILL, DIM_FILL = 60, 24, 12
MOST_CHIPS = 2000
#: Pixels kept free for the scroll bar below the chips, so that nothing moves when the bar comes.
SCROLL_HEIGHT = 8


class TokenStrip(SessionPanel):
    """All tokens in one widget that paints only what is in view.

    A click chooses a token's row in every heatmap; a token outside the context moves the cursor to the nearest
    step that sees it. Arrow keys go from token to token; Esc lets go.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("tokenStrip")
        self.setAccessibleName("Tokens")
        self.setToolTip("The tokens of the prompt and, behind the bar, of its continuation; a click chooses one's row")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._strip: Strip | None = None
        self._places = ChipPlaces([], GAP, (0, BAR_GAP))
        self._widths: dict[int, float] = {}
        self._widths_of: object = None
        self._chips: dict[tuple[str, str, int, bool, bool, bool], QPixmap] = {}
        self._drawn_for: tuple[object, float] | None = None
        self._scroll = QScrollBar(Qt.Orientation.Horizontal, self)
        self._scroll.setObjectName("tokenScroll")
        self._scroll.setAccessibleName("Scroll the tokens")
        self._scroll.valueChanged.connect(lambda: self.update())
        self._scroll.hide()
        self._make_fonts()

    # -- what is shown

    @property
    def strip(self) -> Strip | None:
        """The tokens as they are shown; None before the first result."""
        return self._strip

    def chip_rect(self, place: int) -> QRectF:
        """Where the chip of the token at `place` is drawn. Raises IndexError for a token that is not there."""
        left = self._places.lefts[place] - self._scroll.value()
        return QRectF(left, 3.0, self._places.widths[place], self._chip_height)

    def refresh(self) -> None:
        """Work out the chips anew and keep the cursor in view."""
        result = self.result
        if result is None:  # the tokens of another model are not this one's
            self._strip = self._widths_of = None
            self._places = ChipPlaces([], GAP, (0, BAR_GAP))
            self._fit_scroll()
            self.setAccessibleDescription("")
            self.update()
            return
        self._strip = strip = Strip.of(result, self.session.shown_step, self.session.selection.now.row)
        if self._widths_of is not result.state.opened:
            self._widths_of, self._widths = result.state.opened, {}
            self._chips.clear()
        self._places = ChipPlaces([self._width(token) for token in strip.ids], GAP, (strip.prompt, BAR_GAP))
        self._fit_scroll()
        self._bring_into_view(strip.cursor if strip.chosen is None else strip.chosen)
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self._height())

    def _height(self) -> int:
        return round(self._chip_height) + 6 + SCROLL_HEIGHT

    def _make_fonts(self) -> None:
        self._font = number_font()
        self._small = number_font(self._font.pointSizeF() * 0.75)
        self._metrics = QFontMetricsF(self._font)
        self._small_metrics = QFontMetricsF(self._small)
        self._chip_height = self._metrics.height() + self._small_metrics.height() + 5

    def _width(self, token: int) -> float:
        width = self._widths.get(token)
        if width is None:
            assert self._strip is not None
            state = self._strip.result.state
            subscript = "₀" * len(str(state.model.config.n_ctx - 1))
            text = self._metrics.horizontalAdvance(token_label(state.opened, token) + subscript)
            number = self._small_metrics.horizontalAdvance(str(token))
            width = self._widths[token] = max(max(text, number) + 2 * PADDING, MINIMUM_WIDTH)
        return width

    def _fit_scroll(self) -> None:
        beyond = max(round(self._places.total) - self.width(), 0)
        self._scroll.setRange(0, beyond)
        self._scroll.setPageStep(self.width())
        self._scroll.setSingleStep(40)
        self._scroll.setVisible(beyond > 0)

    def _bring_into_view(self, place: int) -> None:
        left = self._places.lefts[place]
        margin = min(self.width() / 4, 80)
        if left - margin < self._scroll.value():
            self._scroll.setValue(round(left - margin))
        right = left + self._places.widths[place] + margin
        if right > self._scroll.value() + self.width():
            self._scroll.setValue(round(right - self.width()))

    def _current(self) -> int | None:
        """The token that the keyboard is at: the chosen one, else the cursor's."""
        if self._strip is None:
            return None
        return self._strip.cursor if self._strip.chosen is None else self._strip.chosen

    def _describe(self) -> None:
        strip, current = self._strip, self._current()
        if strip is None or current is None:
            return
        role = "chosen: " if strip.chosen is not None else "at the cursor: "
        generated = current >= strip.prompt  # its probabilities are there; a prompt token's would be computed
        said = strip.readout(current) if generated else strip.brief(current)
        self.setAccessibleDescription(role + said.replace("\n", "; "))

    # -- choosing

    def choose(self, place: int) -> None:
        """Choose a token's row, moving the cursor where its step does not see it."""
        strip = self._strip
        if strip is None:
            return
        if strip.is_next(place):
            self.attempt(self.session.step_forward)
            return
        step = strip.step_that_sees(place)
        if step is None:
            self.message.emit(
                f"No step sees the token at position {place}: "
                f"the context holds only the last {strip.result.state.model.config.n_ctx}."
            )
            return
        if step != strip.step:
            self.session.go_to_step(step)
        start, _ = strip.result.context(step)
        self.session.selection.choose(row=place - start, key=None)
        speak(self)

    def _toggle(self, place: int) -> None:
        if self._strip is not None and place == self._strip.chosen:
            self.session.selection.choose(row=None, key=None)
        else:
            self.choose(place)

    # -- Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current_theme()
        painter.fillRect(event.rect(), QColor(theme.background))
        strip = self._strip
        if strip is None:
            painter.setPen(QColor(theme.muted_text))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "computing …")
            painter.end()
            return
        look = (theme, self.devicePixelRatioF())
        if look != self._drawn_for:
            self._chips.clear()
            self._drawn_for = look
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scroll = self._scroll.value()
        for place in self._places.visible(scroll + event.rect().left(), scroll + event.rect().right()):
            self._paint_chip(painter, strip, place)
        if self._places.bar is not None:
            x = self._places.bar - scroll
            painter.setPen(QPen(QColor(theme.muted_text), 2))
            painter.drawLine(QPointF(x, 2), QPointF(x, self._chip_height + 4))
        painter.end()

    def _chip(self, strip: Strip, place: int) -> QPixmap:
        """The picture of a chip without its marks, drawn once for each look."""
        written = strip.name(place), strip.id_line(place)
        key = (*written, strip.ids[place], place >= strip.prompt, strip.is_next(place), strip.is_dim(place))
        chip = self._chips.get(key)
        if chip is None:
            if len(self._chips) >= MOST_CHIPS:
                self._chips.clear()
            chip = self._chips[key] = self._draw_chip(*key, self._places.widths[place])
        return chip

    def _draw_chip(
        self, name: str, id_line: str, token: int, generated: bool, is_next: bool, dim: bool, width: float
    ) -> QPixmap:
        theme = current_theme()
        ratio = self.devicePixelRatioF()
        chip = QPixmap(QSizeF(width * ratio, self._chip_height * ratio).toSize())
        chip.setDevicePixelRatio(ratio)
        chip.fill(Qt.GlobalColor.transparent)
        painter = QPainter(chip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(0.5, 0.5, width - 1, self._chip_height - 1)
        hue = QColor(token_color(token, theme))
        fill = QColor(hue)
        fill.setAlpha(0 if is_next else DIM_FILL if dim else GENERATED_FILL if generated else PROMPT_FILL)
        painter.setBrush(fill)
        if dim:
            hue.setAlphaF(0.5)
        painter.setPen(QPen(hue, 1, Qt.PenStyle.DashLine if generated else Qt.PenStyle.SolidLine))
        painter.drawRoundedRect(rect, 3, 3)
        painter.setPen(QColor(theme.muted_text if dim else theme.text))
        painter.setFont(self._font)
        line = QRectF(rect.left(), rect.top() + 1, rect.width(), self._metrics.height())
        painter.drawText(line if id_line else rect, Qt.AlignmentFlag.AlignCenter, name)
        painter.setFont(self._small)
        line = QRectF(rect.left(), line.bottom() - 1, rect.width(), self._small_metrics.height())
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, id_line)
        painter.end()
        return chip

    def _paint_chip(self, painter: QPainter, strip: Strip, place: int) -> None:
        theme, outer = current_theme(), self.chip_rect(place)
        painter.drawPixmap(outer.topLeft(), self._chip(strip, place))
        rect = outer.adjusted(0.5, 0.5, -0.5, -0.5)
        if place in strip.result.changed and not strip.is_next(place):
            self._paint_changed(painter, rect)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if place == strip.cursor:
            painter.setPen(QPen(QColor(theme.text), 2))
            painter.drawRoundedRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5), 3, 3)
        if place == strip.chosen:
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.drawRoundedRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5), 3, 3)
        if self.hasFocus() and place == self._current():
            painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
            painter.drawRect(rect.adjusted(2.5, 2.5, -2.5, -2.5))

    def _paint_changed(self, painter: QPainter, rect: QRectF) -> None:
        color = QColor(current_theme().changed)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRect(QRectF(rect.left() + 3, rect.bottom() - 3, rect.width() - 6, 2.5))
        corner = rect.topRight()
        painter.drawPolygon(QPolygonF([corner, corner + QPointF(-8, 0), corner + QPointF(0, 8)]))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scroll.setGeometry(0, self.height() - SCROLL_HEIGHT, self.width(), SCROLL_HEIGHT)
        self._fit_scroll()
        current = self._current()
        if current is not None:
            self._bring_into_view(current)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self._toggle(place)
        else:
            super().mousePressEvent(event)

    def _place_at(self, point: QPointF) -> int | None:
        if self._strip is None or not 0 <= point.y() <= self._chip_height + 6:
            return None
        return self._places.at(point.x() + self._scroll.value())

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().x() or event.angleDelta().y()
        self._scroll.setValue(self._scroll.value() - delta)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        strip, current, key = self._strip, self._current(), event.key()
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if strip is None or current is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif key in moves:
            last = len(strip.result.tokens) - 1
            if last >= 0:
                self.choose(min(max(current + moves[Qt.Key(key)], 0), last))
        elif key == Qt.Key.Key_Home and strip.result.tokens:
            self.choose(strip.start)
        elif key == Qt.Key.Key_End and strip.result.tokens:
            self.choose(len(strip.result.tokens) - 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._toggle(current)
        elif key == Qt.Key.Key_Escape:
            self.session.selection.let_go()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self._place_at(QPointF(event.pos()))
            if place is None or self._strip is None:
                show_tip(event.globalPos(), self.toolTip(), self)
            else:
                show_tip(event.globalPos(), self.tooltip(place), self)
            return True
        return super().event(event)

    def tooltip(self, place: int) -> str:
        """What hovering over a token says. Raises IndexError for a token that is not there."""
        if self._strip is None:
            return ""
        doing = "click to generate it" if self._strip.is_next(place) else "click to choose its row, Esc to let go"
        return f"{self._strip.readout(place)}\n{doing} (arrow keys move)"

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._make_fonts()
            self._widths = {}
            self._chips.clear()
            self.updateGeometry()
        super().changeEvent(event)
