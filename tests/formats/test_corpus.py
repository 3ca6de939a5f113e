"""Text files to train on: read as they are, and refused in a sentence where they are no text."""

from __future__ import annotations

from pathlib import Path

import pytest

from visualizer.errors import TrainingError
from visualizer.formats.corpus import read_corpus


@pytest.mark.parametrize("text", ["aab", "one\r\ntwo\n\n", "héllo 😀\t", "\x00"])
def test_a_text_is_read_as_it_stands(tmp_path: Path, text: str) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode())
    assert read_corpus(path) == text


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbfaab")
    assert read_corpus(str(path)) == "aab"


def test_bytes_that_are_no_utf_8_are_named_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("aé".encode() + b"\xff\xfe")
    with pytest.raises(TrainingError, match=r"text\.txt' is not UTF-8 text: byte 0xff at 3 cannot be read; save it as"):
        read_corpus(path)


def test_an_empty_file_a_missing_one_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    with pytest.raises(TrainingError, match=r"empty\.txt' is empty; a text to train on is needed"):
        read_corpus(tmp_path / "empty.txt")
    with pytest.raises(TrainingError, match=r"cannot read .*nothing\.txt': No such file"):
        read_corpus(tmp_path / "nothing.txt")
    with pytest.raises(TrainingError, match="cannot read "):
        read_corpus(tmp_path)
