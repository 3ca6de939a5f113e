"""Copying and exporting what is drawn: as a picture, as a drawing, and of a heatmap the numbers, too."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from PySide6.QtCore import QMimeData, QObject
from PySide6.QtGui import QAction, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from visualizer.errors import EditError, FormatError, InputError
from visualizer.formats.tables import Table, write_csv, write_table_npz
from visualizer.formats.writing import write_whole
from visualizer.session.words.spreadsheet import format_block
from visualizer.ui.heatmap.matrix import Matrix
from visualizer.ui.heatmap.view import HeatmapView
from visualizer.ui.widgets.drawing import Drawing, as_image, as_svg
from visualizer.ui.widgets.pictures import png_bytes

Say = Callable[[str], None]

#: Suffix, what the action is called, what a file of it is called.
PICTURES = (
    (".png", "Save picture as PNG…", "PNG pictures"),
    (".svg", "Save picture as SVG…", "SVG drawings"),
)
NUMBERS = (
    (".csv", "Save numbers as CSV…", "CSV tables"),
    (".npz", "Save numbers as NPZ…", "NumPy archives"),
)
SUFFIXES = tuple(suffix for suffix, _, _ in (*PICTURES, *NUMBERS))


def export_heatmap(heatmap: HeatmapView, path: str | os.PathLike[str]) -> None:
    """Write a heatmap whole or not at all, in the form that the name's suffix says.

    .png: the picture with axes, colour bar and caption; .svg: the same as a drawing; .csv: the numbers with labels;
    .npz: the numbers, labels and mask as arrays.

    Raises:
        EditError: the heatmap is empty.
        FormatError: another suffix, or the file cannot be written.
    """
    target = Path(path)
    matrix = _shown(heatmap)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise FormatError(
            f"{str(target)!r} is not a name for a heatmap; one that ends in {', '.join(SUFFIXES)} is needed"
        )
    if suffix == ".csv":
        write_csv(target, _table(matrix))
    elif suffix == ".npz":
        write_table_npz(target, _table(matrix))
    else:
        export_drawing(heatmap, target, matrix.name)


def export_drawing(drawing: Drawing, path: str | os.PathLike[str], title: str) -> None:
    """Write what is drawn as .png or .svg, whole or not at all.

    Raises:
        FormatError: another suffix, or the file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in (".png", ".svg"):
        raise FormatError(f"{str(target)!r} is not a name for a picture; one that ends in .png or .svg is needed")
    _write(target, png_bytes(as_image(drawing)) if suffix == ".png" else as_svg(drawing, title))


def copy_heatmap(heatmap: HeatmapView) -> None:
    """Put a heatmap on the clipboard: a picture for documents, its numbers as tab-separated text for spreadsheets.

    Raises:
        EditError: the heatmap is empty.
    """
    data = QMimeData()
    data.setText(format_block(_shown(heatmap).values))
    data.setImageData(as_image(heatmap))
    QGuiApplication.clipboard().setMimeData(data)


def heatmap_actions(heatmap: HeatmapView, parent: QObject, say: Say | None = None) -> list[QAction]:
    """Copy and export as actions for a context menu; disabled while the heatmap is empty.

    `say` takes what happened, for the status bar.
    """
    tell = say or _nothing
    copy = _action("Copy picture and numbers", "copyHeatmap", parent, partial(_copy, heatmap, tell))
    copy.setStatusTip("The picture for documents, the numbers as tab-separated text for spreadsheets")
    actions = [copy]
    for suffix, text, kind in (*PICTURES, *NUMBERS):

        def save(_checked: bool = False, *, suffix: str = suffix, kind: str = kind) -> None:
            name = heatmap.matrix.name if heatmap.matrix is not None else "heatmap"
            _ask_and_write(heatmap, name, suffix, kind, partial(export_heatmap, heatmap), tell)

        actions.append(_action(text, f"exportHeatmap{suffix}", parent, save))
    for action in actions:
        action.setEnabled(heatmap.image().size > 0)
    return actions


def drawing_actions(drawing: Drawing, parent: QObject, say: Say) -> list[QAction]:
    """Copy and save what is drawn that is no heatmap, for a context menu."""
    assert isinstance(drawing, QWidget)
    widget, name = drawing, drawing.accessibleName() or "picture"

    def copied(_checked: bool = False) -> None:
        QGuiApplication.clipboard().setImage(as_image(drawing))

    actions = [_action("Copy picture", "copyPicture", parent, copied)]
    for suffix, text, kind in PICTURES:

        def save(_checked: bool = False, *, suffix: str = suffix, kind: str = kind) -> None:
            _ask_and_write(widget, name, suffix, kind, lambda path: export_drawing(drawing, path, name), say)

        actions.append(_action(text, f"exportPicture{suffix}", parent, save))
    return actions


def ask_and_export_image(widget: QWidget, image: QImage, name: str, say: Say) -> None:
    """Ask for a name and write an image there, as PNG."""

    def write(path: Path) -> None:
        if path.suffix.lower() != ".png":
            raise FormatError(f"{str(path)!r} is not a name for a picture; one that ends in .png is needed")
        _write(path, png_bytes(image))

    _ask_and_write(widget, name, ".png", "PNG pictures", write, say)


def asked_name(parent: QWidget, proposed: str, kinds: str, suffix: str, title: str = "Save as") -> Path | None:
    """A file to save to, whose name ends in the suffix; None where the user thought better of it.

    The suffix is added to what was typed, for what follows a dot may be part of the name (`run.1`). The dialog has
    asked whether the file of the typed name may be replaced; where the name was completed, it is asked here.
    """
    path, _ = QFileDialog.getSaveFileName(parent.window(), title, proposed, kinds)
    if not path:
        return None
    if Path(path).suffix.lower() == suffix:
        return Path(path)
    target = Path(path + suffix)
    return target if may_replace(parent, target) else None


def may_replace(parent: QWidget, path: Path) -> bool:
    """Whether a file may be written: it is not there yet, or the user says that it may be replaced."""
    if not os.path.lexists(path):
        return True
    question = f"{path.name} is there already. Replace it?"
    return QMessageBox.question(parent.window(), "Replace the file", question) == QMessageBox.StandardButton.Yes


def try_to_write(write: Callable[[], object], say: Say, path: Path) -> None:
    """Write a file and say that it is saved, or what is wrong."""
    try:
        write()
    except InputError as error:
        say(str(error))
    else:
        say(f"saved {path}")


def file_name(text: str) -> str:
    """A name for a file, made of a text."""
    return "".join(c if c.isalnum() else "_" for c in text).strip("_") or "untitled"


def _nothing(_message: str) -> None:
    """Nobody listens."""


def _action(text: str, name: str, parent: QObject, done: Callable[..., None]) -> QAction:
    action = QAction(text, parent)
    action.setObjectName(name)
    action.triggered.connect(done)
    return action


def _write(path: Path, data: bytes) -> None:
    def write(file: IO[bytes]) -> None:
        file.write(data)

    write_whole(path, write)


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
        [matrix.rows.text(row) for row in range(rows)],
        [matrix.columns.text(column) for column in range(columns)],
        matrix.rows.name,
        matrix.columns.name,
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


def _ask_and_write(
    widget: QWidget, name: str, suffix: str, kind: str, write: Callable[[Path], object], say: Say
) -> None:
    path = asked_name(widget, f"{file_name(name)}{suffix}", f"{kind} (*{suffix})", suffix)
    if path is not None:
        try_to_write(partial(write, path), say, path)
