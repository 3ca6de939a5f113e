"""Finding the data files: icons, presets, guide pages, lists of system packages; and the program itself.

In a checkout they stand in `resources/` beside the package; a wheel carries them inside it, as `_resources/`.
"""

import sys
from pathlib import Path

from visualizer.errors import MissingLibraryError

#: The first word of a command that is no user's: it is followed by a module, and by the module's own words.
CHILD = "--child-program"
_PACKAGE = Path(__file__).resolve().parent


def resource_root() -> Path:
    """The folder that holds all data files.

    Raises MissingLibraryError where the installation has none.
    """
    installed = _PACKAGE / "_resources"
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent / "resources"
    if checkout.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return checkout
    raise MissingLibraryError(
        f"no data files found: neither {installed} nor {checkout} exists; install the program again"
    )


def resource(path: str) -> Path:
    """The data file or folder at `path`, given with forward slashes and relative to the resources folder.

    Raises MissingLibraryError, naming the whole path, where the installation lacks it.
    """
    found = resource_root().joinpath(*path.split("/"))
    if not found.exists():
        raise MissingLibraryError(f"data file {path!r} is missing at {found}; install the program again")
    return found


def child_program(module: str, *words: str) -> list[str]:
    """The command that runs a module in another process, also where the program is one frozen file without `-m`."""
    return [sys.executable, CHILD if getattr(sys, "frozen", False) else "-m", module, *words]
