"""The light and the dark theme: every colour of the window, number font, icons, and putting them to use."""

from __future__ import annotations

import colorsys
import sys
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from visualizer.resources import resource

# Text on a ground needs this ratio of luminances: WCAG 2.2, success criterion 1.4.3 (level AA).
MINIMUM_CONTRAST = 4.5

#: What a user can choose; the last follows the platform.
THEMES = ("light", "dark", "system")

#: What has a frame that tells where it is, to type, tick or press.
FRAMED = (
    "QLineEdit", "QAbstractSpinBox", "QPlainTextEdit", "QComboBox", "QCheckBox", "QRadioButton", "QPushButton",
    "QProgressBar",
)  # fmt: skip
#: By how much, in percent, Fusion darkens the window's colour for an outline.
FUSION_OUTLINE = 140
# Tokens take hues from here to there, in degrees: none looks like the accent, NaN or an infinity.
FIRST_HUE, LAST_HUE = 50.0, 310.0
TOKEN_ZERO_HUE = 212.0
# Steps of the golden section spread any number of ids over the range without two neighbours looking alike.
GOLDEN_SECTION = 0.618034


@dataclass(frozen=True)
class Theme:
    """Colours as ``#rrggbb``. The accent marks the selection and nothing else."""

    name: str
    dark: bool
    background: str
    panel: str
    text: str
    muted_text: str
    disabled_text: str
    rule: str
    frame: str
    accent: str
    accent_text: str
    changed: str
    masked: str
    masked_hatch: str
    masked_text: str
    not_a_number: str
    positive_infinity: str
    negative_infinity: str
    token_saturation: float


LIGHT = Theme(
    name="light",
    dark=False,
    background="#f3f4f5",
    panel="#ffffff",
    text="#1b1f24",
    muted_text="#59636e",
    disabled_text="#59636e",
    rule="#d5d9de",
    frame="#727a84",
    accent="#c2410c",
    accent_text="#ffffff",
    changed="#7a3db8",
    masked="#eef0f1",
    masked_hatch="#d3d8dd",
    masked_text="#5b646e",
    not_a_number="#ff00c8",
    positive_infinity="#ff1f1f",
    negative_infinity="#00d9ff",
    token_saturation=0.75,
)

DARK = Theme(
    name="dark",
    dark=True,
    background="#15181c",
    panel="#1c2025",
    text="#e6e9ec",
    muted_text="#9ba5af",
    disabled_text="#acb5be",  # a button's ground is lighter than a panel's
    rule="#363d45",
    frame="#747d87",
    accent="#ff9a4a",
    accent_text="#15181c",
    changed="#c79bff",
    masked="#282d33",
    masked_hatch="#3c434b",
    masked_text="#a3acb5",
    not_a_number="#ff00c8",
    positive_infinity="#ff1f1f",
    negative_infinity="#00d9ff",
    token_saturation=0.70,
)


class ThemeNotifier(QObject):
    """Tells whoever is not a widget (those get ``changeEvent``) that the theme is another one.

    Signals:
        theme_changed(object): the new `Theme`.
    """

    theme_changed = Signal(object)


_notifier = ThemeNotifier()
_current = LIGHT


def theme_notifier() -> ThemeNotifier:
    """The one object whose ``theme_changed`` is emitted by `apply_theme`."""
    return _notifier


def current_theme() -> Theme:
    """The theme that was applied last; `LIGHT` before any was."""
    return _current


