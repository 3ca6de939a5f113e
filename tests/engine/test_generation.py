"""Generation: each step as a full pass would have it, cached until the context is full."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import visualizer
from tests.engine.models import KINDS, Array, all_of, models, of_kind, reference_of, tokens_for
from visualizer.engine.generate import Step
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.sampling import argmax
from visualizer.errors import InterventionError, SamplingError, TokenError

AAB = visualizer.handmade("aab")


def texts(model: Model, prompt: Array, steps: list[Step]) -> list[Array]:
    """The tokens before each step."""
    whole = np.concatenate([prompt, [step.token for step in steps]]).astype(np.intp)
    return [whole[: len(prompt) + i] for i in range(len(steps))]


@settings(max_examples=60)
@given(st.data())
def test_every_step_equals_a_full_pass_over_its_context(data: st.DataObject) -> None:
    model = data.draw(models())
    prompt = data.draw(tokens_for(model.config, 1, model.config.n_ctx + 2))
    steps = list(model.generate(prompt, 6))
    for before, step in zip(texts(model, prompt, steps), steps, strict=True):
        context = before[-model.config.n_ctx :]
        assert step.trace is not None
        assert step.trace.tokens.tolist() == context.tolist()
        full = model.forward(context)
        for name in full:
            visible = np.ones_like(full[name], dtype=bool)
            if "key" in full.axes(name):
                visible = np.broadcast_to(np.tri(len(context), dtype=bool), full[name].shape)
            scale = 1e-9 * max(1.0, float(np.abs(full[name][visible]).max()))
            np.testing.assert_allclose(
                step.trace[name][visible], full[name][visible], rtol=1e-9, atol=scale, err_msg=name
            )


@settings(max_examples=30)
@given(st.data())
def test_greedy_takes_the_reference_implementations_most_probable_token(data: st.DataObject) -> None:
    model = data.draw(models())
    prompt = data.draw(tokens_for(model.config))
    steps = list(model.generate(prompt, 5))
    for before, step in zip(texts(model, prompt, steps), steps, strict=True):
        logits = reference_of(model, before[-model.config.n_ctx :])["logits"][-1]
        assert logits[step.token] >= logits.max() - 1e-9 * max(1.0, abs(float(logits.max())))


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_cache_spared_is_said(kind: str) -> None:
    steps = list(of_kind(kind).generate([1, 2, 3], 7))  # a context of 6
    assert [step.reused for step in steps] == [0, 3, 4, 5, 0, 0, 0]
    assert [step.position for step in steps] == [3, 4, 5, 6, 7, 8, 9]
    assert [step.context_start for step in steps] == [0, 0, 0, 0, 1, 2, 3]
    assert [len(step.trace.tokens) for step in steps if step.trace] == [3, 4, 5, 6, 6, 6, 6]


@pytest.mark.parametrize("kind", KINDS)
def test_the_record_of_an_earlier_step_is_not_changed_by_later_ones(kind: str) -> None:
    stream = of_kind(kind).generate([1, 2], 6)
    first = next(stream)
    assert first.trace is not None
    before = {name: array.copy() for name, array in all_of(first.trace).items()}
    rest = list(stream)
    assert len(rest) == 5
    for name, array in all_of(first.trace).items():
        assert np.array_equal(array, before[name]), name


def test_the_internals_of_a_step_explain_themselves() -> None:
    *_, step = of_kind("gpt-2").generate([1, 2], 3)
    assert step.trace is not None
    explanation = step.trace.explain("logits", (3, 2))
    assert explanation.recombine() == pytest.approx(explanation.value, abs=1e-9)


def test_an_empty_prompt_begins_with_the_first_token_of_the_vocabulary() -> None:
    steps = list(AAB.generate("", 5))
    assert AAB.text(step.token for step in steps) == "abaab"
    assert steps[0].trace is None
    assert steps[0].probs.tolist() == [1, 0]
    assert (steps[0].position, steps[0].reused, steps[1].reused) == (0, 0, 0)


@pytest.mark.parametrize("n", [0, -3])
def test_nothing_is_generated_where_nothing_is_asked_for(n: int) -> None:
    assert list(AAB.generate("aab", n)) == []


def test_a_tie_goes_to_the_lowest_id() -> None:
    model = of_kind("gpt-2", tie_embeddings=False)
    arrays = {**model.parameters, "lm_head.w": np.zeros((8, 6)), "lm_head.b": np.array([0.0, 2, 1, 2, 2, 0])}
    assert [step.token for step in Model(model.config, arrays).generate([5], 3)] == [1, 1, 1]


def test_argmax_never_takes_nan_unless_there_is_nothing_else() -> None:
    nan, inf = np.nan, np.inf
    assert argmax(np.array([nan, 1, 3, 3])) == 2
    assert argmax(np.array([nan, -inf, nan])) == 1
    assert argmax(np.array([nan, nan])) == 0
    assert argmax(np.array([1, inf, nan, inf])) == 1


def test_the_probabilities_of_a_step_are_those_of_its_last_position() -> None:
    for step in of_kind("llama").generate([1, 2, 3], 5):
        assert step.trace is not None
        assert np.array_equal(step.probs, step.trace["probs"][-1])
        assert step.token == int(np.argmax(step.probs))


def test_the_same_seed_gives_the_same_text_and_another_seed_another() -> None:
    model = of_kind("gpt-2")

    def sampled(seed: int) -> list[int]:
        return [step.token for step in model.generate([1], 30, temperature=3.0, seed=seed)]

    assert sampled(1) == sampled(1)
    assert sampled(1) != sampled(2)


def test_sampling_onwards_from_a_generated_text_repeats_what_came_after() -> None:
    model = of_kind("llama")
    whole = [step.token for step in model.generate([1, 2], 12, temperature=2.0, seed=7)]
    rest = [step.token for step in model.generate([1, 2, *whole[:5]], 7, temperature=2.0, seed=7)]
    assert rest == whole[5:]


def test_interventions_hold_at_every_step() -> None:
    silence = Intervention("blocks.0.attn.z", "zero")
    steps = list(AAB.generate("aab", 5, interventions=[silence]))
    assert AAB.text(step.token for step in steps) == "aaaaa"  # the bias alone speaks for a
    for step in steps:
        assert step.trace is not None
        assert not step.trace["blocks.0.attn.z"].any()


def test_what_cannot_be_served_is_refused_before_the_first_step() -> None:
    with pytest.raises(TokenError, match="'c'"):
        AAB.generate("abc", 3)
    with pytest.raises(SamplingError, match="temperature is -1"):
        AAB.generate("ab", 3, temperature=-1)
    with pytest.raises(InterventionError, match=r"no activation 'blocks\.7\.attn\.z'"):
        next(AAB.generate("ab", 3, interventions=[Intervention("blocks.7.attn.z", "zero")]))


def test_a_generation_without_an_end_is_made_as_it_is_asked_for() -> None:
    endless = AAB.generate("aab", 10**15)
    text = AAB.text(next(endless).token for _ in range(2500))
    assert text == ("aab" * 1000)[:2500]


@pytest.mark.parametrize("kind", ["sinusoidal relu", "llama"])
def test_a_context_that_nobody_fills_costs_nothing(kind: str) -> None:
    short, endless = of_kind(kind, n_ctx=100), of_kind(kind, n_ctx=10**12)
    steps = list(endless.generate([1, 2], 80))
    assert [step.token for step in steps] == [step.token for step in short.generate([1, 2], 80)]
    assert steps[-1].trace is not None
    full = endless.forward(steps[-1].trace.tokens)
    np.testing.assert_allclose(full["logits"], steps[-1].trace["logits"], rtol=1e-9)
