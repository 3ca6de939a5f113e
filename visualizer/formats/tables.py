"""Matrices with labels as files that other programs read: CSV and NPZ."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from visualizer.formats.writing import write_npz, write_whole

Array = NDArray[Any]


@dataclass(frozen=True)
class Table:
    """A matrix and what its rows and columns are called.

    Attributes:
        name: what the numbers are, such as `pattern`.
        values: [rows, columns].
        rows, columns: their labels.
        row_axis, column_axis: what the labels count, such as `query` and `key`.
        masked: [rows, columns], True where a number is hidden; None where none is.
    """

    name: str
    values: Array
    rows: Sequence[str]
    columns: Sequence[str]
    row_axis: str
    column_axis: str
    masked: NDArray[np.bool_] | None = None


#: A cell that begins with one of these is a formula in a spreadsheet, as it is typed or in full width.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?(e[+-]?\d+)?|inf|nan)", re.ASCII)


def as_cell(text: str) -> str:
    """A word as a cell that a spreadsheet takes for a word: before what it would compute stands an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def write_csv(path: str | os.PathLike[str], table: Table) -> None:
    r"""Write the numbers with every digit that counts, under a row and after a column of labels, as UTF-8.

    The first cell names both axes (`query\key`). What is not finite reads `nan`, `inf`, `-inf`. A label that a
    spreadsheet would take for a formula has an apostrophe before it.

    Raises:
        FormatError: as `write_whole`.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([f"{table.row_axis}\\{table.column_axis}", *map(as_cell, table.columns)])
    for label, row in zip(table.rows, table.values.astype(str).tolist(), strict=True):
        writer.writerow([as_cell(label), *(number.removesuffix(".0") for number in row)])
    data = text.getvalue().encode("utf-8-sig", "replace")  # the mark tells spreadsheets that it is UTF-8

    def write(file: IO[bytes]) -> None:
        file.write(data)

    write_whole(path, write)


def write_table_npz(path: str | os.PathLike[str], table: Table) -> None:
    """Write `values` with `name`, `row_labels`, `column_labels`, `row_axis`, `column_axis` and, if any, `masked`.

    Raises:
        FormatError: as `write_whole`.
    """
    arrays: dict[str, Array] = {
        "values": table.values,
        "name": np.array(table.name),
        "row_labels": np.array(table.rows, dtype=str),
        "column_labels": np.array(table.columns, dtype=str),
        "row_axis": np.array(table.row_axis),
        "column_axis": np.array(table.column_axis),
    }
    if table.masked is not None:
        arrays["masked"] = table.masked
    write_npz(path, iter(arrays.items()))
