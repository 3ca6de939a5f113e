"""What a plan is made into before its first step; command and panel make the same of the same choices."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from visualizer.cli import main
from visualizer.engine.training import TrainingSettings
from visualizer.errors import TokenError
from visualizer.formats import open_model
from visualizer.session.training.corpora import open_corpus
from visualizer.session.training.plan import Shape, TrainingPlan, TrainingText, beginning, run_settings
from visualizer.session.training.prepare import prepared
from visualizer.session.training.report import Report
from visualizer.session.training.run import TrainingJob
from visualizer.training_options import add_training_options, settings_of, shape_of

SMALL = ["--n-layers", "1", "--n-heads", "2", "--d-model", "8", "--context", "8", "--batch", "4"]
SHAPE = Shape(n_layers=1, n_heads=2, d_model=8, context=8)


def options_of(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_training_options(parser)
    return parser.parse_args(words)


def last_report(plan: TrainingPlan) -> Report:
    """How the panel's run of a plan ends."""
    *_, last = TrainingJob(plan).reports()
    assert last.phase == "done", last.said
    return last


def test_the_command_without_options_has_the_plan_of_the_panel() -> None:
    options, plan = options_of(["corpus:rhymes"]), TrainingPlan(TrainingText("rhymes", "abc"))
    assert shape_of(options) == plan.shape == Shape()
    assert settings_of(options) == plan.settings == TrainingSettings()
    assert plan.shape.config(3).d_mlp == 64


BPE = replace(SHAPE, tokenizer="bpe", vocab_size=260)


@pytest.mark.parametrize(
    ("corpus", "words", "shape", "settings"),
    [
        ("text.txt", ["--steps", "30"], SHAPE, run_settings(30, batch=4)),
        ("text.txt", ["--steps", "7", "--seed", "3", "--d-mlp", "0"], replace(SHAPE, d_mlp=0), run_settings(7, 4, 3)),
        (
            "text.txt",
            ["--steps", "5", "--tokenizer", "bpe", "--vocab-size", "260", "--positions", "sinusoidal", "--lr", "0.01"],
            replace(BPE, positions="sinusoidal"),
            run_settings(5, 4, lr=0.01),
        ),
        ("task:sort", ["--steps", "6"], SHAPE, run_settings(6, batch=4)),
        ("task:sort", ["--steps", "6", "--tokenizer", "bpe", "--vocab-size", "260"], BPE, run_settings(6, batch=4)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_and_panel_make_the_same_model_to_the_bit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    corpus: str,
    words: list[str],
    shape: Shape,
    settings: TrainingSettings,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("the cat sat on the mat.\n" * 20, encoding="utf-8")
    assert main(["train", corpus, *SMALL, *words]) == 0
    written = open_model("model.safetensors")
    report = last_report(TrainingPlan(TrainingText.of(open_corpus(corpus)), shape, settings=settings))
    assert report.newest is not None
    assert list(written.model.parameters) == list(report.newest.parameters)
    for name, array in written.model.parameters.items():
        np.testing.assert_array_equal(array, report.newest.parameters[name], strict=True)
    assert written.prompt == report.prompt


def test_lines_that_stand_alone_are_begun_at_and_a_text_without_any_is_refused() -> None:
    lines = TrainingText("lines", "abca\n" * 30, by_lines=True)
    trainer = prepared(TrainingPlan(lines, SHAPE)).trainer
    assert trainer.settings.begin_after == 0  # the line end is the first of the sorted characters
    with pytest.raises(TokenError, match="no token for"):
        prepared(TrainingPlan(TrainingText("line", "abc" * 30, by_lines=True), SHAPE))


@pytest.mark.parametrize(
    ("steps", "warmup", "every"),
    [(1, 0, 1), (24, 2, 1), (200, 20, 10), (1000, 100, 50), (2000, 100, 100), (9000, 100, 100)],
)
def test_a_short_run_warms_up_for_a_tenth_and_is_evaluated_twenty_times(steps: int, warmup: int, every: int) -> None:
    settings = run_settings(steps)
    assert (settings.optimizer.warmup, settings.evaluate_every) == (warmup, every)
    assert run_settings(steps, warmup=7).optimizer.warmup == 7


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        (TrainingText("task", "cab>abc\n", by_lines=True, example="bac>"), "bac>"),
        (TrainingText("kept task", "cab>abc\nbca>abc\n", by_lines=True), "cab>"),
        (TrainingText("lines", "the cat sat\non the mat\n", by_lines=True), "the cat"),
        (TrainingText("words", "\nthe cat sat on the mat"), "the cat"),
        (TrainingText("letters", "abcd" * 9), "abcdabcdab"),
        (TrainingText("blank", "\n" * 30), "\n" * 10),
    ],
    ids=lambda value: value.name if isinstance(value, TrainingText) else "",
)
def test_a_prompt_to_go_on_from_is_a_question_or_whole_words(text: TrainingText, prompt: str) -> None:
    assert beginning(text, n_ctx=10) == prompt
