"""Interventions: what is done to an activation is there, and the rest of the pass follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import visualizer
from tests.engine.models import KINDS, Array, assert_same_bits, models_and_tokens, of_kind, reference_of
from visualizer.engine.interventions import Index, Intervention, Kind, within
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.errors import InterventionError

TOKENS = [1, 5, 0, 2]
Where = tuple[tuple[str, Index], ...]


def by_hand(kind: Kind, array: Array, axes: Sequence[str]) -> Array:
    """The whole of an activation after an intervention with the value 1.5; what is hidden stays as it was."""
    done = {"zero": np.zeros_like(array), "set": np.full_like(array, 1.5), "scale": array * 1.5, "add": array + 1.5}
    if kind in done:
        return np.where(np.tri(*array.shape[-2:]) > 0, done[kind], array) if "key" in axes else done[kind]
    if "key" not in axes:
        return np.broadcast_to(array.mean(axis=0, keepdims=True), array.shape)
    out = array.copy()
    for head in range(array.shape[0]):
        for query in range(array.shape[1]):
            out[head, query, : query + 1] = array[head, query, : query + 1].mean()
    return out


@given(st.data())
def test_any_activation_takes_the_numbers_and_only_what_lies_downstream_follows(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    trace = model.forward(tokens)
    name = data.draw(st.sampled_from(list(trace)))
    kind: Kind = data.draw(st.sampled_from(["zero", "set", "scale", "add", "mean"]))
    changed = model.forward(tokens, interventions=[Intervention(name, kind, (), 1.5)])
    expected = by_hand(kind, trace[name], trace.axes(name))
    np.testing.assert_allclose(changed[name], expected, rtol=1e-12, atol=1e-12)
    downstream = model.graph.downstream(activations=[name])
    assert name in downstream
    for other in set(trace) - downstream:
        assert np.array_equal(changed[other], trace[other]), other


@given(st.data())
def test_many_texts_at_once_are_intervened_in_as_each_alone(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    name = data.draw(st.sampled_from(list(model.graph.names)))
    kind: Kind = data.draw(st.sampled_from(["zero", "set", "scale", "add", "mean", "patch"]))
    source = model.forward(tokens[::-1])[name] if kind == "patch" else None
    change = Intervention(name, kind, (), 1.5, source)
    batch = np.array([tokens, tokens[::-1]])
    together = model.forward_batch(batch, [change])["logits"]
    for row, one in enumerate(batch):
        alone = model.forward(one, interventions=[change])["logits"]
        np.testing.assert_allclose(together[row], alone, rtol=1e-9, atol=1e-9)


def test_two_patches_are_equal_only_where_they_put_the_same_array() -> None:
    array = np.zeros((2, 2))
    assert Intervention("embed", "patch", array=array) == Intervention("embed", "patch", array=array)
    assert Intervention("embed", "patch", array=array) != Intervention("embed", "patch", array=array.copy())


@given(st.data())
def test_what_is_recorded_after_an_intervention_is_computed_from_it(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    name = data.draw(st.sampled_from(list(model.graph.names)))
    changed = model.forward(tokens, interventions=[Intervention(name, "scale", (), 0.5)])
    # Every other number explains itself from the recorded ones: nothing went round the change.
    generator = np.random.default_rng(len(tokens))
    for other in changed:
        cell = tuple(int(generator.integers(size)) for size in changed[other].shape)
        if other == name or other.endswith(("qk", "scaled", "scores")):
            continue
        explanation = changed.explain(other, cell)
        sizes = [abs(s.value) for term in explanation.terms for s in term.sources if abs(s.value) < 1e9]
        size = max([1.0, *sizes, *(abs(term.value) for term in explanation.terms)])
        assert explanation.recombine() == pytest.approx(explanation.value, rel=1e-9, abs=1e-10 * size), other


@pytest.mark.parametrize("kind", ["LN", "RMS"])
def test_a_norm_follows_from_its_own_mean_and_scale(kind: str) -> None:
    model = of_kind("gpt-2", normalization_type=kind)
    trace = model.forward(TOKENS)
    x, gain = trace["blocks.0.resid_mid"], model.parameters["blocks.0.ln_2.g"]
    bias = model.parameters["blocks.0.ln_2.b"]
    centre = trace["blocks.0.ln2.mean"] if kind == "LN" else 0.0
    frozen = model.forward(TOKENS, interventions=[Intervention("blocks.0.ln2.scale", "set", (), 2.0)])
    np.testing.assert_allclose(frozen["blocks.0.ln2.normalized"], (x - centre) / 2 * gain + bias, rtol=1e-12)
    assert not np.allclose(frozen["blocks.0.mlp.pre"], trace["blocks.0.mlp.pre"])
    if kind == "LN":
        moved = model.forward(TOKENS, interventions=[Intervention("blocks.0.ln2.mean", "add", (), 1.0)])
        centred = x - centre - 1
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + model.config.eps)
        np.testing.assert_allclose(moved["blocks.0.ln2.scale"], scale, rtol=1e-12)
        np.testing.assert_allclose(moved["blocks.0.ln2.normalized"], centred / scale * gain + bias, rtol=1e-12)


@pytest.mark.parametrize("kind", ["LN", "RMS"])
def test_a_scale_of_zero_is_explained_as_what_it_gives(kind: str) -> None:
    model = of_kind("gpt-2", normalization_type=kind)
    zero = Intervention("blocks.0.ln2.scale", "zero")
    trace = model.forward(TOKENS, interventions=[zero])
    assert np.isinf(trace["blocks.0.ln2.normalized"]).all()
    assert trace.explain("blocks.0.ln2.normalized", (1, 2)).recombine() == trace["blocks.0.ln2.normalized"][1, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_silencing_a_head_leaves_the_others_to_speak(kind: str) -> None:
    model = of_kind(kind)
    for name in ("blocks.0.attn.z", "blocks.0.attn.result"):
        trace = model.forward(TOKENS)
        silent = model.forward(TOKENS, interventions=[Intervention(name, "zero", (("head", 1),))])
        bias = model.parameters["blocks.0.attn.c_proj.b"]
        np.testing.assert_allclose(
            silent["blocks.0.attn_out"], trace["blocks.0.attn.result"][:, 0] + bias, rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_zeroed_head_equals_a_model_without_its_rows_of_the_projection(kind: str) -> None:
    model = of_kind(kind)
    weight = model.parameters["blocks.1.attn.c_proj.w"].copy()
    weight[4:] = 0
    without = Model(model.config, {**model.parameters, "blocks.1.attn.c_proj.w": weight})
    silent = model.forward(TOKENS, interventions=[Intervention("blocks.1.attn.z", "zero", (("head", 1),))])
    np.testing.assert_allclose(silent["logits"], reference_of(without, np.array(TOKENS))["logits"], rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", ["qk", "scaled", "scores"])
def test_a_score_raised_by_an_intervention_draws_the_attention(name: str) -> None:
    model = of_kind("gpt-2")
    where: Where = (("head", 0), ("query", 3), ("key", 1))
    changed = model.forward(TOKENS, interventions=[Intervention(f"blocks.0.attn.{name}", "set", where, 500.0)])
    assert changed["blocks.0.attn.pattern"][0, 3].tolist() == pytest.approx([0, 1, 0, 0])
    np.testing.assert_allclose(changed["blocks.0.attn.z"][3, 0], changed["blocks.0.attn.v"][1, 0], rtol=1e-12)
    untouched = model.forward(TOKENS)
    np.testing.assert_allclose(
        changed["blocks.0.attn.pattern"][1], untouched["blocks.0.attn.pattern"][1], rtol=1e-12, atol=1e-15
    )


def test_a_pattern_row_written_by_hand_is_what_mixes_the_values() -> None:
    model = of_kind("llama")
    changes = [
        Intervention("blocks.1.attn.pattern", "zero", (("query", 2),)),
        Intervention("blocks.1.attn.pattern", "set", (("query", 2), ("key", 0)), 0.25),
        Intervention("blocks.1.attn.pattern", "set", (("query", 2), ("key", 2)), 0.75),
    ]
    trace = model.forward(TOKENS, interventions=changes)
    v = trace["blocks.1.attn.v"]
    np.testing.assert_allclose(trace["blocks.1.attn.z"][2, 0], 0.25 * v[0, 0] + 0.75 * v[2, 0], rtol=1e-12)
    assert not np.array_equal(trace["logits"][2], model.forward(TOKENS)["logits"][2])


@given(st.data())
def test_patching_a_run_into_itself_changes_no_bit(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    trace = model.forward(tokens)
    eager = [name for name in trace if name in trace.recorded]
    names = data.draw(st.lists(st.sampled_from(eager), min_size=1, max_size=3))
    patches = [Intervention(name, "patch", (), array=trace[name]) for name in names]
    assert_same_bits(model.forward(tokens, interventions=patches), trace)


@pytest.mark.parametrize("name", ["qk", "scaled", "scores", "result"])
@pytest.mark.parametrize("kind", KINDS)
def test_patching_a_derived_activation_into_its_own_run_changes_nothing(kind: str, name: str) -> None:
    model = of_kind(kind)
    trace = model.forward(TOKENS)
    patch = Intervention(f"blocks.0.attn.{name}", "patch", (), array=trace[f"blocks.0.attn.{name}"])
    patched = model.forward(TOKENS, interventions=[patch])
    for other in trace:
        np.testing.assert_allclose(patched[other], trace[other], rtol=1e-12, atol=1e-12, err_msg=other)


def test_patching_the_last_stream_brings_the_other_runs_logits() -> None:
    model = of_kind("llama")
    other = model.forward([3, 3, 1, 0])
    patch = Intervention("blocks.1.resid_post", "patch", (("position", -1),), array=other["blocks.1.resid_post"])
    trace = model.forward(TOKENS, interventions=[patch])
    np.testing.assert_allclose(trace["logits"][-1], other["logits"][-1], rtol=1e-12, atol=1e-12)
    assert np.array_equal(trace["logits"][:-1], model.forward(TOKENS)["logits"][:-1])


def test_a_patch_may_come_from_a_longer_run_but_not_from_a_shorter() -> None:
    model = of_kind("gpt-2")
    stream = model.forward([*TOKENS, 3])["blocks.0.resid_mid"]
    trace = model.forward(TOKENS, interventions=[Intervention("blocks.0.resid_mid", "patch", (), array=stream)])
    assert np.array_equal(trace["blocks.0.resid_mid"], stream[:4])
    patch = Intervention("blocks.0.resid_mid", "patch", (), array=stream[:2])
    with pytest.raises(InterventionError, match=r"has shape \[2, 8\]"):
        model.forward(TOKENS, interventions=[patch])
    part = Intervention("blocks.0.resid_mid", "patch", (("position", 1),), array=stream[:2])
    assert np.array_equal(model.forward(TOKENS, interventions=[part])["blocks.0.resid_mid"][1], stream[1])


@given(st.data())
def test_one_that_is_switched_off_does_nothing(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    name = data.draw(st.sampled_from(list(model.graph.names)))
    off = Intervention(name, "set", (), 9.0, enabled=False)
    trace = model.forward(tokens)
    assert_same_bits(model.forward(tokens, interventions=[off]), trace)
    assert_same_bits(model.forward(tokens, interventions=[off], reuse=trace), trace)


@pytest.mark.parametrize("kind", KINDS)
def test_taking_an_intervention_away_restores_the_bits(kind: str) -> None:
    model = of_kind(kind)
    plain = model.forward(TOKENS)
    for name in plain:
        changed = model.forward(TOKENS, interventions=[Intervention(name, "zero")], reuse=plain)
        assert_same_bits(changed, model.forward(TOKENS, interventions=[Intervention(name, "zero")]))
        assert_same_bits(model.forward(TOKENS, reuse=changed), plain)


def test_what_lies_before_an_intervention_is_not_computed_again() -> None:
    model = of_kind("gpt-2")
    trace = model.forward(TOKENS)
    changed = model.forward(TOKENS, interventions=[Intervention("blocks.1.mlp.post", "zero")], reuse=trace)
    for name in ("embed", "blocks.0.resid_post", "blocks.1.attn.pattern", "blocks.1.mlp.pre"):
        assert changed.recorded[name] is trace.recorded[name]


def test_several_apply_in_order() -> None:
    name = "blocks.0.resid_mid"
    changes = [
        Intervention(name, "set", (), 2.0),
        Intervention(name, "add", (), 1.0),
        Intervention(name, "scale", (), 3),
    ]
    assert (of_kind("gpt-2").forward(TOKENS, interventions=changes)[name] == 9).all()
    assert (of_kind("gpt-2").forward(TOKENS, interventions=changes[::-1])[name] == 2).all()


@pytest.mark.parametrize(
    ("where", "touched"),
    [
        ((("position", 1),), [1]),
        ((("position", -1),), [3]),
        ((("position", (1, 3)),), [1, 2]),
        ((("position", None),), [0, 1, 2, 3]),
        ((), [0, 1, 2, 3]),
    ],
)
def test_where_it_applies(where: Where, touched: list[int]) -> None:
    model = of_kind("gpt-2")
    name = "blocks.0.attn_out"
    trace, changed = model.forward(TOKENS), model.forward(TOKENS, interventions=[Intervention(name, "zero", where)])
    for position in range(4):
        assert (position in touched) == (not changed[name][position].any())
        assert position in touched or np.array_equal(changed[name][position], trace[name][position])


@pytest.mark.parametrize(
    ("name", "where", "said"),
    [
        ("blocks.2.attn.z", (), "no activation 'blocks.2.attn.z'; this model has embed"),
        (
            "blocks.0.attn.z",
            (("query", 0),),
            "has no axis 'query'; its axes are position, head, d_head",
        ),
        ("blocks.0.attn.z", (("head", 2),), "has 2 entries on its axis 'head'; there is no 2"),
        ("blocks.0.attn.z", (("position", -5),), "has 4 entries on its axis 'position'; there is no -5"),
        ("blocks.0.attn.z", (("position", (2, 2)),), "there is no 2–1"),
        ("blocks.0.attn.z", (("position", (0, 5)),), "there is no 0–4"),
    ],
)
def test_a_place_that_is_not_there_is_refused(name: str, where: Where, said: str) -> None:
    with pytest.raises(InterventionError) as error:
        of_kind("gpt-2").forward(TOKENS, interventions=[Intervention(name, "zero", where)])
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "freeze"}, "'freeze' is not a kind of intervention; set, zero, mean, scale, add, patch are"),
        ({"kind": "patch"}, "an array goes with 'patch', and only with it"),
        ({"kind": "zero", "array": np.zeros(3)}, "an array goes with 'patch'"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InterventionError) as error:
        Intervention("logits", **fields)
    assert said in str(error.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_hidden_score_that_is_not_a_number_stays_hidden(bad: float) -> None:
    model = of_kind("gpt-2")
    where: Where = (("query", 1), ("key", 3))
    trace: Trace = model.forward(TOKENS)
    for name in ("qk", "scaled", "scores"):
        changed = model.forward(TOKENS, interventions=[Intervention(f"blocks.0.attn.{name}", "set", where, bad)])
        np.testing.assert_allclose(changed["logits"], trace["logits"], rtol=1e-12, atol=1e-12)


def test_the_handmade_model_with_its_look_back_knocked_out() -> None:
    model = visualizer.handmade("aab")
    only_self = [
        Intervention("blocks.0.attn.pattern", "zero", (("query", 2),)),
        Intervention("blocks.0.attn.pattern", "set", (("query", 2), ("key", 2)), 1.0),
    ]
    assert model.forward("aba")["logits"][2].tolist() == [1025, 0]
    assert model.forward("aba", interventions=only_self)["logits"][2].tolist() == [1, 1024]


@pytest.mark.parametrize(
    ("where", "count", "left"),
    [
        ((("position", 3),), 3, None),
        ((("position", 3),), 4, (("position", 3),)),
        ((("position", (1, 6)),), 3, (("position", (1, 3)),)),
        ((("position", (3, 6)),), 3, None),
        ((("position", -4),), 3, None),
        ((("position", -1), ("head", 1)), 3, (("position", -1), ("head", 1))),
    ],
)
def test_what_lies_beyond_a_pass_is_left_out(where: Where, count: int, left: Where | None) -> None:
    graph = of_kind("gpt-2").graph
    change = Intervention("blocks.0.attn.z", "zero", where)
    kept = within([change], graph, count)
    assert [c.where for c in kept] == ([] if left is None else [left])
    assert not within([replace(change, enabled=False)], graph, 9)


def test_a_patch_from_a_shorter_run_covers_the_positions_that_both_have() -> None:
    model = of_kind("gpt-2")
    stream = model.forward([4, 4])["blocks.0.resid_mid"]
    patch = Intervention("blocks.0.resid_mid", "patch", (), array=stream)
    trace = model.forward(TOKENS, interventions=within([patch], model.graph, 4))
    assert np.array_equal(trace["blocks.0.resid_mid"][:2], stream)
    assert np.array_equal(trace["blocks.0.resid_mid"][2:], model.forward(TOKENS)["blocks.0.resid_mid"][2:])


def test_a_generation_grows_into_an_intervention_at_a_later_position() -> None:
    model = of_kind("gpt-2")
    change = Intervention("blocks.1.resid_post", "zero", (("position", 3),))
    plain, changed = (list(model.generate([1, 2], 4, interventions=c)) for c in ((), (change,)))
    assert [step.token for step in changed[:2]] == [step.token for step in plain[:2]]
    for step in changed[2:]:
        assert step.trace is not None
        assert not step.trace["blocks.1.resid_post"][3].any()


@pytest.mark.parametrize("name", ["qk", "scaled", "scores", "pattern"])
def test_a_hidden_cell_takes_nothing_so_the_future_stays_out(name: str) -> None:
    model = visualizer.handmade("aab")
    before, where = model.forward("aabaa"), (("head", 0), ("query", 1), ("key", 3))
    changed = model.forward("aabaa", interventions=[Intervention(f"blocks.0.attn.{name}", "set", where, 5.0)])
    assert all(np.array_equal(changed[other], before[other]) for other in before)
    explained = changed.explain(f"blocks.0.attn.{name}", (0, 1, 3))
    assert "intervention" not in explained.formula


@pytest.mark.parametrize("kind", KINDS)
def test_an_intervention_in_a_pass_over_nothing_does_nothing(kind: str) -> None:
    model = of_kind(kind)
    changes = [Intervention(name, "mean") for name in model.graph.names]
    assert all(array.size == 0 for array in model.forward([], interventions=changes).values())


def test_where_is_given_as_a_mapping_or_as_pairs() -> None:
    model = of_kind("gpt-2")
    by_name = Intervention("blocks.0.attn.pattern", "zero", {"head": 1, "query": (1, 3)})
    by_pairs = Intervention("blocks.0.attn.pattern", "zero", (("head", 1), ("query", (1, 3))))
    assert by_name == by_pairs
    assert hash(by_name) == hash(by_pairs)
    assert by_name.where == (("head", 1), ("query", (1, 3)))
    assert Intervention("logits", "zero").where == ()
    pattern = model.forward([1, 2, 3], interventions=[by_name])["blocks.0.attn.pattern"]
    assert (pattern.sum(axis=-1) == 0).tolist() == [[False] * 3, [False, True, True]]
    with pytest.raises(InterventionError, match=r"where is \['head', 3\]; axes and their indices, as in"):
        Intervention("logits", "zero", ["head", 3])  # type: ignore[arg-type]
