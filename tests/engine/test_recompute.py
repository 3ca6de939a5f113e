"""After an edit only what lies downstream runs again, and nothing tells the result from a full run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import visualizer
from tests.engine.models import KINDS, all_of, assert_same_bits, models_and_tokens, of_kind, tokens_for
from visualizer.engine.interventions import Intervention, Kind
from visualizer.engine.model import Model

TOKENS = [1, 5, 0, 2]


@given(st.data())
def test_an_edit_of_any_parameters_equals_a_full_run_to_the_bit(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens(data.draw(st.sampled_from(["float32", "float64"]))))
    trace = model.forward(tokens)
    for _ in range(data.draw(st.integers(1, 3))):  # edits build on edits
        names = data.draw(st.sets(st.sampled_from(list(model.parameters)), min_size=1, max_size=3))
        changes = {}
        for name in names:
            array = model.parameters[name].copy()
            array.flat[data.draw(st.integers(0, array.size - 1))] += data.draw(st.sampled_from([1.0, -0.25, 1e6]))
            changes[name] = array
        model = model.replace(changes)
        trace = model.forward(tokens, reuse=trace)
        fresh = Model(model.config, model.parameters).forward(tokens)
        assert_same_bits(trace, fresh)
        assert set(trace.recorded) == set(fresh.recorded)


@pytest.mark.parametrize("count", [1, 5, 20, 140])  # each has its own way to the pattern
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_to_or_from_what_is_not_finite_equals_a_full_run_to_the_bit(
    kind: str, wrong: float, count: int
) -> None:
    model = of_kind(kind, dtype="float32", n_ctx=140)
    tokens = np.arange(count) % 6
    whole = model.forward(tokens)
    broken_weight = model.parameters["blocks.1.attn.c_attn.w"].copy()
    broken_weight[3, 2] = wrong
    broken = model.replace({"blocks.1.attn.c_attn.w": broken_weight})
    again = broken.forward(tokens, reuse=whole)
    assert_same_bits(again, broken.forward(tokens))
    assert_same_bits(model.forward(tokens, reuse=broken.forward(tokens)), whole)


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_lies_downstream_of_a_parameter_is_a_new_array(kind: str) -> None:
    model = of_kind(kind)
    trace = model.forward(TOKENS)
    for name in model.parameters:
        edited = model.replace({name: model.parameters[name] * 1.5})
        again = edited.forward(TOKENS, reuse=trace)
        new = {n for n in trace.recorded if again.recorded[n] is not trace.recorded[n]}
        changed = {n for n in trace.recorded if not np.array_equal(again.recorded[n], trace.recorded[n])}
        downstream = model.graph.downstream([name])
        assert changed <= new <= downstream, name
        assert changed, name
        # Looked at as data, too: a value that differs after an edit must have been announced.
        assert {n for n in trace if not np.array_equal(again[n], trace[n])} <= downstream


def test_an_edit_in_the_second_block_leaves_the_first_alone() -> None:
    model = of_kind("gpt-2")
    trace = model.forward(TOKENS)
    edited = model.replace({"blocks.1.mlp.c_fc.w": model.parameters["blocks.1.mlp.c_fc.w"] + 1})
    again = edited.forward(TOKENS, reuse=trace)
    for name in trace.recorded:
        if name.startswith(("blocks.0.", "blocks.1.attn", "blocks.1.resid_mid", "embed")):
            assert again.recorded[name] is trace.recorded[name], name
    assert again.recorded["blocks.1.mlp.pre"] is not trace.recorded["blocks.1.mlp.pre"]


def test_tied_embeddings_are_edited_at_both_ends() -> None:
    model = of_kind("gpt-2")
    trace = model.forward(TOKENS)
    table = model.parameters["wte"].copy()
    table[4, 0] += 1  # a token that the prompt lacks: only its logit can tell
    again = model.replace({"wte": table}).forward(TOKENS, reuse=trace)
    assert not np.array_equal(again["logits"][:, 4], trace["logits"][:, 4])
    assert np.array_equal(again["blocks.1.resid_post"], trace["blocks.1.resid_post"])


def test_nothing_changed_nothing_computed() -> None:
    model = of_kind("llama")
    trace = model.forward(TOKENS)
    again = model.forward(TOKENS, reuse=trace)
    assert all(again.recorded[name] is trace.recorded[name] for name in trace.recorded)


def test_undoing_an_edit_restores_the_bits() -> None:
    model = of_kind("llama")
    trace = model.forward(TOKENS)
    edited = model.replace({"blocks.0.attn.c_proj.w": model.parameters["blocks.0.attn.c_proj.w"] * 3})
    back = edited.replace({"blocks.0.attn.c_proj.w": model.parameters["blocks.0.attn.c_proj.w"]})
    assert_same_bits(back.forward(TOKENS, reuse=edited.forward(TOKENS, reuse=trace)), trace)


@given(st.data())
def test_a_trace_of_other_tokens_is_no_help_and_no_harm(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    other = data.draw(tokens_for(model.config))
    assert_same_bits(model.forward(tokens, reuse=model.forward(other)), model.forward(tokens))


def test_a_trace_of_another_model_is_no_help_and_no_harm() -> None:
    gpt, llama = of_kind("gpt-2"), of_kind("llama")
    assert_same_bits(gpt.forward(TOKENS, reuse=llama.forward(TOKENS)), gpt.forward(TOKENS))
    other = of_kind("gpt-2", seed=9)
    assert_same_bits(gpt.forward(TOKENS, reuse=other.forward(TOKENS)), gpt.forward(TOKENS))
    single = gpt.with_dtype("float32")
    assert_same_bits(gpt.forward(TOKENS, reuse=single.forward(TOKENS)), gpt.forward(TOKENS))


def test_the_trace_that_was_reused_stays_as_it_was() -> None:
    model = of_kind("gpt-2")
    trace = model.forward(TOKENS)
    before = {name: array.copy() for name, array in all_of(trace).items()}
    model.replace({"wpe": model.parameters["wpe"] * 2}).forward(TOKENS, reuse=trace)
    assert_same_bits(all_of(trace), before)


@given(st.data())
def test_edits_and_interventions_together_equal_a_full_run_to_the_bit(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    trace = model.forward(tokens)
    for _ in range(3):
        if data.draw(st.booleans()):
            name = data.draw(st.sampled_from(list(model.parameters)))
            model = model.replace({name: model.parameters[name] * 1.25})
        chosen = data.draw(st.lists(st.sampled_from(list(trace)), max_size=2))
        kinds: st.SearchStrategy[Kind] = st.sampled_from(["zero", "scale", "add", "mean"])
        changes = [Intervention(name, data.draw(kinds), (), 1.5) for name in chosen]
        trace = model.forward(tokens, interventions=changes, reuse=trace)
        assert_same_bits(trace, model.forward(tokens, interventions=changes))


def test_an_edit_of_the_handmade_model_shows_at_once() -> None:
    model = visualizer.handmade("aab")
    weight = model.parameters["blocks.0.attn.c_attn.w"].copy()
    weight[5, 23] = -1
    edited = model.replace({"blocks.0.attn.c_attn.w": weight})
    assert edited.text(step.token for step in edited.generate("aab", 6)) == "aaaaaa"
    again = edited.forward("aab", reuse=model.forward("aab"))
    assert_same_bits(again, edited.forward("aab"))
