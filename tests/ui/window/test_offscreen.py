"""`visualizer render`: the window in a picture, as large as it was asked for, or a word on why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from visualizer.cli import main


@pytest.mark.parametrize("name", ["r.png", "r.PNG"])
def test_the_picture_has_the_size_that_was_asked_for(qapp: QApplication, tmp_path: Path, name: str) -> None:
    assert main(["render", "--size", "1024x640", "-o", str(tmp_path / name)]) == 0
    picture = QImage(str(tmp_path / name))
    assert (picture.width(), picture.height()) == (1024, 640)


def test_a_size_that_the_window_cannot_have_is_refused_with_the_least(
    qapp: QApplication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "--size", "320x240", "-o", str(tmp_path / "r.png")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("visualizer: --size 320x240 is too small; the window needs at least ")
    width, height = map(int, said.split(" at least ")[1].split(" ")[0].split("x"))
    assert 320 < width < 1024
    assert 240 < height < 640
    assert list(tmp_path.iterdir()) == []
    assert main(["render", "--size", f"{width}x{height}", "-o", str(tmp_path / "r.png")]) == 0
