"""Blocks of numbers as spreadsheets exchange them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from visualizer.errors import EditError
from visualizer.session.words.spreadsheet import format_block, parse_block


@given(
    arrays(
        st.sampled_from([np.float32, np.float64]), array_shapes(min_dims=2, max_dims=2), elements=st.floats(width=32)
    )
)
def test_what_is_copied_is_pasted_as_the_same_numbers(values: np.ndarray) -> None:
    back = parse_block(format_block(values)).astype(values.dtype)
    np.testing.assert_array_equal(back, values)


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2), elements=st.floats()))
def test_double_precision_survives_too(values: np.ndarray) -> None:
    np.testing.assert_array_equal(parse_block(format_block(values)), values)


def test_whole_numbers_are_copied_as_people_write_them() -> None:
    assert format_block(np.array([[1024.0, -0.5], [0.0, 1 / 3]], dtype=np.float32)) == "1024\t-0.5\n0\t0.33333334"


@pytest.mark.parametrize("text", ["1\t2\n3\t4", "1\t2\n3\t4\n", "1\t2\r\n3\t4\r\n", "1\t2\r3\t4", " 1 \t2.\n3.0\t4e0"])
def test_every_line_ending_and_a_last_newline_give_the_same_block(text: str) -> None:
    np.testing.assert_array_equal(parse_block(text), [[1, 2], [3, 4]])


def test_a_block_takes_every_form_that_a_cell_takes() -> None:
    np.testing.assert_array_equal(
        parse_block("LG\t-LG\t1/4\n.5\t1e-3\t−2\nnan\tinf\t2*LG"),
        [[1024, -1024, 0.25], [0.5, 0.001, -2], [np.nan, np.inf, 2048]],
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t2\n3\tfoo", "row 2, column 2 of the block: 'foo' is not a number"),
        ("1\t\n3\t4", "row 1, column 2 of the block: an empty cell"),
        ("٣", "row 1, column 1 of the block: '٣' is not a number"),
        ("1_000", "row 1, column 1 of the block: '1_000' is not a number"),
        ("1,5\t2", "row 1, column 1 of the block: '1,5' is not a number"),
        ("1\t2\n3", "row 2 of the block has 1 cell, row 1 has 2"),
        ("1\n\n2", "row 2, column 1 of the block: an empty cell"),
        ("", "there is no text to paste"),
        ("1/0", "divides by zero"),
    ],
)
def test_a_block_that_is_no_block_of_numbers_is_refused_by_its_cell(text: str, said: str) -> None:
    with pytest.raises(EditError) as refusal:
        parse_block(text)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
