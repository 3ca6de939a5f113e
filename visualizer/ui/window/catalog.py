"""The panels of the window: their titles, and how each is made when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable

from visualizer.session.session import Session
from visualizer.ui.bridge.panel import SessionPanel

# A panel's module is imported only when the panel is made, so that the window opens before all of them are read; each
# by its name, so that a checker of types and a bundler of programs see it.


def _parameters(session: Session) -> SessionPanel:
    from visualizer.ui.panels.parameters.panel import ParameterPanel

    return ParameterPanel(session)


def _interventions(session: Session) -> SessionPanel:
    from visualizer.ui.panels.interventions.panel import InterventionsPanel

    return InterventionsPanel(session)


def _history(session: Session) -> SessionPanel:
    from visualizer.ui.panels.history.panel import HistoryPanel

    return HistoryPanel(session)


def _weights(session: Session) -> SessionPanel:
    from visualizer.ui.panels.weights.panel import WeightPanel

    return WeightPanel(session)


def _flip(session: Session) -> SessionPanel:
    from visualizer.ui.panels.flip.panel import FlipPanel

    return FlipPanel(session)


def _attention(session: Session) -> SessionPanel:
    from visualizer.ui.panels.attention.panel import AttentionPanel

    return AttentionPanel(session)


def _flow(session: Session) -> SessionPanel:
    from visualizer.ui.panels.flow.panel import FlowPanel

    return FlowPanel(session)


def _heads(session: Session) -> SessionPanel:
    from visualizer.ui.panels.heads.panel import HeadsPanel

    return HeadsPanel(session)


def _arcs(session: Session) -> SessionPanel:
    from visualizer.ui.panels.arcs.panel import ArcsPanel

    return ArcsPanel(session)


def _two_prompts(session: Session) -> SessionPanel:
    from visualizer.ui.panels.two_prompts.panel import TwoPromptsPanel

    return TwoPromptsPanel(session)


def _behaviour(session: Session) -> SessionPanel:
    from visualizer.ui.panels.behaviour.panel import BehaviourPanel

    return BehaviourPanel(session)


def _gradients(session: Session) -> SessionPanel:
    from visualizer.ui.panels.gradients.panel import GradientsPanel

    return GradientsPanel(session)


def _training(session: Session) -> SessionPanel:
    from visualizer.ui.panels.training.panel import TrainingPanel

    return TrainingPanel(session)


def _next_token(session: Session) -> SessionPanel:
    from visualizer.ui.panels.next_token.panel import NextTokenPanel

    return NextTokenPanel(session)


def _explain(session: Session) -> SessionPanel:
    from visualizer.ui.panels.explain.panel import ExplainPanel

    return ExplainPanel(session)


def _lens(session: Session) -> SessionPanel:
    from visualizer.ui.panels.lens.panel import LensPanel

    return LensPanel(session)


def _compare(session: Session) -> SessionPanel:
    from visualizer.ui.panels.compare.panel import ComparePanel

    return ComparePanel(session)


def _timeline(session: Session) -> SessionPanel:
    from visualizer.ui.panels.timeline.panel import TimelinePanel

    return TimelinePanel(session)


#: Object name: (title, what makes the panel).
PANELS: dict[str, tuple[str, Callable[[Session], SessionPanel]]] = {
    "parameterPanel": ("Parameters", _parameters),
    "interventionsPanel": ("Interventions", _interventions),
    "historyPanel": ("History", _history),
    "weightPanel": ("Weights", _weights),
    "flipPanel": ("Flip finder", _flip),
    "attentionPanel": ("Attention", _attention),
    "flowPanel": ("Flow", _flow),
    "headsPanel": ("Heads", _heads),
    "arcsPanel": ("Arcs", _arcs),
    "twoPromptsPanel": ("Two prompts", _two_prompts),
    "behaviourPanel": ("Behaviour", _behaviour),
    "gradientsPanel": ("Gradients", _gradients),
    "trainingPanel": ("Training", _training),
    "nextTokenPanel": ("Next token", _next_token),
    "explainPanel": ("Explain", _explain),
    "lensPanel": ("Lens", _lens),
    "comparePanel": ("Baseline", _compare),
    "timelinePanel": ("Timeline", _timeline),
}
#: Those that others call by name, or that tell of more than they show: they are there from the beginning.
AT_ONCE = (
    *("parameterPanel", "weightPanel", "attentionPanel"),
    *("nextTokenPanel", "explainPanel", "timelinePanel"),
)
#: Those that show what was computed: they are not up to date while it is computed again.
RESULTS = (
    *("attentionPanel", "flowPanel", "headsPanel", "arcsPanel", "twoPromptsPanel", "behaviourPanel"),
    *("nextTokenPanel", "explainPanel", "lensPanel", "comparePanel", "timelinePanel"),
)
#: Those whose strip says what is not plain about the pass; the timeline shows steps, and has no height to spare.
REMARKED = tuple(name for name in RESULTS if name != "timelinePanel")
#: Keys that work anywhere in the window, even before their panel is built: (key, panel, name of its action).
EARLY_KEYS = (("Ctrl+B", "comparePanel", "pinBaseline"),)
