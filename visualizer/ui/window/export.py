"""Copying and exporting what is on screen: a heatmap as picture or numbers, the run as a script."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from PySide6.QtCore import QMimeData, QObject, QPoint
from PySide6.QtGui import QAction, QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from visualizer.errors import EditError, FormatError, InputError
from visualizer.formats.tables import Table, write_csv, write_table_npz
from visualizer.formats.writing import write_whole
from visualizer.session.session import Session
from visualizer.session.words.spreadsheet import format_block
from visualizer.ui.heatmap.matrix import Matrix
from visualizer.ui.heatmap.view import HeatmapView
from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.focus_ring import without_ring
from visualizer.ui.widgets.pictures import png_bytes

#: A picture's longer side has at least so many pixels: it stays sharp on a slide.
PICTURE_PIXELS = 1600
Say = Callable[[str], None]

#: Suffix, what the action is called, what a file of it is called.
EXPORTS = (
    (".png", "Save picture as PNG…", "PNG pictures"),
    (".svg", "Save picture as SVG…", "SVG drawings"),
    (".csv", "Save numbers as CSV…", "CSV tables"),
    (".npz", "Save numbers as NPZ…", "NumPy archives"),
)
SUFFIXES = tuple(suffix for suffix, _, _ in EXPORTS)


def export_heatmap(heatmap: HeatmapView, path: str | os.PathLike[str]) -> None:
    """Write a heatmap whole or not at all, in the form that the name's suffix says.

    .png: the picture with axes and colour bar, in `picture_scale`; .svg: the same as a drawing; .csv: the
    numbers with labels; .npz: the numbers, labels and mask as arrays.

    Raises:
        EditError: the heatmap is empty.
        FormatError: another suffix, or the file cannot be written.
    """
    target = Path(path)
    matrix = _shown(heatmap)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise FormatError(f"{str(target)!r} is no name for a heatmap; one that ends in {', '.join(SUFFIXES)} is needed")
    if suffix == ".csv":
        write_csv(target, _table(matrix))
    elif suffix == ".npz":
        write_table_npz(target, _table(matrix))
    else:
        if suffix == ".png":
            data = png_bytes(heatmap.to_image(picture_scale(heatmap)))
        else:
            from visualizer.ui.heatmap.svg import heatmap_svg  # here, so that the window opens without it

            data = heatmap_svg(matrix, current_theme(), heatmap.square).encode("utf-8", "replace")

        def write(file: IO[bytes]) -> None:
            file.write(data)

        write_whole(target, write)


def copy_heatmap(heatmap: HeatmapView) -> None:
    """Put a heatmap on the clipboard: a picture for documents, its numbers as tab-separated text for spreadsheets.

    Raises:
        EditError: the heatmap is empty.
    """
    data = QMimeData()
    data.setText(format_block(_shown(heatmap).values))
    data.setImageData(heatmap.to_image(picture_scale(heatmap)))
    QGuiApplication.clipboard().setMimeData(data)


def heatmap_actions(heatmap: HeatmapView, parent: QObject, say: Say | None = None) -> list[QAction]:
    """Copy and export as actions for a context menu; disabled while the heatmap is empty.

    `say` takes what happened, for the status bar.
    """
    tell = say or _nothing
    copy = QAction("Copy picture and numbers", parent)
    copy.setObjectName("copyHeatmap")
    copy.setStatusTip("The picture for documents, the numbers as tab-separated text for spreadsheets")
    copy.triggered.connect(partial(_copy, heatmap, tell))
    actions = [copy]
    for suffix, text, kind in EXPORTS:
        action = QAction(text, parent)
        action.setObjectName(f"exportHeatmap{suffix}")
        action.triggered.connect(partial(_ask_and_export, heatmap, suffix, kind, tell))
        actions.append(action)
    for action in actions:
        action.setEnabled(heatmap.image().size > 0)
    return actions


def picture_scale(widget: QWidget) -> float:
    """How many pixels of a picture stand for a logical one on screen: a whole number, at least two."""
    longer = max(widget.width(), widget.height(), 1)
    return float(max(2, math.ceil(PICTURE_PIXELS / longer)))


def picture(widget: QWidget) -> QImage:
    """A widget as it is on screen but for the keyboard's ring, `picture_scale` pixels to a logical one."""
    scale = picture_scale(widget)
    image = QImage(widget.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(QColor(current_theme().panel))
    with without_ring(widget):
        widget.render(image, QPoint())
    return image


def export_picture(image: QImage, path: str | os.PathLike[str]) -> None:
    """Write a picture as PNG, whole or not at all.

    Raises:
        FormatError: the name does not end in .png, or the file cannot be written.
    """
    if Path(path).suffix.lower() != ".png":
        raise FormatError(f"{str(path)!r} is no name for a picture; one that ends in .png is needed")
    data = png_bytes(image)

    def write(file: IO[bytes]) -> None:
        file.write(data)

    write_whole(Path(path), write)


def ask_and_export_picture(widget: QWidget, image: QImage, name: str, say: Say) -> None:
    """Ask for a name and write a picture there."""
    path = _asked(widget, f"{name}.png", "PNG pictures (*.png)", ".png")
    if path is not None:
        _try(partial(export_picture, image, path), say, path)


def picture_actions(widget: QWidget, parent: QObject, say: Say) -> list[QAction]:
    """Copy and save what is drawn that is no heatmap, as actions for a context menu."""
    copy, save = QAction("Copy picture", parent), QAction("Save picture as PNG…", parent)
    copy.setObjectName("copyPicture")
    copy.triggered.connect(lambda _checked=False: QGuiApplication.clipboard().setImage(picture(widget)))
    save.setObjectName("exportPicture")
    name = _file_name(widget.accessibleName() or "picture")
    save.triggered.connect(lambda _checked=False: ask_and_export_picture(widget, picture(widget), name, say))
    return [copy, save]


def export_script(session: Session, path: str | os.PathLike[str]) -> list[Path]:
    """Write the pass of the step under the cursor as a script that needs only NumPy; returns the files.

    Raises:
        EditError: nothing has been computed yet, or the context is empty.
        FormatError: the name does not end in .py, or a file cannot be written.
    """
    from visualizer.formats.script import write_script  # here, so that the window opens without it

    trace, result = session.trace, session.result
    if result is None or trace is None:
        raise EditError("there is no pass to write: type a prompt first")
    state = result.state
    model = state.model if trace.parameters is state.model.parameters else state.model.replace(trace.parameters)
    return write_script(
        model, trace.tokens, path, interventions=trace.interventions, name=state.opened.name, trace=trace
    )


def script_action(session: Session, parent: QWidget, say: Say | None = None) -> QAction:
    """The action that asks for a name and writes the run as a script."""
    action = QAction("Save run as NumPy script…", parent)
    action.setObjectName("exportScript")
    action.setStatusTip("A Python file that needs only NumPy and prints the same logits")
    action.triggered.connect(partial(_ask_and_write_script, session, parent, say or _nothing))
    return action


def _nothing(_message: str) -> None:
    """Nobody listens."""


def _shown(heatmap: HeatmapView) -> Matrix:
    matrix = heatmap.matrix
    if matrix is None or not matrix.values.size:
        raise EditError("the heatmap is empty: there is nothing to copy or save")
    return matrix


def _table(matrix: Matrix) -> Table:
    rows, columns = matrix.shape
    return Table(
        matrix.name,
        matrix.values,
        [matrix.row_text(row) for row in range(rows)],
        [matrix.column_text(column) for column in range(columns)],
        matrix.row_axis,
        matrix.column_axis,
        matrix.masked,
    )


def _copy(heatmap: HeatmapView, say: Say, _checked: bool = False) -> None:
    try:
        copy_heatmap(heatmap)
    except InputError as error:
        say(str(error))
        return
    rows, columns = heatmap.image().shape
    say(f"copied {rows} × {columns} numbers and the picture")


def _ask_and_export(heatmap: HeatmapView, suffix: str, kind: str, say: Say, _checked: bool = False) -> None:
    name = heatmap.matrix.name if heatmap.matrix is not None else "heatmap"
    path = _asked(heatmap, f"{_file_name(name)}{suffix}", f"{kind} (*{suffix})", suffix)
    if path is not None:
        _try(partial(export_heatmap, heatmap, path), say, path)


def _ask_and_write_script(session: Session, parent: QWidget, say: Say, _checked: bool = False) -> None:
    state = session.document.state
    path = _asked(parent, f"{_file_name(state.opened.name)}_run.py", "Python scripts (*.py)", ".py")
    if path is not None:
        _try(partial(export_script, session, path), say, path)


def _file_name(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text).strip("_") or "untitled"


def _asked(parent: QWidget, proposed: str, kinds: str, suffix: str) -> Path | None:
    """A file to save to, with the suffix added where it was left out; None where the user thought better of it."""
    path, _ = QFileDialog.getSaveFileName(parent.window(), "Save as", proposed, kinds)
    if not path:
        return None
    return Path(path) if Path(path).suffix else Path(path + suffix)


def _try(write: Callable[[], object], say: Say, path: Path) -> None:
    try:
        write()
    except InputError as error:
        say(str(error))
    else:
        say(f"saved {path}")
