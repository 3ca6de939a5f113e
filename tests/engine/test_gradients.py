"""Gradients are the slopes that finite differences measure: of each operation, of whole models, of every activation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.engine.models import KINDS, Array, models_and_tokens, of_kind
from visualizer.engine.config import ACTIVATIONS
from visualizer.engine.gradients import LossGradients, cross_entropy, global_norm, loss_gradients
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.ops.base import Operation, Run
from visualizer.engine.ops.linear import AttentionOutput, HeadOutputs
from visualizer.engine.ops.normalization import Norm
from visualizer.errors import InterventionError, TokenError

RELATIVE = 1e-5
STEP = 1e-5

#: What KINDS leaves out: every activation with and without a gate, over either norm, and models without a bias.
MORE: dict[str, dict[str, Any]] = {
    f"{'gated ' if gated else ''}{act_fn} over {norm}": {
        "act_fn": act_fn, "gated_mlp": gated, "normalization_type": norm,
    }
    for act_fn in ACTIVATIONS for gated in (False, True) for norm in ("LN", "RMS")
}  # fmt: skip
TOKENS = np.array([[1, 5, 0, 2, 5], [3, 3, 4, 0, 1]])
TARGETS = np.array([[5, 0, 2, 5, 1], [3, 4, 0, 1, 2]])


def small(kind: str, **changes: Any) -> Model:
    """A model of the kind in which every number can be moved in turn."""
    fields = MORE.get(kind, {})
    return of_kind(kind if kind in KINDS else "gpt-2", **{"d_model": 4, "d_head": 4, "d_mlp": 5, **fields, **changes})


def gradients_of(model: Model, tokens: Array = TOKENS, targets: Array = TARGETS) -> LossGradients:
    return loss_gradients(model.graph, model.parameters.as_dict(), tokens, targets)


def loss_of(model: Model, parameters: Mapping[str, Array], tokens: Array = TOKENS, targets: Array = TARGETS) -> float:
    """The loss by its definition, from the engine's forward pass: the mean of −log p(target)."""
    run = Run(tokens, parameters)
    for op in model.graph.schedule(("logits",)):
        op.forward(run)
    logits = run.values["logits"]
    top = logits.max(-1, keepdims=True)
    log_probs = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    return float(-np.take_along_axis(log_probs, targets[..., None], -1).mean())


def slopes(loss: Callable[[], float], array: Array) -> Array:
    """D loss / d array by central differences; `array` is moved in place, one number at a time, and put back."""
    found = np.zeros_like(array)
    for cell in np.ndindex(*array.shape):
        kept = array[cell]
        array[cell] = kept + STEP
        above = loss()
        array[cell] = kept - STEP
        below = loss()
        array[cell] = kept
        found[cell] = (above - below) / (2 * STEP)
    return found


def assert_near(gradient: Array, measured: Array, name: str) -> None:
    """Equal within RELATIVE of the larger of the two norms, or both nothing."""
    assert gradient.shape == measured.shape, name
    size = max(float(np.linalg.norm(gradient)), float(np.linalg.norm(measured)))
    assert float(np.linalg.norm(gradient - measured)) <= RELATIVE * max(size, 1e-4), name


# -- whole models


@pytest.mark.parametrize("kind", [*KINDS, *MORE])
def test_every_parameter_of_a_model_of_every_kind(kind: str) -> None:
    model = small(kind, n_layers=2 if kind in KINDS else 1)
    found = gradients_of(model)
    parameters = {name: array.copy() for name, array in model.parameters.items()}
    assert found.loss == pytest.approx(loss_of(model, parameters), rel=1e-12)
    assert list(found.parameters) == list(parameters)
    for name, array in parameters.items():
        measured = slopes(lambda: loss_of(model, parameters), array)
        assert_near(found.parameters[name], measured, name)
    assert global_norm(found.parameters) == pytest.approx(
        np.linalg.norm(np.concatenate([gradient.ravel() for gradient in found.parameters.values()])), rel=1e-12
    )


