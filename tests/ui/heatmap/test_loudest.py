"""Matrices from afar: nothing loud is lost between the cells."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from visualizer.ui.heatmap.loudest import loudest_entries
from visualizer.ui.look import colors


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 3, 8]), st.sampled_from([1, 2, 5]), st.booleans())
def test_from_afar_each_point_is_its_loudest_cell(rows: int, columns: int, down: int, across: int, hide: bool) -> None:
    random = np.random.default_rng(rows * 41 + columns)
    values = random.normal(size=(rows, columns)).astype(np.float32)
    values[random.random(values.shape) < 0.02] = np.nan
    hidden = random.random(values.shape) < 0.6 if hide else None
    limit = colors.symmetric_limit(values, hidden)
    entries = colors.color_indices(values, hidden, "diverging", limit)
    seen = loudest_entries(entries, "diverging", (down, across))
    assert seen.shape == (-(-rows // down), -(-columns // across))
    for row in range(seen.shape[0]):
        for column in range(seen.shape[1]):
            part = (slice(row * down, (row + 1) * down), slice(column * across, (column + 1) * across))
            cells = values[part].ravel() if hidden is None else values[part][~hidden[part]]
            if not cells.size:
                assert seen[row, column] == colors.MASKED
            elif np.isnan(cells).any():
                assert seen[row, column] == colors.NOT_A_NUMBER
            else:
                middle = (colors.STEPS - 1) // 2
                loudest = abs(entries[part][entries[part] < colors.MASKED].astype(int) - middle).max()
                assert abs(int(seen[row, column]) - middle) == loudest
