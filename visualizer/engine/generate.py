"""Generation: one token at a time, each step with the internals of the pass that chose it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.interventions import Intervention, within
from visualizer.engine.kv_cache import RowCache
from visualizer.engine.network import Network
from visualizer.engine.sampling import Distribution, Sampling, choose, distribution
from visualizer.engine.trace import Trace

Array = NDArray[Any]

#: Room for so many tokens to come at first; it doubles whenever it is full.
GROWTH = 1024


@dataclass(frozen=True)
class Step:
    """One generated token.

    Attributes:
        token: its id.
        probs: softmax of the last position's logits [d_vocab].
        stages: the same after temperature, top-k and top-p.
        trace: the internals of the pass that chose it, all positions of its context; None where the context
            was empty (then the first token of the vocabulary is taken).
        position: its place in the text, prompt included.
        context_start: the place in the text of the first token that the pass saw.
        reused: how many rows came from the key/value cache; the others belong to this step.
        copied: activations whose rows of this step were taken from an earlier generation, because no edit since
            reaches them; the others were computed.
        forced: whether the token was put there instead of chosen.
        log_probability: natural logarithm of its probability before the filters, also where that rounds to 0.
    """

    token: int
    probs: Array
    stages: Distribution
    trace: Trace | None
    position: int
    context_start: int
    reused: int
    copied: frozenset[str] = frozenset()
    forced: bool = False
    log_probability: float = 0.0


def generate(
    network: Network,
    prompt: Array,
    n: int,
    sampling: Sampling,
    interventions: tuple[Intervention, ...] = (),
    earlier: Sequence[Step] = (),
    forced: Mapping[int, int] | None = None,
) -> Iterator[Step]:
    """Continue `prompt` (ids) by `n` tokens, with a cache until the context is full.

    Once the context is full, the window slides by one token a step: every token's position changes, so nothing
    can be reused. Interventions refer to positions of the whole pass, so with them no row is reused either; one that
    refers to positions that a pass does not have (yet) leaves it alone.

    `earlier` are the steps of a generation from the same prompt, with other parameters perhaps. As long as the
    tokens agree, what no changed parameter reaches is copied from it. `forced` maps places in the text to the ids
    that stand there whatever the model would choose.
    """
    n_ctx = network.config.n_ctx
    forced = forced or {}
    tokens = np.zeros(len(prompt) + min(max(n, 0), GROWTH), dtype=np.intp)
    tokens[: len(prompt)] = prompt
    cache: RowCache | None = None
    before = {step.position: step.trace for step in earlier}
    interventions = tuple(change for change in interventions if change.enabled)
    longest = next((s.trace for s in reversed(earlier) if s.trace is not None and s.context_start == 0), None)
    for end in range(len(prompt), len(prompt) + n):
        start = max(0, end - n_ctx)
        if end == 0:
            step = first_of_vocabulary(network, forced.get(end))
        else:
            reused, copied = 0, frozenset[str]()
            if interventions or start > 0:
                changes, known = within(interventions, network.graph, end - start), before.get(end)
                trace = network.forward(tokens[start:end], interventions=changes, reuse=known)
                copied = frozenset() if known is None else _shared(trace, known)
            else:
                if cache is None:
                    network.require_memory(min(n_ctx, len(prompt) + n))
                    cache = RowCache(network.graph, min(n_ctx, len(prompt) + n))
                reused = cache.length
                trace, copied = network.extend(cache, tokens[:end], longest)
            logits = trace.logits_at(-1)
            stages = distribution(logits, sampling)
            put = forced.get(end)
            token = choose(stages, sampling, end) if put is None else put
            log_p = _log_probability(stages.probs, logits, token)
            step = Step(token, stages.probs, stages, trace, end, start, reused, copied, put is not None, log_p)
        if end == len(tokens):
            tokens = np.concatenate([tokens, np.zeros_like(tokens)])
        tokens[end] = step.token
        yield step


def _log_probability(probs: Array, logits: Array, token: int) -> float:
    """Of one token, from the probabilities [d_vocab], or from the logits where its own is too small for them."""
    probability = float(probs[token])
    if probability > np.finfo(probs.dtype).tiny:
        return math.log(probability)
    exact = logits.astype(np.float64)
    top = exact.max()  # NaN and infinity make NaN of it, as of the probability
    with np.errstate(invalid="ignore"):
        return float(exact[token] - top - np.log(np.exp(exact - top).sum()))


def _shared(trace: Trace, known: Trace) -> frozenset[str]:
    """Names of the activations that a pass took from an earlier one as they were."""
    recorded = known.recorded
    return frozenset(name for name, array in trace.recorded.items() if recorded.get(name) is array)


def first_of_vocabulary(network: Network, forced: int | None = None) -> Step:
    """The step after an empty context: nothing to compute from, so the vocabulary's first token, certainly, unless
    another is forced.
    """
    probs = np.zeros(network.config.d_vocab, dtype=network.config.dtype)
    probs[0] = 1
    token, certain = forced or 0, Distribution(probs, probs, probs, probs)
    log_p = -math.inf if token else 0.0
    return Step(token, probs, certain, None, 0, 0, 0, forced=forced is not None, log_probability=log_p)
