"""The rules of the house, read from its sources: who may import whom, how files are called, no Qt without a window."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.imports import (
    MODULES,
    PACKAGE,
    ROOT,
    circles,
    import_graph,
    imported_at_once,
    imported_by,
    imports_of,
    module_name,
)

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

_DOCUMENT = {"words", "listeners", "document"}
_SESSION = _DOCUMENT | {"evaluation", "selection", "session"}
_LOOK = {"look", "widgets"}
PARTS_BELOW = {
    "session": {
        "words": set(),
        "listeners": set(),
        "document": {"words", "listeners"},
        "evaluation": _DOCUMENT,
        "selection": _DOCUMENT | {"evaluation"},
        "session": _DOCUMENT | {"evaluation", "selection"},
        "analysis": _SESSION,
        "training": _SESSION,
    },
    "ui": {
        "look": set(),
        "widgets": {"look"},
        "heatmap": _LOOK,
        "bridge": _LOOK,
        "panels": _LOOK | {"heatmap", "bridge"},
        "window": _LOOK | {"heatmap", "bridge", "panels"},
    },
}
"""Inside a room, a part may import itself and the parts beside it here; a new part is given its place here first."""

KNOW_NO_SESSION = {"look", "widgets"}
"""Parts of the window that are generic: they know neither the session nor the panels."""

MOST_LINES = 400


def parts_of(module: str) -> list[str]:
    """`visualizer.session.words.numbers` as session, words, numbers."""
    return module.split(".")[1:]


def room_of(module: str) -> str | None:
    """The room of `visualizer.engine.trace` is `engine`; a module directly in the package has none."""
    parts = parts_of(module)
    return parts[0] if parts and parts[0] in ROOMS_BELOW else None


def part_of(module: str) -> tuple[str, str] | None:
    """Room and part of `visualizer.session.words.numbers`: session, words. A room itself stands above its parts."""
    parts = parts_of(module)
    return (parts[0], parts[1]) if len(parts) > 1 and parts[0] in PARTS_BELOW else None


def named(path: Path) -> str:
    """How a failing file is called in the list of tests."""
    return path.relative_to(ROOT).as_posix()


# -- the readers


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy as np", {"numpy"}),
        ("from visualizer import ui", {"visualizer.ui"}),
        ("from . import trace", {"visualizer.engine.trace"}),
        ("from ..ui.theme import DARK", {"visualizer.ui.theme.DARK"}),
        ("def f():\n    import PySide6.QtCore", {"PySide6.QtCore"}),
        ("if TYPE_CHECKING:\n    from visualizer.ui import window", {"visualizer.ui.window"}),
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


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ({"a": "b", "b": "c", "c": ""}, []),
        ({"a": "b", "b": "a", "c": "a"}, [["a", "b"]]),
        ({"a": "b d", "b": "c", "c": "a", "d": "d"}, [["d"], ["a", "b", "c"]]),
        ({"a": "b c", "b": "d", "c": "d", "d": ""}, []),
    ],
)
def test_the_finder_of_circles_finds_them_by_way_of_others(imports: dict[str, str], expected: list[list[str]]) -> None:
    assert circles({module: frozenset(others.split()) for module, others in imports.items()}) == expected


# -- who may import whom


def test_every_room_and_part_exists() -> None:
    for room, parts in PARTS_BELOW.items():
        assert set(parts) == {path.stem for path in (PACKAGE / room).iterdir()} - {"__init__", "__pycache__"}
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} >= set(ROOMS_BELOW)


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circles(import_graph()) == []


def test_a_planted_circle_is_found() -> None:
    planted = {**import_graph(), "visualizer.engine.erf": frozenset({"visualizer.ui.window.main_window"})}
    assert any("visualizer.engine.erf" in circle for circle in circles(planted))


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(module_name(path))], ids=named)
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
    room = room_of(module_name(path))
    assert room is not None
    allowed = {room} | ROOMS_BELOW[room] | SHARED[room]
    for name in imports_of(path):
        top, *rest = name.split(".")
        if top == "visualizer":
            assert allowed.intersection(rest[:1]), f"{named(path)} imports {name}"


def test_a_part_of_a_room_imports_only_parts_below_it() -> None:
    upward = [
        f"{module} imports {other}"
        for module, others in import_graph().items()
        for other in others
        if (here := part_of(module)) and (there := part_of(other)) and here[0] == there[0]
        if here != there and there[1] not in PARTS_BELOW[here[0]][here[1]]
    ]
    assert upward == []


def test_what_is_generic_knows_no_session() -> None:
    generic = {path for part in KNOW_NO_SESSION for path in (PACKAGE / "ui" / part).rglob("*.py")}
    knowing = [named(p) for p in generic if any(name.startswith("visualizer.session") for name in imports_of(p))]
    assert knowing == []


def test_a_panel_knows_no_other_panel() -> None:
    panels = "visualizer.ui.panels."
    foreign = [
        f"{module} imports {other}"
        for module, others in import_graph().items()
        for other in others
        if module.startswith(panels) and other.startswith(panels) and module.split(".")[3] != other.split(".")[3]
    ]
    assert foreign == []


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(module_name(path)) != "ui"], ids=named)
def test_only_the_window_imports_qt_and_the_rest_needs_only_numpy(path: Path) -> None:
    outside = {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names)
    allowed = {"visualizer", "numpy"} | ({"threadpoolctl"} if path.name == "threads.py" else set())
    assert outside <= allowed, f"{named(path)} imports {outside - allowed}"


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=named)
def test_the_window_is_imported_by_the_top_level_only_when_needed(path: Path) -> None:
    assert not {name for name in imports_of(path, at_once=True) if name.startswith("visualizer.ui")}


def test_the_commands_stand_on_top_and_nothing_imports_them() -> None:
    above = {module for module, others in import_graph().items() if "visualizer.cli" in others}
    assert above <= {"visualizer.__main__"}


@pytest.mark.parametrize("path", [p for p in MODULES if room_of(module_name(p)) == "ui"], ids=named)
def test_a_part_of_the_window_imports_no_third_library_beside_qt(path: Path) -> None:
    outside = {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names)
    assert outside <= {"visualizer", "numpy", "PySide6", "shiboken6", "pyqtgraph"}


# -- how it is written


def guessed_attributes(source: str) -> list[str]:
    """Attributes that `hasattr` or `getattr` asks for by a name written there: what a type would know."""
    return [
        str(call.args[1].value)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("hasattr", "getattr")
        and len(call.args) > 1
        and isinstance(call.args[1], ast.Constant)
    ]


def test_guesses_are_found() -> None:
    assert guessed_attributes("getattr(panel, 'close', None)\nhasattr(panel, name)\nhasattr(p, 'x')") == ["close", "x"]


def test_the_window_does_not_guess_what_a_part_of_it_can_do() -> None:
    guesses = {named(path): guessed_attributes(path.read_text("utf-8")) for path in (PACKAGE / "ui").rglob("*.py")}
    assert {file: names for file, names in guesses.items() if names} == {}


def has_names_to_drop(folder: str, files: Sequence[str]) -> bool:
    """Whether all files of a folder repeat its name: `flow/flow_camera.py` is `flow/camera.py`."""
    return bool(files) and all(file == folder or file.startswith(f"{folder}_") for file in files)


def test_names_to_drop_are_found() -> None:
    assert has_names_to_drop("flow", ["flow", "flow_camera"])
    assert not has_names_to_drop("flow", ["flow_camera", "panel"])
    assert not has_names_to_drop("words", [])


def test_a_folder_says_its_name_once() -> None:
    files = {folder: [path.stem for path in MODULES if path.parent == folder] for folder in {p.parent for p in MODULES}}
    repeated = [
        named(folder)
        for folder, names in files.items()
        if has_names_to_drop(folder.name, [name for name in names if name != "__init__"])
    ]
    assert repeated == []


def test_no_file_is_too_long_to_be_read() -> None:
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {file: length for file, length in lengths.items() if length > MOST_LINES} == {}


def calls_in_asserts(source: str) -> list[str]:
    """What assertions call, beside what only looks; with `python -O` none of it is done."""
    looks = {"isinstance", "issubclass", "len", "all", "any", "callable", "hasattr"}
    return [
        ast.unparse(call)
        for statement in ast.walk(ast.parse(source))
        if isinstance(statement, ast.Assert)
        for call in ast.walk(statement.test)
        if isinstance(call, ast.Call | ast.NamedExpr)
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in looks)
    ]


def test_calls_in_asserts_are_found() -> None:
    assert calls_in_asserts("assert isinstance(a, int) and len(b)") == []
    assert calls_in_asserts("assert window.build()") == ["window.build()"]
    assert calls_in_asserts("assert (found := look())") == ["(found := look())", "look()"]


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_nothing_is_done_by_an_assertion(path: Path) -> None:
    """Python leaves assertions out where it is asked to (`-O`)."""
    assert calls_in_asserts(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))], ids=named)
def test_a_file_says_its_subject_in_its_first_line(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree)


def test_the_tests_stand_where_what_they_test_stands() -> None:
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.glob("*/**/test_*.py")} - {Path("reference")}
    assert [str(folder) for folder in sorted(folders) if not (PACKAGE / folder / "__init__.py").exists()] == []


# -- commands without a window


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
