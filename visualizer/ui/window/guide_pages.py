"""Which page of the guide belongs to which part of the window."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from visualizer.errors import MissingLibraryError
from visualizer.resources import resource

INDEX = "index"
#: The dynamic property that names a widget's page where its objectName is not below.
PROPERTY = "guidePage"

#: objectName of a part of the window: its page.
PAGES: dict[str, str] = {
    "promptBar": "prompt",
    "tokenStrip": "tokens",
    "parameterPanel": "parameters-and-weights",
    "weightPanel": "parameters-and-weights",
    "historyPanel": "parameters-and-weights",
    "attentionPanel": "attention",
    "flowPanel": "flow",
    "headsPanel": "heads",
    "arcsPanel": "arcs",
    "nextTokenPanel": "next-token",
    "lensPanel": "lens-and-contributions",
    "timelinePanel": "timeline-and-branches",
    "explainPanel": "explain",
    "interventionsPanel": "interventions",
    "comparePanel": "baseline-and-ripple",
    "twoPromptsPanel": "two-prompts",
    "behaviourPanel": "behaviour-table",
    "flipPanel": "flip-finder",
    "trainingPanel": "training",
    "gradientsPanel": "training",
    "selfCheckBadge": "self-check",
    "statusBar": "self-check",
    "commandPalette": "keyboard",
    "menuBar": "keyboard",
    "busyBar": "window",
}


def page_for(widget: QWidget | None) -> str:
    """The page of the nearest part of the window that has one, from `widget` up; the contents where none has."""
    while widget is not None:
        named = widget.property(PROPERTY)
        if isinstance(named, str) and named:
            return named
        # A dock, whose title bar may have the keyboard, is called after its panel.
        page = PAGES.get(widget.objectName().removesuffix("Dock"))
        if page is not None:
            return page
        widget = widget.parentWidget()
    return INDEX


def page_path(page: str) -> str:
    """The file of a page; that of the contents where there is no page of this name.

    Raises:
        MissingLibraryError: the installation has no guide at all.
    """
    try:
        return str(resource(f"guide/{page}.md"))
    except MissingLibraryError:
        return str(resource(f"guide/{INDEX}.md"))
