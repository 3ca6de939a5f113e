"""The engine against the reference implementation, which shares nothing with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings

from tests.engine.models import KINDS, Array, as_dtype, assert_agrees, models_and_tokens, of_kind, reference_of
from visualizer.engine.handmade import PRESETS
from visualizer.engine.model import Model
from visualizer.engine.reference import reference_forward
from visualizer.formats import open_preset


@settings(max_examples=150)
@given(models_and_tokens())
def test_every_activation_of_every_kind_of_model_agrees_in_double_precision(drawn: tuple[Model, Array]) -> None:
    model, tokens = drawn
    assert_agrees(model.forward(tokens), reference_of(model, tokens), 1e-9)


@settings(max_examples=60)
@given(models_and_tokens("float32"))
def test_every_activation_agrees_in_single_precision_within_its_rounding(drawn: tuple[Model, Array]) -> None:
    model, tokens = drawn
    exact = model.with_dtype("float64").forward(tokens)
    assert_agrees(model.forward(tokens), reference_of(model, tokens), 2e-5 * _steepness(exact))


def _steepness(trace: Mapping[str, Array]) -> float:
    """By how much a softmax or a norm can enlarge an error that came before it."""
    largest = max(float(np.abs(trace[name]).max()) for name in trace if name.endswith(("scaled", "logits", "pre")))
    smallest = min([1.0, *(float(trace[name].min()) for name in trace if name.endswith(".scale"))])
    return max(1.0, largest) / smallest


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_model_agrees(kind: str) -> None:
    model = of_kind(kind)
    tokens = np.array([5, 0, 3, 3, 1, 2])
    assert_agrees(model.forward(tokens), reference_of(model, tokens), 1e-12)


@pytest.mark.parametrize("pattern", PRESETS)
@pytest.mark.parametrize("prompt", ["a", "aab", "aabaa", "bbbbb"])
def test_the_handmade_models_agree(pattern: str, prompt: str) -> None:
    model = open_preset(pattern).model
    assert_agrees(model.forward(prompt), reference_of(model, model.ids(prompt)), 1e-6)


@pytest.mark.parametrize("tokens", [300, 70])
def test_a_pass_longer_than_one_block_of_queries_agrees(tokens: int) -> None:
    model = of_kind("llama", n_ctx=tokens, n_layers=1)
    ids = np.arange(tokens) * 7 % 6
    trace, reference = model.forward(ids), reference_of(model, ids)
    for name in ("blocks.0.attn.pattern", "blocks.0.attn.z", "logits"):
        np.testing.assert_allclose(trace[name], reference[name], rtol=0, atol=1e-11)


def test_the_names_come_in_the_order_of_the_model() -> None:
    model = of_kind("llama")
    assert list(reference_forward(model.config, model.parameters, [1])) == sorted(
        reference_of(model, np.array([1])), key=list(model.graph.names).index
    )


def test_only_the_last_tokens_that_fit_are_seen() -> None:
    model = of_kind("gpt-2")
    long, last = [1, 2, 3, 4, 5, 0, 1, 2], [3, 4, 5, 0, 1, 2]
    assert reference_forward(model.config, model.parameters, long) == reference_forward(
        model.config, model.parameters, last
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["wte", "wpe", "blocks.0.attn.c_attn.w", "blocks.1.mlp.c_fc.w", "blocks.0.ln_1.g"])
def test_numbers_that_are_not_finite_spread_alike(name: str, bad: float) -> None:
    model = of_kind("gpt-2", tie_embeddings=False)
    array = model.parameters[name].copy()
    array.flat[array.size // 2] = bad
    broken = model.replace({name: array})
    tokens = np.array([3, 1, 3, 2, 0, 3])
    trace, reference = broken.forward(tokens), reference_of(broken, tokens)
    for activation in trace:
        np.testing.assert_array_equal(np.isnan(trace[activation]), np.isnan(reference[activation]), err_msg=activation)
        np.testing.assert_array_equal(np.isposinf(trace[activation]), np.isposinf(reference[activation]))


def test_large_numbers_overflow_as_in_the_engine() -> None:
    model = as_dtype(of_kind("llama"), "float64")
    huge = model.replace({"blocks.0.attn.c_attn.w": model.parameters["blocks.0.attn.c_attn.w"] * 1e200})
    tokens = np.array([1, 2, 3])
    trace, reference = huge.forward(tokens), reference_of(huge, tokens)
    np.testing.assert_array_equal(np.isfinite(trace["logits"]), np.isfinite(reference["logits"]))
    assert not np.isfinite(trace["blocks.0.attn.qk"]).all()
