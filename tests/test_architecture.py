"""The rules of who may import whom, read from the imports themselves; and commands that never load Qt."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "visualizer"
MODULES = sorted(PACKAGE.rglob("*.py"))

QT = {"PySide6", "shiboken6", "pyqtgraph"}

ROOMS_BELOW = {
    "engine": set(),
    "tokenizers": {"engine"},
    "formats": {"engine", "tokenizers"},
    "session": {"engine", "tokenizers", "formats"},
    "ui": {"engine", "tokenizers", "formats", "session"},
}
"""A room may import itself, the rooms beside it here, and the modules without a room that SHARED names."""

SHARED = {
    "engine": {"errors"},
    "tokenizers": {"errors"},
    "formats": {"errors", "resources"},
    "session": {"errors", "resources"},
    "ui": {"errors", "resources", "doctor"},
}


def module_name(path: Path) -> str:
    """`visualizer/engine/ops/__init__.py` as `visualizer.engine.ops`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str | None:
    """The room of `visualizer.engine.trace` is `engine`; a module directly in the package has none."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS_BELOW else None


def imported_by(source: str, module: str, is_package: bool = False) -> set[str]:
    """Everything that a module's source imports, also inside functions and for type checking alone.

    `from a import b` counts as `a.b`, for b may be a module; relative imports are resolved.
    """
    return {name for _, name in _imports(ast.parse(source), module, is_package)}


def imported_at_once(source: str, module: str, is_package: bool = False) -> set[str]:
    """What is imported by loading the module: no import inside a function or for type checking."""
    tree = ast.parse(source)
    deferred = {id(part) for node in ast.walk(tree) if _runs_later(node) for part in ast.walk(node)}
    return {name for node, name in _imports(tree, module, is_package) if id(node) not in deferred}


def _runs_later(node: ast.AST) -> bool:
    """Whether loading the module does not run the node: a function, or what is there for a type checker."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING" and not node.orelse
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node, alias.name) for alias in names)
            case ast.ImportFrom(module=source, names=names, level=level):
                up = level - 1 if is_package else level
                base = module.split(".")[: -up or None] if level else []
                origin = ".".join([*base, *([source] if source else [])])
                yield from ((node, f"{origin}.{alias.name}") for alias in names)
            case ast.Call(func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__")):
                if node.args and isinstance(node.args[0], ast.Constant):
                    yield node, str(node.args[0].value)


def imports_of(path: Path, at_once: bool = False) -> set[str]:
    """The imports of a file of the package."""
    read = imported_at_once if at_once else imported_by
    return read(path.read_text(encoding="utf-8"), module_name(path), path.name == "__init__.py")


def named(path: Path) -> str:
    """How a failing file is called in the list of tests."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy as np", {"numpy"}),
        ("from visualizer import ui", {"visualizer.ui"}),
        ("from . import trace", {"visualizer.engine.trace"}),
        ("from ..ui.look.theme import DARK", {"visualizer.ui.look.theme.DARK"}),
        ("def f():\n    import PySide6.QtCore", {"PySide6.QtCore"}),
        ("import importlib\nimportlib.import_module('pyqtgraph')", {"importlib", "pyqtgraph"}),
    ],
)
def test_the_reader_of_imports_finds_every_form(source: str, expected: set[str]) -> None:
    assert imported_by(source, "visualizer.engine.model") == expected


def test_the_reader_resolves_relative_imports_of_a_package() -> None:
    assert imported_by("from .dot import Dot", "visualizer.engine.ops", is_package=True) == {
        "visualizer.engine.ops.dot.Dot"
    }


def test_an_import_in_a_function_or_for_type_checking_is_not_loaded_at_once() -> None:
    source = (
        "import json\ndef f():\n    import PySide6\nclass C:\n    import csv\nif TYPE_CHECKING:\n    import pyqtgraph"
    )
    assert imported_at_once(source, "visualizer.cli") == {"json", "csv"}


def test_every_room_exists() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} >= set(ROOMS_BELOW)


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(module_name(path))], ids=named)
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
    room = room_of(module_name(path))
    assert room is not None
    allowed = {room} | ROOMS_BELOW[room] | SHARED[room]
    for name in imports_of(path):
        top, *rest = name.split(".")
        if top == "visualizer":
            assert allowed.intersection(rest[:1]), f"{named(path)} imports {name}"


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(module_name(path)) != "ui"], ids=named)
def test_only_the_window_imports_qt_and_the_rest_needs_only_numpy(path: Path) -> None:
    outside = {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names)
    allowed = {"visualizer", "numpy"} | ({"threadpoolctl"} if path.name == "threads.py" else set())
    assert outside <= allowed, f"{named(path)} imports {outside - allowed}"


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=named)
def test_the_window_is_imported_by_the_top_level_only_when_needed(path: Path) -> None:
    assert not {name for name in imports_of(path, at_once=True) if name.startswith("visualizer.ui")}


@pytest.mark.parametrize("path", [p for p in MODULES if room_of(module_name(p)) == "ui"], ids=named)
def test_a_part_of_the_window_imports_no_third_library_beside_qt(path: Path) -> None:
    outside = {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names)
    assert outside <= {"visualizer", "numpy", "PySide6", "shiboken6", "pyqtgraph"}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("ui/panels/*.py")), ids=named)
def test_a_panel_knows_neither_another_panel_nor_the_main_window(path: Path) -> None:
    foreign = {"visualizer.ui.panels", "visualizer.ui.window.main_window", "visualizer.ui.open_window"}
    for name in imports_of(path):
        assert not any(f"{name}.".startswith(f"{other}.") for other in foreign), f"{named(path)} imports {name}"


@pytest.mark.parametrize("path", [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))], ids=named)
def test_a_file_says_its_subject_in_its_first_line(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree)


@pytest.mark.parametrize(
    "arguments",
    [
        ["complete", "aab"],
        ["evaluate", "--text", "aabaabaab"],
        ["trace", "aabaa", "-o", "trace.npz"],
        ["info", "aab"],
        ["doctor"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_a_headless_command_loads_no_qt(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from visualizer.cli import main\n"
        "try:\n"
        "    code = main(sys.argv[1:])\n"
        "except SystemExit as end:\n"
        "    code = end.code\n"
        f"loaded = sorted(name for name in sys.modules if name.split('.')[0] in {QT!r})\n"
        "print('LOADED', loaded, 'EXIT', code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["LOADED [] EXIT 0"], done.stdout + done.stderr


def test_no_two_public_classes_share_a_name() -> None:
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(named(path))
    assert not {name: found for name, found in places.items() if len(found) > 1}