def theme_for(choice: str, app: QApplication) -> Theme:
    """The theme for a user's choice: ``light``, ``dark``, or ``system`` for what the platform reports.

    Where the platform does not tell, ``system`` is light. Raises ValueError for another word.
    """
    if choice == "light":
        return LIGHT
    if choice == "dark":
        return DARK
    if choice == "system":
        return DARK if app.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
    raise ValueError(f"theme {choice!r} is not one of {', '.join(THEMES)}")


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Put style, palette, style sheet and pyqtgraph's defaults of `theme` on `app`, then tell the widgets."""
    global _current
    _current = theme
    if app.style().name().lower() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(palette(theme))
    app.setPalette(_slider_palette(theme), "QSlider")  # type: ignore[arg-type]  # bytes, as declared, is refused
    for name in ("QMenu", "QMenuBar"):
        app.setPalette(_quiet_palette(theme), name)  # type: ignore[arg-type]
    for name in FRAMED:
        app.setPalette(_framed_palette(theme), name)  # type: ignore[arg-type]
    app.setStyleSheet(style_sheet(theme))
    if "pyqtgraph" in sys.modules:  # only plots need it, and they are themed when they are made
        sys.modules["pyqtgraph"].setConfigOptions(background=theme.panel, foreground=theme.text)
    _notifier.theme_changed.emit(theme)


def palette(theme: Theme) -> QPalette:
    """The theme as a QPalette for the Fusion style."""
    role = QPalette.ColorRole
    button = "#2a3037" if theme.dark else "#fafbfb"
    colors = {
        role.Window: theme.background,
        role.WindowText: theme.text,
        role.Base: theme.panel,
        role.AlternateBase: theme.background,
        role.Text: theme.text,
        role.Button: button,
        role.ButtonText: theme.text,
        role.BrightText: theme.text,
        role.ToolTipBase: theme.panel,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted_text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.accent_text,
        role.Link: theme.text,
        role.LinkVisited: theme.muted_text,
        role.Light: theme.panel,
        role.Midlight: theme.rule,
        role.Mid: theme.rule,
        role.Dark: theme.rule,
        role.Shadow: theme.rule,
    }
    result = QPalette()
    for which, color in colors.items():
        result.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.disabled_text))
    # An unfocused list keeps its selected row readable without taking the accent from the focused one.
    result.setColor(QPalette.ColorGroup.Inactive, role.Highlight, QColor(theme.rule))
    result.setColor(QPalette.ColorGroup.Inactive, role.HighlightedText, QColor(theme.text))
    return result


def _quiet_palette(theme: Theme) -> QPalette:
    """Work done, selected text, menus and the frame of the field in use are not the window's selection: no accent."""
    result = palette(theme)
    result.setColor(QPalette.ColorRole.Highlight, QColor(theme.muted_text))
    result.setColor(QPalette.ColorRole.HighlightedText, QColor(theme.panel))
    return result


def _framed_palette(theme: Theme) -> QPalette:
    """A frame of 3:1: Fusion draws those of fields and boxes in the colour of the window, darker by 140 %."""
    result = _quiet_palette(theme)
    result.setColor(QPalette.ColorRole.Window, QColor(theme.frame).lighter(FUSION_OUTLINE))
    return result


def _slider_palette(theme: Theme) -> QPalette:
    """The part of a slider's groove that lies behind the handle is not a selection either."""
    result = _quiet_palette(theme)
    if theme.dark:
        result.setColor(QPalette.ColorRole.Window, QColor(theme.rule))
        result.setColor(QPalette.ColorRole.Button, QColor(theme.muted_text))
    return result


