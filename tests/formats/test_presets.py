"""Presets: the handmade models by name, each perfect on its own pattern."""

from __future__ import annotations

import pytest

import visualizer
from visualizer.engine.accuracy import next_token_accuracy
from visualizer.errors import FormatError
from visualizer.formats import PRESETS, open_model, open_preset


def test_the_presets_are_the_article_and_its_two_exercises() -> None:
    assert PRESETS == ("aab", "ab", "aaab")


@pytest.mark.parametrize("pattern", PRESETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_preset_predicts_every_next_token_of_its_own_pattern(pattern: str, dtype: str) -> None:
    model = open_preset(pattern, dtype).model
    ids = model.ids(pattern * 10)
    accuracy = next_token_accuracy(model, ids, skip=len(pattern) - 1)
    assert accuracy.correct == accuracy.total == 10 * len(pattern) - (len(pattern) - 1)


def test_the_articles_accuracy_is_28_of_28() -> None:
    model = visualizer.handmade("aab")
    assert str(next_token_accuracy(model, model.ids("aab" * 10), skip=2)) == "100.0% (28 / 28)"


def test_a_preset_is_no_good_on_another_ones_pattern() -> None:
    model = open_preset("aab").model
    assert next_token_accuracy(model, model.ids("ab" * 10)).fraction < 1


@pytest.mark.parametrize("pattern", PRESETS)
def test_a_preset_says_what_its_dimensions_mean_and_where_it_came_from(pattern: str) -> None:
    opened = open_model(pattern)
    assert opened.dimension_names == ("P0", "P1", "P2", "P3", "P4", "a", "b", "scratch")
    assert (opened.name, opened.pattern, opened.origin) == (pattern, pattern, pattern)
    assert opened.model.config.dtype == "float32"


def test_a_preset_can_be_asked_for_in_double_precision() -> None:
    assert open_model("ab", dtype="float64").model.forward("ab")["logits"].dtype == "float64"


def test_a_name_that_is_neither_preset_nor_file_is_refused_with_the_presets() -> None:
    with pytest.raises(FormatError, match=r"'abba' is neither a preset \(aab, ab, aaab\), a shipped"):
        open_model("abba")


def test_every_opening_gives_a_model_of_its_own() -> None:
    first, second = open_preset("aab").model, open_preset("aab").model
    assert first is not second
    assert first.forward("aab")["logits"].tolist() == second.forward("aab")["logits"].tolist()
