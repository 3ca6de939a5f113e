"""Small random models of every kind, and how to compare what they compute with the reference implementation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from visualizer.engine.config import ACTIVATIONS, NORMALIZATIONS, ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.engine.reference import reference_forward
from visualizer.engine.trace import Trace

Array = NDArray[Any]

#: One configuration of each kind that differs in its operations, for tests that want each at least once.
KINDS: dict[str, dict[str, Any]] = {
    "attention only": {"attn_only": True, "normalization_type": None, "act_fn": None},
    "gpt-2": {"act_fn": "gelu_new", "tie_embeddings": True},
    "sinusoidal relu": {"act_fn": "relu", "positional_embedding_type": "sinusoidal", "n_key_value_heads": 1},
    "gelu without norm": {"act_fn": "gelu", "normalization_type": None},
    "llama": {
        "act_fn": "silu", "gated_mlp": True, "normalization_type": "RMS", "positional_embedding_type": "rotary",
        "n_key_value_heads": 1,
    },
    "neighbouring pairs, partly rotated": {
        "act_fn": "silu", "positional_embedding_type": "rotary", "rotary_adjacent_pairs": True, "rotary_dim": 2,
        "tie_embeddings": True,
    },
}  # fmt: skip


def of_kind(kind: str, seed: int = 0, dtype: str = "float64", **changes: Any) -> Model:
    """A random two-block model of one of KINDS: d_model 8, two heads of 4, six tokens, context of 6."""
    fields = {"n_layers": 2, "d_model": 8, "n_ctx": 6, "d_vocab": 6, "n_heads": 2, "d_mlp": 10, "tie_embeddings": False}
    config = ModelConfig(**{**fields, **KINDS[kind], "dtype": dtype, **changes})
    return Model(config, random_parameters(config, seed))


def random_parameters(config: ModelConfig, seed: int, biases: float = 1.0) -> dict[str, Array]:
    """Normal numbers for every parameter, wide enough that no softmax is near uniform; each bias with this chance."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for name, shape in parameter_shapes(config).items():
        numbers = generator.normal(size=shape)
        if name.endswith(".b") and generator.random() >= biases:
            continue
        arrays[name] = numbers + 1 if name.endswith(".g") else 0.7 * numbers
    return arrays


@st.composite
def configs(draw: st.DrawFn, dtype: str = "float64") -> ModelConfig:
    """Every combination of fields that means another forward pass, all of it small."""
    shared = draw(st.integers(1, 2))
    heads = shared * draw(st.integers(1, 2))
    d_head = draw(st.integers(1, 4))
    position = draw(st.sampled_from(["standard", "sinusoidal", "rotary"]))
    if position == "rotary":
        d_head += d_head % 2
    return ModelConfig(
        n_layers=draw(st.integers(1, 2)),
        d_model=draw(st.integers(1, 7)),
        n_ctx=draw(st.integers(1, 6)),
        d_vocab=draw(st.integers(1, 5)),
        n_heads=heads,
        d_head=d_head,
        n_key_value_heads=shared,
        d_mlp=draw(st.integers(1, 6)),
        act_fn=draw(st.sampled_from(ACTIVATIONS)),
        gated_mlp=draw(st.booleans()),
        normalization_type=draw(st.sampled_from(NORMALIZATIONS)),
        eps=draw(st.sampled_from([1e-5, 1e-2])),
        attn_only=draw(st.booleans()),
        positional_embedding_type=position,
        rotary_base=draw(st.sampled_from([10000.0, 50.0])),
        rotary_dim=2 * draw(st.integers(1, d_head // 2)) if position == "rotary" else 0,
        rotary_adjacent_pairs=draw(st.booleans()),
        tie_embeddings=draw(st.booleans()),
        dtype=dtype,
    )


@st.composite
def models(draw: st.DrawFn, dtype: str = "float64") -> Model:
    """A random model of any kind, with all, some or none of its biases."""
    config = draw(configs(dtype))
    biases = draw(st.sampled_from([0.0, 0.5, 1.0]))
    return Model(config, random_parameters(config, draw(st.integers(0, 2**32 - 1)), biases))


@st.composite
def models_and_tokens(draw: st.DrawFn, dtype: str = "float64") -> tuple[Model, Array]:
    """A model, and 1 to n_ctx token ids for it."""
    model = draw(models(dtype))
    return model, draw(tokens_for(model.config))


def tokens_for(config: ModelConfig, least: int = 1, most: int | None = None) -> st.SearchStrategy[Array]:
    """Token ids [position] of the vocabulary, `least` to `most` (n_ctx) of them."""
    ids = st.lists(st.integers(0, config.d_vocab - 1), min_size=least, max_size=most or config.n_ctx)
    return ids.map(lambda chosen: np.array(chosen, dtype=np.intp))


def reference_of(model: Model, tokens: Array) -> dict[str, Array]:
    """The reference implementation's activations as float64 arrays."""
    values = reference_forward(model.config, model.parameters, tokens)
    return {name: np.array(value, dtype=np.float64) for name, value in values.items()}


def assert_agrees(trace: Mapping[str, Array], expected: Mapping[str, Array], tolerance: float) -> None:
    """Every activation is there and equal within `tolerance`, relative to the larger of 1, the number itself and the
    array's largest number short of the mask.
    """
    assert set(trace) == set(expected)
    for name, array in expected.items():
        assert trace[name].shape == array.shape, name
        ordinary = np.abs(array[np.abs(array) < 1e9])
        scale = max(1.0, float(ordinary.max(initial=0.0)))
        np.testing.assert_allclose(trace[name], array, rtol=tolerance, atol=tolerance * scale, err_msg=name)


def assert_same_bits(left: Mapping[str, Array], right: Mapping[str, Array]) -> None:
    """Every activation of both, equal to the last bit (NaN equals NaN)."""
    assert set(left) == set(right)
    for name in right:
        assert left[name].dtype == right[name].dtype
        assert np.array_equal(bits(left[name]), bits(right[name])), name


def bits(array: Array) -> Array:
    """The array's numbers as whole numbers, bit by bit; every NaN alike, as its payload means nothing."""
    plain = np.where(np.isnan(array), np.nan, array).astype(array.dtype)
    return plain.view(f"u{plain.dtype.itemsize}")


def as_dtype(model: Model, dtype: str) -> Model:
    """The model with its parameters rounded to `dtype`, computing in it."""
    return Model(replace(model.config, dtype=dtype), model.parameters, model.tokenizer)


def all_of(trace: Trace) -> dict[str, Array]:
    """A trace's arrays, derived ones included."""
    return {name: trace[name] for name in trace}
