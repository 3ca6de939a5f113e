"""Whole numbers as people type them."""

from __future__ import annotations

import pytest

from visualizer.session.words.whole_numbers import MOST_DIGITS, parse_whole

VALUES = {"0": 0, "042": 42, " 7 ": 7, "-3": -3, "+3": 3, "9" * MOST_DIGITS: 10**MOST_DIGITS - 1}
LONG = ["9" * (MOST_DIGITS + 1), "-" + "9" * (MOST_DIGITS + 1), "9" * 5000, "0" * 5000]


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_digits_and_a_sign_are_a_whole_number(text: str, value: int) -> None:
    assert parse_whole(text) == value


@pytest.mark.parametrize(
    "text", ["", " ", "-", "+-3", "1.0", "1e3", "1_0", "1 0", "²", "٣", "①", "0x10", "inf", "3\x00", *LONG]
)
def test_everything_else_is_none(text: str) -> None:
    assert parse_whole(text) is None


def test_the_number_of_digits_is_bounded_where_that_is_asked_for() -> None:
    assert (parse_whole("123", 3), parse_whole("-123", 3), parse_whole("1234", 3)) == (123, -123, None)
