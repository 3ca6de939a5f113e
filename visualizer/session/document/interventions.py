"""Interventions as edits: made from a part and a kind, named in words, switched, changed and taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.interventions import POSITIONS, Intervention, Kind, within
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.errors import EditError
from visualizer.session.document.edits import SetInterventions
from visualizer.session.document.state import State
from visualizer.session.words.activation_parts import ActivationPart, is_hidden, part_words
from visualizer.session.words.numbers import short

Array = NDArray[Any]
#: Kinds that go with a number.
WITH_VALUE: tuple[Kind, ...] = ("set", "scale", "add")
#: The label of a patch from the present run itself.
FREEZE = "freeze"


def intervention_words(model: Model, change: Intervention) -> str:
    """What an intervention does, as undo calls it: `zero head 3 of block 0`, `set pattern[0,4,2] of block 0 to 0.5`."""
    where = part_words(model, change.name, change.where)
    match change.kind:
        case "set":
            return f"set {where} to {short(change.value, 6)}"
        case "scale":
            return f"scale {where} by {short(change.value, 6)}"
        case "add":
            return f"add {short(change.value, 6)} to {where}"
        case "patch":
            return f"freeze {where}" if change.label == FREEZE else f"patch {where} {change.label}".rstrip()
        case "mean":
            return f"mean-ablate {where}"
        case _:
            return f"zero {where}"


def refusal(model: Model, part: ActivationPart) -> str:
    """Why an intervention there would do nothing, and what to do instead; empty where it is welcome."""
    name = part.name
    if name == "probs":
        return "nothing follows from the probabilities; intervene in the logits"
    if name == "logits" and model.graph.is_derived(name):
        return f"the logits of a vocabulary this large are not kept; intervene in {model.graph.final_stream}"
    if is_hidden(part.where):
        return "this cell is hidden by the mask, as its key comes after its query: its number goes nowhere"
    return ""


def intervene(
    state: State, part: ActivationPart, kind: Kind, value: float = 0.0, gesture: object = None
) -> SetInterventions:
    """The edit that adds an intervention without an array.

    Raises:
        EditError: it would do nothing.
    """
    return _added(state, part, Intervention(part.name, kind, part.where, value), gesture)


def freeze(state: State, trace: Trace, part: ActivationPart) -> SetInterventions:
    """The edit that keeps a part at the numbers that it has in `trace`, whatever is changed before it.

    Positions that `trace` does not have stay free.

    Raises:
        EditError: as `intervene`.
    """
    return _added(state, part, Intervention(part.name, "patch", part.where, 0.0, trace[part.name], FREEZE))


def patch(state: State, source: Trace, part: ActivationPart, to_position: int | None = None) -> SetInterventions:
    """The edit that puts the numbers of another run, `source`, into the same part of this one.

    Where `part` is at one position of an activation without a key axis, `to_position` puts it at another one.

    Raises:
        EditError: as `intervene`; or there is no such position.
    """
    array, where = source[part.name], dict(part.where)
    position = where.get("position")
    label = f"from “{state.model.text(source.tokens)}”"
    if to_position is not None and isinstance(position, int) and to_position != position:
        if not 0 <= to_position < state.model.config.n_ctx:
            raise EditError(f"there is no position {to_position}; the context has {state.model.config.n_ctx}")
        moved = np.zeros((max(to_position + 1, len(array)), *array.shape[1:]), array.dtype)
        moved[to_position] = array[position]
        moved.flags.writeable = False
        array, where["position"] = moved, to_position
        label = f"with that of position {position} {label}"
    target = ActivationPart(part.name, tuple(where.items()), part.kind)
    return _added(state, target, Intervention(target.name, "patch", target.where, 0.0, array, label))


def _added(state: State, part: ActivationPart, change: Intervention, gesture: object = None) -> SetInterventions:
    why = refusal(state.model, part)
    if why:
        raise EditError(f"no intervention made: {why}")
    return SetInterventions((*state.interventions, change), intervention_words(state.model, change), gesture)


def switch(state: State, index: int, enabled: bool) -> SetInterventions:
    """The edit that switches one intervention on or off."""
    changed = _replaced(state, index, replace(state.interventions[index], enabled=enabled))
    words = intervention_words(state.model, state.interventions[index])
    return SetInterventions(changed, f"switch {'on' if enabled else 'off'}: {words}")


def switch_all(state: State, enabled: bool) -> SetInterventions:
    """The edit that switches every intervention on or off."""
    changed = tuple(replace(change, enabled=enabled) for change in state.interventions)
    return SetInterventions(changed, f"switch all interventions {'on' if enabled else 'off'}")


def set_value(state: State, index: int, value: float, gesture: object = None) -> SetInterventions:
    """The edit that gives an intervention another number.

    Raises:
        EditError: it is of a kind that has none.
    """
    change = state.interventions[index]
    if change.kind not in WITH_VALUE:
        raise EditError(f"“{intervention_words(state.model, change)}” has no number; set, scale and add have one")
    changed = replace(change, value=value)
    return SetInterventions(_replaced(state, index, changed), intervention_words(state.model, changed), gesture)


def remove(state: State, index: int) -> SetInterventions:
    """The edit that takes an intervention away."""
    words = intervention_words(state.model, state.interventions[index])
    kept = state.interventions[:index] + state.interventions[index + 1 :]
    return SetInterventions(kept, f"remove: {words}")


def _replaced(state: State, index: int, change: Intervention) -> tuple[Intervention, ...]:
    return (*state.interventions[:index], change, *state.interventions[index + 1 :])


def standing(model: Model, change: Intervention, count: int) -> str:
    """How an intervention stands in a pass over `count` positions: "on", "off", "in part" or "not in this context"."""
    if not change.enabled:
        return "off"
    reached = within([change], model.graph, count)
    if not reached:
        return "not in this context"
    return "in part" if _cut_short(model, change, count) else "on"


def _cut_short(model: Model, change: Intervention, count: int) -> bool:
    """Whether a patch has no numbers for some of the positions that it is meant for."""
    if change.array is None:
        return False
    where = dict(change.where)
    return any(
        where.get(axis) is None and size < count
        for axis, size in zip(model.graph.axes(change.name), change.array.shape, strict=True)
        if axis in POSITIONS
    )
