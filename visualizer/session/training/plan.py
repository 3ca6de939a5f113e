"""What is to be trained, on what, and for how long: the plan of command and panel, and the defaults of both."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from visualizer.engine.adam import AdamSettings
from visualizer.engine.config import ModelConfig
from visualizer.engine.memory import require_memory
from visualizer.engine.parameters import parameter_count
from visualizer.engine.training import TrainingSettings
from visualizer.errors import TrainingError
from visualizer.formats import OpenedModel
from visualizer.session.training.corpora import Corpus, built_in, open_corpus
from visualizer.session.training.tasks import SEPARATOR
from visualizer.tokenizers.characters import characters_of

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
        example: a prompt that shows what is learned; empty where there is none.
        source: the file that the text is read from when it is wanted; empty where `text` has it.
        characters: how many different characters it has, where they are counted already.
    """

    name: str
    text: str
    by_lines: bool = False
    example: str = ""
    source: str = ""
    characters: int | None = None

    @classmethod
    def of(cls, corpus: Corpus) -> TrainingText:
        """A corpus by the last part of its name: `sort` for `task:sort`, a file's name without its folder."""
        plain = corpus.name.split(":", 1)[1] if corpus.name in built_in() else Path(corpus.name).stem
        return cls(plain, corpus.text, corpus.by_lines, "" if corpus.task is None else corpus.task.example)

    @classmethod
    def outline(cls, source: str) -> TrainingText:
        """What has to be known of a large text file before training, without its text. Raises as `open_corpus`."""
        whole = cls.of(open_corpus(source))
        return replace(whole, text="", source=source, characters=whole.alphabet_size())

    def read(self) -> TrainingText:
        """With its text. Raises TrainingError where that cannot be read."""
        return TrainingText.of(open_corpus(self.source)) if self.source else self

    def alphabet_size(self) -> int:
        """How many different characters it has."""
        return self._counted if self.characters is None else self.characters

    @cached_property
    def _counted(self) -> int:
        return len(characters_of(self.text))


@dataclass(frozen=True)
class Shape:
    """The shape of a new model; names and defaults are those of the `train` command and of the panel.

    Attributes:
        tokenizer: "char" or "bpe".
        vocab_size: tokens of a bpe tokenizer.
        d_mlp: width of the MLP; 0 for none, None for twice d_model.
        positions: "learned" or "sinusoidal".
    """

    tokenizer: Literal["char", "bpe"] = "char"
    vocab_size: int = 512
    n_layers: int = 4
    n_heads: int = 4
    d_model: int = 32
    d_mlp: int | None = None
    context: int = 64
    positions: Literal["learned", "sinusoidal"] = "learned"

    @property
    def mlp_width(self) -> int:
        """d_mlp as a number."""
        return 2 * self.d_model if self.d_mlp is None else self.d_mlp

    def config(self, d_vocab: int) -> ModelConfig:
        """The configuration with so many tokens. Raises ConfigError where the sizes contradict each other."""
        return ModelConfig(
            n_layers=self.n_layers,
            d_model=self.d_model,
            n_ctx=self.context,
            d_vocab=d_vocab,
            n_heads=self.n_heads,
            d_mlp=self.mlp_width,
            act_fn="relu" if self.mlp_width else None,
            attn_only=not self.mlp_width,
            positional_embedding_type="standard" if self.positions == "learned" else "sinusoidal",
            tie_embeddings=False,
        )


#: The usual settings of a run.
SETTINGS = TrainingSettings()


def run_settings(
    steps: int = SETTINGS.steps,
    batch: int = SETTINGS.batch,
    seed: int = SETTINGS.seed,
    lr: float = SETTINGS.optimizer.lr,
    warmup: int | None = None,
    weight_decay: float = SETTINGS.optimizer.weight_decay,
    grad_clip: float = SETTINGS.optimizer.grad_clip,
) -> TrainingSettings:
    """The settings of a run: a short one warms up for a tenth of its steps, and is evaluated twenty times.

    Raises:
        TrainingError: one of them cannot be served.
    """
    return TrainingSettings(
        steps=steps,
        batch=batch,
        seed=seed,
        evaluate_every=max(1, min(SETTINGS.evaluate_every, steps // 20)),
        optimizer=AdamSettings(
            lr=lr,
            warmup=min(SETTINGS.optimizer.warmup, max(steps, 0) // 10) if warmup is None else warmup,
            weight_decay=weight_decay,
            grad_clip=grad_clip,
        ),
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
    settings: TrainingSettings = field(default_factory=run_settings)

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


def beginning(text: TrainingText, n_ctx: int) -> str:
    """A few characters to go on from: the text's example, what its first line asks, or its first words."""
    if text.example:
        return text.example
    if text.by_lines:
        line = text.text.partition(SEPARATOR)[0][:n_ctx]
        asked = max(line.find(sign) for sign in ASKING)
        if asked >= 0:
            return line[: asked + 1]
    few = (text.text.lstrip() or text.text)[: min(BEGINNING, n_ctx)]
    return few.rpartition(" ")[0] or few
