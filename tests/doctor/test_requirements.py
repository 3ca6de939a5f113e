"""The packages that the program needs are read from where they are declared, in a checkout and when installed."""

import importlib.metadata
from pathlib import Path

import pytest

from visualizer.doctor import requirements as module
from visualizer.doctor.requirements import Requirement, required_packages


def test_a_checkout_says_them_in_its_project_file() -> None:
    found = {requirement.name: requirement for requirement in required_packages()}
    assert list(found) == ["numpy", "threadpoolctl", "PySide6-Essentials", "pyqtgraph"]
    assert str(found["pyqtgraph"]) == "pyqtgraph>=0.14,<0.15"


def test_an_installed_distribution_says_them_in_its_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = tmp_path / "pyproject.toml"
    foreign.write_text('[project]\nname = "another"\ndependencies = ["nothing>=1,<2"]\n', encoding="utf-8")
    declared = ["numpy<3,>=2.0", "pyside6-essentials <6.11, >=6.10.2", "pytest<10,>=8.4; extra == 'test'"]
    monkeypatch.setattr(module, "_PROJECT_FILE", foreign)
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: declared)
    assert required_packages() == [
        Requirement("numpy", "2.0", "3"),
        Requirement("pyside6-essentials", "6.10.2", "6.11"),
    ]


def test_where_nobody_says_them_nothing_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(module, "_PROJECT_FILE", tmp_path / "pyproject.toml")
    monkeypatch.setattr(importlib.metadata, "requires", absent)
    assert required_packages() == []


def test_a_requirement_without_both_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_declared", lambda: ["numpy>=2.0"])
    with pytest.raises(ValueError, match=r"'numpy>=2\.0' has no first version"):
        required_packages()


@pytest.mark.parametrize(
    ("version", "allowed"), [("6.10.1", False), ("6.10.2", True), ("6.10.3.dev1", True), ("6.11", False), ("x", False)]
)
def test_versions_are_compared_by_their_numbers(version: str, allowed: bool) -> None:
    assert Requirement("PySide6-Essentials", "6.10.2", "6.11").allows(version) == allowed
