"""What is copied and exported: each file read back, and compared with what is on screen."""

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from visualizer.engine.interventions import Intervention
from visualizer.errors import EditError, FormatError
from visualizer.formats import open_model
from visualizer.session.document.edits import SetInterventions, SetPrompt
from visualizer.session.session import Session
from visualizer.ui.heatmap.image import MOST_RECTANGLES
from visualizer.ui.heatmap.matrix import Axis, Matrix
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.colors import DIVERGING, SEQUENTIAL, paint_rgba
from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.drawing import as_image, widget_image
from visualizer.ui.widgets.focus_ring import FocusRing
from visualizer.ui.window.export import (
    copy_heatmap,
    drawing_actions,
    export_heatmap,
    heatmap_actions,
)
from visualizer.ui.window.script_export import export_script, script_action

SVG = "{http://www.w3.org/2000/svg}"
VALUES = np.array([[0.1, np.nan, -np.inf], [-2.0, 1e-7, 0.5]], dtype=np.float32)
MASKED = np.array([[False, False, False], [False, False, True]])


def shown(qtbot: QtBot, values: np.ndarray = VALUES, masked: np.ndarray | None = MASKED) -> Heatmap:
    """A heatmap with labels that need care."""
    heatmap = Heatmap()
    qtbot.addWidget(heatmap)
    heatmap.resize(300, 240)
    rows, columns = values.shape
    down = Axis("query", ['<a&"', *("b" for _ in range(rows - 1))])
    across = Axis("key", [",", "\n", *("c" for _ in range(columns - 2))])
    heatmap.set_matrix(Matrix(values, down, across, name="scores", scale=DIVERGING, masked=masked, about="aab & co"))
    return heatmap


def test_the_numbers_as_csv_read_back_to_the_last_digit(qtbot: QtBot, tmp_path: Path) -> None:
    export_heatmap(shown(qtbot), tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["query\\key", ",₀", "↵₁", "c₂"]
    assert [row[0] for row in rows[1:]] == ['<a&"₀', "b₁"]
    assert rows[1][1:] == ["0.1", "nan", "-inf"]
    np.testing.assert_array_equal(np.array([row[1:] for row in rows[1:]], dtype=np.float32), VALUES)


def test_the_numbers_as_npz_have_their_bits_labels_and_mask(qtbot: QtBot, tmp_path: Path) -> None:
    export_heatmap(shown(qtbot), tmp_path / "numbers.NPZ")
    with np.load(tmp_path / "numbers.NPZ") as arrays:
        assert arrays["values"].dtype == np.float32
        np.testing.assert_array_equal(arrays["values"], VALUES)
        np.testing.assert_array_equal(arrays["masked"], MASKED)
        assert arrays["row_labels"].tolist() == ['<a&"₀', "b₁"]
        assert (str(arrays["name"]), str(arrays["row_axis"]), str(arrays["column_axis"])) == ("scores", "query", "key")


def test_the_picture_as_png_is_the_heatmap_large_enough_for_a_slide(qtbot: QtBot, tmp_path: Path) -> None:
    heatmap = shown(qtbot)
    export_heatmap(heatmap, tmp_path / "picture.png")
    image = QImage(str(tmp_path / "picture.png"))
    scale = image.width() // heatmap.width()
    assert max(image.width(), image.height()) >= 1600
    assert image.width() == heatmap.width() * scale
    assert image.height() > heatmap.height() * scale  # the caption stands below it
    layout = heatmap.layout_now()
    assert layout is not None
    corner = (layout.cell_rect(0, 1).topLeft() * scale).toPoint()
    assert image.pixelColor(corner.x() + 8, corner.y() + 8) == QColor(current_theme().not_a_number)


def texts_of(root: ET.Element) -> list[str]:
    return ["".join(element.itertext()).strip() for element in root.iter(f"{SVG}text")]


def rectangles_of(root: ET.Element) -> list[tuple[str, float, float]]:
    """(colour, y, x) of each filled rectangle, in the drawing's own coordinates."""
    found = []
    for group in root.iter(f"{SVG}g"):
        for part in group:
            if part.tag == f"{SVG}rect" and group.get("fill", "none") != "none":
                matrix = [float(number) for number in group.get("transform", "")[len("matrix(") : -1].split(",")]
                x, y = float(part.get("x", "0")), float(part.get("y", "0"))
                found.append((group.get("fill", ""), matrix[3] * y + matrix[5], matrix[0] * x + matrix[4]))
    return found


def test_the_drawing_has_a_rectangle_for_every_cell_in_its_colour(qtbot: QtBot, tmp_path: Path) -> None:
    heatmap = shown(qtbot)
    export_heatmap(heatmap, tmp_path / "drawing.svg")
    root = ET.parse(tmp_path / "drawing.svg").getroot()
    rgba = paint_rgba(VALUES, MASKED, DIVERGING, current_theme()).reshape(-1, 4)
    expected = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b, _ in rgba.tolist()]
    layout = heatmap.layout_now()
    assert layout is not None
    corners = [layout.cell_rect(row, column).topLeft() for row in range(2) for column in range(3)]
    drawn = rectangles_of(root)
    for color, corner in zip(expected, corners, strict=True):
        assert any(
            fill == color and y == pytest.approx(corner.y(), abs=0.01) and x == pytest.approx(corner.x(), abs=0.01)
            for fill, y, x in drawn
        ), (color, corner)
    texts = texts_of(root)
    assert {"query", "key", '<a&"₀', "b₁", "↵₁", "0.1", "−2", "1e-7", "nan", "−inf", "2", "0"} <= set(texts)
    assert any(text.startswith("scores · aab & co · colours from −2 to 2") for text in texts)


