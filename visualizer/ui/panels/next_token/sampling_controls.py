"""How the next token is chosen: temperature, top-k, top-p and seed, as edits of the document."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from visualizer.engine.sampling import Sampling
from visualizer.session.document.edits import SetGeneration
from visualizer.session.session import Session
from visualizer.ui.widgets.number_fields import DecimalField, WholeField

HOTTEST, LARGEST_K, LARGEST_SEED = 100.0, 1_000_000, 2**31 - 1
LEAST_P = 0.01


class _Temperature(DecimalField):
    """A field that takes what was typed before Tab looks for the next field, which it may enable."""

    def focusNextPrevChild(self, forward: bool) -> bool:
        self.interpretText()
        return super().focusNextPrevChild(forward)


class SamplingControls(QWidget):
    """Four fields. What is typed or stepped in one field without leaving it is one step of the history."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("samplingControls")
        self._session = session
        self._sampling: Sampling | None = None
        self.temperature = _Temperature(self)
        self.temperature.setRange(0.0, HOTTEST)
        self.temperature.setSingleStep(0.1)
        self.temperature.setDecimals(2)
        self.temperature.setSpecialValueText("0")
        self.top_k = WholeField(self)
        self.top_k.setRange(0, LARGEST_K)
        self.top_k.setSpecialValueText("all")
        self.top_p = DecimalField(self)
        self.top_p.setRange(LEAST_P, 1.0)
        self.top_p.setSingleStep(0.05)
        self.seed = WholeField(self)
        self.seed.setRange(0, LARGEST_SEED)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(2)
        fields = (
            (
                "temperature",
                "Temperature",
                self.temperature,
                "Logits are divided by it; 0 takes the most probable token",
            ),
            ("topK", "top-k", self.top_k, "Only this many of the most probable tokens stay; 0 keeps all"),
            ("topP", "top-p", self.top_p, "Only the most probable tokens that together reach it stay; 1 keeps all"),
            ("seed", "Seed", self.seed, "The same seed draws the same text"),
        )
        for i, (name, words, field, tip) in enumerate(fields):
            field.setObjectName(f"{name}Field")
            field.setAccessibleName(words)
            field.setToolTip(tip)
            field.setKeyboardTracking(False)
            field.setMinimumWidth(50)
            field.editingFinished.connect(session.document.end_gesture)
            grid.addWidget(QLabel(words, self), i // 2, 2 * (i % 2))
            grid.addWidget(field, i // 2, 2 * (i % 2) + 1)
            grid.setColumnStretch(2 * (i % 2) + 1, 1)
        self.temperature.valueChanged.connect(lambda _value: self._apply("temperature"))
        self.top_k.valueChanged.connect(lambda _value: self._apply("top-k"))
        self.top_p.valueChanged.connect(lambda _value: self._apply("top-p"))
        self.seed.valueChanged.connect(lambda _value: self._apply("seed"))

    def show_sampling(self, sampling: Sampling) -> None:
        """Show what the document says."""
        if sampling == self._sampling:
            return
        self._sampling = sampling
        k = 0 if sampling.top_k is None else sampling.top_k
        p = 1.0 if sampling.top_p is None else sampling.top_p
        self._set(self.temperature, sampling.temperature)
        self._set(self.top_k, min(k, LARGEST_K))
        self._set(self.top_p, p)
        self._set(self.seed, min(sampling.seed, LARGEST_SEED))
        self._enable(sampling)

    def _enable(self, sampling: Sampling) -> None:
        for field in (self.top_k, self.top_p, self.seed):
            field.setEnabled(not sampling.greedy)

    @staticmethod
    def _set(field: WholeField | DecimalField, value: float) -> None:
        blocked = field.blockSignals(True)
        if isinstance(field, DecimalField):
            field.setValue(value)
        else:
            field.setValue(int(value))
        field.blockSignals(blocked)

    def _apply(self, which: str) -> None:
        """Make an edit of what the fields say."""
        state = self._session.document.state
        top_k = self.top_k.value() or None
        top_p = self.top_p.value() if self.top_p.value() < 1 else None
        # What a field cannot hold to the last digit is only taken from it where it was changed.
        now = state.sampling
        temperature = self.temperature.value() if which == "temperature" else now.temperature
        sampling = Sampling(
            temperature,
            top_k if which == "top-k" else now.top_k,
            top_p if which == "top-p" else now.top_p,
            self.seed.value() if which == "seed" else now.seed,
        )
        if sampling != now:
            words = f"seed {sampling.seed}" if which == "seed" else sampling_words(sampling)
            edit = SetGeneration(state.length, sampling, ("sampling", which), f"sampling: {words}")
            self._session.document.apply(edit, self)
            self._enable(sampling)


def sampling_words(sampling: Sampling) -> str:
    """`greedy`, or `T 0.8 · k 5 · p 0.9`."""
    if sampling.greedy:
        return "greedy"
    words = [f"T {sampling.temperature:g}"]
    if sampling.top_k is not None:
        words.append(f"k {sampling.top_k}")
    if sampling.top_p is not None and sampling.top_p < 1:
        words.append(f"p {sampling.top_p:g}")
    return " · ".join(words)
