"""Blocks of numbers as tab-separated text, the form in which spreadsheets exchange them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import EditError
from visualizer.session.words.typed_numbers import parse_number


def format_block(values: NDArray[Any]) -> str:
    """`values` [rows, columns] as text: tabs between columns, newlines between rows, every digit that counts."""
    return "\n".join("\t".join(text.removesuffix(".0") for text in row) for row in values.astype(str).tolist())


def parse_block(text: str) -> NDArray[np.float64]:
    """The numbers [rows, columns] of tab-separated text, each in any form that a cell of the grid takes.

    Raises:
        EditError: there is nothing, the rows differ in length, or a cell is no number; the message names the cell.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    if lines == [""]:
        raise EditError("there is no text to paste; copy a block of numbers first")
    rows = [line.split("\t") for line in lines]
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise EditError(
                f"nothing pasted: row {number} of the block has {_cells(len(row))}, row 1 has {width}; "
                "all rows need the same number"
            )
    return np.array([_numbers(row, number) for number, row in enumerate(rows, start=1)], dtype=np.float64)


def _numbers(row: list[str], number: int) -> list[float]:
    """One row of numbers; plain decimals, by far the most common, without a call for each."""
    line = "".join(row)
    if line.isascii() and "_" not in line:  # Python takes digits of other scripts, and underscores between them
        try:
            return list(map(float, row))
        except ValueError:
            pass  # a fraction, LG, or no number: cell by cell, to say which
    values = []
    for column, cell in enumerate(row, start=1):
        try:
            values.append(parse_number(cell))
        except EditError as error:
            raise EditError(f"nothing pasted: row {number}, column {column} of the block: {error}") from error
    return values


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
