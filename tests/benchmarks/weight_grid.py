"""A large weight grid, opened, scrolled to its end and edited, against a small one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import numpy as np

from tests.benchmarks.harness import Row, compare
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.formats import OpenedModel


def _opened(d_model: int, d_mlp: int) -> OpenedModel:
    config = ModelConfig(n_layers=1, d_model=d_model, n_ctx=4, d_vocab=4, n_heads=1, d_mlp=d_mlp, act_fn="relu")
    random = np.random.default_rng(0)
    shapes = {name: shape for name, shape in parameter_shapes(config).items() if not name.startswith("lm_head")}
    parameters = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return OpenedModel(Model(config, parameters), f"{d_model}", f"{d_model}")


def _work(opened: OpenedModel) -> Callable[[], object]:
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QApplication

    from visualizer.session.session import Session
    from visualizer.ui.bridge.executor import WorkerExecutor
    from visualizer.ui.panels.weights.panel import WeightPanel

    session = Session(opened, WorkerExecutor())
    session.reset_generation()
    session.wait()
    value = [0.5]

    def open_scroll_edit() -> None:
        session.selection.choose(parameter="blocks.0.mlp.c_fc.w")
        panel = WeightPanel(session)
        panel.resize(420, 400)
        panel.show()
        QApplication.processEvents()
        model = panel.view.model()
        last = model.index(model.rowCount() - 1, model.columnCount() - 1)
        panel.view.scrollTo(last)
        QApplication.processEvents()
        value[0] += 1.0
        model.setData(last, str(value[0]), Qt.ItemDataRole.EditRole)
        QApplication.processEvents()
        panel.close()
        panel.deleteLater()
        QApplication.processEvents()

    return open_scroll_edit


def rows() -> list[Row]:
    """768×3072 against 5×8, each in a panel of the same size; the model runs on the worker, as in the window."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from visualizer.ui.look.theme import LIGHT, apply_theme

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    apply_theme(app, LIGHT)
    return [
        compare(
            "768×3072 weight grid: open, scroll to the end, edit",
            _work(_opened(768, 3072)),
            _work(_opened(5, 8)),
            bound=3.0,
            aim=1.5,
            seconds=4.0,
            note="a 5×8 grid",
        )
    ]
