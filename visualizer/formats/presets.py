"""The handmade models by name, with the words for their dimensions."""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.engine import handmade as by_hand
from visualizer.engine.model import Model
from visualizer.tokenizers import CharacterTokenizer

PRESETS = by_hand.PRESETS


@dataclass(frozen=True)
class OpenedModel:
    """A model and what its source says about it.

    Attributes:
        model: the model itself.
        name: what a person calls it: a preset's name, or a file's.
        pattern: the text that it is made to repeat, where there is one.
        dimension_names: words for the residual stream's dimensions, where the source has them.
        origin: where it came from, as `--model` takes it.
        prompt: a text that shows what it does, where there is one.
    """

    model: Model
    name: str
    origin: str
    pattern: str | None = None
    dimension_names: tuple[str, ...] | None = None
    prompt: str | None = None


def open_preset(pattern: str, dtype: str = "float32") -> OpenedModel:
    """The model written by hand to continue `pattern`.

    Raises:
        ConfigError: no such model can be written.
    """
    weights = by_hand.handmade(pattern, dtype)
    model = Model(weights.config, weights.parameters, CharacterTokenizer(weights.alphabet))
    return OpenedModel(model, pattern, pattern, pattern, weights.dimension_names)
