"""The shipped models do what resources/models/README.md says of them, and open by their names."""

from __future__ import annotations

import re

import numpy as np
import pytest

from visualizer.engine.head_scores import head_scores, repeated_random_tokens
from visualizer.engine.model import Model
from visualizer.engine.training import split, windows_at
from visualizer.errors import FormatError
from visualizer.formats import NAMES, PRESETS, SHIPPED, open_model
from visualizer.formats.safetensors import read_header
from visualizer.resources import resource
from visualizer.session.document.state import State, default_prompt
from visualizer.session.training.corpora import open_corpus
from visualizer.session.training.tasks import TASKS

README = resource("models/README.md").read_text("utf-8")


def row(name: str) -> list[str]:
    """The model's line of the table, cell by cell."""
    found = [line for line in README.splitlines() if line.startswith(f"| `{name}` |")]
    assert len(found) == 1
    return [cell.strip() for cell in found[0].strip("|").split("|")]


def next_texts(model: Model, prompt: str, n: int) -> str:
    return model.text(step.token for step in model.generate(prompt, n))


def test_the_names_are_those_of_the_files_and_no_preset() -> None:
    assert {path.stem for path in resource("models").glob("*.safetensors")} == set(SHIPPED)
    assert (*PRESETS, *SHIPPED) == NAMES
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_opens_by_its_name_and_is_small(name: str) -> None:
    opened = open_model(name)
    assert (opened.name, opened.origin) == (name, name)
    assert open_model(name, "float64").model.config.dtype == "float64"
    assert resource(f"models/{name}.safetensors").stat().st_size < 300_000
    prompt = default_prompt(opened)
    assert 0 < len(prompt) <= opened.model.config.n_ctx
    assert State.opening(opened).prompt_text == prompt


@pytest.mark.parametrize("name", SHIPPED)
def test_the_recipe_stands_in_the_file_and_in_the_readme(name: str) -> None:
    notes = read_header(resource(f"models/{name}.safetensors")).metadata
    assert f"{notes['recipe']} -o {name}.safetensors" in README
    assert notes["validation loss"] in row(name)


@pytest.mark.parametrize("name", [name for name in SHIPPED if name in TASKS])
def test_the_accuracy_on_held_out_items_is_what_the_readme_says(name: str) -> None:
    accuracy = TASKS[name].accuracy(open_model(name).model, count=200)
    assert accuracy >= 0.97
    assert f"{accuracy:.1%}" in row(name)


def test_the_induction_model_has_an_induction_head_after_a_previous_token_head() -> None:
    model = open_model("induction").model
    traces = [head_scores(model.forward(repeated_random_tokens(model, seed))) for seed in range(5)]
    induction = np.mean([scores["induction"] for scores in traces], axis=0)
    previous = np.mean([scores["previous_token"] for scores in traces], axis=0)
    assert induction[1].max() > 0.5
    assert induction[0].max() < 0.2
    assert previous[0].max() > 0.5


def test_its_induction_head_looks_at_the_letter_to_come_within_words() -> None:
    text = "dog cat hen cat dog hen"
    pattern = open_model("induction").model.forward(text)["blocks.1.attn.pattern"][0]
    places = [(i, text.index(text[i]) + 1) for i in range(12, len(text)) if text[i] not in "tgn "]
    assert min(pattern[place] for place in places) > 0.6


def test_the_induction_model_says_made_up_words_again() -> None:
    model = open_model("induction").model
    assert next_texts(model, "dog cat hen cat dog h", 2) == "en"
    assert next_texts(model, "zyxw kfb kfb z", 3) == "yxw"


def test_the_sorter_sorts_and_the_mirror_mirrors() -> None:
    assert next_texts(open_model("sort").model, "hidbag>", 7) == "abdghi\n"
    assert next_texts(open_model("reverse").model, "hidbag>", 7) == "gabdih\n"


def test_a_head_of_the_mirror_reads_the_word_from_its_end() -> None:
    model = open_model("reverse").model
    trace = model.forward("hidbag>gabdi")
    weights = [
        np.mean([pattern[6 + i, 5 - i] for i in range(6)])
        for block in range(model.config.n_layers)
        for pattern in trace[f"blocks.{block}.attn.pattern"]
    ]
    assert max(weights) > 0.75


def test_the_verses_loss_is_what_the_readme_says() -> None:
    model = open_model("rhymes").model
    ids = np.array(model.ids(open_corpus("corpus:rhymes").text))
    _, held = split(ids, model.config.n_ctx, 0.1)
    windows = windows_at(held, len(held) - model.config.n_ctx, model.config.n_ctx, np.random.default_rng(0), 128)
    logits = model.forward_batch(windows[:, :-1])["logits"].astype(np.float64)
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    loss = -np.take_along_axis(log_probs, windows[:, 1:, None], -1).mean()
    assert f"{loss:.3f}" == f"{float(row('rhymes')[-1]):.3f}"


def test_the_verses_model_writes_words_of_the_verses() -> None:
    model = open_model("rhymes").model
    text = next_texts(model, default_prompt(open_model("rhymes")), 60)
    known = set(re.findall(r"[a-z]+", open_corpus("corpus:rhymes").text.lower()))
    written = re.findall(r"[a-z]+", text.lower())[1:-1]
    assert len(written) >= 6
    assert np.mean([word in known for word in written]) > 0.6


def test_a_name_that_is_nothing_is_refused_with_those_there_are() -> None:
    with pytest.raises(FormatError, match=r"a shipped model \(induction, sort, .*\) nor a file"):
        open_model("inductions")
