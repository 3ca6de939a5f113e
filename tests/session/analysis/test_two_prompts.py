"""Two prompts: how far a patch has brought the first prompt's next token to the second's."""

import math

import numpy as np
import pytest

from visualizer.engine.interventions import Intervention
from visualizer.engine.sampling import argmax
from visualizer.formats import open_model
from visualizer.session.analysis.two_prompts import LogitDifference, logit_difference
from visualizer.session.document.edits import SetInterventions, SetSecondPrompt
from visualizer.session.session import Session


def test_the_way_is_the_share_of_the_distance_between_the_prompts() -> None:
    assert LogitDifference(0, 1, untouched=-4.0, now=-1.0, second=8.0).way == 0.25
    assert LogitDifference(0, 1, untouched=-4.0, now=-4.0, second=8.0).way == 0
    assert LogitDifference(0, 1, untouched=2.0, now=3.0, second=2.0).way is None


@pytest.mark.parametrize("second", [math.inf, -math.inf, math.nan])
def test_over_a_distance_that_is_no_number_there_is_no_way(second: float) -> None:
    assert LogitDifference(0, 1, untouched=-4.0, now=-1.0, second=second).way is None
    assert LogitDifference(0, 1, untouched=second, now=-1.0, second=8.0).way is None


def test_the_difference_is_that_of_the_logits_before_and_after_an_intervention() -> None:
    session = Session(open_model("aab"), prompt="aabaa")
    session.document.apply(SetSecondPrompt("abaab"))
    session.document.apply(SetInterventions((Intervention("blocks.0.attn.z", "scale", value=0.5),)))
    assert session.result is not None
    assert session.trace is not None
    model = session.document.state.model
    clean, other = (model.forward(text).logits_at(-1) for text in ("aabaa", "abaab"))
    token, instead_of = argmax(other), argmax(clean)
    found = logit_difference(session.result, 0)
    assert found is not None
    assert (found.token, found.instead_of) == (token, instead_of)
    assert token != instead_of
    for number, logits in ((found.untouched, clean), (found.now, session.trace.logits_at(-1)), (found.second, other)):
        assert number == pytest.approx(float(logits[token]) - float(logits[instead_of]))
    assert found.way is not None
    assert np.isfinite(found.way)
