"""The flip finder: what it finds flips the next token, and nothing nearer does."""

import math
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from tests.engine.models import of_kind
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.sampling import argmax
from visualizer.errors import EditError
from visualizer.formats import open_preset
from visualizer.session.analysis.flip import Flip, Kind, Target, apply_flip, find_flip
from visualizer.session.document.document import Document

PROJECTION = "blocks.0.attn.c_proj.w"


def found(model: Model, prompt: Any, target: Target, **options: Any) -> Flip:
    """The end of a search."""

    def ending() -> Generator[object, None, None]:
        flips.append((yield from find_flip(model, model.forward(prompt, **options), target)))

    flips: list[Flip] = []
    assert sum(1 for _ in ending()) > 20
    return flips[0]


def next_token(model: Model, prompt: Any, target: Target, x: float) -> int:
    """What follows when the change is made, by a pass that reuses nothing."""
    changed = target.changed(model.parameters[target.parameter], x)
    return argmax(model.replace({target.parameter: changed}).forward(prompt)["logits"][-1])


def neighbour(x: float, towards: float) -> float:
    """The single-precision number next to x."""
    return float(np.nextafter(np.float32(x), np.float32(towards)))


@pytest.mark.parametrize(
    ("parameter", "cell", "kind"),
    [
        (PROJECTION, (7, 5), "cell"),
        (PROJECTION, (7, 6), "cell"),
        (PROJECTION, (7, 5), "scale"),
        ("blocks.0.attn.c_proj.b", (5,), "cell"),
        ("blocks.0.attn.c_proj.b", (5,), "scale"),
    ],
)
def test_the_handmade_model_flips_at_what_is_found_and_not_a_digit_before(
    parameter: str, cell: tuple[int, ...], kind: Kind
) -> None:
    model = open_preset("aab").model
    target = Target(parameter, cell, kind)
    flip = found(model, "aabaa", target)
    assert flip.present.token == 1
    assert flip.found is not None
    assert next_token(model, "aabaa", target, flip.found.x) == flip.found.token == 0
    assert next_token(model, "aabaa", target, neighbour(flip.found.x, flip.present.x)) == 1
    assert flip.change == flip.found.x - flip.present.x


def test_the_bias_flips_where_the_margin_is_used_up() -> None:
    flip = found(open_preset("aab").model, "aabaa", Target("blocks.0.attn.c_proj.b", (5,)))
    assert flip.change == flip.present.margin == 1023
    assert flip.found is not None
    assert flip.found.margin == 0  # a tie, which the lower id wins


def test_the_margin_along_the_way_is_that_of_a_full_pass() -> None:
    model = of_kind("gpt-2")
    target = Target("blocks.1.mlp.c_proj.w", (3, 2), "shift")
    flip = found(model, [1, 2, 0], target)
    assert [s.x for s in flip.trials] == sorted(s.x for s in flip.trials)
    for trial in flip.trials[::9]:
        changed = target.changed(model.parameters[target.parameter], trial.x)
        logits = model.replace({target.parameter: changed}).forward([1, 2, 0])["logits"][-1]
        others = np.delete(logits, flip.present.token)
        assert trial.margin == pytest.approx(logits[flip.present.token] - others.max(), abs=1e-9)


def test_the_nearer_of_two_sides_is_found() -> None:
    model = of_kind("llama")
    target = Target("lm_head.w", (0, 1))
    flip = found(model, [4, 4, 2, 1], target)
    assert flip.found is not None
    nearer = [s for s in flip.trials if abs(s.x - flip.present.x) < abs(flip.change) and s.token != flip.present.token]
    assert nearer == []


def test_a_weight_without_influence_flips_nothing() -> None:
    flip = found(open_preset("aab").model, "aabaa", Target("wpe", (4, 0)))
    assert flip.found is None
    assert math.isnan(flip.change)
    assert flip.range[0] < -500
    assert flip.range[1] > 500


def test_interventions_stay_in_force() -> None:
    model = open_preset("aab").model
    off = Intervention("blocks.0.attn_out", "zero")
    flip = found(model, "aabaa", Target("blocks.0.attn.c_proj.b", (5,)), interventions=[off])
    assert flip.found is None


def test_nan_is_no_other_token() -> None:
    model = of_kind("gpt-2", dtype="float32")
    flip = found(model, [1], Target("ln_f.g", (0,)))
    if flip.found is not None:
        assert not math.isnan(flip.found.margin)
    assert all(not math.isnan(s.margin) for s in flip.trials)


def test_what_is_not_there_is_refused() -> None:
    model = open_preset("aab").model
    with pytest.raises(EditError, match="has no cell"):
        next(find_flip(model, model.forward("a"), Target(PROJECTION, (70, 5))))


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("cell", "blocks.0.attn.c_proj.w[7,5] = -1 → a"),
        ("shift", "add -1 to blocks.0.attn.c_proj.w[7] → a"),
        ("scale", "scale blocks.0.attn.c_proj.w[7] by -1 → a"),
    ],
)
def test_a_change_is_made_as_one_named_step(kind: Kind, title: str) -> None:
    document = Document(open_preset("aab"))
    before = document.state.model
    target = Target(PROJECTION, (7, 5), kind)
    document.apply(apply_flip(document.state, target, -1.0, "-1", "a"))
    assert document.history()[0] == [title]
    after = document.state.model.parameters[PROJECTION]
    assert np.array_equal(after, target.changed(before.parameters[PROJECTION], -1.0))
    document.undo()
    assert np.array_equal(document.state.model.parameters[PROJECTION], before.parameters[PROJECTION])
