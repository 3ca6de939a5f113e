"""Cells of a parameter: one of them and several have the same form, and what is not there is refused by name."""

import numpy as np
import pytest

from tests.cells import several
from visualizer.errors import EditError
from visualizer.session.document.cells import are_same, check, count, named

ARRAY = np.arange(6.0).reshape(2, 3)


def test_one_cell_and_several_index_the_array_as_they_are() -> None:
    assert ARRAY[1, 2] == 5
    assert ARRAY[several((1, 2), (0, 1))].tolist() == [5, 1]
    assert (count((1, 2)), count(several((1, 2), (0, 1))), count(())) == (1, 2, 0)


def test_a_single_cell_is_named_by_its_place_in_either_form() -> None:
    assert named("wte", (0, 5)) == named("wte", several((0, 5))) == "wte[0,5]"
    assert named("ln_f.b", (3,)) == "ln_f.b[3]"
    assert named("wte", several((0, 5), (1, 5))) == "2 cells of wte"


def test_the_same_cells_in_another_order_are_others() -> None:
    assert are_same(several((0, 1), (1, 2)), several((0, 1), (1, 2)))
    assert not are_same(several((0, 1), (1, 2)), several((1, 2), (0, 1)))
    assert are_same((0, 1), (0, 1))
    assert not are_same((0, 1), (0,))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((2, 0), r"wte \[2, 3\] has no cell \[2, 0\]"),
        ((0, -1), r"wte \[2, 3\] has no cell \[0, -1\]"),
        (several((0, 0), (1, 3), (2, 0)), r"wte \[2, 3\] has no cell \[1, 3\]"),
        ((1,), r"wte \[2, 3\] has no cell \[1\]"),
        ((0, 0, 0), r"wte \[2, 3\] has no cell \[0, 0, 0\]"),
        ((), "no cell of wte is selected"),
    ],
)
def test_a_cell_that_is_not_there_is_named(cells: tuple[int, ...], message: str) -> None:
    with pytest.raises(EditError, match=message):
        check("wte", ARRAY, cells)


def test_cells_that_are_there_pass() -> None:
    check("wte", ARRAY, (1, 2))
    check("wte", ARRAY, several((0, 0), (1, 2)))
