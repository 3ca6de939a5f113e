"""How much memory a pass or a training step takes, told before anything is made."""

from __future__ import annotations

import os

import numpy as np

from visualizer.engine.config import ModelConfig
from visualizer.engine.parameters import parameter_count
from visualizer.errors import TooLargeError, TrainingError

#: Where the system does not tell how much memory it has.
USUAL_BYTES = 8 * 2**30
#: Beside the pattern that each block keeps, so many arrays of its size are made while one is looked at.
PATTERNS_AT_WORK = 3
#: Logits and probabilities of more tokens than this are computed a row at a time.
LARGE_VOCABULARY = 4096
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


def pass_limit() -> int:
    """How many bytes passes may take together: half of the machine's memory."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        whole = USUAL_BYTES
    return (whole if whole > 0 else USUAL_BYTES) // 2


def pass_bytes(config: ModelConfig, positions: int) -> int:
    """About how many bytes the record of one pass takes, with what is made while it is looked at."""
    row = 8 * config.d_model + 4 * config.n_heads * config.d_head + 3 * config.d_mlp
    logits = 2 * config.d_vocab if config.d_vocab <= LARGE_VOCABULARY else 0
    patterns = (config.n_layers + PATTERNS_AT_WORK) * config.n_heads * positions**2
    return (positions * (config.n_layers * row + logits) + patterns) * np.dtype(config.dtype).itemsize


def most_positions(config: ModelConfig) -> int:
    """The longest pass, up to n_ctx, that stays within `pass_limit`."""
    limit, low, high = pass_limit(), 0, config.n_ctx
    while low < high:
        middle = (low + high + 1) // 2
        if pass_bytes(config, middle) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def require_pass_memory(needed: int, what: str) -> None:
    """Refuse, before anything is made, what needs more than `pass_limit`. Raises TooLargeError."""
    if needed > pass_limit():
        raise TooLargeError(
            f"{what} needs about {needed / 2**30:.3g} GB of memory, and {pass_limit() / 2**30:.3g} can be spared; "
            "a shorter text is needed"
        )