def test_a_matrix_too_large_for_rectangles_is_one_picture_in_the_drawing(qtbot: QtBot, tmp_path: Path) -> None:
    side = int(MOST_RECTANGLES**0.5) + 1
    export_heatmap(shown(qtbot, np.eye(side), None), tmp_path / "drawing.svg")
    root = ET.parse(tmp_path / "drawing.svg").getroot()
    assert 1 <= len(list(root.iter(f"{SVG}image"))) <= 3  # the cells, and the bar
    assert len(rectangles_of(root)) < 50


def test_a_copy_is_a_picture_and_numbers_for_a_spreadsheet(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    copy_heatmap(heatmap)
    data = QGuiApplication.clipboard().mimeData()
    assert data.text() == "0.1\tnan\t-inf\n-2\t1e-07\t0.5"
    assert QImage(data.imageData()) == as_image(heatmap)


def test_what_cannot_be_exported_is_refused(qtbot: QtBot, tmp_path: Path) -> None:
    heatmap = shown(qtbot)
    with pytest.raises(FormatError, match=r"\.png, \.svg, \.csv, \.npz"):
        export_heatmap(heatmap, tmp_path / "picture.jpeg")
    with pytest.raises(FormatError, match="cannot write"):
        export_heatmap(heatmap, tmp_path / "missing" / "picture.svg")
    heatmap.set_empty("Nothing.")
    with pytest.raises(EditError, match="empty"):
        export_heatmap(heatmap, tmp_path / "picture.png")
    with pytest.raises(EditError, match="empty"):
        copy_heatmap(heatmap)
    assert not any(action.isEnabled() for action in heatmap_actions(heatmap, heatmap))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path | str], None]:
    """Answers the question for a file name."""

    def will_be(path: Path | str) -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))

    return will_be


def named(actions: list[QAction], name: str) -> QAction:
    """The action of an object name."""
    return next(action for action in actions if action.objectName() == name)


def test_the_menu_actions_ask_for_a_name_and_say_what_happened(
    qtbot: QtBot, tmp_path: Path, answer: Callable[[Path | str], None]
) -> None:
    heatmap, said = shown(qtbot), list[str]()
    actions = heatmap_actions(heatmap, heatmap, said.append)
    answer(tmp_path / "without_suffix")
    named(actions, "exportHeatmap.svg").trigger()
    assert (tmp_path / "without_suffix.svg").exists()
    answer(tmp_path / "picture.bmp")
    named(actions, "exportHeatmap.png").trigger()
    answer("")
    named(actions, "exportHeatmap.csv").trigger()
    named(actions, "copyHeatmap").trigger()
    assert said[0] == f"saved {tmp_path / 'without_suffix.svg'}"
    assert "picture.bmp" in said[1]
    assert said[2:] == ["copied 2 × 3 numbers and the picture"]


