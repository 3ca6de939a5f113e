"""What the next-token panel lists: the most probable tokens after one position, and words for where that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.ops.softmax import softmax
from visualizer.engine.sampling import Distribution, Sampling, argmax, choose, distribution, largest
from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel
from visualizer.session.evaluation.result import Result
from visualizer.session.words.axis_labels import token_and_id, token_label, with_position
from visualizer.session.words.comparison import ADDED
from visualizer.session.words.numbers import against, full, short

#: So many tokens are listed.
LISTED = 20


@dataclass(frozen=True)
class TokenRow:
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
        signed: whether the rows' numbers are differences from the baseline, the largest first.
    """

    title: str
    position: int | None
    rows: tuple[TokenRow, ...]
    more: str
    taken: int
    taken_how: str
    note: str = ""
    place: int = 0
    forcible: bool = False
    signed: bool = False


@dataclass(frozen=True)
class _Reading:
    """The logits after one position of a pass, and what follows from them; arrays are [d_vocab]."""

    logits: NDArray[Any]
    probs: NDArray[Any]
    log_total: float
    stages: Distribution | None

    @classmethod
    def of(cls, logits: NDArray[Any], sampling: Sampling) -> _Reading:
        """The reading of some logits; filtered where tokens are drawn."""
        stages = None if sampling.greedy else distribution(logits, sampling)
        return cls(logits, softmax(logits), _log_sum_exp(logits), stages)

    def numbers(self, token: int) -> tuple[float, ...]:
        """Probability, log-probability, logit and, where tokens are drawn, the probability that it is drawn with."""
        logit = float(self.logits[token])
        final = () if self.stages is None else (float(self.stages.final[token]),)
        return float(self.probs[token]), logit - self.log_total, logit, *final


def next_tokens(
    result: Result, step: int, row: int | None, comparison: str = "value", baseline: Trace | None = None
) -> NextTokens:
    """The distribution after `row` of the context of `step`, or after its last position where `row` is None.

    With the `baseline`'s pass over the same context, `comparison` asks for "value", "baseline" or "difference".
    """
    chosen, opened, sampling = result.steps[step], result.state.opened, result.state.sampling
    trace = chosen.trace
    if trace is None:
        first = token_label(opened, chosen.token)
        note = f"The prompt is empty: the first token of the vocabulary, {first}, comes first."
        return NextTokens("at the beginning", None, (), "", chosen.token, "", note, 0, True)
    _, context = result.context(step)
    last = len(context) - 1
    position = last if row is None or not 0 <= row <= last else row
    place = chosen.context_start + position + 1
    now = _Reading.of(trace.logits_at(position), sampling)
    before = None if baseline is None else _Reading.of(baseline.logits_at(position), sampling)
    shown = before if before is not None and comparison == "baseline" else now
    if position < last:
        taken, how = context[position + 1], "what the text has here"
    elif shown is before:
        taken, how = choose(distribution(shown.logits, sampling), sampling, place), "what the baseline takes"
    else:
        taken, how = chosen.token, "forced" if chosen.forced else _how(now.probs, chosen.token, sampling.greedy)
    signed = before is not None and comparison == "difference"
    with np.errstate(invalid="ignore"):
        keys = np.abs(now.probs - before.probs) if signed and before is not None else shown.probs
    order = largest(keys, LISTED, nan_first=True)
    rows = tuple(_row(int(token), opened, now, before, comparison, sampling) for token in order)
    more = ""
    if len(order) < len(keys):
        rest = f", together {max(1.0 - float(keys[order].sum(dtype=np.float64)), 0.0):.3g}" if not signed else ""
        more = f"… and {len(keys) - len(order)} more{rest}"
    label = with_position(token_label(opened, context[position]), position)
    note = "nan: these logits have no softmax." if np.isnan(keys).any() else ""
    title = f"after {label}{ADDED[comparison] if before is not None else ''}"
    forcible = place >= len(result.state.prompt)
    return NextTokens(title, position, rows, more, taken, how, note, place, forcible, signed)


def _how(probs: NDArray[Any], token: int, greedy: bool) -> str:
    if not greedy:
        return "drawn"
    return "the most probable" if argmax(probs) == token else "chosen"


def _row(
    token: int, opened: OpenedModel, now: _Reading, before: _Reading | None, comparison: str, sampling: Sampling
) -> TokenRow:
    text, dtype = token_label(opened, token), now.logits.dtype
    numbers = now.numbers(token)
    others = numbers if before is None else before.numbers(token)
    lines = [token_and_id(opened, token)]
    for words, number, other in zip(("probability", "log-probability", "logit"), numbers, others, strict=False):
        lines.append(f"{words} {full(number, dtype)}")
        if before is not None:
            lines[-1] += f" ({against(number, other, dtype)})"
    lines += _stage_lines(token, now.stages, sampling)
    if comparison == "baseline":
        numbers = others
    elif before is not None and comparison == "difference":
        numbers = tuple(number - other for number, other in zip(numbers, others, strict=True))
    probability, log_probability, logit = numbers[:3]
    final = numbers[3] if len(numbers) > 3 else None
    return TokenRow(token, text, probability, logit, log_probability, "\n".join(lines), final)


def _stage_lines(token: int, stages: Distribution | None, sampling: Sampling) -> list[str]:
    """What each filter made of a token's probability."""
    lines: list[str] = []
    if stages is None:
        return lines
    for word, setting, probs in (
        ("temperature", sampling.temperature, stages.tempered),
        ("top-k", sampling.top_k, stages.top_k),
        ("top-p", sampling.top_p, stages.top_p),
    ):
        if setting is not None:
            left = float(probs[token])
            logarithm = f", log {short(math.log(left), 4)}" if left > 0 else ""
            lines.append(f"after {word} {setting:g}: {full(left, probs.dtype)}{logarithm}")
    return lines


def _log_sum_exp(logits: NDArray[Any]) -> float:
    """Log Σ e^logit in double precision; NaN where a logit is NaN or +inf, as the softmax has it."""
    wide = logits.astype(np.float64)
    top = float(wide.max()) if wide.size else math.nan
    if not math.isfinite(top):
        return math.nan
    return top + math.log(float(np.exp(wide - top).sum()))
