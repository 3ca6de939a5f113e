"""Numbers as text: three significant digits for cells, all digits for readouts."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

MINUS = "\N{MINUS SIGN}"


@lru_cache(maxsize=65536)
def short(x: float, digits: int = 3) -> str:
    """`x` with so many significant digits, kept narrow: ``362``, ``0.5``, ``−1e10``, ``1.05e-5``, ``nan``, ``inf``.

    Whole parts of up to four digits are always written out (``1024``), since an exponent would be no shorter.
    """
    if math.isnan(x):
        return "nan"
    sign = MINUS if x < 0 else ""
    magnitude = abs(x)
    if math.isinf(magnitude):
        return sign + "inf"
    if magnitude == 0:
        return "0"
    if 10**digits - 0.5 <= magnitude < 9999.5:
        return f"{sign}{magnitude:.0f}"
    text = f"{magnitude:.{digits}g}" if magnitude >= 0.001 else f"{magnitude:.{digits - 1}e}"
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return sign + text
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{sign}{mantissa}e{int(exponent)}"


def fitted(x: float, room: int) -> str:
    """A number in so many characters: with three digits, else two, else one.

    A fraction that is longer loses its leading zero (``−.04``), or is ``≈0``; a large number that is longer is empty.
    """
    texts = [short(x, digits) for digits in (3, 2, 1)]
    if abs(x) < 1:
        texts += [texts[-1].replace("0.", ".", 1), "≈0"]
    return next((text for text in texts if len(text) <= room), "")


def full(x: float, dtype: np.dtype[Any] | type[Any] = np.float64) -> str:
    """The fewest digits that identify `x` among the numbers of `dtype`; typed into a cell it is the same number again.

    With an exponent where that is clearly shorter: ``0.33333334``, ``1024``, ``−1e10``, ``nan``.
    """
    kind = np.dtype(dtype)
    if kind.kind != "f":
        return str(int(x)) if kind.kind in "iub" else repr(x)
    with np.errstate(over="ignore"):
        number = kind.type(x)
    if not np.isfinite(number):
        return str(number).replace("-", MINUS)
    positional = np.format_float_positional(number, unique=True, trim="-")
    scientific = np.format_float_scientific(number, unique=True, trim="-", exp_digits=1)
    if len(scientific) + 3 >= len(positional):
        return positional.replace("-", MINUS)
    mantissa, _, exponent = scientific.partition("e")
    return f"{mantissa.replace('-', MINUS)}e{int(exponent)}"


def against(now: float, before: float, dtype: np.dtype[Any] | type[Any] = np.float64) -> str:
    """How a number stands to that of the baseline: `baseline 0.5, difference −0.375`, in all digits."""
    with np.errstate(all="ignore"):
        difference = np.dtype(dtype).type(now) - np.dtype(dtype).type(before)
    return f"baseline {full(before, dtype)}, difference {full(float(difference), dtype)}"


def typed(x: float, dtype: np.dtype[Any] | type[Any] = np.float64) -> str:
    """`full` as a keyboard writes it, for fields that are edited and for other programs: ``-1e10``."""
    return full(x, dtype).replace(MINUS, "-")
