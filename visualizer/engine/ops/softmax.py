"""Softmax over the last axis, with and without the causal restriction; NaN and infinity stay visible."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.ops.base import Array


@lru_cache(maxsize=64)
def future(rows: int, keys: int, dtype: np.dtype[Any], fill: float) -> Array:
    """[query, key] with `fill` where the key lies after the query, 0 elsewhere.

    The last `rows` of `keys` positions are the queries.
    """
    hidden = np.arange(keys) > np.arange(keys - rows, keys)[:, None]
    array = np.where(hidden, fill, 0.0).astype(dtype)
    array.flags.writeable = False
    return array


def causal_softmax(scores: Array, careful: bool = False) -> Array:
    """Softmax of `scores` [..., query, key] over the keys up to each query, in place; later keys get exactly 0.

    The queries are the last positions of the keys. Rows are shifted by their maximum. Where NaN or infinity can
    occur, `careful` is needed: then a row whose visible scores are all −inf is uniform over them, NaN or +inf among
    them makes the row's visible part NaN, and what is hidden never counts.
    """
    rows, keys = scores.shape[-2:]
    if not scores.size:
        return scores
    last = scores if rows == keys else scores[..., keys - rows :]  # only the last `rows` keys can lie after a query
    if careful:
        return _careful_softmax(scores, last, future(rows, rows, scores.dtype, -math.inf) < 0, axis=-1)
    if rows > 1:
        last += future(rows, rows, scores.dtype, -math.inf)
    scores -= np.maximum.reduce(scores, axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= np.add.reduce(scores, axis=-1, keepdims=True)
    return scores


def causal_softmax_by_key(scores: Array, careful: bool = False) -> Array:
    """`causal_softmax` of `scores` [..., key, query], in place, for as many keys as queries.

    Many short rows are reduced several times faster when the axis they run along is not the last one.
    """
    if careful:
        return _careful_softmax(scores, scores, _future_by_key(scores.shape[-1], scores.dtype) < 0, axis=-2)
    scores += _future_by_key(scores.shape[-1], scores.dtype)
    scores -= np.maximum.reduce(scores, axis=-2, keepdims=True)
    np.exp(scores, out=scores)
    scores /= np.add.reduce(scores, axis=-2, keepdims=True)
    return scores


@lru_cache(maxsize=16)
def _future_by_key(rows: int, dtype: np.dtype[Any]) -> Array:
    array = np.ascontiguousarray(future(rows, rows, dtype, -math.inf).T)
    array.flags.writeable = False
    return array


def _careful_softmax(scores: Array, last: Array, hidden: NDArray[np.bool_], axis: int) -> Array:
    """The causal softmax along `axis` where NaN and infinity may occur, in place.

    `hidden` says which cells of `last`, the part of `scores` with them, lie after their query. The same steps as
    without care, so that rows of ordinary numbers come out the same to the bit whatever stands beside them.
    """
    np.copyto(last, -math.inf, where=hidden)
    top = np.maximum.reduce(scores, axis=axis, keepdims=True)
    with np.errstate(over="ignore", invalid="ignore"):  # ∞ − ∞ and 0 / 0 are NaN, as they should be
        scores -= top
        np.exp(scores, out=scores)
        scores /= np.add.reduce(scores, axis=axis, keepdims=True)
    empty = top == -math.inf
    if empty.any():
        shown = np.full(scores.shape[-2:], True)
        shown[..., -last.shape[-2] :, -last.shape[-1] :] = ~hidden
        np.copyto(scores, (1 / shown.sum(axis=axis, keepdims=True)).astype(scores.dtype), where=empty)
    np.copyto(last, 0, where=hidden)
    return scores


@np.errstate(over="ignore", invalid="ignore")  # ∞ − ∞ and 0 / 0 are NaN, as they should be
def softmax(x: Array) -> Array:
    """Softmax of x [..., n] over the last axis, as a new array: e^(x − max) / Σ e^(x − max).

    A row that is all −inf is uniform; NaN or +inf in a row makes the whole row NaN.
    """
    if not x.size:
        return np.array(x)
    top = np.maximum.reduce(x, axis=-1, keepdims=True)
    if not math.isfinite(np.add.reduce(top, axis=None)):
        empty = top == -math.inf
        out = np.where(empty, x.dtype.type(1), np.exp(x - np.where(empty, 0, top)))
        out /= out.sum(axis=-1, keepdims=True)
        return np.asarray(out, dtype=x.dtype)
    out = x - top
    np.exp(out, out=out)
    out /= np.add.reduce(out, axis=-1, keepdims=True)
    return out


def stored_by_key(weights: Array) -> bool:
    """Whether weights [..., query, key] lie in memory with the keys along the outer axis."""
    return weights.strides[-2] < weights.strides[-1]


def softmax_backward(weights: Array, given: Array) -> Array:
    """Gradient of the scores [..., n] from the softmax's result and its gradient: p · (dp − Σ p·dp)."""
    if weights.ndim > 1 and stored_by_key(weights):
        by_key, given_by_key = weights.swapaxes(-1, -2), given.swapaxes(-1, -2)
        out = by_key * given_by_key
        out -= by_key * np.add.reduce(out, axis=-2, keepdims=True)
        return out.swapaxes(-1, -2)
    out = weights * given
    out -= weights * np.add.reduce(out, axis=-1, keepdims=True)
    return out
