"""Asking a model: prompts, ids, what a trace offers, and passes over many texts at once."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import visualizer
from tests.engine.models import (
    KINDS,
    Array,
    assert_same_bits,
    models_and_tokens,
    of_kind,
    reference_of,
    tokens_for,
)
from visualizer.engine.accuracy import next_token_accuracy
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.errors import InputError, TokenError

AAB = visualizer.handmade("aab")


@pytest.mark.parametrize("prompt", ["aab", [0, 0, 1], (0, 0, 1), np.array([0, 0, 1]), np.array([0, 0, 1], np.uint8)])
def test_text_and_ids_are_the_same_prompt(prompt: str | list[int] | Array) -> None:
    assert_same_bits(AAB.forward(prompt), AAB.forward("aab"))


def test_a_pass_sees_the_last_tokens_that_fit() -> None:
    trace = AAB.forward("bbbbbaabaa")
    assert trace.tokens.tolist() == [0, 0, 1, 0, 0]
    assert_same_bits(trace, AAB.forward("aabaa"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prompt", ["", [], np.array([])])
def test_an_empty_prompt_is_a_pass_without_rows(kind: str, prompt: str | list[int] | Array) -> None:
    model = Model(of_kind(kind).config, of_kind(kind).parameters, AAB.tokenizer)
    trace = model.forward(prompt)
    one = model.forward([0])
    for name in trace:
        sizes = [0 if axis in ("position", "query", "key") else n for axis, n in axes_of(one, name)]
        assert list(trace[name].shape) == sizes, name
    assert trace.nonfinite() == 0


def axes_of(trace: Trace, name: str) -> Iterator[tuple[str, int]]:
    return zip(trace.axes(name), trace[name].shape, strict=True)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([0, 2, 1], "token id 2 at position 1 is not in the vocabulary; ids go from 0 to 1"),
        ([0, 0, -1], "token id -1 at position 2"),
        ([[0, 1]], "token ids are a flat list of whole numbers"),
        ([0.5], "token ids are a flat list of whole numbers"),
        ([True], "token ids are a flat list of whole numbers"),
    ],
)
def test_ids_outside_the_vocabulary_are_refused_with_their_place(ids: list[int], said: str) -> None:
    with pytest.raises(TokenError) as error:
        AAB.forward(ids)
    assert said in str(error.value)


def test_text_without_a_tokenizer_is_refused_with_the_ids_that_would_do() -> None:
    with pytest.raises(TokenError, match="no tokenizer, so it cannot read 'aab'; give token ids from 0 to 5"):
        of_kind("gpt-2").forward("aab")


def test_a_name_that_is_not_there_is_a_key_error_and_nothing_else() -> None:
    trace = AAB.forward("aab")
    for name in ("blocks.0.mlp.pre", "blocks.1.attn.q", "ln_final.normalized", "loss", ""):
        assert name not in trace
        with pytest.raises(KeyError):
            trace[name]
        with pytest.raises(KeyError):
            trace.axes(name)


@pytest.mark.parametrize("kind", KINDS)
def test_every_activation_has_as_many_axes_as_it_has_names_for_them(kind: str) -> None:
    model = of_kind(kind)
    trace = model.forward([1, 2, 3])
    sizes = {
        "position": 3, "query": 3, "key": 3, "d_model": 8, "d_head": 4, "d_mlp": 10, "d_vocab": 6, "1": 1,
    }  # fmt: skip
    for name in trace:
        heads = model.config.n_key_value_heads if name.endswith((".k", ".v", "rot_k")) else model.config.n_heads
        expected = tuple(heads if axis == "head" else sizes[axis] for axis in trace.axes(name))
        assert trace[name].shape == expected, name


def test_what_a_model_lacks_is_absent_from_its_trace() -> None:
    names = set(of_kind("attention only").forward([1]))
    assert not any("ln" in name or "mlp" in name for name in names)
    assert {"pos_embed", "blocks.0.attn.result", "blocks.1.resid_mid", "blocks.1.resid_post", "probs"} <= names
    assert "pos_embed" not in of_kind("llama").forward([1])
    assert "blocks.0.attn.rot_q" in of_kind("llama").forward([1])


def test_derived_activations_are_made_once() -> None:
    trace = AAB.forward("aabaa")
    assert "blocks.0.attn.scores" not in trace.recorded
    assert np.shares_memory(trace["blocks.0.attn.scores"], trace["blocks.0.attn.scores"])


@given(st.data())
def test_many_texts_at_once_give_what_each_gives_alone(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    batch = [tokens, *(data.draw(tokens_for(model.config, len(tokens), len(tokens))) for _ in range(2))]
    together = model.forward_batch(np.array(batch))
    for row, one in enumerate(batch):
        trace = model.forward(one)
        for name, array in trace.recorded.items():
            shared = together[name] if together[name].ndim == array.ndim else together[name][row]  # positions have none
            np.testing.assert_allclose(shared, array, rtol=1e-9, atol=1e-9, err_msg=name)


@given(models_and_tokens())
def test_single_precision_is_double_precision_rounded(drawn: tuple[Model, Array]) -> None:
    model, tokens = drawn
    single = model.with_dtype("float32")
    trace, exact = single.forward(tokens), single.with_dtype("float64").forward(tokens)
    for name in ("embed", "blocks.0.resid_pre", "blocks.0.attn.q", "blocks.0.attn.v"):
        assert trace[name].dtype == np.float32
        scale = max(1.0, float(np.abs(exact[name]).max()))
        # A norm divides by what may be small, and enlarges the rounding before it by that much.
        spread = exact["blocks.0.ln1.scale"].min() if "blocks.0.ln1.scale" in exact else 1.0
        np.testing.assert_allclose(trace[name], exact[name], rtol=0, atol=1e-5 * scale / min(1.0, float(spread)))


def test_changing_the_precision_keeps_everything_else() -> None:
    double = AAB.with_dtype("float64")
    assert double.with_dtype("float64") is double
    assert double.tokenizer is AAB.tokenizer
    assert double.forward("aab")["logits"].dtype == np.float64


@given(st.data())
def test_accuracy_is_that_of_predicting_each_token_from_those_before_it(data: st.DataObject) -> None:
    model, _ = data.draw(models_and_tokens())
    ids = data.draw(tokens_for(model.config, 1, 14))
    skip = data.draw(st.integers(0, len(ids) - 1))
    accuracy = next_token_accuracy(model, ids, skip)
    one_by_one = [predicted(model, ids[:i]) for i in range(skip, len(ids))]
    assert accuracy.predicted.tolist() == one_by_one
    assert accuracy.total == len(ids) - skip
    assert accuracy.correct == sum(p == t for p, t in zip(one_by_one, ids[skip:].tolist(), strict=True))


def predicted(model: Model, before: Array) -> int:
    """The most probable next token by the plain implementation; rounding decides no case of these models."""
    return int(np.argmax(reference_of(model, before)["logits"][-1])) if len(before) else 0


@pytest.mark.parametrize(("text", "skip"), [("", 0), ("aa", 2), ("aab", 7)])
def test_accuracy_over_nothing_is_refused(text: str, skip: int) -> None:
    with pytest.raises(InputError, match=f"has {len(text)} tokens and the first {skip} are skipped; at least one"):
        next_token_accuracy(AAB, AAB.ids(text), skip)


@pytest.mark.parametrize("kind", [kind for kind, fields in KINDS.items() if "n_key_value_heads" not in fields])
def test_heads_may_change_places(kind: str) -> None:
    model = of_kind(kind, n_heads=3, d_head=2)
    order = np.array([2, 0, 1])
    columns = (order[:, None] * 2 + np.arange(2)).ravel()
    changes = {}
    for block in range(2):
        prefix = f"blocks.{block}.attn."
        qkv = np.concatenate([columns, 6 + columns, 12 + columns])
        changes[f"{prefix}c_attn.w"] = model.parameters[f"{prefix}c_attn.w"][:, qkv]
        changes[f"{prefix}c_attn.b"] = model.parameters[f"{prefix}c_attn.b"][qkv]
        changes[f"{prefix}c_proj.w"] = model.parameters[f"{prefix}c_proj.w"][columns]
    moved, trace = model.replace(changes).forward([1, 2, 3, 0]), model.forward([1, 2, 3, 0])
    np.testing.assert_allclose(moved["logits"], trace["logits"], rtol=0, atol=1e-11)
    pattern = "blocks.1.attn.pattern"
    np.testing.assert_allclose(moved[pattern], trace[pattern][order], rtol=0, atol=1e-12)
    assert not np.allclose(moved[pattern], trace[pattern])


def test_grouped_queries_equal_a_model_whose_keys_and_values_are_repeated() -> None:
    model = of_kind("llama", n_heads=4, d_head=4, n_key_value_heads=2, n_layers=1)
    prefix = "blocks.0.attn."
    q, k, v = np.split(np.arange(32), [16, 24])
    repeated = np.repeat(np.arange(2), 2)[:, None] * 4 + np.arange(4)
    columns = np.concatenate([q, k[repeated.ravel()], v[repeated.ravel()]])
    full = Model(
        visualizer.ModelConfig(**{**model.config.to_dict(), "n_key_value_heads": 4}),
        {
            **model.parameters,
            f"{prefix}c_attn.w": model.parameters[f"{prefix}c_attn.w"][:, columns],
            f"{prefix}c_attn.b": model.parameters[f"{prefix}c_attn.b"][columns],
        },
    )
    np.testing.assert_allclose(full.forward([3, 1, 2])["logits"], model.forward([3, 1, 2])["logits"], atol=1e-12)


def test_nothing_that_a_trace_hands_out_can_be_written_to() -> None:
    prompt = np.array([1, 0, 2])
    model = of_kind("gpt-2")
    last = list(model.generate(prompt, 2))[-1].trace
    assert last is not None
    for trace in (model.forward(prompt), last):
        for array in [trace.tokens, trace.logits_at(-1), *(trace[name] for name in trace)]:
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
    prompt[0] = 0  # the caller's own is its own


def test_a_trace_that_nobody_holds_is_gone_at_once() -> None:
    gc.disable()  # no circle of references keeps its arrays until the next collection
    try:
        trace = of_kind("gpt-2").forward([1, 0, 2])
        for name in trace:
            trace.explain(name, (0,) * trace[name].ndim)
        gone = weakref.ref(trace)
        del trace
        assert gone() is None
    finally:
        gc.enable()
