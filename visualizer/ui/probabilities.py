"""What the next-token panel lists: the most probable tokens after one position, and words for where that is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.ops.softmax import softmax
from visualizer.engine.sampling import Distribution, Sampling, argmax, distribution
from visualizer.session.evaluation import Result
from visualizer.session.labels import token_label, with_position
from visualizer.session.numbers_shown import full, short

#: So many tokens are listed.
LISTED = 20


@dataclass(frozen=True)
class Row:
    """One token of a distribution.

    `final` is its probability after temperature, top-k and top-p: what it is drawn with; None where nothing is drawn.
    """

    token: int
    text: str
    probability: float
    logit: float
    log_probability: float
    readout: str
    final: float | None = None


@dataclass(frozen=True)
class NextTokens:
    """The distribution after one position of one step's context.

    Attributes:
        title: which position, in words.
        position: its row in the context; None for an empty context.
        rows: the most probable tokens, largest first, the lowest id first on a tie; NaN before all.
        more: how many further tokens there are, and what they come to together; empty where there are none.
        taken: the token that did come (or would come) next.
        taken_how: how it came to be that one.
        note: a sentence in place of rows, or about them; often empty.
        place: where in the text, prompt included, the next token stands.
        forcible: whether a token can be forced there: the prompt's own are not chosen by the model.
    """

    title: str
    position: int | None
    rows: tuple[Row, ...]
    more: str
    taken: int
    taken_how: str
    note: str = ""
    place: int = 0
    forcible: bool = False


def next_tokens(result: Result, step: int, row: int | None) -> NextTokens:
    """The distribution after `row` of the context of `step`, or after its last position where `row` is None."""
    chosen, opened = result.steps[step], result.state.opened
    trace = chosen.trace
    if trace is None:
        first = token_label(opened, chosen.token)
        note = f"The prompt is empty: the first token of the vocabulary, {first}, comes first."
        return NextTokens("at the beginning", None, (), "", chosen.token, "", note, 0, True)
    _, context = result.context(step)
    last = len(context) - 1
    position = last if row is None or not 0 <= row <= last else row
    logits = trace.logits_at(position)
    sampling, probs, stages = result.state.sampling, softmax(logits), None
    if not sampling.greedy:
        stages = chosen.stages if position == last else distribution(logits, sampling)
    if position == last:
        taken, how = chosen.token, "forced" if chosen.forced else _how(probs, chosen.token, sampling.greedy)
    else:
        taken, how = context[position + 1], "what the text has here"
    order = most_probable(probs, LISTED)
    log_total = _log_sum_exp(logits)
    rows = tuple(
        _with_stages(_row(int(token), token_label(opened, int(token)), probs, logits, log_total), stages, sampling)
        for token in order
    )
    more = ""
    if len(order) < len(probs):
        rest = 1.0 - float(probs[order].sum(dtype=np.float64))
        more = f"… and {len(probs) - len(order)} more, together {max(rest, 0.0):.3g}"
    label = with_position(token_label(opened, context[position]), position)
    note = "nan: these logits have no softmax." if np.isnan(probs).any() else ""
    place = chosen.context_start + position + 1
    forcible = place >= len(result.state.prompt)
    return NextTokens(f"after {label}", position, rows, more, taken, how, note, place, forcible)


def most_probable(probs: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Ids of the `count` largest, in order; the lowest id first on a tie, NaN before everything."""
    keys = np.where(np.isnan(probs), np.inf, probs)
    if count >= keys.size:
        return np.argsort(-keys, kind="stable")
    bound = np.partition(keys, keys.size - count)[keys.size - count]
    candidates = np.flatnonzero(keys >= bound)
    return candidates[np.argsort(-keys[candidates], kind="stable")][:count]


def _how(probs: NDArray[Any], token: int, greedy: bool) -> str:
    if not greedy:
        return "drawn"
    return "the most probable" if argmax(probs) == token else "chosen"


def _row(token: int, text: str, probs: NDArray[Any], logits: NDArray[Any], log_total: float) -> Row:
    logit, probability = float(logits[token]), float(probs[token])
    log_probability = logit - log_total
    readout = "\n".join(
        (
            f"{text}   id {token}",
            f"probability {full(probability, probs.dtype)}",
            f"log-probability {full(log_probability, probs.dtype)}",
            f"logit {full(logit, logits.dtype)}",
        )
    )
    return Row(token, text, probability, logit, log_probability, readout)


def _with_stages(row: Row, stages: Distribution | None, sampling: Sampling) -> Row:
    """The row with what each filter made of its probability."""
    if stages is None:
        return row
    token, lines = row.token, [row.readout]
    for word, setting, probs in (
        ("temperature", sampling.temperature, stages.tempered),
        ("top-k", sampling.top_k, stages.top_k),
        ("top-p", sampling.top_p, stages.top_p),
    ):
        if setting is not None:
            left = float(probs[token])
            logarithm = f", log {short(math.log(left), 4)}" if left > 0 else ""
            lines.append(f"after {word} {setting:g}: {full(left, probs.dtype)}{logarithm}")
    return replace(row, readout="\n".join(lines), final=float(stages.final[token]))


def _log_sum_exp(logits: NDArray[Any]) -> float:
    """Log Σ e^logit in double precision; NaN where a logit is NaN or +inf, as the softmax has it."""
    wide = logits.astype(np.float64)
    top = float(wide.max()) if wide.size else math.nan
    if not math.isfinite(top):
        return math.nan
    return top + math.log(float(np.exp(wide - top).sum()))
