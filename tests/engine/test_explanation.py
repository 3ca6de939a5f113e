"""Explanations: the terms of any number recombine to it, and each term is found where it says it is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import visualizer
from tests.engine.models import KINDS, models_and_tokens, of_kind
from visualizer.engine import trace as trace_module
from visualizer.engine.explanation import Cell, Explanation, Source, Term
from visualizer.engine.interventions import Intervention, Kind
from visualizer.engine.memory import LARGE_VOCABULARY
from visualizer.engine.parameters import parameter_shapes
from visualizer.engine.trace import Trace
from visualizer.errors import InputError

EPSILON = {"float32": 2e-5, "float64": 1e-11}


def assert_explains(trace: Trace, explanation: Explanation) -> None:
    """It recombines to the recorded number, and its sources hold what they say."""
    recorded = float(trace[explanation.name][explanation.cell])
    assert explanation.value == recorded
    size = max([1e-30, abs(recorded), *(abs(term.value) for term in explanation.terms)])
    if explanation.rule == "root":
        size = math.sqrt(size)
    elif explanation.rule == "share":
        # Rounding of a score moves its exponential by as much, relatively: the scores' own size counts.
        size = max(1.0, *(abs(source.value) for term in explanation.terms for source in term.sources))
    elif explanation.name.endswith("mlp.post"):
        # Far below 0, a GELU is the small rest of 1 − 1: its rounding is that of its argument.
        size = math.prod(max(1.0, abs(source.value)) for source in explanation.terms[0].sources)
    tolerance = EPSILON[trace.parameters.config.dtype] * size
    assert explanation.recombine() == pytest.approx(recorded, rel=0, abs=tolerance)
    assert_sources_hold(trace, explanation)


def assert_sources_hold(trace: Trace, explanation: Explanation) -> None:
    """Each source names a cell that holds its value."""
    for term in explanation.terms:
        for source in term.sources:
            if source.kind == "constant":
                assert source.cell == ()
                continue
            arrays = trace if source.kind == "activation" else trace.parameters
            assert np.array_equal(source.value, arrays[source.name][source.cell], equal_nan=True)


@settings(max_examples=60)
@given(st.data())
def test_every_activation_of_every_kind_of_model_is_explained(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens(data.draw(st.sampled_from(["float32", "float64"]))))
    trace = model.forward(tokens)
    seed = data.draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    for name in trace:
        cell = tuple(int(generator.integers(size)) for size in trace[name].shape)
        assert_explains(trace, trace.explain(name, cell))


@pytest.mark.parametrize("kind", KINDS)
def test_one_can_walk_from_a_logit_down_to_the_weights(kind: str) -> None:
    model = of_kind(kind)
    trace = model.forward([1, 2, 0, 3])
    waiting: list[tuple[str, Cell]] = [("logits", (3, 1))]
    seen = set(waiting)
    weights: set[str] = set()
    activations: set[str] = set()
    while waiting:
        name, cell = waiting.pop()
        activations.add(name)
        explanation = trace.explain(name, cell)
        assert_explains(trace, explanation)
        for term in explanation.terms:
            for source in term.sources:
                step = (source.name, source.cell)
                if source.kind == "parameter":
                    weights.add(source.name)
                elif source.kind == "activation" and step not in seen:
                    seen.add(step)
                    waiting.append(step)
    assert weights == set(model.parameters)
    assert activations == set(trace) - {"probs"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_lies_before_what_it_explains(kind: str) -> None:
    trace = of_kind(kind).forward([1, 2])
    order = {name: i for i, name in enumerate(trace)}
    for name in trace:
        explanation = trace.explain(name, tuple(n - 1 for n in trace[name].shape))
        for term in explanation.terms:
            for source in term.sources:
                if source.kind == "activation":
                    # A norm explains itself by its mean and scale, which the same operation writes after it.
                    own = trace.graph.producer[source.name] is trace.graph.producer[name]
                    assert own or order[source.name] < order[name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_of_what_is_too_large_to_keep_is_explained_from_its_row(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = of_kind(kind, d_vocab=LARGE_VOCABULARY + 1)
    tokens = [1, 5000 % model.config.d_vocab, 0, 3]
    whole = model.forward(tokens)
    monkeypatch.setattr(trace_module, "KEPT_BYTES", 0)
    trace = model.forward(tokens)
    for name in trace:
        cell = tuple(size // 2 for size in trace[name].shape)
        explanation = trace.explain(name, cell)
        assert explanation.value == pytest.approx(float(whole[name][cell]), rel=1e-12, abs=1e-300)
        assert explanation.recombine() == pytest.approx(explanation.value, rel=1e-9, abs=1e-11)
        if trace.axes(name)[0] == "position":
            np.testing.assert_allclose(trace.row(name, -2), whole[name][2], rtol=1e-12, atol=1e-14)
    assert set(trace.recorded) == set(whole.recorded)
    with pytest.raises(InputError, match=r"logits has no cell \[4, 0\]; its shape is \[4, 4097\]"):
        trace.explain("logits", (4, 0))
    with pytest.raises(IndexError):
        trace.row("embed", 4)


def test_the_articles_product_is_taken_apart() -> None:
    trace = visualizer.handmade("aab").forward("aabaa")
    explanation = trace.explain("blocks.0.attn.qk", (0, 2, 1))
    assert explanation.value == 1024
    assert [term.value for term in explanation.terms] == [0, 1024, 0, 0, 0, 0, 0, 0]
    assert [str(source) for source in explanation.terms[1].sources] == [
        "blocks.0.attn.q[2,0,1]",
        "blocks.0.attn.k[1,0,1]",
    ]
    assert explanation.sorted_terms()[0] is explanation.terms[1]


def test_the_articles_softmax_is_taken_apart() -> None:
    trace = visualizer.handmade("aab").forward("aabaa")
    explanation = trace.explain("blocks.0.attn.pattern", (0, 2, 1))
    assert (explanation.value, explanation.rule, explanation.index) == (0.5, "share", 1)
    assert [term.value for term in explanation.terms] == pytest.approx([0, 1, 1], abs=1e-100)
    assert explanation.recombine() == 0.5


def test_a_masked_cell_says_that_it_is_hidden() -> None:
    trace = visualizer.handmade("aab").forward("aabaa")
    explanation = trace.explain("blocks.0.attn.pattern", (0, 1, 3))
    assert explanation.recombine() == 0
    assert "masked" in explanation.formula
    scores = trace.explain("blocks.0.attn.scores", (0, 1, 3))
    assert [term.value for term in scores.terms] == [0, -1e10]


@given(st.data())
def test_numbers_that_are_not_finite_are_explained_too(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    name = data.draw(st.sampled_from(list(model.parameters)))
    array = model.parameters[name].copy()
    array.flat[data.draw(st.integers(0, array.size - 1))] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    trace = model.replace({name: array}).forward(tokens)
    for activation in trace:
        for cell in np.argwhere(~np.isfinite(trace[activation]))[:2]:
            where = tuple(int(i) for i in cell)
            value = float(trace[activation][where])
            explained = trace.explain(activation, where).recombine()
            # Terms of both signs that are infinite add up to NaN, where their sum came first and was not.
            assert math.isnan(explained) or explained == value, activation
            assert_sources_hold(trace, trace.explain(activation, where))


@given(st.data())
def test_what_an_intervention_put_there_says_so(data: st.DataObject) -> None:
    model, tokens = data.draw(models_and_tokens())
    name = data.draw(st.sampled_from(list(model.forward(tokens))))
    trace = model.forward(tokens, interventions=[Intervention(name, "set", (), 0.25)])
    assume(trace[name].size)
    explanation = trace.explain(name, (0,) * trace[name].ndim)
    assert explanation.value == explanation.recombine() == 0.25
    assert "intervention" in explanation.formula
    assert explanation.without is not None
    np.testing.assert_allclose(explanation.without, model.forward(tokens)[name].flat[0], rtol=1e-9, atol=1e-9)


@given(st.data(), st.sampled_from(("scale", "add")))
def test_a_scaled_or_shifted_number_is_made_of_the_terms_it_had(data: st.DataObject, kind: Kind) -> None:
    model, tokens = data.draw(models_and_tokens())
    name = data.draw(st.sampled_from(list(model.forward(tokens))))
    trace = model.forward(tokens, interventions=[Intervention(name, kind, (), 0.5)])
    assume(trace[name].size)
    explanation = trace.explain(name, (0,) * trace[name].ndim)
    np.testing.assert_allclose(explanation.recombine(), explanation.value, rtol=1e-9, atol=1e-9)
    own = model.forward(tokens).explain(name, explanation.cell)
    assert explanation.without == pytest.approx(own.value, rel=1e-9, abs=1e-9)
    if own.rule == "sum":
        walked = [source for term in explanation.terms for source in term.sources if source.kind != "constant"]
        assert walked == [source for term in own.terms for source in term.sources if source.kind != "constant"]


def test_of_two_interventions_in_one_cell_the_last_is_told() -> None:
    changes = [Intervention("logits", "scale", (), 0.5), Intervention("logits", "add", (), 2.0)]
    trace = visualizer.handmade("aab").forward("aab", interventions=changes)
    explanation = trace.explain("logits", (2, 0))
    assert explanation.recombine() == explanation.value
    assert "added to" in explanation.formula
    assert explanation.without is None


@pytest.mark.parametrize(
    ("name", "cell", "said"),
    [
        ("blocks.9.attn.q", (0, 0, 0), "no activation 'blocks.9.attn.q'; this model has embed"),
        ("logits", (3, 0), "logits has no cell [3, 0]; its shape is [3, 2]"),
        ("logits", (0, -1), "logits has no cell [0, -1]"),
        ("logits", (0,), "logits has no cell [0]"),
    ],
)
def test_what_is_not_there_is_refused(name: str, cell: tuple[int, ...], said: str) -> None:
    with pytest.raises(InputError) as error:
        visualizer.handmade("aab").forward("aab").explain(name, cell)
    assert said in str(error.value)


def test_terms_are_sorted_by_what_they_contribute_with_nan_first() -> None:
    values = [1.0, math.nan, -5.0, 0.0]
    terms = tuple(Term(value, (Source("constant", "x", (), value),)) for value in values)
    ordered = [term.value for term in Explanation("x", (), math.nan, "Σ", terms).sorted_terms()]
    assert math.isnan(ordered[0])
    assert ordered[1:] == [-5.0, 1.0, 0.0]


def test_a_probability_in_a_large_vocabulary_tells_the_most_probable_tokens_and_itself() -> None:
    size = LARGE_VOCABULARY + 1000
    config = replace(of_kind("gpt-2").config, d_vocab=size, tie_embeddings=False)
    random = np.random.default_rng(0)
    shapes = parameter_shapes(config)
    model = visualizer.Model(config, {name: random.normal(size=shape) for name, shape in shapes.items()})
    trace = model.forward([5, 4000, 17])
    least = int(np.argmin(trace["probs"][2]))
    for token in (int(np.argmax(trace["probs"][2])), least):
        explanation = trace.explain("probs", (2, token))
        assert explanation.recombine() == pytest.approx(float(trace["probs"][2, token]), rel=1e-5)
        own = explanation.terms[explanation.index].sources[0]
        assert (own.name, own.cell) == ("logits", (2, token))
        assert len(explanation.terms) < 300
        assert explanation.terms[-1].sources[0].name == f"the other {size - len(explanation.terms) + 1:,} tokens"


@pytest.mark.parametrize("kind", KINDS)
def test_one_number_is_that_of_the_whole_array(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "KEPT_BYTES", 0)
    trace, whole = (of_kind(kind).forward([1, 4, 0, 2]) for _ in range(2))
    for name in trace:
        for cell in {(0,) * whole[name].ndim, tuple(n - 1 for n in whole[name].shape)}:
            assert trace.number(name, cell) == pytest.approx(whole[name][cell], rel=1e-12, abs=1e-300)
        for cell in ((-1,) * whole[name].ndim, whole[name].shape, (0,) * (whole[name].ndim + 1)):
            with pytest.raises(IndexError):
                trace.number(name, cell)
