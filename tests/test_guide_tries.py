"""Each "Try" of the guide, done: what it says happens. Its numbers are checked in `tests/ui/window/test_guide.py`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator
from typing import TypeVar

import numpy as np
import pytest

from visualizer.engine.gradients import LossGradients
from visualizer.engine.head_scores import head_scores, main_role, mean_scores, repeated_random_tokens
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.readings import logit_lens
from visualizer.engine.sampling import argmax
from visualizer.formats import open_model
from visualizer.resources import resource
from visualizer.session.analysis.arc_weights import ArcFilter
from visualizer.session.analysis.behaviour import behaviour
from visualizer.session.analysis.flip import Flip, Target, find_flip
from visualizer.session.analysis.lens import contributions
from visualizer.session.analysis.trace_at_position import at_position
from visualizer.session.document.edits import SetCells, SetGeneration, SetPrompt
from visualizer.session.evaluation.cache_map import COMPUTED, REUSED, cache_map
from visualizer.session.evaluation.difference import first_flip, ripple
from visualizer.session.session import Session

C_ATTN = "blocks.0.attn.c_attn.w"
P4, A, B, Q3, V7, SCRATCH = 4, 5, 6, 3, 23, 7
Result = TypeVar("Result")


def handmade() -> Model:
    return open_model("aab").model


def edited(row: int, column: int, number: float) -> Model:
    weights = np.array(handmade().parameters[C_ATTN])
    weights[row, column] = number
    return handmade().replace({C_ATTN: weights})


def written(model: Model, prompt: str, count: int = 10) -> str:
    return model.text(step.token for step in model.generate(prompt, count))


def end_of(work: Generator[object, None, Result]) -> Result:
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result


def prompt() -> None:
    """Two of the prompts never occur in the pattern, and the model finds its way back."""
    for text in ("ababa", "bbbbb"):
        assert text not in "aab" * 10
        assert written(handmade(), text, 30)[5:] in "aab" * 20
    assert "aab" in "aab" * 10
    assert "a" in "aab"


def tokens() -> None:
    """The third token's row: half at the token before, half at itself."""
    assert handmade().forward("aabaa")["blocks.0.attn.pattern"][0, 2].tolist() == [0, 0.5, 0.5, 0, 0]


def parameters_and_weights() -> None:
    """Without its look at position 3 the model sees one token, and undo brings the pattern back."""
    session = Session(open_model("aab"))
    session.document.apply(SetCells(C_ATTN, (P4, Q3), 0.0))
    assert written(session.document.state.model, "aabaa") == "bababababa"
    session.document.undo()
    assert written(session.document.state.model, "aabaa") == "baabaabaab"


def self_check() -> None:
    """NaN in wpe[4,0] reaches the last position, and none before it."""
    for number in (math.nan, math.inf):
        wpe = np.array(handmade().parameters["wpe"])
        wpe[4, 0] = number
        loud, before = handmade().replace({"wpe": wpe}).forward("aabaa"), handmade().forward("aabaa")
        assert loud.nonfinite() > 0
        assert not np.isfinite(loud["blocks.0.resid_pre"][4]).all()
        for name in ("logits", "blocks.0.attn.z", "blocks.0.resid_pre"):
            assert np.array_equal(loud[name][:4], before[name][:4])


def arcs() -> None:
    """Sums of all rows at the keys; and in an induction head the strongest key is what followed the token before."""
    received = handmade().forward("aabaa")["blocks.0.attn.pattern"][0].sum(axis=0)
    assert (received[4], received[0]) == (0.5, 1.5)
    assert ArcFilter(keys=1).keys == 1
    opened = open_model("induction")
    assert opened.prompt is not None
    trace = opened.model.forward(opened.prompt)
    ids, strongest = trace.tokens.tolist(), trace["blocks.1.attn.pattern"][0].argmax(axis=-1)
    again = [t for t in range(1, len(ids)) if ids[t] in ids[:t]]
    after = [strongest[t] - 1 >= 0 and ids[strongest[t] - 1] == ids[t] for t in again]
    assert again
    assert sum(after) / len(after) > 0.7


