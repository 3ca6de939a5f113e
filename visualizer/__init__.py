"""See, question and change every number of a transformer.

model = visualizer.handmade("aab")
trace = model.forward("aabaa")
trace["blocks.0.attn.pattern"]
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from visualizer.engine.config import ModelConfig
from visualizer.engine.generate import Step
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.errors import ConfigError, FormatError, InputError, VisualizerError
from visualizer.formats import open_model, open_preset

if TYPE_CHECKING:
    from visualizer import ui

__all__ = [
    "InputError",
    "Intervention",
    "Model",
    "ModelConfig",
    "Step",
    "Trace",
    "VisualizerError",
    "handmade",
    "load",
    "ui",
]
__version__ = "0.1.0"


def handmade(pattern: str = "aab") -> Model:
    """The transformer written by hand to continue `pattern`: a letter 1 to 5 times and then another.

    Raises:
        ConfigError: the pattern has another form.
    """
    if not isinstance(pattern, str):
        raise ConfigError(f"the pattern is {pattern!r}; a text such as 'aab' is needed")
    return open_preset(pattern).model


def load(path: str | os.PathLike[str]) -> Model:
    """The model in a file, or of a preset's name.

    Raises:
        FormatError: it cannot be read as a model.
    """
    if not isinstance(path, str | os.PathLike):
        raise FormatError(f"{path!r} is not the name of a model; a path or a preset's name is needed")
    return open_model(path).model


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name == "ui":  # Qt is loaded only for those who ask for it
        import visualizer.ui as ui

        return ui
    raise AttributeError(f"module 'visualizer' has no attribute {name!r}")
