"""Training: repeatable to the bit, resumable from its state, sure to learn, and stopped when it explodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.engine.models import KINDS, Array, bits
from visualizer.engine import training
from visualizer.engine.adam import Adam, AdamSettings
from visualizer.engine.config import ModelConfig
from visualizer.engine.gradients import global_norm, loss_gradients
from visualizer.engine.threads import WorkerPool
from visualizer.engine.training import (
    Trainer,
    TrainingSettings,
    batch_loss,
    init_parameters,
    split,
    window_starts,
    windows_at,
)
from visualizer.errors import ExplodedError, TrainingError

PATTERN = np.tile([0, 0, 1, 2], 60)
SHORT = TrainingSettings(steps=12, batch=5, evaluate_every=4, evaluation_windows=6, optimizer=AdamSettings(warmup=3))


def config_of(kind: str = "gpt-2", **changes: Any) -> ModelConfig:
    fields = {"n_layers": 2, "d_model": 8, "n_ctx": 6, "d_vocab": 3, "n_heads": 2, "d_mlp": 10, "tie_embeddings": False}
    return ModelConfig(**{**fields, **KINDS[kind], **changes})


def trainer_of(settings: TrainingSettings = SHORT, ids: Array = PATTERN, **changes: Any) -> Trainer:
    return Trainer(config_of(**changes), ids, settings)


def finish(trainer: Trainer) -> Trainer:
    for _ in trainer.steps():
        pass
    return trainer


def assert_same_numbers(left: Trainer, right: Trainer) -> None:
    one, other = left.state(), right.state()
    assert set(one) == set(other)
    for name, array in one.items():
        if array.dtype.kind == "f":
            assert np.array_equal(bits(array), bits(other[name])), name
        else:
            assert np.array_equal(array, other[name]), name


# -- it learns


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_learns_a_pattern(kind: str) -> None:
    settings = replace(SHORT, steps=150, evaluate_every=150, optimizer=AdamSettings(lr=0.02, warmup=10))
    trainer = trainer_of(settings, kind=kind)
    before = batch_loss(trainer, trainer.train_ids[:7][None])
    finish(trainer)
    assert before > 0.6
    # What stands before a window is unknown, so its first tokens cannot be foretold for certain.
    assert trainer.validation_loss is not None
    assert trainer.validation_loss < 0.25


def test_training_goes_on_from_given_parameters() -> None:
    settings = replace(SHORT, steps=100, optimizer=AdamSettings(lr=0.02, warmup=10))
    learned = finish(trainer_of(settings))
    again = Trainer(learned.config, PATTERN, replace(SHORT, steps=1), learned.parameters())
    progress = next(again.steps())
    assert progress.loss < 0.4


def test_the_initial_parameters_are_those_of_the_seed_and_as_wide_as_they_should_be() -> None:
    config = config_of(d_model=64, d_mlp=128, d_vocab=100)
    arrays = init_parameters(config, 3)
    assert all(np.array_equal(array, init_parameters(config, 3)[name]) for name, array in arrays.items())
    assert not np.array_equal(arrays["wte"], init_parameters(config, 4)["wte"])
    assert arrays["wte"].std() == pytest.approx(0.02, rel=0.1)
    assert arrays["blocks.0.attn.c_attn.w"].std() == pytest.approx(1 / 8, rel=0.1)
    assert arrays["blocks.1.mlp.c_proj.w"].std() == pytest.approx(1 / math.sqrt(128) / 2, rel=0.1)
    assert (arrays["ln_f.g"] == 1).all()
    assert not arrays["blocks.0.attn.c_attn.b"].any()


# -- what a step is


def test_a_step_is_the_mean_gradient_of_its_windows_clipped_and_handed_to_adam() -> None:
    settings = replace(SHORT, optimizer=AdamSettings(lr=0.01, warmup=3, grad_clip=0.05, weight_decay=0.1))
    trainer = trainer_of(settings, dtype="float64")
    before = trainer.parameters()
    windows = windows_at(trainer.train_ids, len(trainer.train_ids) - 6, 6, np.random.default_rng([0, 0]), 5)
    expected = loss_gradients(trainer.graph, before, windows[:, :-1], windows[:, 1:])
    norm = global_norm(expected.parameters)
    progress = next(trainer.steps())
    assert progress.loss == pytest.approx(expected.loss)
    assert progress.gradient_norm == pytest.approx(norm)
    assert norm > 0.05
    assert progress.lr == pytest.approx(0.01 / 3)
    for name, array in before.items():
        matrix = np.full(array.size, float(array.ndim > 1 and name not in ("wte", "wpe")))
        moved = array.ravel().copy()
        Adam(settings.optimizer, array.size, matrix, "float64").update(
            moved, expected.parameters[name].ravel() * 0.05 / norm, progress.lr
        )
        np.testing.assert_allclose(trainer.arrays[name].ravel(), moved, rtol=1e-9, atol=1e-12, err_msg=name)


def test_a_gradient_within_the_clip_or_without_one_is_taken_as_it_is() -> None:
    steps = [replace(SHORT, optimizer=AdamSettings(grad_clip=clip, warmup=3)) for clip in (0.0, 1e9)]
    assert_same_numbers(finish(trainer_of(steps[0])), finish(trainer_of(steps[1])))
    clipped = finish(trainer_of(replace(SHORT, optimizer=AdamSettings(grad_clip=1e-4, warmup=3, eps=1e-3))))
    assert not np.allclose(clipped.flat, finish(trainer_of(steps[0])).flat, atol=1e-4)


def test_progress_tells_step_rate_and_the_losses_of_the_last_evaluation() -> None:
    told = list(trainer_of(replace(SHORT, steps=10)).steps())
    assert [progress.step for progress in told] == list(range(1, 11))
    assert [progress.step for progress in told if progress.evaluated] == [4, 8, 10]
    assert told[0].train is told[2].validation is None
    assert told[3].train == told[4].train == told[6].train != told[7].train
    assert [progress.lr for progress in told] == [SHORT.optimizer.rate(step, 10) for step in range(10)]
    assert all(progress.tokens_per_second > 0 for progress in told)


def test_an_evaluation_is_the_loss_of_windows_of_its_own_part_of_the_text() -> None:
    ids = np.concatenate([np.zeros(90, int), np.tile([1, 2], 5)])
    trainer = Trainer(
        config_of(), ids, replace(SHORT, steps=30, validation_fraction=0.1, optimizer=AdamSettings(lr=0.05, warmup=1))
    )
    finish(trainer)
    assert trainer.train_loss is not None
    assert trainer.validation_loss is not None
    assert trainer.train_loss < 0.1 < 2 < trainer.validation_loss


# -- the same numbers again


def test_the_same_seed_gives_the_same_numbers_to_the_bit() -> None:
    one = finish(trainer_of())
    assert_same_numbers(one, finish(trainer_of()))
    assert not np.array_equal(one.flat, finish(trainer_of(replace(SHORT, seed=1))).flat)


@pytest.mark.parametrize("batch", [1, 5])
def test_the_number_of_threads_does_not_matter(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(SHORT, batch=batch)
    expected = finish(trainer_of(settings))
    made: list[int] = []

    def on(threads: int) -> Callable[[int], WorkerPool]:
        def pool(asked: int) -> WorkerPool:
            made.append(threads)
            return WorkerPool(threads)

        return pool

    for threads in (1, 3):
        monkeypatch.setattr(training, "WorkerPool", on(threads))
        assert_same_numbers(finish(trainer_of(settings)), expected)
    assert made == [1, 3]


def test_a_run_that_is_stopped_goes_on_to_the_very_same_numbers() -> None:
    expected = finish(trainer_of())
    for stop in (1, 4, 7):
        first = trainer_of()
        steps = first.steps()
        for _ in range(stop):
            next(steps)
        steps.close()  # type: ignore[attr-defined]
        second = trainer_of()
        second.restore(first.state())
        assert second.step == stop
        assert (second.train_loss, second.validation_loss) == (first.train_loss, first.validation_loss)
        assert_same_numbers(finish(second), expected)


def test_a_state_is_a_copy_and_one_of_another_shape_is_refused() -> None:
    trainer = trainer_of()
    state = trainer.state()
    finish(trainer)
    assert not np.array_equal(state["parameters"], trainer.flat)
    with pytest.raises(TrainingError, match="of a model of another shape"):
        trainer_of(d_model=4).restore(state)
    with pytest.raises(TrainingError, match="of a model of another shape"):
        trainer.restore({"parameters": state["parameters"]})


# -- what goes wrong


def test_an_exploding_loss_stops_with_a_word_and_the_last_good_parameters() -> None:
    trainer = trainer_of(replace(SHORT, steps=200, optimizer=AdamSettings(lr=1e4, warmup=0, grad_clip=0)))
    good = []

    def go_on() -> None:
        for _ in trainer.steps():
            good.append(trainer.last_good.copy())

    with pytest.raises(ExplodedError, match=r"training stopped at step \d+: the loss is .* lower lr than 10000 may do"):
        go_on()
    assert np.isfinite(trainer.flat).all()
    assert np.array_equal(trainer.flat, good[-1])
    assert batch_loss(trainer, trainer.train_ids[:7][None]) < 50


def test_nan_stops_at_once_and_leaves_the_parameters_as_they_were() -> None:
    trainer = trainer_of()
    steps = trainer.steps()
    next(steps)
    before = trainer.last_good.copy()
    trainer.arrays["wte"][0, 0] = np.nan
    with pytest.raises(ExplodedError, match="training stopped at step 1: the loss is nan"):
        next(steps)
    assert np.array_equal(trainer.flat, before)


@pytest.mark.parametrize("length", [0, 1, 13])
def test_a_text_without_room_for_a_window_in_both_parts_is_refused(length: int) -> None:
    with pytest.raises(TrainingError, match=f"the text has {length} tokens; with a context of 6, at least 14"):
        trainer_of(ids=np.zeros(length, int))


def test_the_shortest_text_that_does_is_trained_on() -> None:
    trainer = trainer_of(replace(SHORT, steps=2), ids=np.arange(14) % 3)
    assert len(trainer.train_ids) == len(trainer.validation_ids) == 7
    assert finish(trainer).step == 2


def test_a_single_repeated_token_has_nothing_to_learn_and_no_error() -> None:
    trainer = finish(trainer_of(ids=np.zeros(100, int), d_vocab=1))
    assert trainer.train_loss == trainer.validation_loss == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0),
        ("batch", 0),
        ("evaluate_every", 0),
        ("evaluation_windows", 0),
        ("validation_fraction", 0.0),
        ("validation_fraction", 1.0),
        ("seed", -1),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(TrainingError, match=rf"^{field} is "):
        TrainingSettings(**{field: value})  # type: ignore[arg-type]


# -- windows


def test_the_end_of_a_text_is_kept_for_validation() -> None:
    train, held = split(np.arange(100), 5, 0.2)
    assert train.tolist() == list(range(80))
    assert held.tolist() == list(range(80, 100))
    assert len(split(np.arange(100), 30, 0.1)[1]) == 31


def test_windows_begin_anywhere_and_every_place_is_drawn() -> None:
    ids = np.arange(10)
    starts = window_starts(ids, 3, None)
    windows = windows_at(ids, starts, 3, np.random.default_rng(0), 200)
    assert {tuple(window) for window in windows.tolist()} == {(i, i + 1, i + 2, i + 3) for i in range(7)}


def test_windows_may_begin_only_after_a_token() -> None:
    ids = np.array([9, 1, 2, 9, 3, 4, 9, 5, 9, 6])
    starts = window_starts(ids, 2, 9)
    windows = windows_at(ids, starts, 2, np.random.default_rng(0), 100)
    assert {tuple(window) for window in windows.tolist()} == {(1, 2, 9), (3, 4, 9), (5, 9, 6)}
    with pytest.raises(TrainingError, match="no window of 2 tokens begins after token 7"):
        window_starts(ids, 2, 7)


def test_training_after_a_token_sees_only_windows_that_begin_there() -> None:
    trainer = trainer_of(replace(SHORT, begin_after=2))
    assert {int(window[0]) for step in range(20) for window in trainer._windows(step)} == {0}
    starts = {tuple(window[:4]) for window in trainer._windows(0).tolist()}
    assert starts == {(0, 0, 1, 2)}
