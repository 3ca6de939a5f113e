"""The panels of the window: their titles, and how each is made when it is first looked at."""

from __future__ import annotations

from importlib import import_module

from PySide6.QtWidgets import QWidget

from visualizer.session.session import Session

#: Object name: (title, module of `visualizer.ui.panels`, class).
PANELS = {
    "parameterPanel": ("Parameters", "parameters", "ParameterPanel"),
    "interventionsPanel": ("Interventions", "interventions", "InterventionsPanel"),
    "historyPanel": ("History", "history", "HistoryPanel"),
    "weightPanel": ("Weights", "weights", "WeightPanel"),
    "flipPanel": ("Flip finder", "flip", "FlipPanel"),
    "attentionPanel": ("Attention", "attention", "AttentionPanel"),
    "flowPanel": ("Flow", "flow", "FlowPanel"),
    "headsPanel": ("Heads", "heads", "HeadsPanel"),
    "arcsPanel": ("Arcs", "arcs", "ArcsPanel"),
    "twoPromptsPanel": ("Two prompts", "two_prompts", "TwoPromptsPanel"),
    "behaviourPanel": ("Behaviour", "behaviour", "BehaviourPanel"),
    "gradientsPanel": ("Gradients", "gradients", "GradientsPanel"),
    "trainingPanel": ("Training", "training", "TrainingPanel"),
    "nextTokenPanel": ("Next token", "next_token", "NextTokenPanel"),
    "explainPanel": ("Explain", "explain", "ExplainPanel"),
    "lensPanel": ("Lens", "lens", "LensPanel"),
    "comparePanel": ("Baseline", "compare", "ComparePanel"),
    "timelinePanel": ("Timeline", "timeline", "TimelinePanel"),
}
#: Those that others call by name, or that tell of more than they show: they are there from the beginning.
AT_ONCE = (
    *("parameterPanel", "interventionsPanel", "weightPanel", "attentionPanel"),
    *("nextTokenPanel", "explainPanel", "timelinePanel"),
)
#: Those that show what was computed: they are not up to date while it is computed again.
RESULTS = (
    *("attentionPanel", "flowPanel", "headsPanel", "arcsPanel", "twoPromptsPanel", "behaviourPanel"),
    *("nextTokenPanel", "explainPanel", "lensPanel", "comparePanel", "timelinePanel"),
)


#: Keys that work anywhere in the window, even before their panel is built: (key, panel, name of its action).
EARLY_KEYS = (("Ctrl+B", "comparePanel", "pinBaseline"),)


def build_panel(name: str, session: Session) -> QWidget:
    """Make the panel of this object name; its module is imported only now."""
    _, module, kind = PANELS[name]
    panel = getattr(import_module(f"visualizer.ui.panels.{module}.panel"), kind)(session)
    assert isinstance(panel, QWidget)
    return panel
