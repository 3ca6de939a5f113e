"""NaN and infinity show where they are and reach only what depends on them; the future never changes the past."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import visualizer
from tests.engine.models import KINDS, Array, bits, models, of_kind, tokens_for
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace

BAD = [np.nan, np.inf, -np.inf, 1e30]


def rows_until(trace: Trace, name: str, count: int) -> Array:
    """The part of an activation that the first `count` positions may depend on, hidden cells left out."""
    if "key" in trace.axes(name):
        return trace[name][:, :count, :count] * np.tri(count)
    return trace[name][:count]


def assert_same_past(left: Trace, right: Trace, count: int) -> None:
    for name in left:
        a, b = rows_until(left, name, count), rows_until(right, name, count)
        assert np.array_equal(bits(a), bits(b)), name


@given(st.data())
def test_tokens_to_come_change_no_bit_of_the_past(data: st.DataObject) -> None:
    model = data.draw(models())
    tokens = data.draw(tokens_for(model.config))
    other = data.draw(tokens_for(model.config, len(tokens), len(tokens)))
    count = data.draw(st.integers(0, len(tokens)))
    other[:count] = tokens[:count]
    assert_same_past(model.forward(tokens), model.forward(other), count)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("kind", [kind for kind, fields in KINDS.items() if "positional_embedding_type" not in fields])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_broken_position_changes_no_bit_before_it(kind: str, bad: float, dtype: str) -> None:
    model = of_kind(kind, dtype=dtype)
    positions = model.parameters["wpe"].copy()
    positions[4] = bad
    tokens = [1, 0, 2, 2, 4, 5]
    assert_same_past(model.forward(tokens), model.replace({"wpe": positions}).forward(tokens), 4)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_token_changes_no_bit_before_it(kind: str, bad: float) -> None:
    model = of_kind(kind, tie_embeddings=False)
    table = model.parameters["wte"].copy()
    table[3, 1] = bad
    tokens = [1, 0, 2, 3, 4, 5]
    assert_same_past(model.forward(tokens), model.replace({"wte": table}).forward(tokens), 3)


@pytest.mark.parametrize("bad", BAD)
def test_a_broken_late_position_of_a_long_pass_changes_no_bit_before_it(bad: float) -> None:
    model = of_kind("gpt-2", n_ctx=150, n_layers=1)
    positions = model.parameters["wpe"].copy()
    positions[100] = bad
    tokens = np.arange(150) % 6
    assert_same_past(model.forward(tokens), model.replace({"wpe": positions}).forward(tokens), 100)


def test_nan_in_a_position_of_the_handmade_model_leaves_the_rows_before_it() -> None:
    model = visualizer.handmade("aab")
    positions = model.parameters["wpe"].copy()
    positions[4, 2] = np.nan
    broken, whole = model.replace({"wpe": positions}).forward("aabaa"), model.forward("aabaa")
    assert_same_past(broken, whole, 4)
    assert np.isnan(broken["logits"][4]).all()
    assert np.isnan(broken["blocks.0.attn.pattern"][0, 4]).all()


def test_a_nan_in_a_weight_shows_in_what_reads_it_and_is_counted() -> None:
    model = visualizer.handmade("aab")
    weight = model.parameters["blocks.0.attn.c_attn.w"].copy()
    weight[5, 23] = np.nan  # what "a" writes into the scratch value: every row has it as a factor
    trace = model.replace({"blocks.0.attn.c_attn.w": weight}).forward("aab")
    assert np.argwhere(np.isnan(trace["blocks.0.attn.v"])).tolist() == [[0, 0, 7], [1, 0, 7], [2, 0, 7]]
    assert np.isfinite(trace["blocks.0.attn.pattern"]).all()
    assert np.isnan(trace["blocks.0.attn.z"][:, 0, 7]).all()
    assert np.isnan(trace["logits"]).all()
    assert trace.nonfinite() == sum(int((~np.isfinite(trace.recorded[name])).sum()) for name in trace.recorded)
    assert trace.nonfinite() > 0
    assert model.forward("aab").nonfinite() == 0


@given(st.data())
def test_numbers_that_are_not_finite_never_crash_or_warn_in_any_weight(data: st.DataObject) -> None:
    model = data.draw(models(data.draw(st.sampled_from(["float32", "float64"]))))
    name = data.draw(st.sampled_from(list(model.parameters)))
    array = model.parameters[name].copy()
    array.flat[data.draw(st.integers(0, array.size - 1))] = data.draw(st.sampled_from(BAD))
    broken = model.replace({name: array})
    trace = broken.forward(data.draw(tokens_for(model.config)))
    assert trace.nonfinite() == sum(int((~np.isfinite(array)).sum()) for array in trace.recorded.values())
    for activation in trace:  # the derived ones too
        assert trace[activation].dtype == model.config.dtype
    for step in broken.generate(trace.tokens, 3, temperature=data.draw(st.sampled_from([0.0, 1.0]))):
        assert 0 <= step.token < model.config.d_vocab


@given(st.data())
def test_a_nan_never_becomes_a_number_again(data: st.DataObject) -> None:
    model = data.draw(models())
    assume("lm_head.w" in model.parameters)
    table = model.parameters["lm_head.w"].copy()
    column = data.draw(st.integers(0, model.config.d_vocab - 1))
    table[0, column] = np.nan
    trace = model.replace({"lm_head.w": table}).forward(data.draw(tokens_for(model.config)))
    assert np.isnan(trace["logits"][:, column]).all()
    assert np.isnan(trace["probs"]).all()


def test_a_token_that_is_nan_is_never_chosen() -> None:
    model = of_kind("gpt-2", tie_embeddings=False)
    table = model.parameters["lm_head.w"].copy()
    (before,) = model.generate([1, 2], 1)
    table[:, before.token] = np.nan
    broken: Model = model.replace({"lm_head.w": table})
    (after,) = broken.generate([1, 2], 1)
    logits = model.forward([1, 2])["logits"][-1].copy()
    logits[before.token] = -np.inf
    assert after.token == int(np.argmax(logits))
