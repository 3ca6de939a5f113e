"""Against Transformers: logits and every attention pattern of GPT-2 and Llama models with random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from visualizer.engine.model import Model

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'attention-visualizer[reference]'")
pytest.importorskip(
    "transformers", reason="Transformers is not installed: pip install 'attention-visualizer[reference]'"
)

from tests.reference import conversions
from tests.reference.conversions import Array

pytestmark = [
    pytest.mark.reference,
    pytest.mark.filterwarnings("default::DeprecationWarning", "default::FutureWarning"),
]

TOLERANCE = {"float32": 1e-4, "float64": 1e-9}

GPT2: dict[str, dict[str, Any]] = {
    "one block, one head": {"blocks": 1, "heads": 1, "width": 8, "inner": 32, "act_fn": "gelu_new"},
    "odd widths": {"blocks": 2, "heads": 3, "width": 21, "inner": 17, "act_fn": "gelu_new"},
    "four blocks, eight heads": {"blocks": 4, "heads": 8, "width": 64, "inner": 256, "act_fn": "gelu_new"},
    "gelu by erf": {"blocks": 2, "heads": 2, "width": 12, "inner": 20, "act_fn": "gelu"},
    "relu": {"blocks": 3, "heads": 5, "width": 15, "inner": 40, "act_fn": "relu"},
}
LLAMA: dict[str, dict[str, Any]] = {
    "one block, one head": {
        "blocks": 1, "heads": 1, "shared": 1, "d_head": 8, "width": 8, "inner": 16,
        "tied": False, "biases": False, "eps": 1e-5, "base": 10000.0,
    },
    "grouped heads": {
        "blocks": 2, "heads": 8, "shared": 2, "d_head": 4, "width": 32, "inner": 48,
        "tied": False, "biases": False, "eps": 1e-6, "base": 10000.0,
    },
    "one key/value head, tied": {
        "blocks": 3, "heads": 6, "shared": 1, "d_head": 4, "width": 18, "inner": 23,
        "tied": True, "biases": False, "eps": 1e-2, "base": 500.0,
    },
    "biases, odd widths": {
        "blocks": 4, "heads": 3, "shared": 3, "d_head": 10, "width": 15, "inner": 29,
        "tied": True, "biases": True, "eps": 1e-5, "base": 1e6,
    },
}  # fmt: skip
VOCABULARY, CONTEXT = 31, 70


def make(family: str, case: str, dtype: str, seed: int) -> tuple[Any, Model]:
    common: dict[str, Any] = {"vocabulary": VOCABULARY, "context": CONTEXT, "dtype": dtype, "seed": seed}
    if family == "gpt2":
        return conversions.gpt2(**GPT2[case], **common)
    return conversions.llama(**LLAMA[case], **common)


CASES = [("gpt2", case) for case in GPT2] + [("llama", case) for case in LLAMA]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("family", "case"), CASES)
def test_logits_and_every_pattern_agree_from_one_token_to_the_full_context(family: str, case: str, dtype: str) -> None:
    reference, model = make(family, case, dtype, seed=len(case))
    generator = np.random.default_rng(7)
    for length in (1, 2, 5, 33, CONTEXT):
        tokens = generator.integers(0, VOCABULARY, length)
        logits, patterns = conversions.reference_pass(reference, tokens)
        trace = model.forward(tokens)
        assert_close(trace["logits"], logits, dtype)
        for block, pattern in enumerate(patterns):
            assert_close(trace[f"blocks.{block}.attn.pattern"], pattern, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("family", "case"), CASES)
def test_cached_generation_agrees_with_transformers_cache_at_every_step(family: str, case: str, dtype: str) -> None:
    reference, model = make(family, case, dtype, seed=1 + len(case))
    tokens = np.random.default_rng(3).integers(0, VOCABULARY, 9)
    theirs = conversions.reference_generation(reference, tokens, 20)
    for step, (logits, patterns) in zip(model.generate(tokens, 20), theirs, strict=True):
        assert step.trace is not None
        assert_close(step.trace["logits"][-1], logits, dtype)
        for block, pattern in enumerate(patterns):
            assert_close(step.trace[f"blocks.{block}.attn.pattern"][:, -1], pattern, dtype)
        assert step.token == int(logits.argmax())


@pytest.mark.parametrize(("family", "case"), CASES)
def test_the_random_weights_put_attention_to_the_test(family: str, case: str) -> None:
    """Were every pattern near uniform, an error in queries or keys would not show."""
    _, model = make(family, case, "float64", seed=len(case))
    pattern = model.forward(np.arange(20))["blocks.0.attn.pattern"][:, -1]
    assert pattern.max() > 3 / 20


def assert_close(ours: Array, theirs: Array, dtype: str) -> None:
    assert ours.dtype == theirs.dtype == dtype
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE[dtype])
