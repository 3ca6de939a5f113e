"""The shape of GPT-2 small with random weights: whole passes and one more cached token, against Transformers."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.harness import Row, compare
from visualizer.engine.config import ModelConfig
from visualizer.engine.generate import Step
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes

Array = NDArray[Any]

LENGTHS = (16, 64, 256, 1024)
CACHED_AT = 256
BLOCKS, WIDTH, HEADS, VOCABULARY, CONTEXT = 12, 768, 12, 50257, 1024
RECORDED = "all recorded"


def gpt2_shape() -> Model:
    """124 million random numbers: LayerNorm, tanh GELU, biases, learned positions, tied embeddings."""
    config = ModelConfig(
        n_layers=BLOCKS, d_model=WIDTH, n_heads=HEADS, n_ctx=CONTEXT, d_vocab=VOCABULARY,
        act_fn="gelu_new", normalization_type="LN", tie_embeddings=True,
    )  # fmt: skip
    generator = np.random.default_rng(0)
    arrays = {}
    for name, shape in parameter_shapes(config).items():
        if name == "lm_head.b":
            continue
        numbers = generator.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
        arrays[name] = numbers + 1 if name.endswith(".g") else numbers
    return Model(config, arrays)


def missing_reference() -> str:
    """What has to be installed for a comparison, or nothing."""
    missing = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def transformers_model(model: Model) -> Any:
    """The same weights in Transformers' GPT2LMHeadModel, with eager attention."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        n_layer=BLOCKS, n_embd=WIDTH, n_head=HEADS, vocab_size=VOCABULARY, n_positions=CONTEXT,
        attn_implementation="eager", resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    reference = GPT2LMHeadModel(config).eval()
    state = {}
    for name, array in model.parameters.items():
        theirs = name.replace("blocks.", "h.").removesuffix(".w").removesuffix(".g").removesuffix(".b")
        kind = "bias" if name.endswith(".b") else "weight"
        state[f"transformer.{theirs}.{kind}"] = torch.from_numpy(array.copy())
    state["lm_head.weight"] = state["transformer.wte.weight"]
    reference.load_state_dict(state)
    return reference


class Stream:
    """Tokens one by one from a prefilled cache; begins anew, untimed, when `length` of them have been made."""

    def __init__(self, start: Callable[[], Iterator[object]], length: int = 16) -> None:
        self._start, self._length = start, length
        self._steps: Iterator[object] = iter(())
        self._left = 0

    def prepare(self) -> None:
        """Prefill, and make the first token, where no more may follow."""
        if not self._left:
            self._steps = self._start()
            next(self._steps)
            self._left = self._length
        self._left -= 1

    def __call__(self) -> object:
        """Make one token."""
        return next(self._steps)


def their_stream(reference: Any, prompt: Array) -> Iterator[object]:
    """Greedy tokens with Transformers' own cache, attentions and hidden states returned."""
    import torch

    tokens, past = torch.from_numpy(prompt[None]), None
    while True:
        with torch.no_grad():
            out = reference(
                tokens, past_key_values=past, use_cache=True, output_attentions=True, output_hidden_states=True
            )
        past, tokens = out.past_key_values, out.logits[:, -1:].argmax(-1)
        yield out


def our_stream(model: Model, prompt: Array) -> Iterator[Step]:
    """Greedy tokens, every activation of the new row recorded."""
    return model.generate(prompt, CONTEXT - len(prompt))


def rows() -> list[Row]:
    """One row for each length of a whole pass, one for a cached token."""
    model = gpt2_shape()
    lacking = missing_reference()
    reference = None if lacking else transformers_model(model)
    generator = np.random.default_rng(1)
    found = []
    for length in LENGTHS:
        tokens = generator.integers(0, VOCABULARY, length)
        theirs = None if reference is None else their_pass(reference, tokens)
        if theirs is not None:
            np.testing.assert_allclose(model.forward(tokens)["logits"], theirs().logits[0].numpy(), atol=1e-3)
        found.append(
            compare(
                f"GPT-2 shape forward, {RECORDED}, T = {length}",
                lambda tokens=tokens: model.forward(tokens)["logits"],  # type: ignore[misc]
                theirs,
                bound=1.0,
                aim=0.8,
                seconds=min(20.0, 3.0 + length / 50),
                note=lacking or "Transformers, eager, attentions and hidden states",
            )
        )
    return [*found, cached_token(model, reference, generator.integers(0, VOCABULARY, CACHED_AT), lacking)]


def their_pass(reference: Any, tokens: Array) -> Callable[[], Any]:
    """A whole pass in Transformers that returns attentions and hidden states."""
    import torch

    batch = torch.from_numpy(tokens[None])

    def run() -> Any:
        with torch.no_grad():
            return reference(batch, output_attentions=True, output_hidden_states=True, use_cache=False)

    return run


def cached_token(model: Model, reference: Any, prompt: Array, lacking: str) -> Row:
    """One more token after `prompt`."""
    ours = Stream(lambda: our_stream(model, prompt))
    theirs = None if reference is None else Stream(lambda: their_stream(reference, prompt))

    def prepare() -> None:
        ours.prepare()
        if theirs is not None:
            theirs.prepare()

    return compare(
        f"GPT-2 shape, one cached token, {RECORDED}, T = {CACHED_AT}",
        ours,
        theirs,
        bound=1.0,
        aim=0.7,
        seconds=8.0,
        note=lacking or "Transformers, eager, with its cache",
        prepare=prepare,
    )
