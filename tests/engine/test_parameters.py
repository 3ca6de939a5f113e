"""Parameters: named, read-only, shared between models; what does not fit is refused by name."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import visualizer
from tests.engine.models import KINDS, all_of, assert_same_bits, configs, models, of_kind, random_parameters
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_count, parameter_shapes
from visualizer.errors import ParameterError

WEIGHT = "blocks.0.attn.c_attn.w"


@given(st.data())
def test_replacing_shares_every_other_array_and_leaves_the_old_model_alone(data: st.DataObject) -> None:
    model = data.draw(models())
    name = data.draw(st.sampled_from(list(model.parameters)))
    before = {n: array.copy() for n, array in model.parameters.items()}
    tokens = [0] * min(2, model.config.n_ctx)
    trace = all_of(model.forward(tokens))
    edited = model.replace({name: model.parameters[name] + 1})
    for other in model.parameters:
        assert (edited.parameters[other] is model.parameters[other]) == (other != name)
        assert np.array_equal(model.parameters[other], before[other])
    assert np.array_equal(edited.parameters[name], before[name] + 1)
    assert_same_bits(model.forward(tokens), trace)


@given(configs())
def test_the_count_is_that_of_all_shapes(config: ModelConfig) -> None:
    for layers in (1, 2, 5):
        deeper = replace(config, n_layers=layers)
        assert parameter_count(deeper) == sum(math.prod(shape) for shape in parameter_shapes(deeper).values())


def test_no_array_of_a_model_or_a_trace_can_be_written_to() -> None:
    model = of_kind("llama")
    trace = model.forward([1, 2, 3])
    for array in [*model.parameters.values(), *all_of(trace).values()]:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_an_array_that_its_owner_goes_on_writing_to_changes_no_model() -> None:
    model = of_kind("gpt-2")
    mine = model.parameters["wpe"].copy()
    edited = model.replace({"wpe": mine})
    mine[:] = 7
    assert np.array_equal(edited.parameters["wpe"], model.parameters["wpe"])


def test_an_array_that_nobody_can_write_to_is_not_copied() -> None:
    array = of_kind("gpt-2").parameters["wpe"]
    assert np.shares_memory(of_kind("gpt-2").replace({"wpe": array}).parameters["wpe"], array)


@pytest.mark.parametrize("kind", KINDS)
def test_an_absent_bias_counts_as_none(kind: str) -> None:
    model = of_kind(kind)
    without = {name: array for name, array in model.parameters.items() if not name.endswith(".b")}
    zeros = {name: array if name in without else np.zeros_like(array) for name, array in model.parameters.items()}
    lacking, zeroed = Model(model.config, without), Model(model.config, zeros)
    np.testing.assert_allclose(lacking.forward([1, 2])["logits"], zeroed.forward([1, 2])["logits"], rtol=1e-14)
    assert set(lacking.parameters) == set(without)


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_is_required(kind: str) -> None:
    model = of_kind(kind)
    for name in model.parameters:
        if name.endswith(".b"):
            continue
        rest = {other: array for other, array in model.parameters.items() if other != name}
        shape = list(model.parameters[name].shape)
        with pytest.raises(ParameterError) as error:
            Model(model.config, rest)
        assert str(error.value) == f"parameter {name!r} {shape} is missing"


@pytest.mark.parametrize("name", ["wqe", "blocks.2.attn.c_attn.w", "blocks.0.mlp.c_gate.w", "lm_head.w"])
def test_a_parameter_that_does_not_belong_is_refused_by_name(name: str) -> None:
    model = of_kind("gpt-2")
    with pytest.raises(ParameterError, match=f"'{name}' does not belong to this configuration"):
        Model(model.config, {**model.parameters, name: np.zeros((8, 8))})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.zeros((8, 23)), "has shape [8, 23]; [8, 24] is needed"),
        (np.zeros((24, 8)), "has shape [24, 8]; [8, 24] is needed"),
        (np.zeros(192), "has shape [192]; [8, 24] is needed"),
        (0.0, "has shape []; [8, 24] is needed"),
        ([["x"] * 24] * 8, "is not an array of numbers"),
        ([[1, 2], [3]], "is not an array of numbers"),
        ([["1"] * 24] * 8, "is not an array of numbers"),
        (np.zeros((8, 24), complex), "is not an array of numbers: complex128 is not a real number"),
        ([[10**400] * 24] * 8, "is not an array of numbers"),
    ],
)
def test_a_wrong_shape_or_no_numbers_is_refused_with_what_is_needed(value: Any, said: str) -> None:
    model = visualizer.handmade("aab")
    for attempt in (lambda: model.replace({WEIGHT: value}), lambda: rebuilt(model, {WEIGHT: value})):
        with pytest.raises(ParameterError) as error:
            attempt()
        assert str(error.value).startswith(f"parameter {WEIGHT!r} {said}")


def rebuilt(model: Model, changes: dict[str, Any]) -> Model:
    return Model(model.config, {**model.parameters, **changes})


def test_replacing_what_is_not_there_is_refused_with_what_is() -> None:
    model = visualizer.handmade("aab")
    with pytest.raises(ParameterError, match=r"no parameter 'wve'; this model has wte, wpe"):
        model.replace({"wve": np.zeros(3)})
    with pytest.raises(ParameterError, match=r"no parameter 'lm_head\.b'"):
        model.replace({"lm_head.b": np.zeros(2)})


def test_embeddings_are_tied_unless_an_unembedding_is_given() -> None:
    fields: dict[str, Any] = {"n_layers": 1, "d_model": 4, "n_ctx": 3, "d_vocab": 5, "n_heads": 1, "attn_only": True}
    config = visualizer.ModelConfig(**fields)
    arrays = random_parameters(config, 1, biases=0)
    assert Model(config, arrays).config.tie_embeddings is False
    del arrays["lm_head.w"]
    tied = Model(config, arrays)
    assert tied.config.tie_embeddings is True
    trace = tied.forward([1, 2])
    np.testing.assert_allclose(trace["logits"], trace["ln_final.normalized"] @ tied.parameters["wte"].T, rtol=1e-6)


def test_shapes_are_input_by_output_with_queries_keys_and_values_side_by_side() -> None:
    config = of_kind("llama", n_heads=4, d_head=6, n_key_value_heads=2).config
    shapes = parameter_shapes(config)
    assert shapes[WEIGHT] == (8, (4 + 2 * 2) * 6)
    assert shapes["blocks.1.attn.c_proj.w"] == (24, 8)
    assert shapes["blocks.0.mlp.c_gate.w"] == shapes["blocks.0.mlp.c_fc.w"] == (8, 10)
    assert shapes["lm_head.w"] == (8, 6)
    assert "wpe" not in shapes


def test_numbers_beyond_single_precision_become_infinite_without_a_warning() -> None:
    model = visualizer.handmade("aab")
    table = model.parameters["wte"].astype(np.float64)
    table[0, 0] = 1e300
    assert np.isposinf(model.replace({"wte": table}).parameters["wte"][0, 0])


def test_whole_numbers_are_taken_as_numbers() -> None:
    model = visualizer.handmade("aab")
    ones = [[1] * 8] * 2
    assert model.replace({"wte": ones}).parameters["wte"].dtype == np.float32


def test_counting_the_numbers_of_a_model() -> None:
    assert visualizer.handmade("aab").parameters.count() == 2 * 8 + 5 * 8 + 8 * 24 + 24 + 8 * 8 + 8


def test_asking_for_a_parameter_that_is_not_there_gives_what_was_asked_for_instead() -> None:
    parameters = visualizer.handmade("aab").parameters
    assert parameters.get("blocks.0.ln_1.g") is None
    assert parameters.get("blocks.0.ln_1.g", 3) == 3
    assert parameters.get("wte") is parameters["wte"]
