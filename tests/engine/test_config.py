"""Configurations: what may be left out, and what contradicts itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from tests.engine.models import configs
from visualizer.engine.config import ModelConfig
from visualizer.errors import ConfigError, InputError

SHAPE: dict[str, Any] = {"n_layers": 2, "d_model": 8, "n_ctx": 5, "d_vocab": 3, "n_heads": 2, "act_fn": "relu"}


def test_what_can_be_derived_may_be_left_out() -> None:
    config = ModelConfig(**SHAPE)
    assert (config.d_head, config.n_key_value_heads, config.d_mlp, config.rotary_dim) == (4, 2, 32, 0)
    assert config.tie_embeddings is None


def test_heads_follow_from_their_width() -> None:
    assert ModelConfig(**{**SHAPE, "n_heads": None, "d_head": 2}).n_heads == 4


def test_width_need_not_be_a_multiple_of_heads_where_both_are_given() -> None:
    config = ModelConfig(**{**SHAPE, "n_heads": 3, "d_head": 5})
    assert (config.n_heads, config.d_head) == (3, 5)


@pytest.mark.parametrize("absent", [None, -1, 0])
def test_not_given_may_be_said_as_other_tools_say_it(absent: int | None) -> None:
    config = ModelConfig(**{**SHAPE, "d_head": absent, "d_mlp": absent, "n_key_value_heads": absent})
    assert config == ModelConfig(**SHAPE)


def test_an_attention_only_model_has_no_mlp() -> None:
    config = ModelConfig(**{**SHAPE, "attn_only": True, "d_mlp": 7, "gated_mlp": True, "act_fn": None})
    assert (config.d_mlp, config.gated_mlp) == (0, False)


def test_rotary_positions_turn_the_whole_head_unless_said_otherwise() -> None:
    rotary = {**SHAPE, "positional_embedding_type": "rotary"}
    assert ModelConfig(**rotary).rotary_dim == 4
    assert ModelConfig(**rotary, rotary_dim=2).rotary_dim == 2


def test_query_heads_share_key_value_heads_evenly() -> None:
    assert ModelConfig(**{**SHAPE, "n_heads": 4, "n_key_value_heads": 2}).group_size == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_layers": 0}, "n_layers is 0; a whole number of at least 1"),
        ({"d_model": -3}, "d_model is -3"),
        ({"n_ctx": 2.5}, "n_ctx is 2.5"),
        ({"d_vocab": True}, "d_vocab is True"),
        ({"d_vocab": "9"}, "d_vocab is '9'"),
        ({"n_heads": 3}, "d_model 8 is not a multiple of n_heads 3; give d_head"),
        ({"n_heads": 0}, "n_heads and d_head are both missing"),
        ({"d_head": -2}, "d_head is -2"),
        ({"n_heads": 4, "n_key_value_heads": 3}, "n_heads 4 is not a multiple of n_key_value_heads 3"),
        ({"act_fn": None}, "act_fn is missing: a model with an MLP needs one of relu, gelu, gelu_new, silu"),
        ({"act_fn": "swish"}, "act_fn is 'swish'; one of relu"),
        ({"normalization_type": "BN"}, "normalization_type is 'BN'; one of None, LN, RMS"),
        ({"positional_embedding_type": "alibi"}, "one of standard, sinusoidal, rotary"),
        ({"dtype": "float16"}, "dtype is 'float16'; one of float32, float64"),
        ({"eps": -1e-5}, "eps is -1e-05"),
        ({"eps": float("nan")}, "eps is nan"),
        ({"eps": "1e-5"}, "eps is '1e-5'; a finite number is needed"),
        ({"eps": None}, "eps is None"),
        ({"eps": 10**400}, "a finite number is needed"),
        ({"positional_embedding_type": "rotary", "rotary_base": [1]}, "rotary_base is [1]"),
        ({"tie_embeddings": "yes"}, "tie_embeddings is 'yes'; True or False is needed"),
        ({"gated_mlp": 2}, "gated_mlp is 2"),
        ({"attn_only": None}, "attn_only is None"),
        ({"positional_embedding_type": "rotary", "rotary_dim": 3}, "rotary_dim is 3; an even number up to d_head = 4"),
        ({"positional_embedding_type": "rotary", "rotary_dim": 6}, "rotary_dim is 6"),
        ({"positional_embedding_type": "rotary", "d_head": 3}, "rotary_dim is 3"),
        ({"positional_embedding_type": "rotary", "rotary_base": 0.0}, "rotary_base is 0.0; a number above 0"),
    ],
)
def test_what_contradicts_itself_is_refused_with_what_would_do(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        ModelConfig(**{**SHAPE, **changes})
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert isinstance(error.value, InputError)


@given(configs())
def test_a_configuration_survives_json(config: ModelConfig) -> None:
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_unknown_and_missing_fields_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"unknown configuration field 'n_head'; known are .*n_heads"):
        ModelConfig.from_dict({**SHAPE, "n_head": 2})
    with pytest.raises(ConfigError, match="n_ctx"):
        ModelConfig.from_dict({name: value for name, value in SHAPE.items() if name != "n_ctx"})


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        ModelConfig(**SHAPE).n_layers = 3  # type: ignore[misc]
