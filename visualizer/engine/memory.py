"""How much memory a training step takes, told before anything is made."""

from __future__ import annotations

import numpy as np

from visualizer.engine.config import ModelConfig
from visualizer.engine.parameters import parameter_count
from visualizer.errors import TrainingError

#: A step may need this much memory; what needs more is for other programs.
MAX_STEP_BYTES = 4 * 2**30


def require_memory(config: ModelConfig, batch: int) -> None:
    """Refuse, before anything is made, what is too large to train. Raises TrainingError."""
    needed = step_bytes(config, batch)
    if needed > MAX_STEP_BYTES:
        raise TrainingError(
            f"a step needs about {needed / 2**30:.3g} GB of memory; a smaller batch, context or model is needed"
        )


def step_bytes(config: ModelConfig, batch: int) -> int:
    """About how many bytes the activations and gradients of one training step take."""
    row = 12 * config.d_model + 3 * config.d_mlp + 4 * config.n_heads * config.n_ctx
    numbers = batch * config.n_ctx * (config.n_layers * row + 4 * config.d_vocab)
    weights = 6 * parameter_count(config)
    return (2 * numbers + weights) * np.dtype(config.dtype).itemsize
