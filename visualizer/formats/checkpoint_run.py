"""What a checkpoint says of its run: every field is checked here, before a model or a moment of Adam is made."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.adam import AdamSettings
from visualizer.engine.config import ModelConfig
from visualizer.engine.memory import MAX_STEP_BYTES, require_memory
from visualizer.engine.parameters import parameter_shapes
from visualizer.engine.training import TrainingSettings
from visualizer.errors import FormatError, short_repr
from visualizer.formats.description import MAX_BLOCKS
from visualizer.tokenizers import Tokenizer, tokenizer_from_dict

Array = NDArray[Any]

#: The words of the file, which stay so that older checkpoints can be read, and the settings that they hold.
SETTINGS = {
    "steps": "steps",
    "batch": "batch",
    "seed": "seed",
    "validation": "validation_fraction",
    "evaluate_every": "evaluate_every",
    "evaluation_windows": "evaluation_windows",
    "begin_after": "begin_after",
}
ADAM = ("lr", "betas", "eps", "weight_decay", "grad_clip", "warmup", "min_lr")
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class DescribedRun:
    """A run as its checkpoint describes it.

    Attributes:
        config, tokenizer, settings: of the trainer.
        blank: zeros in the shapes of the parameters that the model has; it may have no biases.
        corpus: the digest of its text.
    """

    config: ModelConfig
    tokenizer: Tokenizer
    settings: TrainingSettings
    blank: dict[str, Array]
    corpus: str


def described_run(about: dict[str, Any], state: dict[str, Array]) -> DescribedRun:
    """The run that a description and the arrays beside it speak of.

    Raises:
        FormatError, ConfigError, TrainingError: a field is missing, is not what it should be, or does not go with the
            others.
    """
    config = ModelConfig.from_dict(_table(about, "config"))
    settings = _settings(_table(about, "settings"), _table(about, "adam"))
    tokenizer = tokenizer_from_dict(about.get("tokenizer"))
    if tokenizer.vocabulary_size != config.d_vocab:
        raise FormatError(f"the tokenizer has {tokenizer.vocabulary_size} tokens, the model {config.d_vocab}")
    shapes = _shapes(config, about.get("parameters"))
    _check_state(state, sum(map(math.prod, shapes.values())), config)
    require_memory(config, settings.batch)
    if 8 * settings.evaluation_windows * (config.n_ctx + 1) > MAX_STEP_BYTES:
        raise FormatError(f"evaluation_windows is {settings.evaluation_windows}, more than memory holds")
    corpus = about.get("corpus")
    if not isinstance(corpus, str) or not _DIGEST.fullmatch(corpus):
        raise FormatError("its text's digest is missing")
    blank = {name: np.zeros(shape, config.dtype) for name, shape in shapes.items()}
    return DescribedRun(config, tokenizer, settings, blank, corpus)


def _table(about: dict[str, Any], name: str) -> dict[str, Any]:
    value = about.get(name)
    if not isinstance(value, dict):
        raise FormatError(f"its {name!r} is {short_repr(value)}; a table is needed")
    return value


def _settings(settings: dict[str, Any], adam: dict[str, Any]) -> TrainingSettings:
    for given, known in (({"begin_after": None, **settings}, SETTINGS), (adam, ADAM)):  # older ones do not have it
        missing, unknown = [name for name in known if name not in given], [name for name in given if name not in known]
        if missing or unknown:
            raise FormatError(
                f"its settings lack {missing[0]!r}"
                if missing
                else f"it has an unknown setting {short_repr(unknown[0])}"
            )
    betas = adam["betas"]
    optimizer = AdamSettings(**{**adam, "betas": tuple(betas) if isinstance(betas, list) else betas})
    return TrainingSettings(**{SETTINGS[key]: value for key, value in settings.items()}, optimizer=optimizer)


def _shapes(config: ModelConfig, names: object) -> dict[str, tuple[int, ...]]:
    """Shapes of the parameters that the run trains, in the order in which they stand in the state."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise FormatError("its 'parameters' are not a list of different names")
    if config.n_layers > min(MAX_BLOCKS, len(names)):  # before anything is made for each of them
        raise FormatError(f"it has {len(names)} parameters, too few or too many for {config.n_layers} blocks")
    known = parameter_shapes(config)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise FormatError(f"the configuration has no parameter {short_repr(unknown[0])}")
    return {name: known[name] for name in names}


def _check_state(state: dict[str, Array], size: int, config: ModelConfig) -> None:
    """Refuse arrays that are not those of so many parameters."""
    for name in ("parameters", "first", "second"):
        if state[name].shape != (size,) or state[name].dtype != config.dtype:
            raise FormatError(f"its {name!r} are not {size} numbers of {config.dtype}")
    if not np.all(state["second"] >= 0):
        raise FormatError("its 'second' are means of squares, and some are negative or none")
    step, losses = state["step"], state["losses"]
    if step.shape != () or step.dtype.kind not in "iu" or step < 0:
        raise FormatError("its step is not a whole number of at least 0")
    if losses.shape != (2,) or losses.dtype.kind != "f":
        raise FormatError("its losses are not two numbers")