def heads() -> None:
    """In `induction` the two heads are named, on the prompt and on random text."""
    opened = open_model("induction")
    assert opened.prompt is not None
    random = mean_scores(
        [head_scores(opened.model.forward(repeated_random_tokens(opened.model, seed))) for seed in range(3)]
    )
    for scores in (head_scores(opened.model.forward(opened.prompt)), random):
        previous, induction = main_role(scores, 0, 1), main_role(scores, 1, 0)
        assert previous is not None
        assert induction is not None
        assert (previous.name, induction.name) == ("previous_token", "induction")


def timeline_and_branches() -> None:
    """After `a` the first four steps compute one row each and reuse the others; then the window slides."""
    session = Session(open_model("aab"))
    session.document.apply(SetGeneration(0, session.document.state.sampling))
    session.document.apply(SetPrompt("a"))
    session.document.apply(SetGeneration(10, session.document.state.sampling))
    assert session.result is not None
    states = cache_map(session.result, 0).T
    for step in range(1, 5):
        assert (states[step] == COMPUTED).sum() == 1
        assert (states[step] == REUSED).sum() == step
    assert not (states[5:] == REUSED).any()


def two_prompts() -> None:
    """After the first comes b, after the second a; the patched number alone turns the first into a."""
    model = handmade()
    assert [model.text([argmax(model.forward(text).logits_at(-1))]) for text in ("aabaa", "abaab")] == ["b", "a"]
    other = model.forward("abaab")["blocks.0.attn.z"]
    one = {"position": 4, "head": 0, "d_head": SCRATCH}
    patched = model.forward("aabaa", interventions=[Intervention("blocks.0.attn.z", "patch", one, array=other)])
    assert patched["logits"][4].tolist() == [1025, 0]


def lens_and_contributions() -> None:
    """At first the lens says a with a logit of 1, after the block b; and the parts sum to the logits."""
    trace = handmade().forward("aabaa")
    assert logit_lens(trace, "blocks.0.resid_pre")[4].tolist() == [1, 0]
    assert logit_lens(trace, "blocks.0.resid_post")[4].argmax() == 1
    for token in (0, 1):
        parts = contributions(at_position(trace, 4), token)
        assert sum(part.value for part in parts) == trace["logits"][4, token]


def flip_finder() -> None:
    """The value of a falls to about a half; no value of the query flips this token, yet the continuation changes."""

    def found(row: int, column: int) -> Flip:
        target = Target(C_ATTN, (row, column), "cell")
        return end_of(find_flip(handmade(), handmade().forward("aabaa"), target))

    flip = found(A, V7)
    assert flip.found is not None
    assert flip.found.x == pytest.approx(0.5, abs=0.01)
    assert found(P4, Q3).found is None
    assert written(edited(P4, Q3, 0.0), "aabaa") != written(handmade(), "aabaa")


def behaviour_table() -> None:
    """62 inputs, 13 of them to be judged, all right."""
    table = end_of(behaviour(handmade(), tuple(map(int, handmade().ids("aab")))))
    assert table is not None
    assert (len(table.failed), int(table.judged.sum()), int(table.failed.sum())) == (62, 13, 0)


def baseline_and_ripple() -> None:
    """The first stage that differs is v, and the second generated token is the first to flip."""
    now, before = edited(B, V7, 0.0), handmade()
    changed = ripple(now.forward("aabaa"), before.forward("aabaa"))
    assert changed is not None
    assert changed.first is not None
    assert changed.first.name == "blocks.0.attn.v"
    flip = first_flip(list(now.generate("aabaa", 10)), [step.token for step in before.generate("aabaa", 10)])
    assert flip is not None
    assert (flip.step, written(before, "aabaa")[1], written(now, "aabaa")[1]) == (1, "a", "b")


