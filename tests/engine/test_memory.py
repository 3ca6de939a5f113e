"""Memory is estimated before anything is made: what a pass keeps lies below, and what is too large is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from visualizer.engine import memory
from visualizer.engine.config import ModelConfig
from visualizer.engine.graph import build_graph
from visualizer.engine.memory import most_positions, pass_bytes, pass_limit
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.errors import TooLargeError

SHAPES: list[dict[str, Any]] = [
    {"n_layers": 3, "d_model": 64, "n_heads": 4, "n_ctx": 200, "d_vocab": 300, "act_fn": "gelu"},
    {"n_layers": 1, "d_model": 8, "n_heads": 1, "n_ctx": 400, "d_vocab": 2, "attn_only": True},
    {"n_layers": 2, "d_model": 32, "n_heads": 8, "n_key_value_heads": 2, "gated_mlp": True, "n_ctx": 150,
     "d_vocab": 5000, "act_fn": "silu", "normalization_type": "RMS", "positional_embedding_type": "rotary"},
]  # fmt: skip


def model_of(**shape: Any) -> Model:
    config = ModelConfig(**shape)
    return Model(config, {name: np.full(size, 0.01) for name, size in parameter_shapes(config).items()})


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that can spare 1 MB; graphs that were made for a larger one are forgotten, before and after."""
    build_graph.cache_clear()
    monkeypatch.setattr(memory, "pass_limit", lambda: 2**20)
    yield
    build_graph.cache_clear()


@pytest.mark.parametrize("shape", SHAPES, ids=["norms and MLP", "attention only", "gated, rotary"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pass_keeps_no_more_than_estimated_and_not_far_less(shape: dict[str, Any], dtype: str) -> None:
    model = model_of(**shape, dtype=dtype)
    trace = model.forward(np.zeros(model.config.n_ctx, int))
    kept = sum(array.nbytes for array in trace.recorded.values())
    assert kept <= pass_bytes(model.config, model.config.n_ctx) <= 5 * kept


def test_the_limit_is_half_of_what_the_machine_has() -> None:
    assert 2**28 < pass_limit() < 2**50


def test_the_longest_pass_is_the_last_that_fits(little_memory: None) -> None:
    config = ModelConfig(**{**SHAPES[0], "n_ctx": 10**9})
    longest = most_positions(config)
    assert pass_bytes(config, longest) <= 2**20 < pass_bytes(config, longest + 1)
    assert most_positions(ModelConfig(**{**SHAPES[1], "n_ctx": 20})) == 20


def test_a_pass_that_is_too_long_is_refused_before_it_is_made(little_memory: None) -> None:
    model = model_of(**{**SHAPES[1], "n_ctx": 2000})
    assert len(model.forward(np.zeros(200, int)).tokens) == 200
    for refused in (
        lambda: model.forward(np.zeros(2000, int)),
        lambda: next(model.generate(np.zeros(1, int), 2000)),
        lambda: next(model.generate(np.zeros(1500, int), 1)),
    ):
        with pytest.raises(TooLargeError, match=r"^a pass over \d+ tokens needs about .* GB of memory"):
            refused()


@pytest.mark.parametrize("kind", ["sinusoidal", "rotary"])
def test_a_context_without_end_costs_nothing_before_it_is_used(kind: str) -> None:
    shape = {"n_layers": 1, "d_model": 8, "n_heads": 1, "n_ctx": 10**9, "d_vocab": 2, "attn_only": True}
    model = model_of(**shape, positional_embedding_type=kind)
    assert sum(array.nbytes for array in model.forward([0, 1]).recorded.values()) < 10_000
    assert [step.position for step in model.generate([0, 1], 3)] == [2, 3, 4]
