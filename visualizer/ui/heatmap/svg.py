"""A heatmap as SVG: cells as vector rectangles, numbers and labels as text, the colour bar as a gradient."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape  # xml.sax would bring half of the network modules with it

from visualizer.session.words.numbers import short
from visualizer.ui.heatmap.axes import indexed_image, thinned
from visualizer.ui.heatmap.matrix import Matrix
from visualizer.ui.look import colors
from visualizer.ui.look.theme import Theme
from visualizer.ui.widgets.pictures import png_bytes

#: Above this the cells are one picture: a million rectangles no viewer opens.
MOST_RECTANGLES = 65536
FONT = "DejaVu Sans Mono, Menlo, Consolas, monospace"
FONT_SIZE, AXIS_SIZE = 12.0, 11.0
CHARACTER = 0.65  # the most a monospaced character takes in units of the font's size
GAP, BAR_WIDTH = 6.0, 12.0
STOPS = 25
#: Smaller than this, numbers in cells could not be read.
SMALLEST_NUMBER = 6.0


@dataclass(frozen=True)
class _Places:
    """Where things lie, in user units, y down."""

    left: float
    top: float
    width: float
    height: float
    cell_width: float
    cell_height: float
    upright: bool


def heatmap_svg(matrix: Matrix, theme: Theme, square: bool) -> str:
    """The whole matrix with axes, numbers where they fit, and colour bar, in the colours of `theme`, as SVG 1.1."""
    places = _arrange(matrix, square)
    bar_left = places.left + places.width + 2 * GAP
    bar_text = max(len(short(-matrix.limit)), 4) * FONT_SIZE * CHARACTER
    bar_height = max(places.height, 4 * FONT_SIZE)
    keys = len(matrix.special_indices()) * (FONT_SIZE + 4)
    width = bar_left + BAR_WIDTH + GAP + bar_text + GAP
    height = places.top + bar_height + keys + 2 * GAP
    rows, columns = matrix.shape
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    font = f'font-family="{escape(FONT)}" font-size="{FONT_SIZE:g}"'
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f"<title>{_text(f'{matrix.name} [{rows}, {columns}]')}</title>",
        f'<rect width="{width:g}" height="{height:g}" fill="{theme.panel}"/>',
        *_definitions(matrix, theme),
        *_cells(matrix, theme, places),
        *_labels(matrix, theme, places),
        *_bar(matrix, theme, bar_left, places.top, bar_height),
        "</svg>",
        "",
    ]
    return "\n".join(parts)


def _text(text: str) -> str:
    """Text that XML can hold: escaped, and without the control characters that it forbids."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


def _arrange(matrix: Matrix, square: bool) -> _Places:
    rows, columns = matrix.shape
    side = min(44.0, max(2.0, 1100 / max(rows, columns, 1)))
    cell_width, cell_height = (side, side) if square else (min(64.0, max(2.0, 1100 / max(columns, 1))), side)
    row_room = max((len(matrix.row_text(row)) for row in range(rows)), default=0) * FONT_SIZE * CHARACTER
    column_room = max((len(matrix.column_text(column)) for column in range(columns)), default=0) * FONT_SIZE * CHARACTER
    upright = column_room > cell_width - 2
    header = column_room if upright else FONT_SIZE
    left = GAP + AXIS_SIZE + GAP + row_room + GAP
    top = GAP + AXIS_SIZE + GAP + header + GAP
    return _Places(left, top, cell_width * columns, cell_height * rows, cell_width, cell_height, upright)


def _definitions(matrix: Matrix, theme: Theme) -> Iterator[str]:
    argb = matrix.table(theme).argb
    yield '<defs><linearGradient id="scale" x1="0" y1="1" x2="0" y2="0">'
    for stop in range(STOPS + 1):
        color = _color(argb[round(stop / STOPS * (colors.STEPS - 1))])
        yield f'<stop offset="{stop / STOPS:g}" stop-color="{color}"/>'
    yield "</linearGradient>"
    yield (
        '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<path d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2" stroke="{theme.masked_hatch}"/></pattern></defs>'
    )


def _color(argb: int) -> str:
    return f"#{argb & 0xFFFFFF:06x}"


def _cells(matrix: Matrix, theme: Theme, places: _Places) -> Iterator[str]:
    if matrix.values.size > MOST_RECTANGLES:
        yield _picture(matrix, theme, places)
        return
    argb = matrix.table(theme).argb
    side = f'width="{places.cell_width:g}" height="{places.cell_height:g}"'
    line = f' stroke="{theme.panel}" stroke-width="0.5"' if min(places.cell_width, places.cell_height) >= 8 else ""
    yield f'<g id="cells" shape-rendering="crispEdges"{line}>'
    for row, indices in enumerate(matrix.indices.tolist()):
        y = places.top + row * places.cell_height
        for column, index in enumerate(indices):
            x = places.left + column * places.cell_width
            yield f'<rect class="cell" x="{x:g}" y="{y:g}" {side} fill="{_color(argb[index])}"/>'
    yield "</g>"
    yield from _hatch(matrix, places)
    yield from _changed(matrix, theme, places)
    yield from _numbers(matrix, theme, places)


def _picture(matrix: Matrix, theme: Theme, places: _Places) -> str:
    picture = png_bytes(indexed_image(matrix.indices, matrix.table(theme).argb))
    encoded = base64.b64encode(picture).decode("ascii")
    return (
        f'<image x="{places.left:g}" y="{places.top:g}" width="{places.width:g}" height="{places.height:g}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{encoded}"/>'
    )


