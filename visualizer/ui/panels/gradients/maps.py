"""Gradients as heatmaps, of a parameter or of an activation; of large ones the rows and columns that matter most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel
from visualizer.session.words.axis_labels import axis_labels, token_label
from visualizer.ui.heatmap.matrix import Axis, Matrix
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.colors import DIVERGING

Array = NDArray[Any]
Indices = NDArray[np.intp]

#: So many rows and columns are shown at most: those with the greatest gradient.
MOST = 256
#: Labels of longer axes are only looked up for what is shown.
LABELLED = 4096


def as_matrix(gradient: Array) -> Array:
    """A parameter's gradient as [rows, columns]; a vector is one row."""
    return gradient[None] if gradient.ndim == 1 else gradient


def largest(matrix: Array) -> tuple[Indices, Indices]:
    """Rows and columns to show, in order: all of them, or the `MOST` with the greatest sums of squares."""
    with np.errstate(all="ignore"):
        return _most(matrix, 1), _most(matrix, 0)


def _most(matrix: Array, axis: int) -> Indices:
    count = matrix.shape[1 - axis]
    if count <= MOST:
        return np.arange(count)
    squares = np.einsum("ij,ij->i" if axis == 1 else "ij,ij->j", matrix, matrix)
    return np.sort(np.argpartition(np.nan_to_num(squares, nan=np.inf), -MOST)[-MOST:])


def show_parameter(heatmap: Heatmap, opened: OpenedModel, name: str, gradient: Array) -> tuple[Indices, Indices]:
    """Show a parameter's gradient; returns which rows and columns of it are shown."""
    matrix = as_matrix(gradient)
    rows, columns = largest(matrix)
    if max(matrix.shape) <= LABELLED:
        row_labels, column_labels = axis_labels(opened, name)
    else:
        row_labels, column_labels = _numbers(matrix.shape[0]), _numbers(matrix.shape[1])
    down = Axis("row", [row_labels[i] for i in rows], positions=False)
    across = Axis("column", [column_labels[i] for i in columns], positions=False)
    shown = matrix[np.ix_(rows, columns)]
    heatmap.set_matrix(Matrix(shown, down, across, name=f"d loss / d {name}", scale=DIVERGING, origin=opened))
    return rows, columns


def _numbers(count: int) -> list[str]:
    return list(map(str, range(count)))


def show_activation(heatmap: Heatmap, opened: OpenedModel, trace: Trace, name: str, gradient: Array, head: int) -> None:
    """Show an activation's gradient for a pass: of one head where it has heads."""
    axes = list(trace.graph.axes(name))
    if "head" in axes:
        place = axes.index("head")
        gradient = gradient.take(min(head, gradient.shape[place] - 1), axis=place)
        axes.pop(place)
    tokens = [token_label(opened, int(t)) for t in trace.tokens]
    rows, columns = largest(gradient)
    labels = {"query": tokens, "key": tokens, "position": tokens}
    vocabulary = axes[1] not in labels and gradient.shape[1] == opened.model.config.d_vocab and name == "logits"
    row_labels = [labels[axes[0]][i] for i in rows]
    if vocabulary:
        column_labels = [token_label(opened, int(i)) for i in columns]
    else:
        column_labels = [labels[axes[1]][i] if axes[1] in labels else str(i) for i in columns]
    down = Axis(axes[0], row_labels, positions=len(rows) == len(tokens))
    across = Axis(axes[1], column_labels, positions=axes[1] in labels and len(columns) == len(tokens))
    shown = gradient[np.ix_(rows, columns)]
    heatmap.set_matrix(Matrix(shown, down, across, name=f"d loss / d {name}", scale=DIVERGING, origin=opened))