@settings(max_examples=60)
@given(models_and_tokens(), st.data())
def test_a_step_in_any_direction_changes_the_loss_as_the_gradient_says(
    drawn: tuple[Model, Array], data: st.DataObject
) -> None:
    model, tokens = drawn
    ids = st.integers(0, model.config.d_vocab - 1)
    targets = np.array(data.draw(st.lists(ids, min_size=len(tokens), max_size=len(tokens))))
    trace = model.forward(tokens)
    # Where a norm divides by next to nothing, or a ReLU has its corner, a difference is no slope.
    assume(all(trace[name].min() > 0.3 for name in trace if name.endswith(".scale")))
    assume(all(np.abs(trace[name]).min() > 1e-3 for name in trace if name.endswith("mlp.pre")))
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    direction = {name: random.normal(size=array.shape) for name, array in model.parameters.items()}
    length = global_norm(direction)
    found = gradients_of(model, tokens, targets).parameters
    expected = sum(float((found[name] * direction[name]).sum()) for name in found) / length

    def moved(by: float) -> float:
        parameters = {n: array + by / length * direction[n] for n, array in model.parameters.items()}
        return loss_of(model, parameters, tokens, targets)

    # Two steps of different length, so that the cubic term cancels.
    near = (moved(STEP) - moved(-STEP)) / (2 * STEP)
    far = (moved(2 * STEP) - moved(-2 * STEP)) / (4 * STEP)
    assert (4 * near - far) / 3 == pytest.approx(expected, rel=RELATIVE, abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_has_the_mean_of_what_each_text_has_alone(kind: str) -> None:
    model = of_kind(kind)
    together = gradients_of(model)
    alone = [gradients_of(model, tokens, targets) for tokens, targets in zip(TOKENS, TARGETS, strict=True)]
    assert together.loss == pytest.approx(np.mean([one.loss for one in alone]), rel=1e-12)
    for name, gradient in together.parameters.items():
        expected = np.mean([one.parameters[name] for one in alone], axis=0)
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_gives_what_double_precision_gives(kind: str) -> None:
    single, double = gradients_of(of_kind(kind, dtype="float32")), gradients_of(of_kind(kind))
    for name, gradient in single.parameters.items():
        assert gradient.dtype == np.float32
        scale = float(np.abs(double.parameters[name]).max())
        np.testing.assert_allclose(gradient, double.parameters[name], rtol=0, atol=2e-4 * scale + 1e-6, err_msg=name)


@pytest.mark.parametrize("length", [16, 40, 140])
def test_layouts_that_only_longer_texts_take_have_the_same_gradients(length: int) -> None:
    """From 16 tokens on scores are stored by key, from 129 on a block of queries at a time."""
    model = of_kind("llama", n_ctx=length, n_layers=1, d_model=4, d_head=4, d_mlp=5)
    random = np.random.default_rng(3)
    tokens, targets = random.integers(0, 6, (2, 2, length))
    found = gradients_of(model, tokens, targets)
    parameters = {name: array.copy() for name, array in model.parameters.items()}
    for name in ("blocks.0.attn.c_attn.w", "blocks.0.ln_1.g", "wte"):
        measured = slopes(lambda: loss_of(model, parameters, tokens, targets), parameters[name])
        assert_near(found.parameters[name], measured, name)


# -- each operation


def inputs_of(op: Operation) -> tuple[str, ...]:
    """What an operation computes from; the heads' sum is made from z, as in a pass that nobody looks into."""
    return (op.z,) if isinstance(op, AttentionOutput) else op.reads


def differentiable(op: Operation) -> tuple[str, ...]:
    """Of what it writes, that which others read."""
    return op.writes[:1] if isinstance(op, Norm) else op.writes


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_alone(kind: str) -> None:
    model = small(kind)
    whole = Run(TOKENS, model.parameters.as_dict())
    for op in model.graph.operations:
        op.forward(whole)
    for name in [name for name in whole.values if name.endswith("attn.result")]:
        del whole.values[name]  # with it, the sum of the heads would be made from it
    random = np.random.default_rng(0)
    for op in model.graph.operations:
        if isinstance(op, HeadOutputs):
            continue  # goes back together with AttentionOutput; the activations' own test moves its numbers
        values = {name: np.array(whole.values[name]) for name in inputs_of(op)}
        parameters = {name: model.parameters[name].copy() for name in op.parameters}
        weights = {name: random.normal(size=whole.values[name].shape) for name in differentiable(op)}
        for name in weights:
            if "key" in op.axes(name):  # what lies after its query is nobody's input
                weights[name] = np.tril(weights[name])

        def weighted(op: Operation = op, values: Any = values, parameters: Any = parameters, w: Any = weights) -> float:
            run = Run(TOKENS, parameters, {**whole.values, **values})
            op.forward(run)
            return sum(float((w[name] * run.values[name])[w[name] != 0].sum()) for name in w)

        run = Run(TOKENS, parameters, {**whole.values, **values})
        op.forward(run)
        gradients = {name: weight.copy() for name, weight in weights.items()}
        op.backward(run, gradients)
        for name, array in [*values.items(), *parameters.items()]:
            assert_near(gradients[name], slopes(weighted, array), f"{op.name}: {name}")


# -- activations


@pytest.mark.parametrize("kind", KINDS)
def test_every_activation_changes_the_loss_as_its_gradient_says(kind: str) -> None:
    model = of_kind(kind)
    names = model.graph.names
    found = model.loss_gradients([1, 5, 0, 2], 3, names)
    assert set(found.activations) == set(names)
    random = np.random.default_rng(1)
    reference = model.forward([1, 5, 0, 2])

    def loss(change: Intervention) -> float:
        logits = model.forward([1, 5, 0, 2], interventions=[change])["logits"][-1]
        return float(np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[3])

    for name in names:
        gradient = found.activations[name]
        assert gradient.shape == reference[name].shape, name
        cells = [tuple(int(random.integers(0, n)) for n in gradient.shape) for _ in range(6)]
        cells.append(tuple(int(i) for i in np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)))
        measured, expected = [], []
        for cell in cells:
            where = tuple((axis, int(i)) for axis, i in zip(model.graph.axes(name), cell, strict=True))
            up, down = (loss(Intervention(name, "add", where, by)) for by in (STEP, -STEP))
            measured.append((up - down) / (2 * STEP))
            expected.append(gradient[cell])
        assert_near(np.array(expected), np.array(measured), name)


