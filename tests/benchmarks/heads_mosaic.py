"""All 144 heads of a GPT-2 shape repainted from new patterns, against one bare image of the same size."""

from __future__ import annotations

import os
from itertools import cycle

import numpy as np
import pyqtgraph as pg

from tests.benchmarks.harness import Row, compare
from visualizer.engine.config import ModelConfig
from visualizer.engine.graph import build_graph
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.engine.trace import Trace

LAYERS, HEADS, TOKENS = 12, 12, 64
#: Room in which the tiles come out as 64 pixels, one for each weight.
SIZE = (880, 865)


def passes() -> list[Trace]:
    """Two traces that hold nothing but random patterns, each row summing to 1."""
    config = ModelConfig(
        n_layers=LAYERS, d_model=24, n_ctx=TOKENS, n_heads=HEADS, d_vocab=50, attn_only=True, normalization_type=None
    )
    model = Model(config, {name: np.zeros(shape, np.float32) for name, shape in parameter_shapes(config).items()})
    random = np.random.default_rng(0)
    traces = []
    for _ in range(2):
        weights = np.tril(random.exponential(size=(LAYERS, HEADS, TOKENS, TOKENS)) ** 3).astype(np.float32)
        weights /= weights.sum(axis=-1, keepdims=True)
        recorded = {f"blocks.{layer}.attn.pattern": weights[layer] for layer in range(LAYERS)}
        tokens = np.arange(TOKENS) % config.d_vocab
        traces.append(Trace(build_graph(config, frozenset(model.parameters)), model.parameters, tokens, recorded))
    return traces


def rows() -> list[Row]:
    """The mosaic: patterns read, measured, coloured and painted. The image: the same tiles, stuck together before."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from visualizer.ui.panels.heads.layout import MODEL
    from visualizer.ui.panels.heads.mosaic import HeadMosaic
    from visualizer.ui.panels.heads.tiles import Heads
    from visualizer.ui.window.application import make_application

    app = make_application()
    traces = passes()
    mosaic = HeadMosaic()
    mosaic.resize(*SIZE)
    mosaic.show()

    def shown(trace: Trace) -> Heads:
        heads = Heads(trace)
        while not heads.advance():
            pass
        mosaic.set_heads(heads, MODEL)
        mosaic.viewport().repaint()
        return heads

    side = shown(traces[0]).tiles.shape[-1]
    app.processEvents()
    assert side == TOKENS
    assert TOKENS <= mosaic.tile_rect(0).width() < TOKENS + 2

    view = pg.GraphicsLayoutWidget()
    view.resize(*SIZE)
    box = view.addViewBox(enableMouse=False)
    image = pg.ImageItem(axisOrder="row-major")
    image.setLookupTable(pg.colormap.get("viridis").getLookupTable(nPts=256))
    box.addItem(image)
    view.show()
    app.processEvents()
    names = [f"blocks.{layer}.attn.pattern" for layer in range(LAYERS)]
    pictures = [
        np.ascontiguousarray(np.stack([t[n] for n in names]).transpose(0, 2, 1, 3).reshape(LAYERS * TOKENS, -1))
        for t in traces
    ]

    def bare(picture: np.ndarray) -> None:
        image.setImage(picture, levels=(0.0, 1.0), autoLevels=False)
        view.viewport().repaint()

    ours, reference = cycle(traces), cycle(pictures)
    try:
        return [
            compare(
                "144 heads × 64 × 64 repainted",
                lambda: shown(next(ours)),
                lambda: bare(next(reference)),
                bound=1.5,
                aim=1.1,
                note="one pyqtgraph image of the same 768 × 768 weights",
            )
        ]
    finally:
        for widget in (mosaic, view):
            widget.close()
            widget.deleteLater()
        app.processEvents()
