"""The question whether a training shall be stopped, for the window is to be closed."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget


def ask_whether_to_stop(parent: QWidget) -> bool:
    """Ask; True where the training shall be stopped and the window closed."""
    box = QMessageBox(parent)
    box.setWindowTitle("Training")
    box.setText("A model is being trained.")
    box.setInformativeText("It stops after the present step, and can be resumed when the window is opened again.")
    stop = box.addButton("Stop and close", QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton("Keep training", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.exec()
    return box.clickedButton() is stop
