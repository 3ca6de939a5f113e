"""The program's child processes, from a checkout and from a program frozen into one file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from visualizer.cli import run_child_program
from visualizer.resources import CHILD, child_program
from visualizer.session.training import process
from visualizer.session.training.plan import Shape, TrainingPlan, TrainingText
from visualizer.session.training.process import TrainingProcess

PROCESS = process.__name__


def test_a_module_runs_by_its_name_and_in_a_frozen_program_by_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    assert child_program(PROCESS, "x") == [sys.executable, "-m", PROCESS, "x"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert child_program(PROCESS, "x") == [sys.executable, CHILD, PROCESS, "x"]


def test_a_frozen_program_estimates_in_a_process_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script stands for the frozen file: it knows no `-m`."""
    program = tmp_path / "visualizer"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom visualizer.cli import main\nraise SystemExit(main(sys.argv[1:]))\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    child, shape = TrainingProcess(), Shape(n_layers=1, n_heads=2, d_model=8, d_mlp=8, context=8)
    try:
        assert child.estimate(TrainingPlan(TrainingText("pairs", "abcd" * 60), shape)) is not None
    finally:
        child.close()
        child.release()


def test_nothing_else_runs_so() -> None:
    with pytest.raises(ValueError, match="os does not run"):
        run_child_program(["os"])


@pytest.mark.skipif(os.name == "nt", reason="the sign of optimised Python is asked of a shell")
def test_every_panel_is_built_by_python_without_assertions(tmp_path: Path) -> None:
    code = (
        "from PySide6.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "import visualizer\n"
        "window = visualizer.ui.open_window()\n"
        "window.session.wait()\n"
        "window.build_all()\n"
        "print(sum(dock.built_panel is None for dock in window.docks.values()))\n"
        "window.close()\n"
    )
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "0"
