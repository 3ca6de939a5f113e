"""The panels that are built when they are first looked at: their titles, their places, and how each is made."""

from __future__ import annotations

from importlib import import_module

from PySide6.QtWidgets import QWidget

from visualizer.session.session import Session

#: Object name: (title, where it is: "views" for the middle, else the panel that it shares a place with).
LATER = {
    "flowPanel": ("Flow", "views"),
    "headsPanel": ("Heads", "views"),
    "arcsPanel": ("Arcs", "views"),
    "twoPromptsPanel": ("Two prompts", "views"),
    "behaviourPanel": ("Behaviour", "views"),
    "flipPanel": ("Flip finder", "weightPanel"),
    "lensPanel": ("Lens", "nextTokenPanel"),
    "comparePanel": ("Baseline", "explainPanel"),
}
_MADE_BY = {
    "flowPanel": ("flow", "FlowPanel"),
    "headsPanel": ("heads", "HeadsPanel"),
    "arcsPanel": ("arcs", "ArcsPanel"),
    "twoPromptsPanel": ("two_prompts", "TwoPromptsPanel"),
    "behaviourPanel": ("behaviour", "BehaviourPanel"),
    "flipPanel": ("flip", "FlipPanel"),
    "lensPanel": ("lens", "LensPanel"),
    "comparePanel": ("compare", "ComparePanel"),
}


def build_later(name: str, session: Session) -> QWidget:
    """Make the panel of this object name; its module is imported only now."""
    module, kind = _MADE_BY[name]
    panel = getattr(import_module(f"visualizer.ui.panels.{module}"), kind)(session)
    assert isinstance(panel, QWidget)
    return panel
