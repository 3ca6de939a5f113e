"""Whole numbers as people type them: the digits 0 to 9 and a sign, and not too many of them."""

from __future__ import annotations

import re

#: More digits than this are no number that anything here could use, and Python refuses some thousands of them.
MOST_DIGITS = 40
_WHOLE = re.compile(r"[+-]?[0-9]+")


def parse_whole(text: str, digits: int = MOST_DIGITS) -> int | None:
    """The number of at most so many `digits` that `text` says; None where it says none.

    `int` takes what other scripts write (`٣`), underscores, and gives a ValueError of its own for thousands of digits;
    `str.isdigit` takes `²`, which `int` then refuses.
    """
    typed = text.strip()
    if len(typed) > digits + 1 or not _WHOLE.fullmatch(typed):
        return None
    return int(typed) if len(typed.lstrip("+-")) <= digits else None
