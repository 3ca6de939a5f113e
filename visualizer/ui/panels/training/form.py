"""The form of the training panel: on what, which shape, how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QGridLayout, QLabel, QLineEdit, QWidget

from visualizer.engine.training import TrainingSettings
from visualizer.errors import InputError, TrainingError
from visualizer.formats import OpenedModel
from visualizer.session.session import Session
from visualizer.session.training.corpora import built_in, open_corpus
from visualizer.session.training.plan import SETTINGS, Shape, TrainingPlan, TrainingText, run_settings
from visualizer.session.words.typed_numbers import parse_decimal
from visualizer.ui.panels.training.text_file import TextFile
from visualizer.ui.widgets.number_fields import WholeField

TEXT_FILE = "Text file…"
FIRST_TEXT = "corpus:rhymes"
#: What the form begins with: the defaults of the `train` command.
SHAPE = Shape()
#: (name, label, lowest, highest, first value, tool tip)
NUMBERS = (
    ("n_layers", "Blocks", 1, 48, SHAPE.n_layers, "How many blocks of attention and MLP"),
    ("n_heads", "Heads", 1, 48, SHAPE.n_heads, "Attention heads in each block; the width is shared among them"),
    ("d_model", "Width", 1, 1024, SHAPE.d_model, "d_model: numbers in each position's residual stream"),
    ("d_mlp", "MLP", 0, 4096, SHAPE.mlp_width, "d_mlp: hidden numbers of each block's MLP; 0 for none"),
    ("context", "Context", 1, 1024, SHAPE.context, "n_ctx: how many tokens the model sees"),
    ("steps", "Steps", 1, 1_000_000, SETTINGS.steps, "How many batches"),
    ("batch", "Batch", 1, 1024, SETTINGS.batch, "Windows of the text in each batch"),
    ("seed", "Seed", 0, 2**31 - 1, SETTINGS.seed, "The same seed gives the same model"),
)
OF_SHAPE = ("n_layers", "n_heads", "d_model", "d_mlp", "context")


class TrainingForm(QWidget):
    """Every choice of a run. What is typed is checked when a plan is asked for.

    Signals:
        changed(): another choice, or what was wanted is known.
        wanted(object): a large TextFile, which somebody is to look at and tell `take` of.

    Attributes:
        choose_file: asked for the path of a text file; "" for none.
    """

    changed = Signal()
    wanted = Signal(object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._texts: dict[TextFile, TrainingText | str] = {}
        self._wanted: TextFile | None = None
        self.choose_file: Callable[[], str] = self._ask_for_file
        self._numbers: dict[str, WholeField] = {}
        self._labels: dict[QWidget, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 4, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._make()

    def _make(self) -> None:
        self.text = self._combo("trainingText", "Text", "What is learned")
        for source, description in built_in().items():
            self.text.addItem(source.split(":", 1)[1], source)
            self.text.setItemData(self.text.count() - 1, description, 3)  # Qt.ItemDataRole.ToolTipRole
        self.text.addItem(TEXT_FILE, "")
        self.text.setCurrentIndex(max(self.text.findData(FIRST_TEXT), 0))
        self._chosen = self.text.currentIndex()
        self.source = self._combo("trainingModel", "Model", "Begin with random weights, or those that are open")
        self.source.addItems(["A new model", "The open model, trained on"])
        self.tokenizer = self._combo("trainingTokenizer", "Tokens", "Characters, or byte pairs learned from the text")
        self.tokenizer.addItem("Characters", "char")
        self.tokenizer.addItem("Byte pairs", "bpe")
        self.vocabulary = self._spin(
            "vocab_size", "Vocabulary", 256, 50_000, SHAPE.vocab_size, "How many tokens byte pairs make"
        )
        self.positions = self._combo("trainingPositions", "Positions", "How a position is told")
        self.positions.addItems(["Learned", "Sinusoidal"])
        for name, label, low, high, first, tip in NUMBERS:
            self._numbers[name] = self._spin(name, label, low, high, first, tip)
        self.rate = QLineEdit(f"{SETTINGS.optimizer.lr:g}", self)
        self._add("trainingRate", "Learning rate", self.rate, "The highest learning rate: 0.003, 3e-3")
        for row, pair in enumerate(_rows(self._fields())):
            for column, (shown, field) in enumerate(pair):
                wide = len(pair) == 1
                self._grid.addWidget(shown, row, 2 * column)
                self._grid.addWidget(field, row, 2 * column + 1, 1, 3 if wide else 1)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(3, 1)
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        self.text.activated.connect(self._text_activated)
        for box in (self.source, self.tokenizer, self.positions):
            box.currentIndexChanged.connect(self._changed)
        for spin in (self.vocabulary, *self._numbers.values()):
            spin.valueChanged.connect(self._changed)
        self.rate.textChanged.connect(self._changed)
        self._enable()

    def _fields(self) -> list[tuple[QLabel, QWidget]]:
        numbers = [self._numbers[name] for name, *_ in NUMBERS]
        order: list[QWidget] = [self.text, self.source, self.tokenizer, self.vocabulary, *numbers[:5], self.positions]
        order += [*numbers[5:7], self.rate, numbers[7]]
        return [(self._labels[field], field) for field in order]

    def _combo(self, name: str, label: str, tip: str) -> QComboBox:
        box = QComboBox(self)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(6)
        self._add(name, label, box, tip)
        return box

    def _spin(self, name: str, label: str, low: int, high: int, first: int, tip: str) -> WholeField:
        spin = WholeField(self)
        spin.setRange(low, high)
        spin.setValue(first)
        spin.setMinimumWidth(64)
        self._add(f"training_{name}", label, spin, tip)
        return spin

    def _add(self, name: str, label: str, field: QWidget, tip: str) -> None:
        field.setObjectName(name)
        field.setAccessibleName(label)
        field.setToolTip(tip)
        shown = QLabel(label, self)
        shown.setBuddy(field)
        shown.setToolTip(tip)
        self._labels[field] = shown

    # -- what is chosen

    def plan(self) -> TrainingPlan:
        """The run as the form has it.

        Raises:
            InputError: a choice cannot be served, or the choices contradict each other.
        """
        plan = TrainingPlan(self.chosen_text(), self._shape(), self._present(), self._settings())
        plan.config()
        return plan

    def has(self, plan: TrainingPlan) -> bool:
        """Whether the plan is still what the form says."""
        try:
            return self.plan() == plan
        except InputError:
            return False

    def chosen_text(self) -> TrainingText:
        """The text, read when it is first asked for; a large one is only looked at, by others.

        Raises:
            TrainingError: it cannot be read, or is still being looked at.
        """
        source = str(self.text.currentData())
        if not source:
            raise TrainingError("no text is chosen; choose one, or a text file")
        file = TextFile(source, 0, 0) if source in built_in() else TextFile.at(source)
        if file not in self._texts:  # a file that has changed since is read again
            if file.large:
                self._want(file)
                raise TrainingError(f"reading {self.text.currentText()} …")
            self._texts = {file: TrainingText.of(open_corpus(source))}
        found = self._texts[file]
        if isinstance(found, str):
            raise TrainingError(found)
        return found

    def _want(self, file: TextFile) -> None:
        if file != self._wanted:
            self._wanted = file
            self.wanted.emit(file)

    def take(self, file: TextFile, found: TrainingText | str) -> None:
        """What was found out about a file that was wanted: a text, or why there is none."""
        if file == self._wanted:
            self._wanted = None
            self._texts = {file: found}
            self.changed.emit()

    def _shape(self) -> Shape:
        kind: Literal["char", "bpe"] = "bpe" if self.tokenizer.currentData() == "bpe" else "char"
        positions: Literal["learned", "sinusoidal"] = "sinusoidal" if self.positions.currentIndex() else "learned"
        layers, heads, width, mlp, context = (self._numbers[name].value() for name in OF_SHAPE)
        return Shape(kind, self.vocabulary.value(), layers, heads, width, mlp, context, positions)

    def _present(self) -> OpenedModel | None:
        state = self._session.document.state
        return replace(state.opened, model=state.model) if self.source.currentIndex() else None

    def _settings(self) -> TrainingSettings:
        steps = self._numbers["steps"].value()
        rate = parse_decimal(self.rate.text())
        if rate is None:
            typed = self.rate.text()[:30]
            raise TrainingError(f"{typed!r} is not a learning rate; a number such as 0.003 is needed")
        return run_settings(steps, self._numbers["batch"].value(), self._numbers["seed"].value(), rate)

    # -- what the user does

    def _changed(self) -> None:
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        new = self.source.currentIndex() == 0
        shape = [self._numbers[name] for name in OF_SHAPE]
        for field in (self.tokenizer, self.positions, *shape):
            field.setEnabled(new)
        self.vocabulary.setEnabled(new and self.tokenizer.currentData() == "bpe")

    def _text_activated(self, index: int) -> None:
        if self.text.itemText(index) == TEXT_FILE and not self.text.itemData(index):
            path = self.choose_file()
            if not path:
                self.text.setCurrentIndex(self._chosen)
                return
            self.add_file(path)
        self._chosen = self.text.currentIndex()
        self._changed()

    def add_file(self, path: str) -> None:
        """Choose a text file of the user's."""
        at = self.text.findData(path)
        if at < 0:
            at = self.text.count() - 1
            self.text.insertItem(at, path.replace("\\", "/").rpartition("/")[2], path)
            self.text.setItemData(at, path, 3)
        self.text.setCurrentIndex(at)
        self._chosen = at

    def _ask_for_file(self) -> str:
        return QFileDialog.getOpenFileName(self, "Text to train on", "", "Text files (*.txt *.md);;All files (*)")[0]


def _rows(fields: list[tuple[QLabel, QWidget]]) -> list[list[tuple[QLabel, QWidget]]]:
    """Text and model have a row each; the others share one by twos."""
    return [[fields[0]], [fields[1]], *(fields[i : i + 2] for i in range(2, len(fields), 2))]