def training() -> None:
    """The gradient for b points back at the value of a that was silenced: more of it lowers the loss."""
    silenced = edited(A, V7, 0.0)
    assert written(silenced, "aabaa") == "a" * 10
    found: LossGradients = silenced.loss_gradients("aabaa", "b")
    assert found.loss > 1
    assert found.parameters[C_ATTN][A, V7] < 0


def next_token() -> None:
    """Where b counts for nothing, the model doubts at position 2."""
    assert edited(B, V7, 0.0).forward("aabaa")["probs"][2, 1] == pytest.approx(0.731, abs=5e-4)


def interventions() -> None:
    """A silenced head leaves the bias alone; a blind spot leaves two logits almost equal."""
    silent = handmade().forward("aabaa", interventions=[Intervention("blocks.0.attn.z", "zero", {"head": 0})])
    assert silent["logits"][4].tolist() == [1025, 0]
    blind = Intervention("blocks.0.attn.pattern", "zero", {"query": 4, "key": 4})
    row = handmade().forward("aabaa", interventions=[blind])
    assert row["blocks.0.attn.pattern"][0, 4].sum() == 0.5
    assert row["logits"][4].tolist() == [513, 512]


def explain() -> None:
    """From the softmax weight to its score, the product, the one term that is not 0, and the weight."""
    trace = handmade().forward("aabaa")
    weight = trace.explain("blocks.0.attn.pattern", (0, 2, 1))
    scores = [term.sources[0].value for term in weight.terms]
    assert [round(score, 2) for score in scores] == [0, 362.04, 362.04]
    product = trace.explain("blocks.0.attn.qk", (0, 2, 1))
    assert product.value == 1024
    [term] = [term for term in product.terms if term.value]
    assert sorted((source.name, source.value) for source in term.sources) == [
        ("blocks.0.attn.k", 1), ("blocks.0.attn.q", 1024),
    ]  # fmt: skip
    query = trace.explain("blocks.0.attn.q", (2, 0, 1))
    assert [source.value for term in query.terms if term.value for source in term.sources] == [1, 1024]


def attention() -> None:
    """The last row divides its attention between the last two, and b comes next."""
    trace = handmade().forward("aabaa")
    assert trace["blocks.0.attn.pattern"][0, 4].tolist() == [0, 0, 0, 0.5, 0.5]
    assert trace["logits"][4].tolist() == [1, 1024]


def flow() -> None:
    """The query of the last token is 1024 in the two dimensions of the keys that it finds, whose values are +1."""
    trace = handmade().forward("aabaa")
    wanted = np.flatnonzero(trace["blocks.0.attn.q"][4, 0] == 1024).tolist()
    keys = trace["blocks.0.attn.k"][:, 0]
    assert wanted == [3, 4]
    assert [int(np.flatnonzero(keys[:, dimension])[0]) for dimension in wanted] == [3, 4]
    assert trace["blocks.0.attn.v"][3:, 0, SCRATCH].tolist() == [1, 1]
    assert trace["blocks.0.attn_out"][4, B] == 1024


TRIES: dict[str, Callable[[], None]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        prompt, tokens, parameters_and_weights, self_check, arcs, heads, timeline_and_branches, two_prompts,
        lens_and_contributions, flip_finder, behaviour_table, baseline_and_ripple, training, next_token,
        interventions, explain, attention, flow,
    )
}  # fmt: skip
#: Tried in the window itself, in `tests/ui/window/test_window_page.py`.
IN_THE_WINDOW = {"window"}


@pytest.mark.parametrize("page", TRIES)
def test_what_a_page_says_to_try_happens(page: str) -> None:
    TRIES[page]()


def test_every_page_with_something_to_try_is_tried() -> None:
    pages = {page.stem for page in resource("guide").glob("*.md") if re.search("\n## Try\n", page.read_text("utf-8"))}
    assert pages == TRIES.keys() | IN_THE_WINDOW
