"""Bars over a slider: each generated token's probability, standing over its step."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QSlider, QStyle, QStyleOptionSlider, QWidget

from visualizer.engine.generate import Step
from visualizer.session.analysis.token_chips import Strip
from visualizer.session.evaluation.difference import first_flip
from visualizer.session.evaluation.result import Result
from visualizer.session.words.axis_labels import token_label
from visualizer.session.words.numbers import against
from visualizer.ui.look.signed_color import signed_color
from visualizer.ui.look.theme import current_theme, number_font, token_color
from visualizer.ui.widgets.plain_text import show_tip

BAR_HEIGHT = 20.0
WIDEST_BAR = 14.0
#: How far the slider's ends are from the bars': room for the words and columns that stand over them, in pixels.
INSET = 20
#: Half the width of the mark over a forced token.
MARK = 4.0


class StepBars(QWidget):
    """One bar for each step, standing over its place on the slider: as high as its token was probable.

    With a pinned baseline they are, if that is asked for, the baseline's own steps, or how much more probable each
    token is than in the baseline: up to the first token that differs, as the two saw other texts after it.

    Signals:
        step_chosen(int): a bar was clicked.
    """

    step_chosen = Signal(int)

    def __init__(self, slider: QSlider, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = slider
        self._result: Result | None = None
        self._handle: tuple[QStyle, int] | None = None  # the slider's, in pixels, by style
        self._step = 0
        self._comparison = "value"
        self._same_until = math.inf  # the last step before which the baseline's text is the same
        self._font = number_font(self.font().pointSizeF() * 0.8)
        self._text_height = QFontMetricsF(self._font).height()
        self._digits = QFontMetricsF(self._font).horizontalAdvance("00")
        self._drawn: tuple[Result, object, QPixmap] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        # What lies below it is not to be painted again with every result.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Probability of each step's token")

    def show_result(self, result: Result | None, step: int, comparison: str = "value") -> None:
        """Draw the steps of a result; `step` is the one under the cursor."""
        self._result, self._step = result, step
        base = None if result is None or result.baseline is None else result.baseline.steps
        self._comparison = comparison if base is not None else "value"
        flip = None if result is None or base is None else first_flip(result.steps, [other.token for other in base])
        self._same_until = math.inf if flip is None else flip.step
        if result is None:
            self._drawn = None
        self.update()

    def height_of(self, step: int) -> float:
        """What a step's bar stands for: its token's probability, or the difference of two; NaN where there is none."""
        if self._result is None:
            return math.nan
        chosen, base = self._steps(self._result)[step], self._result.baseline
        probability = float(chosen.probs[chosen.token])
        if self._comparison != "difference" or base is None:
            return probability
        if step > self._same_until:
            return math.nan
        return probability - float(base.steps[step].probs[chosen.token])

    @property
    def _last(self) -> int:
        """The last step that there will be, where the rest of a text is still being computed."""
        return 0 if self._result is None else self._result.state.length

    def _steps(self, result: Result) -> tuple[Step, ...]:
        """The steps that are drawn."""
        if self._comparison == "baseline" and result.baseline is not None:
            return result.baseline.steps
        return result.steps

    def sizeHint(self) -> QSize:
        return QSize(200, round(BAR_HEIGHT + self._text_height) + 2)

    def step_at(self, x: float) -> int | None:
        """The step whose bar is nearest to a pixel; None before the first result."""
        if self._result is None:
            return None
        left, width = self._span()
        if self._last == 0 or width <= 0:
            return 0
        return min(max(round((x - left) / width * self._last), 0), self._last)

    def centre(self, step: int) -> float:
        """Where a step's bar stands, in pixels."""
        left, width = self._span()
        return left + (width * step / self._last if self._last else 0.0)

    def spacing(self) -> float:
        """How far apart two steps are, in pixels."""
        return self._spacing()

    def _span(self) -> tuple[float, float]:
        """Where the middle of the slider's handle can be: its leftmost pixel here, and how far it goes."""
        style = self._slider.style()
        if self._handle is None or self._handle[0] is not style:
            option = QStyleOptionSlider()
            option.initFrom(self._slider)
            option.orientation = Qt.Orientation.Horizontal
            width = style.pixelMetric(QStyle.PixelMetric.PM_SliderLength, option, self._slider)
            self._handle = (style, width)
        handle = self._handle[1]
        return self._slider.x() - self.x() + handle / 2, float(max(self._slider.width() - handle, 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        result = self._result
        if result is None:
            painter.fillRect(event.rect(), QColor(current_theme().background))
            painter.end()
            return
        painter.drawPixmap(0, 0, self._picture(result))
        if self._labelled():
            self._mark_cursor(painter, result)
        painter.end()

    def _picture(self, result: Result) -> QPixmap:
        """All bars, drawn once for each result: scrubbing only moves the mark."""
        look = (self.size(), self.devicePixelRatioF(), current_theme(), self._comparison)
        if self._drawn is None or self._drawn[0] is not result or self._drawn[1] != look:
            picture = QPixmap(self.size() * self.devicePixelRatioF())
            picture.setDevicePixelRatio(self.devicePixelRatioF())
            picture.fill(QColor(current_theme().background))
            self._draw(picture, result)
            self._drawn = (result, look, picture)
        return self._drawn[2]

    def _spacing(self) -> float:
        return self._span()[1] / self._last if self._last else WIDEST_BAR * 2

    def _labelled(self) -> bool:
        return self._spacing() >= self._digits

    def _draw(self, picture: QPixmap, result: Result) -> None:
        painter = QPainter(picture)
        painter.setFont(self._font)
        painter.setPen(QColor(current_theme().rule))
        base = self._text_height + BAR_HEIGHT * (0.5 if self._comparison == "difference" else 1)
        painter.drawLine(QPointF(0, base + 0.5), QPointF(self.width(), base + 0.5))
        spacing = self._spacing()
        width = min(max(spacing - 2, 1.0), WIDEST_BAR)
        every = max(1, math.ceil(1 / max(spacing, 0.01)))
        labelled = self._labelled()
        for step in range(0, len(result.steps), every):
            self._draw_bar(painter, result, step, width)
            if labelled:
                painter.setPen(QColor(current_theme().muted_text))
                self._write(painter, result, step)
        painter.end()

    def _draw_bar(self, painter: QPainter, result: Result, step: int, width: float) -> None:
        theme = current_theme()
        chosen, share, centre = self._steps(result)[step], self.height_of(step), self.centre(step)
        share = 0.0 if math.isnan(share) else min(max(share, -1.0), 1.0)
        hue, foot, reach = QColor(token_color(chosen.token, theme)), self._text_height + BAR_HEIGHT, BAR_HEIGHT - 1
        if self._comparison == "difference":
            hue, foot, reach = signed_color(share), foot - BAR_HEIGHT / 2, reach / 2
        height = share * reach if abs(share * reach) > 1 else 1.0
        bar = QRectF(centre - width / 2, foot - height, width, height).normalized()
        if step < len(result.steps) - 1:
            painter.fillRect(bar, hue)
        else:  # not generated yet: what would come next
            painter.setPen(QPen(hue, 1, Qt.PenStyle.DashLine))
            painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, 0))
        if chosen.forced:
            tip = QPointF(centre, self._text_height + 2 + MARK)
            corners = [tip, tip + QPointF(-MARK, -MARK), tip + QPointF(MARK, -MARK)]
            painter.setPen(QPen(QColor(theme.panel), 1))
            painter.setBrush(QColor(theme.text))
            painter.drawPolygon(QPolygonF(corners))
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _write(self, painter: QPainter, result: Result, step: int) -> float:
        """Write a step's token over its bar; returns the text's width."""
        chosen = self._steps(result)[step]
        label = token_label(result.state.opened, chosen.token)
        text = "nan" if math.isnan(float(chosen.probs[chosen.token])) else label
        width = min(2.0 * INSET, self._spacing())
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, round(width))
        room = QRectF(self.centre(step) - INSET, 0, 2 * INSET, self._text_height)
        return painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text).width()

    def _mark_cursor(self, painter: QPainter, result: Result) -> None:
        """Underline the token of the step under the cursor."""
        text = QColor(current_theme().text)
        painter.setFont(self._font)
        painter.setPen(text)
        width = self._write(painter, result, self._step) + 2
        painter.fillRect(QRectF(self.centre(self._step) - width / 2, self._text_height - 1.5, width, 1.5), text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        step = self.step_at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and step is not None:
            self.step_chosen.emit(step)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        step = self.step_at(event.position().x())
        if event.buttons() & Qt.MouseButton.LeftButton and step is not None:
            self.step_chosen.emit(step)

    def tooltip(self, step: int) -> str:
        """What hovering over a step says."""
        if self._result is None:
            return ""
        if step >= len(self._result.steps):
            return f"step {step}\nnot computed yet"
        strip = Strip.of(self._result, step, None)
        forced = "\n▾ forced: put there, whatever the model would choose" if self._result.steps[step].forced else ""
        return f"step {step}\n{strip.readout(strip.cursor)}{forced}{self._against(step)}\nclick to move the cursor here"

    def _against(self, step: int) -> str:
        """How a step stands to that of the baseline, where one is pinned."""
        result = self._result
        if result is None or result.baseline is None:
            return ""
        chosen, other = result.steps[step], result.baseline.steps[step]
        said = f"\nthe baseline has {token_label(result.state.opened, other.token)} here"
        if step > self._same_until:
            return f"{said}, after another text"
        now, before = float(chosen.probs[chosen.token]), float(other.probs[chosen.token])
        label = token_label(result.state.opened, chosen.token)
        return f"{said}; of {label}: {against(now, before, chosen.probs.dtype)}"

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            step = self.step_at(event.pos().x())
            if step is not None:
                show_tip(event.globalPos(), self.tooltip(step), self)
            return True
        return super().event(event)
