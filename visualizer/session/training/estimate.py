"""How long a run will take on this machine, tried out or reckoned."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from typing import cast

import numpy as np

from visualizer.engine.config import ModelConfig
from visualizer.engine.parameters import parameter_count
from visualizer.engine.training import Progress, Trainer
from visualizer.errors import TrainingError
from visualizer.session.training.plan import TrainingPlan

#: A step that takes more multiplications than this is not tried out to estimate the time.
TRIED = 2e10
#: Multiplications a second that are reckoned with where nothing was tried.
SPEED = 1e10


def step_cost(config: ModelConfig, batch: int) -> float:
    """About how many multiplications one training step takes, forward and backward."""
    weights = parameter_count(config)
    attention = 2 * config.n_layers * config.n_heads * config.d_head * config.n_ctx
    return 3.0 * batch * config.n_ctx * (weights + attention)


def estimate_seconds(plan: TrainingPlan) -> float:
    """How long the run will take on this machine, from a few steps on made-up tokens. Raises as `TrainingPlan.config`.

    What would take long even to try is reckoned from the number of multiplications.
    """
    config, settings = plan.config(), plan.settings
    windows = settings.steps * settings.batch
    evaluations = settings.steps // settings.evaluate_every + 1
    # An evaluation is a forward pass, a third of a step's work, over windows of both parts of the text.
    share = 1 + evaluations * 2 * settings.evaluation_windows / 3 / windows
    if step_cost(config, settings.batch) > TRIED:
        return settings.steps * step_cost(config, settings.batch) / SPEED * share
    ids = np.random.default_rng(0).integers(0, config.d_vocab, size=4 * (config.n_ctx + 1))
    trial = replace(settings, steps=4, evaluate_every=5, evaluation_windows=1)
    given = None if plan.present is None else dict(plan.present.model.parameters)
    trainer = Trainer(config, ids, trial, given)
    taken = []
    steps = cast(Generator[Progress, None, None], trainer.steps())
    for _ in range(trial.steps - 1):  # the last step would evaluate
        began = time.perf_counter()
        try:
            next(steps)
        except TrainingError:
            break  # made-up tokens may be more than a sharp model can bear; a step takes as long
        finally:
            taken.append(time.perf_counter() - began)
    steps.close()
    return settings.steps * min(taken) * share
