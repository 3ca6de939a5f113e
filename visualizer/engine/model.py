"""A model: configuration, parameters and tokenizer, and what one can ask of it. Models never change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visualizer.engine.config import ModelConfig
from visualizer.engine.generate import Step, generate
from visualizer.engine.gradients import LossGradients, loss_gradients
from visualizer.engine.interventions import Intervention, listed
from visualizer.engine.network import Network
from visualizer.engine.parameters import by_name
from visualizer.engine.sampling import Sampling, is_whole
from visualizer.engine.trace import Trace
from visualizer.errors import ConfigError, SamplingError, TokenError

Array = NDArray[Any]
Prompt = str | Sequence[int] | NDArray[np.integer[Any]]


class ModelTokenizer(Protocol):
    """What the engine asks of a tokenizer (visualizer.tokenizers has them)."""

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""

    def decode(self, ids: Iterable[int]) -> str:
        """Text of token ids."""

    def token_text(self, token_id: int) -> str:
        """One token, printable."""

    def description(self) -> str:
        """One line about the tokenizer."""

    def to_dict(self) -> dict[str, Any]:
        """What a file says of it."""


class Model(Network):
    """A decoder-only transformer.

    Args:
        config: its shape.
        parameters: arrays by name, `[in, out]`; an absent bias counts as none.
        tokenizer: text to ids and back; None for a model that is only fed ids.

    Raises:
        ConfigError, ParameterError: the parameters do not fit the configuration.
    """

    def __init__(
        self, config: ModelConfig, parameters: Mapping[str, ArrayLike], tokenizer: ModelTokenizer | None = None
    ) -> None:
        if not isinstance(config, ModelConfig):
            raise ConfigError(f"the configuration is {type(config).__name__}; a ModelConfig is needed")
        if config.tie_embeddings is None:
            config = replace(config, tie_embeddings="lm_head.w" not in by_name(parameters))
        super().__init__(config, parameters)
        self.tokenizer = tokenizer

    def __repr__(self) -> str:
        config = self.config
        sizes = ", ".join(
            f"{name}={getattr(config, name)}" for name in ("n_layers", "n_heads", "d_model", "d_vocab", "n_ctx")
        )
        return f"Model({sizes}, {self.parameters.count():,} parameters, {config.dtype})"

    def replace(self, changes: Mapping[str, ArrayLike]) -> Model:
        """A new model with these parameters replaced and everything else shared.

        Raises:
            ParameterError: a name is not there, or a shape differs.
        """
        new = object.__new__(Model)
        new.config, new.tokenizer, new.graph = self.config, self.tokenizer, self.graph
        new.parameters = self.parameters.replace(changes)
        return new

    def with_dtype(self, dtype: str) -> Model:
        """The same model computing in float32 or float64."""
        if dtype == self.config.dtype:
            return self
        return Model(replace(self.config, dtype=dtype), self.parameters, self.tokenizer)

    def ids(self, prompt: Prompt) -> Array:
        """Token ids [position] of a text, or the ids given, checked.

        Raises:
            TokenError: the text has no tokens here, or an id lies outside the vocabulary.
        """
        if isinstance(prompt, str):
            if self.tokenizer is None:
                raise TokenError(
                    f"this model has no tokenizer, so it cannot read {prompt[:20]!r}; "
                    f"give token ids from 0 to {self.config.d_vocab - 1}"
                )
            prompt = self.tokenizer.encode(prompt)
        try:
            ids = np.asarray(prompt)
        except ValueError as error:  # a list of lists of different lengths
            raise TokenError("token ids are a flat list of whole numbers") from error
        if ids.size == 0:
            return np.zeros(0, dtype=np.intp)
        if ids.dtype == np.intp and ids.ndim == 1 and np.maximum.reduce(ids.view(np.uintp)) < self.config.d_vocab:
            return ids.copy()  # the common case; negative ids are huge when seen as unsigned
        if ids.dtype == object and all(isinstance(token, int) for token in ids.flat):
            raise TokenError(f"a token id is not in the vocabulary; ids go from 0 to {self.config.d_vocab - 1}")
        if ids.ndim != 1 or ids.dtype.kind not in "iu":
            raise TokenError("token ids are a flat list of whole numbers")
        wrong = np.flatnonzero((ids < 0) | (ids >= self.config.d_vocab))
        if wrong.size:
            at = int(wrong[0])
            raise TokenError(
                f"token id {ids[at]} at position {at} is not in the vocabulary; "
                f"ids go from 0 to {self.config.d_vocab - 1}"
            )
        return ids.astype(np.intp)

    def forward(
        self, prompt: Prompt, *, interventions: Sequence[Intervention] = (), reuse: Trace | None = None
    ) -> Trace:
        """Run the last n_ctx tokens of `prompt` and record everything.

        Args:
            prompt: text, or token ids.
            interventions: applied in order, each to the activation it names, as soon as that is computed.
            reuse: the trace of an earlier pass. Where it saw the same tokens, only what lies downstream of
                the parameters and interventions that differ is computed again; the result is the same to the bit.

        Raises:
            TokenError: as `ids`.
            InterventionError: an intervention names what this model does not have.
        """
        tokens = self.ids(prompt)
        if len(tokens) > self.config.n_ctx:
            tokens = tokens[-self.config.n_ctx :]
        return super().forward(tokens, interventions=interventions, reuse=reuse)

    def generate(
        self,
        prompt: Prompt,
        n: int = 10,
        *,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        interventions: Sequence[Intervention] = (),
    ) -> Iterator[Step]:
        """Continue `prompt` by `n` tokens, each with the internals of the pass that chose it.

        Greedy (the most probable token, the lowest id on a tie) unless a temperature, top_k or top_p is given.

        Raises:
            TokenError, SamplingError: before the first step.
        """
        if not is_whole(n):
            raise SamplingError(f"the number of tokens is {n!r}; a whole number is needed")
        sampling = Sampling.of(temperature, top_k, top_p, seed)
        return generate(self, self.ids(prompt), int(n), sampling, listed(interventions))

    def gradients(self, prompt: Prompt, target: str | int) -> tuple[float, dict[str, Array]]:
        """Cross-entropy in nats of `target` after the last token of `prompt`, and its gradient by parameter.

        Args:
            prompt: text or ids; the last n_ctx tokens count.
            target: a token id, or a text of exactly one token.

        Raises:
            TokenError: the prompt is empty, or `target` is no single token.
        """
        found = self.loss_gradients(prompt, target)
        return found.loss, found.parameters

    def loss_gradients(self, prompt: Prompt, target: str | int, activations: Collection[str] = ()) -> LossGradients:
        """As `gradients`, with those of some activations.

        Raises:
            TokenError: as `gradients`.
            InterventionError: there is no such activation.
        """
        tokens = self.ids(prompt)[-self.config.n_ctx :]
        if not len(tokens):
            raise TokenError("the prompt is empty, so no token follows it with a loss; at least one token is needed")
        self._check_hooks(activations)
        wanted = np.asarray(self.token_id(target))
        parameters = self.parameters.as_dict()
        return loss_gradients(self.graph, parameters, tokens, wanted, last_only=True, activations=activations)

    def token_id(self, token: str | int) -> int:
        """The id of a token given as text or as id.

        Raises:
            TokenError: it is no single token of the vocabulary.
        """
        ids = self.ids(token if isinstance(token, str) else [token])
        if len(ids) != 1:
            raise TokenError(f"{token!r} is {len(ids)} tokens; exactly one is needed")
        return int(ids[0])

    def text(self, ids: Iterable[int]) -> str:
        """The text of token ids; without a tokenizer the ids themselves, separated by commas."""
        if self.tokenizer is None:
            return ",".join(str(int(i)) for i in ids)
        text: str = self.tokenizer.decode(list(ids))
        return text
