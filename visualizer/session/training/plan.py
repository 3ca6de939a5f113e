"""What is to be trained, on what, and for how long; and what that will cost."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.config import ModelConfig
from visualizer.engine.parameters import parameter_count
from visualizer.engine.training import Progress, Trainer, TrainingSettings
from visualizer.errors import TrainingError
from visualizer.formats import OpenedModel
from visualizer.session.training.corpora import Corpus, built_in
from visualizer.session.training.tasks import SEPARATOR
from visualizer.tokenizers import CharacterTokenizer, Tokenizer
from visualizer.tokenizers.bpe_training import train_bpe_steps

Ids = NDArray[np.intp]

#: A step may need this much memory; what needs more is for other programs.
MAX_STEP_BYTES = 4 * 2**30
#: A step that takes more multiplications than this is not tried out to estimate the time.
TRIED = 2e10
#: Multiplications a second that are reckoned with where nothing was tried.
SPEED = 1e10
#: Ids that are put into an array in one go, so that other threads get their turn.
PIECE = 50_000
#: Characters of a text that a sample goes on from.
BEGINNING = 16
#: Signs that stand between what a line asks and what it answers.
ASKING = ">=:"


@dataclass(frozen=True)
class TrainingText:
    """A text to train on.

    Attributes:
        name: what a person calls it.
        text: the text itself.
        by_lines: whether every line stands alone, so that windows begin at the beginning of a line.
    """

    name: str
    text: str
    by_lines: bool = False

    @classmethod
    def of(cls, corpus: Corpus) -> TrainingText:
        """A corpus by the last part of its name: `sort` for `task:sort`, a file's name without its folder."""
        plain = corpus.name.split(":", 1)[1] if corpus.name in built_in() else Path(corpus.name).stem
        return cls(plain, corpus.text, corpus.by_lines)

    def alphabet_size(self) -> int:
        """How many different characters it has."""
        return len(set(self.text))


@dataclass(frozen=True)
class Shape:
    """The shape of a new model; names as the options of the `train` command.

    Attributes:
        tokenizer: "char" or "bpe".
        vocab_size: tokens of a bpe tokenizer.
        d_mlp: 0 for no MLP.
        positions: "learned" or "sinusoidal".
    """

    tokenizer: Literal["char", "bpe"] = "char"
    vocab_size: int = 512
    n_layers: int = 4
    n_heads: int = 4
    d_model: int = 32
    d_mlp: int = 64
    context: int = 64
    positions: Literal["learned", "sinusoidal"] = "learned"

    def config(self, d_vocab: int) -> ModelConfig:
        """The configuration with so many tokens. Raises ConfigError where the sizes contradict each other."""
        return ModelConfig(
            n_layers=self.n_layers,
            d_model=self.d_model,
            n_ctx=self.context,
            d_vocab=d_vocab,
            n_heads=self.n_heads,
            d_mlp=self.d_mlp,
            act_fn="relu" if self.d_mlp else None,
            attn_only=not self.d_mlp,
            positional_embedding_type="standard" if self.positions == "learned" else "sinusoidal",
            tie_embeddings=False,
        )


@dataclass(frozen=True)
class TrainingPlan:
    """A run as it was asked for.

    Attributes:
        text: what is trained on.
        shape: of a new model.
        present: the model to train on from, in place of a new one.
        settings: steps, batch, learning rate and the like.
    """

    text: TrainingText
    shape: Shape = field(default_factory=Shape)
    present: OpenedModel | None = None
    settings: TrainingSettings = field(default_factory=TrainingSettings)

    def config(self) -> ModelConfig:
        """The model's configuration; a bpe tokenizer is taken to have all the tokens that were asked for.

        Raises:
            ConfigError, TrainingError: the sizes contradict each other, or a step needs too much memory.
        """
        if self.present is not None:
            config = self.present.model.config
            if self.present.model.tokenizer is None:
                raise TrainingError(f"{self.present.name} has no tokenizer to read a text with; train a new model")
        else:
            bpe = self.shape.tokenizer == "bpe"
            config = self.shape.config(self.shape.vocab_size if bpe else max(self.text.alphabet_size(), 1))
        require_memory(config, self.settings.batch)
        return config

    def parameter_count(self) -> int:
        """How many numbers are trained. Raises as `config`."""
        config = self.config()
        if self.present is not None:
            return self.present.model.parameters.count()
        return parameter_count(config)

    def title(self) -> str:
        """What undo calls the run."""
        return f"train on {self.text.name}"


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


def tokenizer_steps(plan: TrainingPlan) -> Iterator[tuple[str, int, int] | Tokenizer]:
    """Make the plan's tokenizer in small pieces: (what, done, total) as it goes, and the tokenizer last.

    Raises:
        TrainingError: the text is empty, or the vocabulary is too small for byte pairs.
    """
    if not plan.text.text:
        raise TrainingError(f"{plan.text.name} is empty; a text to train on is needed")
    if plan.present is not None:
        known = plan.present.model.tokenizer
        assert isinstance(known, Tokenizer)
        yield known
    elif plan.shape.tokenizer == "bpe":
        steps = train_bpe_steps(plan.text.text, plan.shape.vocab_size)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                yield end.value
                return
            yield step.phase, step.done, step.total
    else:
        yield CharacterTokenizer.from_text(plan.text.text)


def settings_for(text: TrainingText, settings: TrainingSettings, tokenizer: Tokenizer) -> TrainingSettings:
    """The settings with windows at the beginnings of lines, where lines stand alone and have a token between them."""
    if not text.by_lines or not isinstance(tokenizer, CharacterTokenizer) or SEPARATOR not in tokenizer.alphabet:
        return settings
    return replace(settings, begin_after=tokenizer.encode(SEPARATOR)[0])


def beginning(text: str, by_lines: bool, n_ctx: int) -> str:
    """A few characters to go on from: what the first line asks, or what the text begins with."""
    if by_lines:
        line = text.partition(SEPARATOR)[0][:n_ctx]
        asked = max(line.find(sign) for sign in ASKING)
        return line[: asked + 1 if asked >= 0 else -(-len(line) // 2)] or SEPARATOR
    return (text.lstrip() or text)[: min(BEGINNING, n_ctx)]


def token_ids(tokenizer: Tokenizer, text: str) -> Ids:
    """The ids of a text, [tokens]. Raises TokenError for what has no token."""
    ids = tokenizer.encode(text)
    pieces = [np.array(ids[start : start + PIECE], dtype=np.intp) for start in range(0, len(ids), PIECE)]
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.intp)
