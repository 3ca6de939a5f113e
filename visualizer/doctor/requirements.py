"""Which Python packages the program needs, in which versions: read from where they are declared, once for all.

That is `pyproject.toml`, which a checkout holds and an installed distribution carries in its metadata.
"""

import importlib.metadata
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

DISTRIBUTION = "attention-visualizer"
_PROJECT_FILE = Path(__file__).resolve().parents[2] / "pyproject.toml"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*([^;]*)")


@dataclass(frozen=True)
class Requirement:
    """A package, the first version that works and the first that may not."""

    name: str
    first: str
    beyond: str

    def __str__(self) -> str:
        return f"{self.name}>={self.first},<{self.beyond}"

    def allows(self, version: str) -> bool:
        """Whether the program is known to work with that version."""
        return _release(self.first) <= _release(version) < _release(self.beyond)


def required_packages() -> list[Requirement]:
    """What the program cannot do without; nothing where neither checkout nor distribution says it, as when frozen.

    Raises ValueError for a requirement without both bounds.
    """
    return [_parsed(line) for line in _declared() if "extra ==" not in line]


def _declared() -> list[str]:
    """The requirements as they were written; a checkout's own come before those of an older installation."""
    if _PROJECT_FILE.is_file():
        project = tomllib.loads(_PROJECT_FILE.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == DISTRIBUTION:
            return list(project["dependencies"])
    try:
        return importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _parsed(line: str) -> Requirement:
    """`numpy>=2.0,<3` in either order of its bounds, as the metadata have them."""
    found = _REQUIREMENT.match(line)
    bounds = dict(re.findall(r"(>=|<)\s*([0-9][0-9.]*)", found.group(2))) if found else {}
    if found is None or set(bounds) != {">=", "<"}:
        raise ValueError(f"the requirement {line!r} has no first version and no first that may not work")
    return Requirement(found.group(1), bounds[">="], bounds["<"])


def _release(version: str) -> tuple[int, ...]:
    """`6.10.3` as (6, 10, 3); whatever follows the numbers is left out."""
    numbers = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in numbers.group().split(".")) if numbers else ()
