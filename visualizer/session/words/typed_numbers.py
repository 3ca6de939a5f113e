"""Numbers as people type them into a grid: `0.5`, `1e-3`, `1/3`, `LG`, `-2*LG`, `inf`, `nan`."""

from __future__ import annotations

import math
import re

from visualizer.engine.handmade import LG
from visualizer.errors import EditError

ACCEPTED = "a number such as 0.5, 1e-3, 1/3, LG or -LG (LG is 1024)"
#: More characters than any number that is meant; a pasted file would take seconds to be read as one.
LONGEST = 2_000
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_AROUND_OPERATORS = re.compile(r"\s*([*/+-])\s*")
_WORDS = {
    "lg": LG,
    "inf": math.inf,
    "infinity": math.inf,
    "∞": math.inf,
    "nan": math.nan,
    "½": 0.5,
    "¼": 0.25,
    "¾": 0.75,
}


def parse_decimal(text: str) -> float | None:
    """The decimal fraction that `text` says, with a point or a comma; None where it is none."""
    typed = text.strip().replace(",", ".")
    return float(typed) if _NUMBER.fullmatch(typed) else None


def parse_number(text: str) -> float:
    """The number that `text` says: a value, or values joined by `*` and `/`, each with signs before it.

    Raises:
        EditError: it is no number, or a division by zero; the message says what would be accepted.
    """
    if len(text) > LONGEST:
        raise EditError(f"{text[:30].strip()!r} … has {len(text):,} characters; {ACCEPTED} is needed")
    # Spaces around a sign or an operator mean nothing; between digits ("1 2") they are no number.
    compact = _AROUND_OPERATORS.sub(r"\1", text.strip().replace("−", "-"))
    if not compact:
        raise EditError(f"an empty cell is not a number; {ACCEPTED} is needed")
    parts = re.split(r"([*/])", compact)
    value = _value(parts[0], text)
    for operator, part in zip(parts[1::2], parts[2::2], strict=True):
        operand = _value(part, text)
        if operator == "*":
            value *= operand
        elif operand == 0:
            raise EditError(f"{text.strip()!r} divides by zero; {ACCEPTED} is needed")
        else:
            value /= operand
    return value


def _value(part: str, text: str) -> float:
    digits = part.lstrip("+-")
    sign = -1.0 if part[: len(part) - len(digits)].count("-") % 2 else 1.0
    if digits.lower() in _WORDS:
        return sign * _WORDS[digits.lower()]
    if _NUMBER.fullmatch(digits):
        return sign * float(digits)
    raise EditError(f"{text.strip()[:30]!r} is not a number; {ACCEPTED} is needed")
