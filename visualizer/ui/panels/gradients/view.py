"""The widgets of the gradients panel, laid out."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSplitter,
    QTreeWidget,
    QVBoxLayout,
    QWidget,
)

from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.widgets.buttons import push_button
from visualizer.ui.widgets.labels import WrappedLabel
from visualizer.ui.widgets.number_fields import WholeField


class GradientView:
    """Lays the widgets out in `panel`; what they do is connected there."""

    def __init__(self, panel: QWidget) -> None:
        self._panel = panel
        self.target = self._combo("gradientTarget", "Wanted token", "The token that should come next")
        self.typed = QLineEdit(panel)
        self.typed.setAccessibleName("Wanted token")
        self.target.setLineEdit(self.typed)
        self.target.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.scope = self._combo("gradientScope", "Where it is wanted", "One context, or every one of the pattern")
        self.loss = WrappedLabel("gradientLoss", panel)
        self.loss.setWordWrap(False)
        self.said = WrappedLabel("gradientSaid", panel)
        self.compute = push_button("Compute gradients", "gradientCompute", "Run the model forward and backward", panel)
        self.compute.hide()
        self.parameters = self._tree()
        self.weight_title = WrappedLabel("gradientWeightTitle", panel)
        self.weight_map = self._map("gradientWeights", "Gradient of the chosen parameter")
        self.activation = self._combo("gradientActivation", "Activation", "Whose gradient is shown for this context")
        self.activation_title = WrappedLabel("gradientActivationTitle", panel)
        self.activation_map = self._map("gradientActivations", "Gradient of the chosen activation")
        self._make_steps()
        self._lay_out()

    def _make_steps(self) -> None:
        panel = self._panel
        self.rate = QLineEdit(panel)
        self.rate.setObjectName("gradientRate")
        self.rate.setAccessibleName("Learning rate")
        self.rate.setToolTip("Learning rate: about how far each weight moves in one step")
        self.rate.setFixedWidth(56)
        self.only = QCheckBox("Only this parameter", panel)
        self.only.setObjectName("gradientOnly")
        self.only.setToolTip("Change only the parameter that is chosen in the list, and leave the others as they are")
        self.one = push_button("Adam step", "gradientStep", "Move the weights against the gradient, undoably", panel)
        self.count = WholeField(panel)
        self.count.setObjectName("gradientCount")
        self.count.setAccessibleName("How many steps")
        self.count.setToolTip("How many Adam steps the button makes")
        self.count.setRange(2, 1000)
        self.count.setValue(10)
        self.many = push_button("Steps", "gradientSteps", "This many Adam steps, undone as one", panel)
        self.many.setAccessibleName("Several Adam steps")
        self.many.setMaximumWidth(self.many.fontMetrics().horizontalAdvance("Steps") + 24)
        self.check = push_button(
            "Check by finite differences",
            "gradientCheck",
            "Choose a cell of the map: its gradient, by another way",
            panel,
        )
        self.checked = WrappedLabel("gradientChecked", panel)

    def show_target(self, label: str) -> None:
        """Write the wanted token into its box."""
        typing = self.typed.hasFocus() and self.typed.isModified()
        if self.target.currentText() != label and not typing:
            at = self.target.findText(label, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchCaseSensitive)
            if at >= 0:
                self.target.setCurrentIndex(at)
            else:
                self.target.setEditText(label)

    def clear_maps(self) -> None:
        """Show no gradients."""
        for heatmap in (self.weight_map, self.activation_map):
            heatmap.set_empty("no gradients")
        self.weight_title.clear()
        self.activation_title.clear()

    def _tree(self) -> QTreeWidget:
        tree = QTreeWidget(self._panel)
        tree.setObjectName("gradientParameters")
        tree.setAccessibleName("Parameters by norm of their gradient")
        tree.setToolTip("Every parameter with the norm of its gradient; choosing one shows its map")
        tree.setHeaderLabels(["parameter", "|gradient|"])
        tree.setRootIsDecorated(False)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        tree.header().resizeSection(1, 76)
        tree.setMinimumWidth(224)
        tree.setTextElideMode(Qt.TextElideMode.ElideLeft)
        return tree

    def _combo(self, name: str, said: str, tip: str) -> QComboBox:
        box = QComboBox(self._panel)
        box.setObjectName(name)
        box.setAccessibleName(said)
        box.setToolTip(tip)
        box.setMinimumContentsLength(4)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        return box

    def _map(self, name: str, said: str) -> Heatmap:
        heatmap = Heatmap(self._panel)
        heatmap.setObjectName(name)
        heatmap.setAccessibleName(said)
        heatmap.setMinimumSize(120, 100)
        return heatmap

    def _lay_out(self) -> None:
        panel = self._panel
        wanted = QHBoxLayout()
        asked: list[QWidget] = [QLabel("Wanted", panel), self.target, self.scope]
        for widget in asked:
            wanted.addWidget(widget)
        wanted.addWidget(self.loss, 1)
        wanted.addWidget(self.compute)
        left, right = QWidget(panel), QWidget(panel)
        weights, activations = QVBoxLayout(left), QVBoxLayout(right)
        for column in (weights, activations):
            column.setContentsMargins(8, 0, 0, 0)
            column.setSpacing(4)
        weights.addWidget(self.weight_title)
        weights.addWidget(self.weight_map, 1)
        chosen = QHBoxLayout()
        chosen.addWidget(self.activation_title, 1)
        chosen.addWidget(self.activation)
        activations.addLayout(chosen)
        activations.addWidget(self.activation_map, 1)
        maps = QSplitter(Qt.Orientation.Vertical, panel)
        maps.addWidget(left)
        maps.addWidget(right)
        middle = QSplitter(Qt.Orientation.Horizontal, panel)
        middle.addWidget(self.parameters)
        middle.addWidget(maps)
        middle.setStretchFactor(1, 1)
        middle.setSizes([self.parameters.minimumWidth(), 400])
        steps = QHBoxLayout()
        rate = QLabel("Rate", panel)
        rate.setBuddy(self.rate)
        taking: list[QWidget] = [rate, self.rate, self.only, self.one, self.count, self.many]
        for widget in taking:
            steps.addWidget(widget)
        steps.addStretch(1)
        checking = QHBoxLayout()
        checking.addWidget(self.check)
        checking.addWidget(self.checked, 1)
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(wanted)
        layout.addWidget(self.said)
        layout.addWidget(middle, 1)
        layout.addLayout(steps)
        layout.addLayout(checking)