def style_sheet(theme: Theme) -> str:
    """What a palette cannot say: thin rules in place of boxes and bevels."""
    return f"""
        QToolTip {{ color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.rule};
                    padding: 3px 6px; }}
        QHeaderView::section {{ background: {theme.background}; color: {theme.muted_text}; border: none;
                    border-right: 1px solid {theme.rule}; border-bottom: 1px solid {theme.rule};
                    padding: 2px 4px; }}
        QTableView, QTreeView, QListView {{ gridline-color: {theme.rule}; border: 1px solid {theme.rule}; }}
        QSplitter::handle {{ background: {theme.rule}; }}
        QSplitter::handle:horizontal {{ width: 1px; }}
        QSplitter::handle:vertical {{ height: 1px; }}
        QStatusBar::item {{ border: none; }}
        QTabBar::tab {{ color: {theme.muted_text}; padding: 4px 5px; border: none;
                    border-bottom: 2px solid transparent; }}
        QTabBar::tab:hover {{ color: {theme.text}; }}
        QTabBar::tab:selected {{ color: {theme.text}; border-bottom-color: {theme.text}; }}
        QTabBar::tab:selected:focus {{ background: {theme.rule}; }}
        QToolButton:checked {{ background: {theme.rule}; border: 1px solid {theme.muted_text}; border-radius: 3px;
                    padding: 1px 4px; }}
        QTabBar {{ qproperty-elideMode: ElideNone; qproperty-usesScrollButtons: true; }}
        QToolBar {{ border: none; padding: 0; spacing: 0; }}
        QScrollBar#tokenScroll {{ background: transparent; border: none; height: 8px; }}
        QScrollBar#tokenScroll::handle {{
                    background: {theme.muted_text}; border-radius: 2px; margin: 2px 0; min-width: 24px; }}
        QScrollBar#tokenScroll::add-line, QScrollBar#tokenScroll::sub-line {{ width: 0; }}
    """


def relative_luminance(color: str) -> float:
    """Relative luminance 0 (black) to 1 (white) of ``#rrggbb``, as WCAG 2.2 defines it for sRGB."""
    channels = (int(color[i : i + 2], 16) / 255.0 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_ratio(first: str, second: str) -> float:
    """Contrast of two colours ``#rrggbb``, from 1 (equal) to 21 (black on white), in either order."""
    darker, lighter = sorted((relative_luminance(first), relative_luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def token_hue(token_id: int) -> float:
    """The hue in degrees that a token id has in every theme, strip, axis and bar; never the accent's."""
    width = LAST_HUE - FIRST_HUE
    return FIRST_HUE + (TOKEN_ZERO_HUE - FIRST_HUE + token_id * GOLDEN_SECTION * width) % width


@lru_cache(maxsize=4096)
def token_color(token_id: int, theme: Theme) -> str:
    """``#rrggbb`` of a token id: its hue, as light or dark as text on both grounds of `theme` needs."""
    hue = token_hue(token_id) / 360.0
    lightness, step = (0.55, 0.01) if theme.dark else (0.50, -0.01)
    while True:
        rgb = colorsys.hls_to_rgb(hue, lightness, theme.token_saturation)
        color = "#" + "".join(f"{round(channel * 255):02x}" for channel in rgb)
        weakest = min(contrast_ratio(color, theme.background), contrast_ratio(color, theme.panel))
        if weakest >= MINIMUM_CONTRAST + 0.2 or not 0.0 < lightness + step < 1.0:
            return color
        lightness += step


def number_font(size: float | None = None) -> QFont:
    """A font whose digits all have one width. `size` in points; None keeps the application's size."""
    font = QFont(_fixed_family())
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPointSizeF(size if size is not None else QApplication.font().pointSizeF())
    return font


def drawn_font(size: float) -> QFont:
    """`number_font` of `size` points on screen, in pixels: as large in a drawing, whose points are others."""
    font = number_font(size)
    font.setPixelSize(QFontInfo(font).pixelSize())
    return font


@lru_cache(maxsize=1)
def _fixed_family() -> str:
    for family in ("DejaVu Sans Mono", "Menlo", "Consolas"):
        if QFontDatabase.hasFamily(family):
            return family
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()


def icon(name: str) -> QIcon:
    """The icon ``resources/icons/NAME.svg`` in the current theme's text colour, muted where disabled."""
    source = resource(f"icons/{name}.svg").read_text(encoding="utf-8")
    result = QIcon()
    states = ((QIcon.Mode.Normal, _current.text), (QIcon.Mode.Disabled, _current.muted_text))
    for mode, color in states:
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", color).encode()))
        for side in (16, 24, 32, 48, 64):
            pixmap = QPixmap(side, side)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            renderer.render(painter, QRectF(0, 0, side, side))
            painter.end()
            result.addPixmap(pixmap, mode)
    return result
