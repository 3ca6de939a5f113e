"""Numbers as people type them into a grid."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.errors import EditError
from visualizer.session.words.typed_numbers import parse_decimal, parse_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("1E+3", 1000.0),
        ("1/3", 1 / 3),
        ("-1 / 3", -1 / 3),
        ("LG", 1024.0),
        ("-LG", -1024.0),
        ("−lg", -1024.0),
        ("- LG", -1024.0),
        ("2*LG", 2048.0),
        ("LG/2/2", 256.0),
        ("+7", 7.0),
        ("½", 0.5),
        ("-inf", -math.inf),
        ("∞", math.inf),
        ("  12\u00a0", 12.0),
        ("1/-4", -0.25),
        ("1e999", math.inf),
    ],
)
def test_a_number_may_be_typed_in_many_forms(text: str, number: float) -> None:
    assert parse_number(text) == number


def test_not_a_number_can_be_typed_on_purpose() -> None:
    assert math.isnan(parse_number("NaN"))


@pytest.mark.parametrize(
    "text", ["abc", "1 2", "1,5", "1_000", "0x10", "--", "*2", "2*", "1//2", "LGLG", "1e", "e5", "=1", "1\n2"]
)
def test_what_is_no_number_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(EditError, match="is not a number") as refusal:
        parse_number(text)
    assert "LG is 1024" in str(refusal.value)


@pytest.mark.parametrize("text", ["", "   ", "\t"])
def test_an_empty_cell_is_no_zero(text: str) -> None:
    with pytest.raises(EditError, match="empty cell"):
        parse_number(text)


@pytest.mark.parametrize("text", ["1/0", "0/0", "LG/-0.0"])
def test_division_by_zero_is_refused(text: str) -> None:
    with pytest.raises(EditError, match="divides by zero"):
        parse_number(text)


@given(st.floats(allow_nan=False))
def test_all_digits_of_a_number_are_read(number: float) -> None:
    assert np.float64(parse_number(repr(number))).tobytes() == np.float64(number).tobytes()


@given(st.text(max_size=20))
def test_any_other_text_is_a_number_or_a_refusal_in_one_line(text: str) -> None:
    said = ""
    try:
        assert isinstance(parse_number(text), float)
    except EditError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1


def test_a_pasted_file_is_no_number_and_is_not_read_through() -> None:
    with pytest.raises(EditError, match="2,000,000 characters"):
        parse_number("7" * 2_000_000)
    assert parse_number("0" * 400 + "1") == 1.0


@pytest.mark.parametrize("text", ["٣", "²", "½٣", "①", "1٣", "1e٣"])
def test_digits_of_other_scripts_are_no_numbers(text: str) -> None:
    with pytest.raises(EditError, match="is not a number"):
        parse_number(text)
    assert parse_decimal(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.8", 0.8), ("0,8", 0.8), (" 3e-3 ", 0.003), (",5", 0.5), ("1.000,5", None), ("1_0", None), ("nan", None)],
)
def test_a_point_and_a_comma_are_decimal_marks(text: str, value: float | None) -> None:
    assert parse_decimal(text) == value
