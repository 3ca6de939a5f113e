"""The context menu of one number: explain it, copy it, and intervene in its cell, row, column, head or position."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from visualizer.engine.interventions import POSITIONS, Kind
from visualizer.engine.names import block_of, has_key_value_heads, short_name
from visualizer.engine.trace import Trace
from visualizer.session.analysis.cell_numbers import against_baseline, present_number
from visualizer.session.document.interventions import freeze, intervene, refusal
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.session.words.activation_parts import ActivationPart, part_words, parts_around
from visualizer.session.words.axis_labels import token_label, token_labels
from visualizer.session.words.numbers import full
from visualizer.ui.widgets.plain_text import as_entry

#: Kind, what the menu calls it, and what it does.
AT_ONCE: tuple[tuple[Kind, str, str], ...] = (
    ("zero", "Zero", "Put 0 there; everything after it follows"),
    ("mean", "Mean-ablate", "Put the mean over the positions there (over the visible keys, for scores and pattern)"),
    ("patch", "Freeze", "Keep the present numbers there, whatever changes before"),
)
WITH_NUMBER: tuple[tuple[Kind, str, str], ...] = (
    ("set", "Set…", "Put one number there; it is typed in the list of interventions"),
    ("scale", "Scale…", "Multiply by a number; it is typed in the list of interventions"),
    ("add", "Add…", "Add a number; it is typed in the list of interventions"),
)
#: With one of these a change does nothing yet.
NEUTRAL = {"scale": 1.0, "add": 0.0}


class CellMenu(QMenu):
    """Is shown with `popup`, and deletes itself when it closes.

    Signals:
        panel_wanted(str): the object name of a panel to bring to the front, where an entry leads to one.
        number_wanted(int, object): an intervention was made whose number is still to be typed: its place in the
            document's list, and the gesture that typing it belongs to, so that both are one step to undo.
    """

    panel_wanted = Signal(str)
    number_wanted = Signal(int, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("cellMenu")
        self.setToolTipsVisible(True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)


def build_cell_menu(session: Session, ref: CellRef, parent: QWidget | None = None) -> CellMenu:
    """What can be done with the number `ref`; one that the present pass does not have gets a menu that says so."""
    menu = CellMenu(parent)
    number = present_number(session, ref)
    if number is None:
        _said(menu, "This number is not in the present pass.")
        return menu
    digits = full(float(number), number.dtype)
    _said(menu, f"{_cell_words(session, ref)} = {digits}")
    compared = against_baseline(session, ref)
    if compared:
        _said(menu, compared)
    _add(menu, "Explain this number", "Show where it comes from", partial(_explain, session, ref, menu))
    _add(menu, "Copy value", "Copy it with all its digits", partial(QGuiApplication.clipboard().setText, digits))
    menu.addSeparator()
    trace = session.trace
    if ref.kind == "parameter" or trace is None:
        show = partial(_show_parameter, session, ref, menu)
        _add(menu, f"Show {ref.name} in the grid", "Choose it, to edit it", show)
        return menu
    _add_silencing(menu, session, ref)
    for part in parts_around(session.document.state.model, ref.name, ref.cell):
        _add_part(menu, session, trace, part, float(number))
    return menu


def _cell_words(session: Session, ref: CellRef) -> str:
    if ref.kind == "parameter":
        return f"{ref.name}[{','.join(map(str, ref.cell))}]"
    axes = session.document.state.model.graph.axes(ref.name)
    return part_words(session.document.state.model, ref.name, tuple(zip(axes, ref.cell, strict=True)))


def _add_silencing(menu: QMenu, session: Session, ref: CellRef) -> None:
    """The one thing that is wanted most often: silencing the whole head."""
    model, block = session.document.state.model, block_of(ref.name)
    at = dict(zip(model.graph.axes(ref.name), ref.cell, strict=True))
    shared = has_key_value_heads(ref.name) and model.config.group_size > 1
    if "head" not in at or block is None or shared:
        return
    name = f"blocks.{block}.attn.z"
    part = ActivationPart(name, (("head", at["head"]),), "head")
    _add(
        menu,
        f"Zero head {at['head']} of block {block}",
        "Silence the whole head: its z is 0 at every position",
        partial(_intervene, session, part, "zero", 0.0),
    )
    menu.addSeparator()


def _add_part(menu: CellMenu, session: Session, trace: Trace, part: ActivationPart, number: float) -> None:
    model = session.document.state.model
    sub = menu.addMenu(as_entry(_part_title(session, trace, part)))
    sub.setObjectName(f"cellMenu_{part.kind}")
    sub.setToolTipsVisible(True)
    why = refusal(model, part)
    if why:
        _said(sub, f"Not here: {why}")
        return
    for kind, word, tip in AT_ONCE:
        run = partial(_freeze, session, part) if kind == "patch" else partial(_intervene, session, part, kind, 0.0)
        _add(sub, word, tip, run)
    sub.addSeparator()
    for kind, word, tip in WITH_NUMBER:
        _add(sub, word, tip, partial(_ask_number, session, part, kind, NEUTRAL.get(kind, number), menu))


def _part_title(session: Session, trace: Trace, part: ActivationPart) -> str:
    """`Row of a₄ (head 0)`, `Head 3 of pattern`, `Dimension 7 at every position`, …"""
    opened, at, name = session.document.state.opened, dict(part.where), short_name(part.name)
    words = {axis: str(index) for axis, index in at.items()}
    for axis, index in at.items():
        if axis in POSITIONS and isinstance(index, int):
            words[axis] = token_labels(opened, [int(trace.tokens[index])], index)[0]
        elif axis == "d_vocab" and isinstance(index, int):
            words[axis] = repr(token_label(opened, index))
    row = words.get("query" if "query" in at else "position", "")
    every_head = " (every head)" if "head" in trace.axes(part.name) else ""
    vocabulary = "d_vocab" in at
    return {
        "cell": "This cell",
        "row": f"Row of {row} (head {words.get('head', '')})",
        "column": f"Column of {words.get('key', '')} (head {words.get('head', '')})",
        "head": f"Head {words.get('head', '')} of {name}",
        "position": f"Position of {row}{every_head}",
        "dimension": f"{'Token' if vocabulary else 'Dimension'} {next(iter(words.values()), '')} at every position",
        "whole": f"All of {name}",
    }[part.kind]


def _said(menu: QMenu, text: str) -> None:
    """A line that only says something."""
    action = menu.addAction(as_entry(text))
    action.setEnabled(False)


def _add(menu: QMenu, text: str, tip: str, run: Callable[[], object]) -> None:
    action = menu.addAction(as_entry(text))
    action.setToolTip(tip)
    action.setStatusTip(tip)
    action.triggered.connect(lambda _checked=False: run())


# -- what the entries do


def _explain(session: Session, ref: CellRef, menu: CellMenu) -> None:
    session.selection.choose(cell=ref)
    menu.panel_wanted.emit("explainPanel")


def _show_parameter(session: Session, ref: CellRef, menu: CellMenu) -> None:
    session.selection.choose(parameter=ref.name, cell=ref)
    menu.panel_wanted.emit("weightPanel")


def _intervene(session: Session, part: ActivationPart, kind: Kind, value: float) -> None:
    session.document.apply(intervene(session.document.state, part, kind, value))


def _ask_number(session: Session, part: ActivationPart, kind: Kind, value: float, menu: CellMenu) -> None:
    document = session.document
    gesture = f"new intervention {document.revision}"
    document.apply(intervene(document.state, part, kind, value, gesture))
    menu.number_wanted.emit(len(document.state.interventions) - 1, gesture)


def _freeze(session: Session, part: ActivationPart) -> None:
    if session.trace is not None:
        session.document.apply(freeze(session.document.state, session.trace, part))