def _hatch(matrix: Matrix, places: _Places) -> Iterator[str]:
    if matrix.masked is None or not matrix.masked.any():
        return
    yield '<g id="masked" fill="url(#hatch)">'
    for row, column in zip(*(axis.tolist() for axis in matrix.masked.nonzero()), strict=True):
        x, y = places.left + column * places.cell_width, places.top + row * places.cell_height
        yield f'<rect x="{x:g}" y="{y:g}" width="{places.cell_width:g}" height="{places.cell_height:g}"/>'
    yield "</g>"


def _changed(matrix: Matrix, theme: Theme, places: _Places) -> Iterator[str]:
    if matrix.changed is None or not matrix.changed.any():
        return
    leg = min(9.0, places.cell_width * 0.3)
    yield f'<g id="changed" fill="{theme.changed}" stroke="{theme.panel}">'
    for row, column in zip(*(axis.tolist() for axis in matrix.changed.nonzero()), strict=True):
        x, y = places.left + (column + 1) * places.cell_width, places.top + row * places.cell_height
        yield f'<path d="M{x - leg:g},{y:g} H{x:g} V{y + leg:g} Z"/>'
    yield "</g>"


def _numbers(matrix: Matrix, theme: Theme, places: _Places) -> Iterator[str]:
    room = int((places.cell_width - 4) / (SMALLEST_NUMBER * CHARACTER))
    if room < 3 or places.cell_height < SMALLEST_NUMBER * 1.5:
        return
    rows, columns = matrix.shape
    texts = [[matrix.text(row, column, room) for column in range(columns)] for row in range(rows)]
    longest = max((len(text) for row in texts for text in row), default=1) or 1
    size = min((places.cell_width - 4) / (longest * CHARACTER), places.cell_height * 0.4, FONT_SIZE)
    dark_ink = matrix.table(theme).dark_ink
    yield f'<g id="numbers" text-anchor="middle" font-size="{size:.4g}">'
    for row in range(rows):
        y = places.top + (row + 0.5) * places.cell_height + size * 0.35
        for column in range(columns):
            if texts[row][column]:
                x, index = places.left + (column + 0.5) * places.cell_width, int(matrix.indices[row, column])
                ink = theme.masked_text if index == colors.MASKED else "#000000" if dark_ink[index] else "#ffffff"
                yield f'<text x="{x:g}" y="{y:g}" fill="{ink}">{_text(texts[row][column])}</text>'
    yield "</g>"


def _labels(matrix: Matrix, theme: Theme, places: _Places) -> Iterator[str]:
    rows, columns = matrix.shape
    muted = f'fill="{theme.muted_text}" font-size="{AXIS_SIZE:g}" text-anchor="middle"'
    x, y = places.left + places.width / 2, places.top + places.height / 2
    yield f'<text x="{x:g}" y="{GAP + AXIS_SIZE * 0.8:g}" {muted}>{_text(matrix.column_axis)}</text>'
    turned = f'transform="translate({GAP + AXIS_SIZE * 0.8:g},{y:g}) rotate(-90)"'
    yield f"<text {turned} {muted}>{_text(matrix.row_axis)}</text>"
    yield '<g id="rows" text-anchor="end">'
    for row in thinned(0, rows, places.cell_height, FONT_SIZE):
        middle = places.top + (row + 0.5) * places.cell_height + FONT_SIZE * 0.35
        hue = matrix.row_label_colors[row] if matrix.row_label_colors else theme.text
        yield f'<text x="{places.left - GAP:g}" y="{middle:g}" fill="{hue}">{_text(matrix.row_text(row))}</text>'
    yield f'</g><g id="columns" text-anchor="{"start" if places.upright else "middle"}">'
    widest = max((len(matrix.column_text(column)) for column in range(columns)), default=0) * FONT_SIZE * CHARACTER
    for column in thinned(0, columns, places.cell_width, FONT_SIZE if places.upright else widest):
        middle = places.left + (column + 0.5) * places.cell_width
        hue = matrix.column_label_colors[column] if matrix.column_label_colors else theme.text
        place = f'x="{middle:g}" y="{places.top - GAP:g}"'
        if places.upright:
            place = f'transform="translate({middle + FONT_SIZE * 0.35:g},{places.top - GAP:g}) rotate(-90)"'
        yield f'<text {place} fill="{hue}">{_text(matrix.column_text(column))}</text>'
    yield "</g>"


def _bar(matrix: Matrix, theme: Theme, left: float, top: float, height: float) -> Iterator[str]:
    yield '<g id="bar">'
    yield (
        f'<rect x="{left:g}" y="{top:g}" width="{BAR_WIDTH:g}" height="{height:g}" fill="url(#scale)" '
        f'stroke="{theme.rule}"/>'
    )
    x, high = left + BAR_WIDTH + GAP, matrix.limit
    low = 0.0 if matrix.scale.kind == "sequential" else -high
    ticks = [(top + FONT_SIZE * 0.8, high), (top + height, low)] if high > low else []
    ticks.append((top + height / 2 + FONT_SIZE * 0.35, (high + low) / 2))
    for y, value in ticks:
        yield f'<text x="{x:g}" y="{y:g}" fill="{theme.muted_text}">{_text(short(value))}</text>'
    words = {colors.NOT_A_NUMBER: "nan", colors.POSITIVE_INFINITY: "inf", colors.NEGATIVE_INFINITY: "−inf"}
    y = top + height + GAP
    for index in matrix.special_indices():
        color = _color(matrix.table(theme).argb[index])
        yield f'<rect x="{left:g}" y="{y:g}" width="{BAR_WIDTH:g}" height="{BAR_WIDTH:g}" fill="{color}"/>'
        yield f'<text x="{x:g}" y="{y + FONT_SIZE * 0.85:g}" fill="{theme.muted_text}">{words[index]}</text>'
        y += FONT_SIZE + 4
    yield "</g>"
