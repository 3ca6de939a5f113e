"""Several cells of a parameter, written in a row."""

from __future__ import annotations

import numpy as np

from visualizer.session.document.cells import Cells


def several(*cells: tuple[int, ...]) -> Cells:
    """The index of the cells."""
    return tuple(np.array(axis, dtype=np.intp) for axis in zip(*cells, strict=True))
