"""A heatmap of 1024 × 1024 numbers repainted, against one bare pyqtgraph image of the same size."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.harness import Row, compare
from tests.benchmarks.window import application

SIDE = 1024


def rows() -> list[Row]:
    """One row: other numbers each time, painted."""
    app = application()
    import pyqtgraph as pg

    from visualizer.ui.heatmap.matrix import Axis, Matrix
    from visualizer.ui.heatmap.widget import Heatmap
    from visualizer.ui.look.colors import DIVERGING
    from visualizer.ui.look.theme import LIGHT, apply_theme

    apply_theme(app, LIGHT)
    random = np.random.default_rng(0)
    pair = [random.normal(size=(SIDE, SIDE)).astype(np.float32) for _ in range(2)]
    axes = [Axis(name, [str(i) for i in range(SIDE)], positions=False) for name in ("row", "column")]
    heatmap = Heatmap()
    heatmap.resize(900, 800)
    heatmap.show()
    bare = pg.GraphicsLayoutWidget()
    bare.resize(900, 800)
    item = pg.ImageItem(pair[0], axisOrder="row-major")
    bare.addPlot().addItem(item)
    bare.show()
    turn = [0]

    def ours() -> None:
        turn[0] = 1 - turn[0]
        heatmap.set_matrix(Matrix(pair[turn[0]], *axes, name="large", scale=DIVERGING))
        app.processEvents()

    def reference() -> None:
        turn[0] = 1 - turn[0]
        item.setImage(pair[turn[0]])
        app.processEvents()

    row = compare(
        "1024 × 1024 heatmap repainted",
        ours,
        reference,
        bound=2.0,
        aim=1.3,
        seconds=4.0,
        note="one bare pyqtgraph image",
    )
    heatmap.close()
    bare.close()
    return [row]
