"""The weights written by hand: the article's numbers, tables and completions, and the same idea for other patterns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import visualizer
from visualizer.engine.handmade import LG, N_CTX, handmade
from visualizer.errors import ConfigError, InputError, TokenError

AAB = visualizer.handmade("aab")


def test_the_shape_is_the_articles() -> None:
    config = AAB.config
    assert (config.n_ctx, config.d_vocab, config.d_model, config.n_layers) == (5, 2, 8, 1)
    assert (config.n_heads, config.d_head, config.dtype) == (1, 8, "float32")
    assert config.normalization_type is None
    assert config.attn_only
    assert config.tie_embeddings


def test_embeddings_are_one_hot_in_the_dimensions_for_positions_and_tokens() -> None:
    assert AAB.parameters["wte"].tolist() == [[0, 0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0]]
    assert AAB.parameters["wpe"].tolist() == np.eye(8)[:5].tolist()


def test_queries_ask_for_two_positions_keys_say_their_own_and_values_tell_the_letters_apart() -> None:
    expected = np.zeros((8, 24))
    for position, asked in enumerate([(0,), (0, 1), (1, 2), (2, 3), (3, 4)]):
        expected[position, list(asked)] = 1024
        expected[position, 8 + position] = 1
    expected[5, 16 + 7], expected[6, 16 + 7] = 1, -1
    assert AAB.parameters["blocks.0.attn.c_attn.w"].tolist() == expected.tolist()
    assert AAB.parameters["blocks.0.attn.c_attn.b"].tolist() == [0] * 24


def test_the_projection_turns_the_scratch_dimension_into_a_preference() -> None:
    expected = np.zeros((8, 8))
    expected[7, 5], expected[7, 6] = -1024, 1024
    assert AAB.parameters["blocks.0.attn.c_proj.w"].tolist() == expected.tolist()
    assert AAB.parameters["blocks.0.attn.c_proj.b"].tolist() == [0, 0, 0, 0, 0, 1024, 0, 0]


def test_nothing_else_is_among_the_parameters() -> None:
    attention = [f"blocks.0.attn.{name}" for name in ("c_attn.w", "c_attn.b", "c_proj.w", "c_proj.b")]
    assert list(AAB.parameters) == ["wte", "wpe", *attention]


def test_the_raw_products_are_the_articles_table() -> None:
    assert AAB.forward("aabaa")["blocks.0.attn.qk"][0].tolist() == [
        [LG, 0, 0, 0, 0],
        [LG, LG, 0, 0, 0],
        [0, LG, LG, 0, 0],
        [0, 0, LG, LG, 0],
        [0, 0, 0, LG, LG],
    ]


def test_scaling_and_masking_are_the_articles() -> None:
    trace = AAB.forward("aabaa")
    scaled = np.array(trace["blocks.0.attn.qk"]) / np.sqrt(8)
    np.testing.assert_allclose(trace["blocks.0.attn.scaled"], scaled, rtol=1e-6)
    masked = np.where(np.tri(5, dtype=bool), scaled, -1e10)
    np.testing.assert_allclose(trace["blocks.0.attn.scores"][0], masked[0], rtol=1e-6)


def test_the_softmax_weights_are_the_articles_table() -> None:
    assert AAB.forward("aabaa")["blocks.0.attn.pattern"][0].tolist() == [
        [1, 0, 0, 0, 0],
        [0.5, 0.5, 0, 0, 0],
        [0, 0.5, 0.5, 0, 0],
        [0, 0, 0.5, 0.5, 0],
        [0, 0, 0, 0.5, 0.5],
    ]


def test_the_scratch_dimension_is_one_after_two_equal_letters_a_and_zero_after_different_ones() -> None:
    assert AAB.forward("aabaa")["blocks.0.attn.z"][:, 0, 7].tolist() == [1, 1, 0, 0, 1]


def test_the_logits_are_a_thousand_apart_and_softmax_leaves_no_doubt() -> None:
    trace = AAB.forward("aab")
    assert trace["logits"].tolist() == [[1, 1024], [1, 1024], [1024, 1]]
    assert trace["probs"].tolist() == [[0, 1], [0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("prompt", "continuation"),
    [
        ("a", "baabaabaab"),
        ("aa", "baabaabaab"),
        ("aab", "aabaabaaba"),
        ("ba", "abaabaabaa"),
        ("abaab", "aabaabaaba"),
        ("ababa", "abaabaabaa"),
        ("bbbbb", "aabaabaaba"),
    ],
)
def test_completions_are_the_articles(prompt: str, continuation: str) -> None:
    assert AAB.text(step.token for step in AAB.generate(prompt, 10)) == continuation


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_precisions_hold_the_same_weights(dtype: str) -> None:
    weights = handmade("aab", dtype)
    model = visualizer.Model(weights.config, weights.parameters)
    for name, array in model.parameters.items():
        assert array.dtype == dtype
        assert np.array_equal(array, AAB.parameters[name])


@pytest.mark.parametrize("pattern", ["aab", "ab", "aaab", "aaaab", "aaaaab", "ba", "bba", "xxy", "zzza", "--+"])
def test_any_such_pattern_is_continued_from_every_place_in_it(pattern: str) -> None:
    model = visualizer.handmade(pattern)
    text = pattern * 20
    for start in range(len(pattern)):
        for length in range(len(pattern) - 1, 3 * len(pattern)):
            prompt = text[start : start + length]
            expected = text[start + length : start + length + 20]
            assert model.text(step.token for step in model.generate(prompt, 20)) == expected, prompt


@pytest.mark.parametrize("pattern", ["aab", "ab", "aaab"])
def test_it_finds_back_to_the_pattern_from_every_prompt(pattern: str) -> None:
    model = visualizer.handmade(pattern)
    for length in range(1, N_CTX + 1):
        for letters in itertools.product("ab", repeat=length):
            text = "".join(letters)
            continued = text + model.text(step.token for step in model.generate(text, 20))
            assert continued[-12:] in pattern * 12, text


@pytest.mark.parametrize("pattern", ["aab", "ab", "aaab"])
def test_the_next_token_depends_on_nothing_but_the_last_tokens_that_the_pattern_needs(pattern: str) -> None:
    model = visualizer.handmade(pattern)
    needed = len(pattern) - 1
    by_ending: dict[str, set[int]] = {}
    for letters in itertools.product("ab", repeat=N_CTX):
        text = "".join(letters)
        (step,) = model.generate(text, 1)
        by_ending.setdefault(text[-needed:], set()).add(step.token)
    assert by_ending == {
        "".join(ending): {int(set(ending) == {"a"})} for ending in itertools.product("ab", repeat=needed)
    }


@pytest.mark.parametrize("pattern", ["", "a", "aa", "aba", "abc", "aabb", "aaaaaab", "abb"])
def test_other_patterns_are_refused_with_the_forms_that_would_do(pattern: str) -> None:
    with pytest.raises(ConfigError, match="one letter 1 to 5 times and then another is needed, such as aab") as error:
        visualizer.handmade(pattern)
    assert repr(pattern) in str(error.value)
    assert isinstance(error.value, InputError)


def test_an_unknown_character_is_refused_by_name_and_position() -> None:
    with pytest.raises(TokenError, match=r"'c'.* position 2"):
        AAB.forward("aac")


def test_dimensions_have_the_articles_words() -> None:
    assert handmade("aab").dimension_names == ("P0", "P1", "P2", "P3", "P4", "a", "b", "scratch")
    assert handmade("aab").alphabet == "ab"
