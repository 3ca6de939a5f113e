"""What is copied and exported: each file read back, and compared with what is on screen."""

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from visualizer.engine.interventions import Intervention
from visualizer.errors import EditError, FormatError
from visualizer.formats import open_model
from visualizer.session.document.edits import SetInterventions, SetPrompt
from visualizer.session.session import Session
from visualizer.ui.heatmap.svg import MOST_RECTANGLES
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.colors import DIVERGING, SEQUENTIAL, paint_rgba
from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.focus_ring import FocusRing
from visualizer.ui.window.export import (
    copy_heatmap,
    export_heatmap,
    export_script,
    heatmap_actions,
    picture_actions,
    picture_scale,
    script_action,
)

SVG = "{http://www.w3.org/2000/svg}"
VALUES = np.array([[0.1, np.nan, -np.inf], [-2.0, 1e-7, 0.5]], dtype=np.float32)
MASKED = np.array([[False, False, False], [False, False, True]])


def shown(qtbot: QtBot, values: np.ndarray = VALUES, masked: np.ndarray | None = MASKED) -> Heatmap:
    """A heatmap with labels that need care."""
    heatmap = Heatmap()
    qtbot.addWidget(heatmap)
    heatmap.resize(300, 240)
    rows, columns = values.shape
    heatmap.set_matrix(
        values,
        masked=masked,
        row_labels=['<a&"', *("b" for _ in range(rows - 1))],
        column_labels=[",", "\n", *("c" for _ in range(columns - 2))],
        scale=DIVERGING,
        name="scores",
    )
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
    assert image.size() == heatmap.size() * scale
    layout = heatmap.layout_now()
    assert layout is not None
    corner = (layout.cell_rect(0, 1).topLeft() * scale).toPoint()
    assert image.pixelColor(corner.x() + 8, corner.y() + 8) == QColor(current_theme().not_a_number)


def test_the_drawing_has_a_rectangle_for_every_cell_in_its_colour(qtbot: QtBot, tmp_path: Path) -> None:
    heatmap = shown(qtbot)
    export_heatmap(heatmap, tmp_path / "drawing.svg")
    root = ET.parse(tmp_path / "drawing.svg").getroot()
    ground = root.find(f"{SVG}rect")
    assert ground is not None
    assert [ground.get(side) for side in ("width", "height")] == [root.get(side) for side in ("width", "height")]
    cells = root.findall(f".//{SVG}rect[@class='cell']")
    rgba = paint_rgba(VALUES, MASKED, DIVERGING, current_theme()).reshape(-1, 4)
    assert [cell.get("fill") for cell in cells] == [f"#{r:02x}{g:02x}{b:02x}" for r, g, b, _ in rgba.tolist()]
    places = [(float(cell.get("y", "")), float(cell.get("x", ""))) for cell in cells]
    assert places == sorted(places)
    assert len(root.findall(f".//{SVG}g[@id='masked']/{SVG}rect")) == 1
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"query", "key", '<a&"₀', "b₁", "↵₁", "0.1", "−2", "1e-7", "nan", "−inf"} <= set(texts)
    bar = [element.text for element in root.findall(f".//{SVG}g[@id='bar']/{SVG}text")]
    assert bar == ["2", "−2", "0", "nan", "−inf"]


def test_a_matrix_too_large_for_rectangles_is_one_picture_in_the_drawing(qtbot: QtBot, tmp_path: Path) -> None:
    side = int(MOST_RECTANGLES**0.5) + 1
    export_heatmap(shown(qtbot, np.eye(side), None), tmp_path / "drawing.svg")
    root = ET.parse(tmp_path / "drawing.svg").getroot()
    assert len(root.findall(f"{SVG}image")) == 1
    assert not root.findall(f".//{SVG}rect[@class='cell']")


def test_a_copy_is_a_picture_and_numbers_for_a_spreadsheet(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    copy_heatmap(heatmap)
    data = QGuiApplication.clipboard().mimeData()
    assert data.text() == "0.1\tnan\t-inf\n-2\t1e-07\t0.5"
    assert QImage(data.imageData()).size() == heatmap.to_image(picture_scale(heatmap)).size()


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
    heatmap.set_matrix(np.full((1, 1), 0.25), row_labels=["a"], column_labels=["a"], scale=SEQUENTIAL, name="pattern")
    export_heatmap(heatmap, tmp_path / "drawing.svg")
    root = ET.parse(tmp_path / "drawing.svg").getroot()
    assert [element.text for element in root.findall(f".//{SVG}g[@id='bar']/{SVG}text")] == ["1", "0", "0.5"]
    assert root.findall(f".//{SVG}stop")[-1].get("stop-color") == "#fde725"


def test_what_is_drawn_that_is_no_heatmap_is_copied_and_saved_as_it_is_on_screen(
    qtbot: QtBot, tmp_path: Path, answer: Callable[[Path | str], None]
) -> None:
    label, said = QLabel("drawn"), list[str]()
    qtbot.addWidget(label)
    label.resize(60, 20)
    label.show()
    actions = picture_actions(label, label, said.append)
    named(actions, "copyPicture").trigger()
    assert QGuiApplication.clipboard().image().size() == label.size() * 27  # 60 to at least 1600
    answer(tmp_path / "drawn")
    named(actions, "exportPicture").trigger()
    assert QImage(str(tmp_path / "drawn.png")).size() == label.size() * 27
    answer(tmp_path / "missing" / "drawn.png")
    named(actions, "exportPicture").trigger()
    assert said[0] == f"saved {tmp_path / 'drawn.png'}"
    assert "cannot write" in said[1]


def test_the_ring_of_the_keyboard_is_no_part_of_a_copied_picture(qtbot: QtBot) -> None:
    drawing, said = QLabel("drawn"), list[str]()
    qtbot.addWidget(drawing)
    drawing.resize(60, 20)
    drawing.show()
    copy = named(picture_actions(drawing, drawing, said.append), "copyPicture")
    copy.trigger()
    without = QGuiApplication.clipboard().image()
    ring = FocusRing(drawing)
    copy.trigger()
    assert QGuiApplication.clipboard().image() == without
    assert ring.isVisible()


def test_ctrl_c_copies_the_number_under_the_cursor(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    heatmap.set_cursor(1, 0)
    qtbot.keyClick(heatmap, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "-2"
