"""Corpora by name, tasks whose items are right and held out, and the exact check of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.models import random_parameters
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.errors import InputError, TokenError, TrainingError
from visualizer.formats import open_model
from visualizer.resources import resource
from visualizer.session.training.corpora import TEXTS, built_in, open_corpus
from visualizer.session.training.tasks import SEPARATOR, TASKS, Item, RepeatedWord, Task, completed
from visualizer.tokenizers import CharacterTokenizer

BY_LINES = [name for name, task in TASKS.items() if not isinstance(task, RepeatedWord)]
ANSWERS = {
    "reverse": lambda question: question[:-1][::-1],
    "sort": lambda question: "".join(sorted(question[:-1])),
    "addition": lambda question: f"{sum(map(int, question[:-1].split('+'))):03}"[::-1],
    "brackets": lambda question: closing(question[:-1]),
    "induction": lambda question: next(
        word[1:] for word in question.split(" ") if word[0] == question[-1]
    ),
}  # fmt: skip


def closing(brackets: str) -> str:
    """What closes the brackets that are open, by taking away pairs until none is left."""
    while (shorter := brackets.replace("()", "").replace("[]", "").replace("{}", "")) != brackets:
        brackets = shorter
    assert set(brackets) <= set("([{")
    return brackets[::-1].translate(str.maketrans("([{", ")]}"))


@pytest.mark.parametrize("name", BY_LINES)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=25)
def test_an_answer_is_the_right_one_by_another_way_of_finding_it(name: str, seed: int) -> None:
    task = TASKS[name]
    random = np.random.default_rng(seed)
    for _ in range(5):
        item = task.draw(random)
        assert item.answer == ANSWERS[name](item.question)
        assert item.answer
        assert set(task.line(item)) <= set(task.alphabet)


@pytest.mark.parametrize("name", TASKS)
def test_a_text_is_as_long_as_asked_and_of_the_seed(name: str) -> None:
    task = TASKS[name]
    text = task.text(seed=1, length=3000)
    assert 3000 <= len(text) < 3200
    assert text == task.text(seed=1, length=3000)
    assert name in ("ab",) or text != task.text(seed=2, length=3000)
    assert set(text) == set(task.alphabet)


@pytest.mark.parametrize("name", BY_LINES)
def test_no_text_holds_an_item_that_a_model_is_checked_on(name: str) -> None:
    task = TASKS[name]
    held = task.held_out(seed=0, count=50)
    assert len(held) == 50
    assert held == task.held_out(seed=0, count=50)
    assert all(item.is_held_out for item in held)
    text = SEPARATOR + task.text(length=100_000)
    assert text.endswith(SEPARATOR)
    assert not any(SEPARATOR + task.line(item) in text for item in held)


def test_about_a_tenth_of_the_questions_is_held_out() -> None:
    random = np.random.default_rng(0)
    drawn = [TASKS["sort"].draw(random).is_held_out for _ in range(3000)]
    assert 0.08 < np.mean(drawn) < 0.12


def test_a_pattern_asks_from_every_place_of_its_word() -> None:
    assert TASKS["aab"].held_out() == [Item("aabaab", "aab"), Item("abaaba", "aba"), Item("baabaa", "baa")]
    assert "aabaabaabaab" in TASKS["aab"].text(length=20)


@pytest.mark.parametrize("name", TASKS)
def test_an_example_is_the_beginning_of_an_item(name: str) -> None:
    task = TASKS[name]
    assert set(task.example) <= set(task.alphabet)
    if name in BY_LINES:
        assert ANSWERS[name](task.example)
    assert task.description
    assert task.solution


# -- the check


def model_of(alphabet: str, n_ctx: int, seed: int = 0) -> Model:
    tokenizer = CharacterTokenizer(alphabet)
    config = ModelConfig(
        n_layers=1, d_model=8, n_heads=2, n_ctx=n_ctx, d_vocab=len(alphabet), act_fn="relu", d_mlp=8, dtype="float64"
    )
    return Model(config, random_parameters(config, seed), tokenizer)


def test_the_handmade_model_completes_every_item_of_its_pattern() -> None:
    model = open_model("aab").model
    items = [Item("aa", "baa"), Item("baa", "baa"), Item("ab", "aab")]
    assert completed(model, items) == [True, True, True]
    assert completed(model, [Item("aa", "bab"), Item("ab", "aab")]) == [False, True]


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=30)
def test_an_item_counts_when_generating_writes_its_answer(seed: int, asked: int, answered: int) -> None:
    model = model_of("abc", 8, seed)
    random = np.random.default_rng(seed)
    question = "".join(random.choice(list("abc"), asked))
    own = model.text(step.token for step in model.generate(question, answered))
    other = "".join(random.choice(list("abc"), answered))
    assert completed(model, [Item(question, own), Item(question, other)]) == [True, own == other]


class Always(Task):
    """Half of the items are answered by `b`."""

    name, description, solution, example = "always", "a or b", "none", "a"

    @property
    def alphabet(self) -> str:
        return "\nab"

    def draw(self, random: np.random.Generator) -> Item:
        return Item("".join(random.choice(["a", "b"], 6)), "ab"[int(random.integers(2))])


def test_accuracy_is_the_fraction_of_held_out_items_that_are_completed() -> None:
    model = model_of("\nab", 8, 3)
    task = Always()
    items = task.held_out(seed=4, count=60)
    right = [model.text([next(iter(model.generate(item.question, 1))).token]) == item.answer for item in items]
    assert 0 < sum(right) < 60
    assert task.accuracy(model, count=60, seed=4) == sum(right) / 60


def test_items_that_do_not_fit_and_letters_without_a_token_are_refused() -> None:
    sort = TASKS["sort"]
    assert 0 <= sort.accuracy(model_of(sort.alphabet, 12), count=10) <= 1
    with pytest.raises(InputError, match="has 13 tokens; with a context of 11, at most 12 can be checked"):
        sort.accuracy(model_of(sort.alphabet, 11), count=10)
    with pytest.raises(TokenError):
        sort.accuracy(model_of("ab", 12), count=10)


# -- by name


def test_every_built_in_corpus_opens_by_its_name() -> None:
    assert set(built_in()) == {"corpus:rhymes", *(f"task:{name}" for name in TASKS)}
    for name, description in built_in().items():
        corpus = open_corpus(name)
        assert (corpus.name, corpus.description) == (name, description)
        assert len(corpus.text) > 5000
        assert (corpus.task is not None) == name.startswith("task:")
        assert corpus.by_lines == (name.removeprefix("task:") in BY_LINES)


def test_every_text_in_the_folder_has_a_name_and_is_plain() -> None:
    files = {path.stem: path.read_text("utf-8") for path in resource("corpora").glob("*.txt")}
    assert set(files) == set(TEXTS)
    for text in files.values():
        assert 6_000 < len(text) < 12_000
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.?'\n")


def test_any_other_name_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("one\ntwo\n", "utf-8")
    corpus = open_corpus(path)
    assert (corpus.name, corpus.text, corpus.task, corpus.by_lines) == (str(path), "one\ntwo\n", None, False)


@pytest.mark.parametrize("name", ["task:nothing", "corpus:nothing", "task:", "corpus:../secret"])
def test_an_unknown_name_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(TrainingError, match=r"there are corpus:rhymes, task:induction, .* and any text file"):
        open_corpus(name)
