"""What is not plain about what a panel shows, in one thin strip above it, each with its way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from visualizer.session.document.interventions import switch_all
from visualizer.session.session import Session
from visualizer.ui.widgets.drawing import Zoomable
from visualizer.ui.widgets.plain_text import PlainLabel, as_entry, as_tip


@dataclass(frozen=True)
class Remark:
    """Something that a stranger could not know from the picture.

    Attributes:
        words: what it is, short: "zoomed 3×".
        undo: the way back; None where there is none, or none is needed.
        tip: what the way back does.
    """

    words: str
    undo: Callable[[], object] | None = None
    tip: str = ""


def pass_remarks(session: Session) -> list[Remark]:
    """What holds for everything that is shown of the present pass: a comparison, interventions."""
    remarks, state, selection = [], session.document.state, session.selection
    words = {"baseline": "baseline", "difference": "difference from baseline"}.get(selection.now.comparison)
    if state.baseline is not None and words is not None:
        remarks.append(Remark(words, lambda: selection.choose(comparison="value"), "Show the values again"))
    active = sum(change.enabled for change in state.interventions)
    if active:

        def off() -> None:
            session.document.apply(switch_all(session.document.state, False))

        counted = f"{active} intervention" + ("s" if active > 1 else "")
        remarks.append(Remark(counted, off, "Switch all interventions off; undo brings them back"))
    return remarks


def zoom_remarks(pictures: Iterable[Zoomable]) -> list[Remark]:
    """How far the nearest of some pictures is enlarged; its way back is for all of them."""
    near = [picture for picture in pictures if picture.zoomed > 1 + 1e-6]
    if not near:
        return []

    def fit() -> None:
        for picture in near:
            picture.fit()

    return [Remark(f"zoomed {max(picture.zoomed for picture in near):.2g}×", fit, "Show all again (0)")]


def part_remark(shown: int, of: int, what: str) -> list[Remark]:
    """That only some of many are shown; nothing where all are."""
    return [Remark(f"showing {shown} of {of} {what}")] if shown < of else []


class RemarkStrip(QWidget):
    """The strip; it is not there while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("remarkStrip")
        self._shown: list[Remark] = []
        self._parts: list[QWidget] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(4, 2, 4, 0)
        self._row.setSpacing(2)
        self.setStyleSheet("QToolButton { padding: 1px 3px; }")
        self._row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    @property
    def words(self) -> list[str]:
        """What it says."""
        return [remark.words for remark in self._shown]

    def show_remarks(self, remarks: Sequence[Remark]) -> None:
        """Say this and nothing else."""
        if [(remark.words, remark.tip) for remark in remarks] == [(known.words, known.tip) for known in self._shown]:
            return
        self._shown = list(remarks)
        for part in self._parts:
            part.hide()
            part.deleteLater()
        self._parts = [self._part(remark) for remark in remarks]
        for place, part in enumerate(self._parts):
            self._row.insertWidget(place, part)
        self.setVisible(bool(remarks))

    def _part(self, remark: Remark) -> QWidget:
        if remark.undo is None:
            return PlainLabel(remark.words, self)
        undo = remark.undo
        button = QToolButton(self)
        button.setText(as_entry(f"{remark.words} ✕"))
        button.setAutoRaise(True)
        button.setAccessibleName(f"{remark.words}: {remark.tip}")
        button.setToolTip(as_tip(remark.tip))
        button.clicked.connect(lambda _checked=False: undo())
        return button
