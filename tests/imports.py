"""The imports of the package, read from its sources: what the rules of who may import whom are checked against."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "visualizer"
MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    """`visualizer/engine/ops/__init__.py` as `visualizer.engine.ops`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


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


def imports_of(path: Path, at_once: bool = False) -> set[str]:
    """The imports of a file of the package."""
    read = imported_at_once if at_once else imported_by
    return read(path.read_text(encoding="utf-8"), module_name(path), path.name == "__init__.py")


@cache
def import_graph() -> Mapping[str, frozenset[str]]:
    """Each module of the package, and the modules of the package that it imports, TYPE_CHECKING included."""
    known = {module_name(path) for path in MODULES}
    return {module_name(path): frozenset(_modules(imports_of(path), known)) for path in MODULES}


def _modules(names: set[str], known: set[str]) -> Iterator[str]:
    """The modules among what is imported: of `a.b.f` with a function f, `a.b`."""
    for name in names:
        while name and name not in known:
            name = name.rpartition(".")[0]
        if name:
            yield name


def circles(graph: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """The modules that import each other, directly or by way of others: Tarjan's strongly connected components."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        open_.append(module)
        for other in sorted(graph[module]):
            if other not in order:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in open_:
                lowest[module] = min(lowest[module], order[other])
        if lowest[module] == order[module]:
            place = open_.index(module)
            circle = open_[place:]
            del open_[place:]
            if len(circle) > 1 or module in graph[module]:
                found.append(sorted(circle))

    for module in sorted(graph):
        if module not in order:
            visit(module)
    return found


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
