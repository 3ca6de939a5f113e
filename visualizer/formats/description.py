"""What a model file of ours says of its model: every field is checked here, before any number is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from visualizer.engine.config import ModelConfig
from visualizer.errors import FormatError, TokenError, short_repr
from visualizer.formats.strict_json import parse_json
from visualizer.tokenizers import Tokenizer, tokenizer_from_dict

#: Longer ones would be no pattern, prompt or name of a dimension to begin with, and freeze whoever shows them.
MAX_PATTERN, MAX_PROMPT, MAX_DIMENSION_NAME = 256, 1000, 100
#: More blocks than any model has, and few enough to list.
MAX_BLOCKS = 1024


@dataclass(frozen=True)
class Description:
    """What stands in the metadata; the fields are those of `OpenedModel` and `Model`."""

    config: ModelConfig
    tokenizer: Tokenizer | None
    pattern: str | None
    prompt: str | None
    dimension_names: tuple[str, ...] | None

    @classmethod
    def read(cls, text: str, dtype: str | None = None) -> Description:
        """What `text` says, to be computed in `dtype`.

        Raises:
            FormatError, ConfigError: a field is missing, is not what it should be, or does not go with the others.
        """
        about = parse_json(text, "the model's description in the metadata")
        if not isinstance(about, dict) or not isinstance(about.get("config"), dict) or "tokenizer" not in about:
            raise FormatError("the model's description in the metadata has no 'config' or no 'tokenizer'")
        config = ModelConfig.from_dict({**about["config"], **({"dtype": dtype} if dtype else {})})
        if config.n_layers > MAX_BLOCKS:
            raise FormatError(f"the model has {config.n_layers} blocks; up to {MAX_BLOCKS} can be shown")
        tokenizer = None if about["tokenizer"] is None else tokenizer_from_dict(about["tokenizer"])
        if tokenizer is not None and tokenizer.vocabulary_size != config.d_vocab:
            raise FormatError(f"the tokenizer has {tokenizer.vocabulary_size} tokens, the model {config.d_vocab}")
        pattern = _text(about, "pattern", MAX_PATTERN)
        if pattern is not None:
            _check_pattern(pattern, tokenizer)
        prompt = _text(about, "prompt", MAX_PROMPT)
        return cls(config, tokenizer, pattern, prompt, _names(about.get("dimension_names"), config.d_model))


def _text(about: dict[str, Any], name: str, most: int) -> str | None:
    """An optional text."""
    value = about.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most:
        what = f"a text of {len(value)} characters" if isinstance(value, str) else short_repr(value)
        raise FormatError(f"the model's {name} is {what}; one of up to {most} characters, or none, is needed")
    return value


def _check_pattern(pattern: str, tokenizer: Tokenizer | None) -> None:
    """A pattern is what the model is measured by: it must have tokens."""
    if not pattern:
        raise FormatError("the model's pattern is empty; a text to repeat, or none, is needed")
    if tokenizer is None:
        raise FormatError(f"the model has the pattern {short_repr(pattern)} and no tokenizer to read it with")
    try:
        tokenizer.encode(pattern)
    except TokenError as error:
        raise FormatError(f"the model's pattern cannot be read: {error}") from error


def _names(value: object, d_model: int) -> tuple[str, ...] | None:
    """Words for the dimensions of the residual stream, as many as it has."""
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != d_model
        or not all(isinstance(name, str) and len(name) <= MAX_DIMENSION_NAME for name in value)
    ):
        raise FormatError(
            f"the names of the dimensions are not {d_model} texts of up to {MAX_DIMENSION_NAME} characters"
        )
    return tuple(value)
