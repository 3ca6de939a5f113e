"""From a plan to a trainer that is ready for its first step: tokenizer, ids, windows."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.training import Trainer, TrainingSettings
from visualizer.errors import TrainingError
from visualizer.formats.checkpoint import fingerprint
from visualizer.session.training.plan import TrainingPlan, TrainingText
from visualizer.session.training.tasks import SEPARATOR
from visualizer.tokenizers import CharacterTokenizer, Tokenizer
from visualizer.tokenizers.bpe_training import train_bpe_steps

Ids = NDArray[np.intp]

#: Ids that are put into an array in one go, so that other threads get their turn.
PIECE = 50_000
#: Said before the text becomes ids, which may take a while without another word.
READING = "reading the text"


@dataclass(frozen=True)
class Prepared:
    """What a run begins with: the trainer, the tokenizer, and the digest of the text's ids."""

    trainer: Trainer
    tokenizer: Tokenizer
    digest: str


def prepare(plan: TrainingPlan) -> Generator[str, None, Prepared]:
    """Make all that the first step needs, in small pieces; says what is being done meanwhile.

    The same plan gives the same numbers to the bit, whoever asks.

    Raises:
        ConfigError, TrainingError: as `TrainingPlan.config`; the text is empty or too short.
        TokenError: a part of the text, or the end of a line that is asked for, has no token.
    """
    plan = replace(plan, text=plan.text.read())
    plan.config()
    tokenizer = yield from _tokenizer(plan)
    yield READING
    ids = token_ids(tokenizer, plan.text.text)
    present = plan.present
    config = plan.shape.config(tokenizer.vocabulary_size) if present is None else present.model.config
    given = None if present is None else dict(present.model.parameters)
    trainer = Trainer(config, ids, _with_line_ends(plan.text, plan.settings, tokenizer), given)
    return Prepared(trainer, tokenizer, fingerprint(ids))


def prepared(plan: TrainingPlan) -> Prepared:
    """The same at once. Raises as `prepare`."""
    steps = prepare(plan)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Prepared = end.value
            return found


def _tokenizer(plan: TrainingPlan) -> Generator[str, None, Tokenizer]:
    if not plan.text.text:
        raise TrainingError(f"{plan.text.name} is empty; a text to train on is needed")
    if plan.present is not None:
        known = plan.present.model.tokenizer
        assert isinstance(known, Tokenizer)
        return known
    if plan.shape.tokenizer != "bpe":
        return CharacterTokenizer.from_text(plan.text.text)
    steps = train_bpe_steps(plan.text.text, plan.shape.vocab_size)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            made: Tokenizer = end.value
            return made
        yield f"byte pairs: {step.phase}, {step.done:,} of {step.total:,}"


def _with_line_ends(text: TrainingText, settings: TrainingSettings, tokenizer: Tokenizer) -> TrainingSettings:
    """The settings with windows at the beginnings of lines, where lines stand alone."""
    return replace(settings, begin_after=tokenizer.encode(SEPARATOR)[0]) if text.by_lines else settings


def token_ids(tokenizer: Tokenizer, text: str) -> Ids:
    """The ids of a text, [tokens]. Raises TokenError for what has no token."""
    if isinstance(tokenizer, CharacterTokenizer):
        return tokenizer.encode_array(text)
    ids = tokenizer.encode(text)
    pieces = [np.array(ids[start : start + PIECE], dtype=np.intp) for start in range(0, len(ids), PIECE)]
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.intp)
