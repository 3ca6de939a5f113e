"""Matrices from afar: nothing loud is lost between the cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.ui.heatmap.loudest import loudest
from visualizer.ui.look.theme import LIGHT
from visualizer.ui.panels.flow.picture import Picture


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 4, 8]), st.sampled_from([1, 2, 4]), st.booleans())
def test_from_afar_each_point_is_its_loudest_cell(rows: int, columns: int, down: int, across: int, hide: bool) -> None:
    random = np.random.default_rng(rows * 41 + columns)
    values = random.normal(size=(rows, columns)).astype(np.float32)
    values[random.random(values.shape) < 0.02] = np.nan
    hidden = random.random(values.shape) < 0.6 if hide else None
    seen, away = loudest(values, hidden, (down, across))
    for row in range(seen.shape[0]):
        for column in range(seen.shape[1]):
            part = (slice(row * down, (row + 1) * down), slice(column * across, (column + 1) * across))
            cells = values[part].ravel() if hidden is None else values[part][~hidden[part]]
            assert (away is not None and away[row, column]) == (cells.size == 0)
            if cells.size:
                largest = np.nan if np.isnan(cells).any() else cells[np.argmax(np.abs(cells))]
                np.testing.assert_equal(seen[row, column], largest)
    assert seen.shape == (-(-rows // down), -(-columns // across))


@pytest.mark.parametrize(("place", "kind"), [((517, 1023), "diverging"), ((3, 700), "sequential")])
def test_one_loud_cell_among_many_is_seen_from_afar(place: tuple[int, int], kind: str) -> None:
    values = np.zeros((1024, 1024), dtype=np.float32)
    values[place] = 1.0
    image = Picture(values, causal=False, kind=kind).block(0, 0, (4, 4), LIGHT)
    quiet = image.pixel((place[1] // 4 + 10) % 256, place[0] // 4)
    assert image.pixel(place[1] // 4, place[0] // 4) != quiet


def test_two_matrices_to_be_compared_share_one_scale() -> None:
    small, large = np.full((30, 2**16), 2.0), np.full((30, 2**16), -5.0)
    small[3, 4] = np.nan
    limits = []
    for values, beside in ((small, large), (large, small), (small, None)):
        picture = Picture(values, causal=False, kind="diverging", beside=beside)
        while not picture.measure(until=0.0):  # a part at a time
            pass
        limits.append(picture.limit)
    assert limits == [5.0, 5.0, 2.0]
