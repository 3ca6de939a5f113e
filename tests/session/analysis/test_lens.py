"""The lens: the last stream predicts what the model does, and the parts sum to the logit."""

from collections.abc import Generator

import numpy as np
import pytest

from tests.engine.models import KINDS, of_kind
from visualizer.engine.interventions import Intervention
from visualizer.engine.readings import logit_lens
from visualizer.engine.trace import Trace
from visualizer.formats import open_preset
from visualizer.session.analysis import lens as module
from visualizer.session.analysis.lens import Lens, contribution_words, contributions, lens, streams

TOKENS = np.array([1, 4, 0, 4, 2])


def read(trace: Trace, position: int) -> Lens:
    """The end of a reading."""

    def ending() -> Generator[float, None, None]:
        ends.append((yield from lens(trace, position)))

    ends: list[Lens] = []
    shares = list(ending())
    assert shares == sorted(shares)
    return ends[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_stream_predicts_what_the_model_does(kind: str) -> None:
    trace = of_kind(kind).forward(TOKENS)
    seen = read(trace, 4)
    assert seen.positions == (0, 1, 2, 3, 4)
    assert np.array_equal(seen.tokens[-1, :, 0], trace["logits"].argmax(axis=1))
    np.testing.assert_allclose(seen.probabilities[-1, :, 0], trace["probs"].max(axis=1), rtol=1e-12)


def test_each_stream_is_read_through_the_final_norm_most_probable_first() -> None:
    trace = of_kind("gpt-2").forward(TOKENS)
    seen = read(trace, 0)
    for i, name in enumerate(seen.names):
        logits = logit_lens(trace, name)
        assert np.array_equal(seen.tokens[i], np.argsort(-logits, axis=1, kind="stable")[:, :5])
    assert (np.diff(seen.probabilities, axis=2) <= 0).all()


def test_streams_that_are_the_same_are_read_once() -> None:
    assert streams(of_kind("gpt-2").graph) == tuple(
        f"blocks.{name}" for name in ("0.resid_pre", "0.resid_mid", "0.resid_post", "1.resid_mid", "1.resid_post")
    )
    assert streams(open_preset("aab").model.graph) == ("blocks.0.resid_pre", "blocks.0.resid_mid")


def test_a_costly_reading_is_of_the_chosen_position_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = of_kind("llama").forward(TOKENS)
    whole = read(trace, 2)
    monkeypatch.setattr(module, "ALL_POSITIONS", 1.0)
    alone = read(trace, 2)
    assert alone.positions == (2,)
    assert np.array_equal(alone.tokens[:, 0], whole.tokens[:, 2])
    np.testing.assert_allclose(alone.probabilities[:, 0], whole.probabilities[:, 2], rtol=1e-12)


def test_among_many_tokens_ties_go_to_the_lowest_id() -> None:
    model = of_kind("gpt-2", d_vocab=400)
    flat = model.replace({"wte": np.zeros((400, 8)), "lm_head.b": np.zeros(400)})
    assert read(flat.forward([7]), 0).tokens[0, 0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", KINDS)
def test_parts_sum_to_the_logit_and_differences_to_the_difference(kind: str) -> None:
    trace = of_kind(kind).forward(TOKENS)
    part = read(trace, 3).part
    logits = trace["logits"][3]
    assert sum(c.value for c in contributions(part, 2)) == pytest.approx(logits[2], abs=1e-9)
    assert sum(c.value for c in contributions(part, 2, 5)) == pytest.approx(logits[2] - logits[5], abs=1e-9)


def test_what_an_intervention_adds_is_a_part_of_its_own() -> None:
    change = Intervention("blocks.1.resid_mid", "set", (("d_model", 3),), value=2.0)
    trace = of_kind("gpt-2").forward(TOKENS, interventions=[change])
    parts = contributions(read(trace, 3).part, 2, 5)
    assert parts[-1].name == "interventions"
    assert sum(c.value for c in parts) == pytest.approx(trace["logits"][3, 2] - trace["logits"][3, 5], abs=1e-9)


def test_parts_have_words() -> None:
    parts = contributions(read(of_kind("gpt-2").forward(TOKENS), 0).part, 0)
    words = [contribution_words(part, 2) for part in parts]
    assert words[:3] == ["token embedding", "position embedding", "head 0 of block 0"]
    assert {"MLP of block 1", "attention bias of block 0", "bias of the final norm"} <= set(words)
    assert contribution_words(parts[2], 1) == "head 0"


def test_parts_that_are_no_numbers_add_what_is_no_number() -> None:
    model = of_kind("gpt-2")
    broken = np.array(model.parameters["wte"])
    broken[4, 3] = np.inf
    trace = model.replace({"wte": broken}).forward(TOKENS)
    assert not np.isfinite(sum(part.value for part in contributions(trace, 4, 4)))
