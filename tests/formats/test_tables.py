"""Tables for spreadsheets: numbers stay numbers, and words stay words."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from visualizer.formats.tables import Table, as_cell, write_csv


@pytest.mark.parametrize(
    "text", ["=1+1", '=HYPERLINK("x")', "+b", "-b", "@SUM(A1)", "-", "+", "=", "-2+3", "\tx", "\r=1", "＝1+1", "-2₃"]
)
def test_a_word_that_is_a_formula_in_a_spreadsheet_is_defused(text: str) -> None:
    assert as_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "a", "a=b", "'x", "-2", "+3.5", "-1e-05", "-inf", "-nan", "1/3", " =1", "–", "query\\key"]
)
def test_numbers_and_other_words_stay_as_they_are(text: str) -> None:
    assert as_cell(text) == text


def test_labels_of_a_file_are_defused_and_its_numbers_are_not(tmp_path: Path) -> None:
    numbers = np.array([[-1.5, -np.inf], [1e-7, -2]], dtype=np.float32)
    table = Table("pattern", numbers, ["=1+1₀", "@b"], ["-b", "a"], "query", "key")
    write_csv(tmp_path / "table.csv", table)
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["query\\key", "'-b", "a"], ["'=1+1₀", "-1.5", "-inf"], ["'@b", "1e-07", "-2"]]