def test_what_comes_after_the_logits_or_at_another_position_has_no_gradient() -> None:
    model = of_kind("gpt-2")
    found = model.loss_gradients([1, 5], 0, ["probs", "ln_final.scale"]).activations
    assert found["probs"].shape == (2, 6)
    assert found["ln_final.scale"].shape == (2, 1)
    assert not found["probs"].any()
    assert (found["ln_final.scale"] != 0).tolist() == [[False], [True]]  # only the last position is asked


def test_gradients_can_be_written_to_and_share_nothing_with_the_model() -> None:
    model = of_kind("gpt-2")
    found = model.loss_gradients([1, 5], 0, model.graph.names)
    for gradient in [*found.parameters.values(), *found.activations.values()]:
        gradient += 1
    again = model.loss_gradients([1, 5], 0, model.graph.names)
    for name, gradient in again.activations.items():
        np.testing.assert_allclose(gradient + 1, found.activations[name], rtol=0, atol=1e-12, err_msg=name)


# -- the loss


@given(st.integers(1, 6), st.integers(1, 5), st.floats(-100, 100), st.data())
def test_cross_entropy_is_what_its_definition_says(rows: int, size: int, shift: float, data: st.DataObject) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    logits = 3 * random.normal(size=(rows, size)) + shift
    targets = random.integers(0, size, rows)
    loss, gradient = cross_entropy(logits, targets)
    probs = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    assert loss == pytest.approx(float(-np.log(probs[np.arange(rows), targets]).mean()), rel=1e-9, abs=1e-12)
    one_hot = np.eye(size)[targets]
    np.testing.assert_allclose(gradient, (probs - one_hot) / rows, rtol=1e-9, atol=1e-12)


def test_a_certain_and_wrong_prediction_costs_its_margin() -> None:
    loss, gradient = cross_entropy(np.array([[0.0, 2000.0]], np.float32), np.array([0]))
    assert loss == 2000
    assert gradient.tolist() == [[-1, 1]]


def test_knowing_nothing_costs_the_logarithm_of_the_vocabulary() -> None:
    model = of_kind("gpt-2")
    zeroed = model.replace({name: np.zeros_like(array) for name, array in model.parameters.items()})
    assert zeroed.gradients([1, 5, 0], 2)[0] == pytest.approx(np.log(6))


def test_a_prompt_or_target_that_says_nothing_is_refused() -> None:
    model = of_kind("gpt-2")
    with pytest.raises(TokenError, match="the prompt is empty"):
        model.gradients([], 1)
    with pytest.raises(TokenError, match="token id 6 "):
        model.gradients([1], 6)
    with pytest.raises(InterventionError, match=r"no activation 'blocks\.0\.attn\.nothing'"):
        model.loss_gradients([1], 2, ["blocks.0.attn.nothing"])


def test_a_norm_whose_squares_lie_outside_single_precision_is_still_a_number() -> None:
    large = {"a": np.full(4, 1e30, dtype=np.float32), "b": np.zeros(2, dtype=np.float32)}
    assert global_norm(large) == pytest.approx(2e30, rel=1e-6)
    assert global_norm({"a": np.array([np.inf], dtype=np.float32)}) == np.inf
    assert np.isnan(global_norm({"a": np.array([np.nan, np.inf], dtype=np.float32)}))
