"""Next-token accuracy: what is no prediction is not a right one."""

import numpy as np

import visualizer
from visualizer.engine.accuracy import next_token_accuracy
from visualizer.engine.interventions import Intervention


def test_logits_that_are_nan_predict_nothing() -> None:
    """The first token of the vocabulary is what generation would go on with, and not what the model says."""
    model = visualizer.handmade("aab")
    broken = model.replace({"wte": np.full((2, 8), np.nan)})
    ids = model.ids("aab" * 10)
    assert str(next_token_accuracy(model, ids)) == "100.0% (28 / 28)"
    for interventions in ((), (Intervention("blocks.0.attn.z", "zero"),)):
        assert next_token_accuracy(broken, ids, interventions=interventions).correct == 0
    assert set(next_token_accuracy(broken, ids).predicted.tolist()) == {-1}
