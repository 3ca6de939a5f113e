"""What the tests of heatmaps begin with."""

from collections.abc import Iterator

import pyqtgraph as pg
import pytest


@pytest.fixture(autouse=True)
def every_move_counts() -> Iterator[None]:
    """A test moves the mouse faster than a hand does, and pyqtgraph drops moves that come too fast."""
    before = pg.getConfigOption("mouseRateLimit")
    pg.setConfigOption("mouseRateLimit", 0)
    yield
    pg.setConfigOption("mouseRateLimit", before)