def test_the_run_under_the_cursor_is_written_with_its_interventions(
    qtbot: QtBot, tmp_path: Path, answer: Callable[[Path | str], None]
) -> None:
    session, parent, said = Session(open_model("aab")), QWidget(), list[str]()
    qtbot.addWidget(parent)
    session.document.apply(
        SetInterventions((Intervention("blocks.0.attn.z", "scale", (("position", 1),), 0.5),), "half")
    )
    session.go_to_step(3)
    answer(tmp_path / "run.py")
    script_action(session, parent, said.append).trigger()
    assert said == [f"saved {tmp_path / 'run.py'}"]
    saved = tmp_path / "logits.npy"
    subprocess.run([sys.executable, "-I", str(tmp_path / "run.py"), str(saved)], check=True, capture_output=True)
    assert session.trace is not None
    np.testing.assert_allclose(np.load(saved), session.trace["logits"], rtol=1e-5)
    assert "scale 0.5" in (tmp_path / "run.py").read_text(encoding="utf-8")


def test_without_a_prompt_there_is_no_run_to_write(tmp_path: Path) -> None:
    session = Session(open_model("aab"))
    session.document.apply(SetPrompt(""))
    with pytest.raises(EditError, match="type a prompt"):
        export_script(session, tmp_path / "run.py")


def test_a_sequential_heatmap_has_the_whole_scale_on_its_bar(qtbot: QtBot, tmp_path: Path) -> None:
    heatmap = shown(qtbot)
    values, axes = np.full((1, 1), 0.25), (Axis("query", ["a"]), Axis("key", ["a"]))
    heatmap.set_matrix(Matrix(values, *axes, name="pattern", scale=SEQUENTIAL))
    export_heatmap(heatmap, tmp_path / "drawing.svg")
    assert {"1", "0", "0.5"} <= set(texts_of(ET.parse(tmp_path / "drawing.svg").getroot()))


class Sketch(QLabel):
    """Something that can be drawn anywhere."""

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        painter.fillRect(target, QColor("#123456"))

    def picture_caption(self) -> str:
        return "a sketch"


def test_what_is_drawn_that_is_no_heatmap_is_copied_and_saved_with_its_caption(
    qtbot: QtBot, tmp_path: Path, answer: Callable[[Path | str], None]
) -> None:
    sketch, said = Sketch("drawn"), list[str]()
    qtbot.addWidget(sketch)
    sketch.resize(60, 20)
    actions = drawing_actions(sketch, sketch, said.append)
    named(actions, "copyPicture").trigger()
    copied = QGuiApplication.clipboard().image()
    assert copied.width() == sketch.width() * 27  # 60 to at least 1600
    assert copied.pixelColor(5, 5).name() == "#123456"
    assert copied.height() > sketch.height() * 27
    answer(tmp_path / "drawn")
    named(actions, "exportPicture.png").trigger()
    assert QImage(str(tmp_path / "drawn.png")).size() == copied.size()
    named(actions, "exportPicture.svg").trigger()
    assert texts_of(ET.parse(tmp_path / "drawn.svg").getroot()) == ["a sketch"]
    answer(tmp_path / "missing" / "drawn.png")
    named(actions, "exportPicture.png").trigger()
    assert said[:2] == [f"saved {tmp_path / 'drawn.png'}", f"saved {tmp_path / 'drawn.svg'}"]
    assert "cannot write" in said[2]


def test_the_ring_of_the_keyboard_is_no_part_of_a_picture(qtbot: QtBot) -> None:
    drawing = QLabel("drawn")
    qtbot.addWidget(drawing)
    drawing.resize(60, 20)
    drawing.show()
    without = widget_image(drawing)
    ring = FocusRing(drawing)
    assert widget_image(drawing) == without
    assert ring.isVisible()
    assert as_image(shown(qtbot)) == as_image(shown(qtbot))


def test_ctrl_c_copies_the_number_under_the_cursor(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    heatmap.set_cursor(1, 0)
    qtbot.keyClick(heatmap, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "-2"
