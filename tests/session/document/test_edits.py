"""Edits: each changes what it names, and its inverse restores the bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cells import several
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.sampling import Sampling
from visualizer.errors import EditError, InputError, ParameterError, TokenError
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document import cell_edits
from visualizer.session.document.edits import (
    Edit,
    OpenModel,
    SetCells,
    SetGeneration,
    SetInterventions,
    SetParameters,
    SetPrompt,
    pin_baseline,
    reset_parameters,
)
from visualizer.session.document.state import State

C_ATTN = "blocks.0.attn.c_attn.w"
OPENED = open_model("aab")


def opening() -> State:
    return State.opening(OPENED)


def bits(state: State) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in state.model.parameters.items()}


cells = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 23), st.floats(width=32)), min_size=1, max_size=8)


@given(cells)
def test_undoing_cells_restores_the_bits(written: list[tuple[int, int, float]]) -> None:
    before = opening()
    edit = SetCells(C_ATTN, several(*((r, c) for r, c, _ in written)), [v for *_, v in written])
    after, inverse = edit.apply(before)
    restored, again = inverse.apply(after)
    assert bits(restored) == bits(before)
    redone, _ = again.apply(restored)
    assert bits(redone) == bits(after)
    for row, column, value in {(r, c): (r, c, v) for r, c, v in written}.values():
        np.testing.assert_equal(float(after.model.parameters[C_ATTN][row, column]), value)


def test_what_is_taken_back_is_the_opened_array_or_the_baseline_again() -> None:
    opened = opening()
    changed, back = SetCells("wte", several((0, 0), (1, 2)), (7.0, 3.0)).apply(opened)
    assert changed.is_changed("wte")
    assert back.apply(changed)[0].model.parameters["wte"] is opened.model.parameters["wte"]
    pinned, _ = pin_baseline(changed).apply(changed)
    further, back = SetCells("wte", (0, 0), 8.0).apply(pinned)
    assert back.apply(further)[0].model.parameters["wte"] is changed.model.parameters["wte"]
    # One cell as it was, another not: that is neither.
    half, _ = SetCells("wte", (0, 0), float(opened.model.parameters["wte"][0, 0])).apply(changed)
    assert half.is_changed("wte")


def test_an_edit_leaves_every_other_array_the_same_object() -> None:
    before = opening()
    after, _ = SetCells("wte", (0, 0), 7.0).apply(before)
    assert after.model.parameters["wte"] is not before.model.parameters["wte"]
    assert before.model.parameters["wte"][0, 0] == 0
    assert after.model.parameters[C_ATTN] is before.model.parameters[C_ATTN]
    with pytest.raises(ValueError, match="read-only"):
        after.model.parameters["wte"][0, 0] = 1


@pytest.mark.parametrize(
    "edit",
    [
        SetCells("wte", (2, 0), 1.0),
        SetCells("wte", (0, -1), 1.0),
        SetCells("wte", (0,), 1.0),
        SetCells("wte", (), ()),
        SetCells("wte", several((0, 0), (1, 0)), (1.0,)),
        SetCells("wte", several((0, 0), (0, 8)), (1.0, 2.0)),
        SetCells("wte", (0, 0), (1.0, 2.0)),
        SetGeneration(-1, Sampling()),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused(edit: Edit) -> None:
    with pytest.raises(EditError):
        edit.apply(opening())


def test_a_refusal_names_the_parameter_its_shape_and_the_cell() -> None:
    with pytest.raises(EditError, match=r"wte \[2, 8\] has no cell \[2, 0\]"):
        SetCells("wte", (2, 0), 1.0).apply(opening())


def test_an_unknown_parameter_token_or_activation_is_refused() -> None:
    with pytest.raises(ParameterError, match="no parameter 'wxe'"):
        SetCells("wxe", (0, 0), 1.0).apply(opening())
    with pytest.raises(ParameterError, match="shape"):
        SetParameters((("wte", np.zeros((3, 3))),), "x").apply(opening())
    with pytest.raises(TokenError, match="'c'"):
        SetPrompt("abc").apply(opening())
    with pytest.raises(EditError, match=r"no activation 'blocks\.9"):
        SetInterventions((Intervention("blocks.9.attn.pattern", "zero"),)).apply(opening())


def test_a_number_too_large_for_the_model_becomes_infinite_without_a_warning() -> None:
    after, _ = SetCells("wte", (0, 0), 1e300).apply(opening())
    assert np.isposinf(after.model.parameters["wte"][0, 0])


@pytest.mark.parametrize(
    "edit",
    [
        SetParameters((("wte", np.full((2, 8), np.nan)), ("wpe", np.ones((5, 8)))), "two"),
        SetPrompt("bb"),
        SetPrompt([1, 0]),
        SetGeneration(3, Sampling(temperature=0.5)),
        SetInterventions((Intervention("blocks.0.attn.pattern", "zero"),)),
        OpenModel(open_model("ab"), "abab"),
    ],
    ids=lambda edit: edit.title(),
)
def test_every_kind_of_edit_is_undone_and_redone(edit: Edit) -> None:
    before = opening()
    after, inverse = edit.apply(before)
    assert (bits(after), after.prompt, after.length, after.interventions) != (
        bits(before),
        before.prompt,
        before.length,
        before.interventions,
    )
    restored, again = inverse.apply(after)
    assert bits(restored) == bits(before)
    assert (restored.opened, restored.prompt, restored.length) == (before.opened, before.prompt, before.length)
    assert (restored.sampling, restored.interventions) == (before.sampling, before.interventions)
    redone, _ = again.apply(restored)
    assert bits(redone) == bits(after)
    assert redone.opened is after.opened
    assert edit.size() > 0


def test_no_text_is_no_tokens_for_a_model_without_a_tokenizer() -> None:
    model = Model(OPENED.model.config, OPENED.model.parameters)
    opened = OpenedModel(model, "untold", "untold")
    state = State.opening(opened)
    assert state.prompt == ()
    typed, _ = SetPrompt([1, 0]).apply(state)
    emptied, _ = SetPrompt("").apply(typed)
    assert emptied.prompt == ()
    with pytest.raises(TokenError, match="no tokenizer"):
        SetPrompt("a").apply(state)


def test_opening_another_model_keeps_how_many_tokens_are_generated() -> None:
    state, _ = SetGeneration(4, Sampling()).apply(opening())
    after, _ = OpenModel(open_model("aaab")).apply(state)
    assert (after.length, after.opened.name, after.prompt_text) == (4, "aaab", "aaaba")


def test_a_reset_gives_back_the_opened_numbers() -> None:
    state, _ = SetCells("wte", several((0, 0), (1, 1)), (7.0, 8.0)).apply(opening())
    partly, _ = cell_edits.reset_cells(state, "wte", (0, 0)).apply(state)
    assert partly.model.parameters["wte"][0, 0] == 0
    assert partly.model.parameters["wte"][1, 1] == 8
    assert partly.is_changed("wte")
    wholly, _ = reset_parameters(partly, ["wte"]).apply(partly)
    assert not wholly.is_changed("wte")
    assert bits(wholly) == bits(opening())


def test_edits_of_a_block_say_what_they_do() -> None:
    state = opening()
    chosen = several((0, 0), (0, 5))
    assert cell_edits.fill_cells(state, "wte", chosen, 1 / 3, "1/3").title() == "fill 2 cells of wte with 1/3"
    assert cell_edits.zero_cells(state, "wte", (0, 5)).title() == "zero wte[0,5]"
    assert cell_edits.scale_cells(state, "wte", chosen, 2.0, "2").title() == "scale 2 cells of wte by 2"
    assert cell_edits.paste_block(state, "wpe", 1, 2, np.full((3, 2), 9.0)).title() == "paste 3×2 into wpe"


def test_a_pasted_block_lands_where_it_is_put() -> None:
    state = opening()
    block = np.array([[2.0, 3.0], [4.0, 5.0]])
    after, _ = cell_edits.paste_block(state, "wpe", 3, 6, block).apply(state)
    np.testing.assert_array_equal(after.model.parameters["wpe"][3:, 6:], block)
    np.testing.assert_array_equal(after.model.parameters["wpe"][:3], state.model.parameters["wpe"][:3])
    vector, _ = cell_edits.paste_block(state, "blocks.0.attn.c_proj.b", 0, 1, np.array([[3.0, 4.0]])).apply(state)
    np.testing.assert_array_equal(vector.model.parameters["blocks.0.attn.c_proj.b"][1:3], [3, 4])


def test_a_block_that_does_not_fit_is_refused_whole() -> None:
    with pytest.raises(EditError, match=r"3×2 does not fit into wpe 5×8 at \[3,0\]: there is room for 2×8"):
        cell_edits.paste_block(opening(), "wpe", 3, 0, np.zeros((3, 2)))


def test_an_edit_that_changes_no_number_is_refused() -> None:
    state = opening()
    with pytest.raises(EditError, match="would change no number"):
        cell_edits.zero_cells(state, "wte", (0, 0))
    with pytest.raises(EditError, match="no cell of wte is selected"):
        cell_edits.zero_cells(state, "wte", ())


def test_many_cells_are_kept_as_one_array_and_undone_like_few() -> None:
    state = opening()
    everything = np.nonzero(np.ones((8, 24), dtype=bool))
    few = cell_edits.fill_cells(state, C_ATTN, everything, 3.0, "3")
    after, _ = few.apply(state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cell_edits, "MANY_CELLS", 10)
        many = cell_edits.fill_cells(state, C_ATTN, everything, 3.0, "3")
    assert isinstance(few, SetCells)
    assert isinstance(many, SetParameters)
    same, inverse = many.apply(state)
    assert bits(same) == bits(after)
    restored, _ = inverse.apply(same)
    assert bits(restored) == bits(state)


@given(st.integers(0, 2), st.text(alphabet="ab", max_size=8))
def test_a_prompt_is_what_was_typed(length: int, prompt: str) -> None:
    after, _ = SetPrompt(prompt).apply(opening())
    assert after.prompt_text == prompt
    assert isinstance(after, State)
    with pytest.raises(InputError):
        SetPrompt([length + 2]).apply(after)
