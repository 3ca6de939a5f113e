"""The data files are found from a checkout and from an installed wheel, and a missing one is named."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from visualizer.errors import MissingLibraryError
from visualizer.resources import resource, resource_root

ROOT = Path(__file__).resolve().parent.parent


def test_a_checkout_uses_the_folder_beside_the_package() -> None:
    assert resource_root() == ROOT / "resources"
    assert resource("system-packages/debian.txt") == ROOT / "resources" / "system-packages" / "debian.txt"


def test_a_missing_file_is_named_with_its_place() -> None:
    with pytest.raises(MissingLibraryError, match=r"'icons/no-such\.svg' is missing at .*no-such\.svg"):
        resource("icons/no-such.svg")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel of this checkout has been unpacked, as pip would."""
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("wheel")
    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    site = folder / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_a_wheel_carries_the_data_inside_the_package(installed: Path) -> None:
    data = installed / "visualizer" / "_resources"
    assert (data / "system-packages" / "debian.txt").read_bytes() == resource("system-packages/debian.txt").read_bytes()
    assert sorted(path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")) == ["visualizer"]


def test_an_installed_wheel_finds_its_own_data(installed: Path, tmp_path: Path) -> None:
    script = "from visualizer.resources import resource; print(resource('system-packages/debian.txt'))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(installed)!r}); {script}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(installed)
