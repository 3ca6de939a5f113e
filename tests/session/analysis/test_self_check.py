"""The self-check finds a wrong number, and finds none in what the engine computed."""

from typing import Any

import numpy as np
import pytest

from tests.engine.models import KINDS, of_kind
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.formats import open_preset
from visualizer.session.analysis.self_check import self_check
from visualizer.session.analysis.trace_at_position import at_position

TOKENS = np.array([1, 4, 0, 4, 2])


def large() -> Model:
    """A model that is too large for the reference implementation."""
    return of_kind("gpt-2", d_model=64, n_heads=4, d_mlp=128, d_vocab=50, n_ctx=40, dtype="float32")


def with_error(trace: Trace, name: str, cell: tuple[int, ...], error: float) -> Trace:
    """The same trace with one number wrong."""
    recorded = dict(trace.recorded)
    recorded[name] = recorded[name].copy()
    recorded[name][cell] += error
    return Trace(trace.graph, trace.parameters, trace.tokens, recorded, trace.interventions)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_agrees_with_the_second_implementation(kind: str, dtype: str) -> None:
    model = of_kind(kind, dtype=dtype)
    trace = model.forward(TOKENS)
    check = self_check(model, trace)
    assert (check.kind, check.ok) == ("reference", True)
    assert check.count == sum(trace[name].size for name in trace)
    assert check.worst < (1e-4 if dtype == "float32" else 1e-12)


def test_the_handmade_model_agrees_exactly() -> None:
    model = open_preset("aab").model
    assert self_check(model, model.forward("aabaa")).worst == 0


def test_at_the_very_edge_of_a_flip_it_still_agrees() -> None:
    # Scores of 362 and logits of 1024: rounding decides how far apart two all but equal logits are.
    model = open_preset("aab").model
    weights = np.array(model.parameters["blocks.0.attn.c_attn.w"])
    weights[5, 2] = np.float32(1022.84955)
    edge = model.replace({"blocks.0.attn.c_attn.w": weights})
    trace = edge.forward("aabaa")
    assert 0.5 < trace["probs"][4, 0] < 0.51
    assert self_check(edge, trace).ok


@pytest.mark.parametrize("name", ["blocks.0.attn.v", "blocks.1.mlp.post", "logits", "blocks.1.attn.pattern"])
def test_a_wrong_number_is_named(name: str) -> None:
    model = of_kind("gpt-2", dtype="float32")
    trace = model.forward(TOKENS)
    cell = tuple(size - 1 for size in trace[name].shape)
    check = self_check(model, with_error(trace, name, cell, 0.1))
    assert check.where is not None
    assert (check.where.name, check.where.cell) == (name, cell)
    assert check.got - check.expected == pytest.approx(0.1, abs=1e-4)


def test_an_error_of_less_than_a_hundredth_that_no_rounding_explains_is_found_in_single_precision() -> None:
    model = of_kind("gpt-2", dtype="float32")
    check = self_check(model, with_error(model.forward(TOKENS), "blocks.0.attn.pattern", (0, 3, 1), 4e-3))
    assert check.where is not None
    assert (check.where.name, check.where.cell) == ("blocks.0.attn.pattern", (0, 3, 1))


def test_however_steep_a_softmax_is_an_error_of_more_than_a_hundredth_is_found() -> None:
    model = open_preset("aab").model  # its scores of 362 and logits of 1024 would allow for two hundredths
    trace = model.forward("aabaa")
    assert self_check(model, with_error(trace, "blocks.0.attn.pattern", (0, 4, 2), 0.009)).ok
    check = self_check(model, with_error(trace, "blocks.0.attn.pattern", (0, 4, 2), 0.012))
    assert check.where is not None
    assert (check.where.name, check.where.cell) == ("blocks.0.attn.pattern", (0, 4, 2))


def test_nan_and_infinity_agree_with_themselves_and_with_nothing_else() -> None:
    model = of_kind("gpt-2")
    broken = model.replace({"wte": np.where(np.arange(6)[:, None] == 4, np.nan, model.parameters["wte"])})
    trace = broken.forward(TOKENS)
    assert trace.nonfinite() > 0
    assert self_check(broken, trace).ok
    check = self_check(model, with_error(model.forward(TOKENS), "embed", (2, 1), np.nan))
    assert check.where is not None
    assert check.where.name == "embed"


def test_with_interventions_the_run_without_them_is_checked() -> None:
    model = of_kind("gpt-2")
    check = self_check(model, model.forward(TOKENS, interventions=[Intervention("blocks.0.attn.z", "zero")]))
    assert check.ok
    assert check.without_interventions


@pytest.mark.parametrize("changes", [(), (Intervention("blocks.0.mlp_out", "scale", value=2.0),)])
def test_a_larger_model_is_sampled(changes: tuple[Intervention, ...]) -> None:
    model = large()
    trace = model.forward(np.arange(40), interventions=changes)
    for seed in range(5):
        check = self_check(model, trace, seed)
        assert (check.kind, check.ok, check.without_interventions) == ("sampled", True, False)
        assert check.count >= 4


def test_the_sample_finds_an_array_that_is_wrong() -> None:
    model = large()
    trace = model.forward(np.arange(40))
    recorded = dict(trace.recorded)
    recorded["blocks.1.attn_out"] = recorded["blocks.1.attn_out"] + np.float32(0.5)
    wrong = Trace(trace.graph, trace.parameters, trace.tokens, recorded)
    found = {check.where.name for seed in range(20) if (check := self_check(model, wrong, seed)).where is not None}
    assert found
    assert found <= {"blocks.1.attn_out", "blocks.1.resid_mid"}


def test_the_sample_finds_an_error_of_less_than_a_hundredth_of_what_went_in() -> None:
    model = large()
    trace = model.forward(np.arange(40))
    recorded = dict(trace.recorded)
    recorded["blocks.1.attn_out"] = recorded["blocks.1.attn_out"] + np.float32(0.05)
    wrong = Trace(trace.graph, trace.parameters, trace.tokens, recorded)
    found = {check.where.name for seed in range(20) if (check := self_check(model, wrong, seed)).where is not None}
    assert "blocks.1.attn_out" in found


@pytest.mark.parametrize("kind", KINDS)
def test_one_position_of_a_trace_is_that_of_the_whole(kind: str) -> None:
    model: Any = of_kind(kind)
    trace = model.forward(TOKENS)
    one = at_position(trace, 3)
    for name in ("blocks.1.attn.result", "blocks.1.resid_post", "logits", "probs"):
        np.testing.assert_allclose(one[name][0], trace[name][3], rtol=1e-12, atol=1e-12)
    with pytest.raises(IndexError):
        at_position(trace, 5)


@pytest.mark.parametrize("number", [1e18, 1e20, 1e30, 3e38])
def test_what_overflows_single_precision_overflows_in_the_second_implementation_too(number: float) -> None:
    model = open_preset("aab").model
    wte = np.array(model.parameters["wte"])
    wte[0, 0] = number
    loud = model.replace({"wte": wte})
    for prompt in ("aabaa", "b", "bab"):
        assert self_check(loud, loud.forward(prompt)).ok
