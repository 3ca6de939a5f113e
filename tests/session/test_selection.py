"""The selection: one choice, told to everyone who listens, with what it was before."""

from visualizer.session.selection import CellRef, Chosen, Selection

CELL = CellRef("activation", "logits", (0, 1))


def test_a_change_is_told_with_what_was_chosen_before() -> None:
    selection = Selection()
    told: list[tuple[Chosen, Chosen]] = []
    selection.subscribe(lambda before, now: told.append((before, now)))
    selection.choose(row=2, key=1)
    (before, now) = told[0]
    assert (before.row, before.key) == (None, None)
    assert (now.row, now.key) == (2, 1)
    assert selection.now is now


def test_fields_that_are_not_named_stay() -> None:
    selection = Selection()
    selection.choose(row=2, cell=CELL)
    selection.choose(step=3)
    assert selection.now == Chosen(step=3, row=2, cell=CELL)


def test_choosing_what_is_chosen_tells_nobody() -> None:
    selection = Selection()
    selection.choose(row=1)
    told: list[Chosen] = []
    selection.subscribe(lambda _before, now: told.append(now))
    selection.choose(row=1)
    assert not told


def test_letting_go_keeps_step_head_and_parameter() -> None:
    selection = Selection()
    selection.choose(step=4, head=1, parameter="wpe", row=2, key=0, cell=CELL)
    selection.let_go()
    assert selection.now == Chosen(step=4, head=1, parameter="wpe")


def test_hovering_is_told_once_and_changes_nothing_that_is_chosen() -> None:
    selection = Selection()
    told: list[CellRef | None] = []
    selection.subscribe_hover(told.append)
    selection.hover(CELL)
    selection.hover(CELL)
    selection.hover(None)
    assert told == [CELL, None]
    assert selection.now == Chosen()


def test_a_listener_that_has_ended_hears_nothing_more() -> None:
    selection = Selection()
    told: list[object] = []
    end = selection.subscribe(lambda *both: told.append(both))
    end_hover = selection.subscribe_hover(told.append)
    end()
    end_hover()
    selection.choose(row=1)
    selection.hover(CELL)
    assert not told


def test_a_listener_may_choose_something_else_in_turn() -> None:
    selection = Selection()

    def follow(_before: Chosen, now: Chosen) -> None:
        if now.row is not None and now.key is None:
            selection.choose(key=0)

    selection.subscribe(follow)
    selection.choose(row=3)
    assert (selection.now.row, selection.now.key) == (3, 0)
