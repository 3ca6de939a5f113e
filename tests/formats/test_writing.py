"""Writing a file: whole or not at all, in the place of what was there, and with nothing left beside it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from visualizer.errors import FormatError
from visualizer.formats.locks import try_lock
from visualizer.formats.writing import TEMPORARY, require_writable, write_whole

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links as on Unix")


def write(path: str | Path, data: bytes = b"new") -> None:
    def fill(file: IO[bytes]) -> None:
        file.write(data)

    write_whole(path, fill)


def leftover(folder: Path, name: str = "killed") -> Path:
    """A file as a program that was killed while writing leaves it."""
    prefix, suffix = TEMPORARY
    path = folder / f"{prefix}{name}{suffix}"
    path.write_bytes(b"half")
    return path


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755, 0o200])
def test_a_file_that_is_written_over_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"old")
    path.chmod(mode)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    path.chmod(0o600)
    assert path.read_bytes() == b"new"


@posix
def test_a_new_file_has_the_permissions_that_the_user_gives_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "m")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o640


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only an administrator gives files away")
def test_a_file_of_somebody_elses_stays_theirs(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"old")
    os.chown(path, 1234, 2345)
    write(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


@posix
@pytest.mark.parametrize("check", [write, require_writable])
def test_a_read_only_file_is_refused_and_stays(tmp_path: Path, check: object) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"old")
    path.chmod(0o444)
    assert callable(check)
    with pytest.raises(FormatError, match="it is read-only; name another file, or make it writable"):
        check(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@posix
@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to what is not there yet"])
def test_a_link_stays_a_link_and_what_it_leads_to_is_written(tmp_path: Path, there: bool) -> None:
    (tmp_path / "other").mkdir()
    real, link = tmp_path / "other" / "real", tmp_path / "link"
    if there:
        real.write_bytes(b"old")
    link.symlink_to("other/real")
    write(link)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert sorted(tmp_path.rglob("*")) == sorted([link, real, real.parent])


@posix
def test_a_link_that_leads_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(FormatError, match="cannot write"):
        write(tmp_path / "a")
    assert (tmp_path / "a").is_symlink()


@pytest.mark.parametrize(
    "name", ["m" * 255, "é" * 127, "m" * 243 + ".safetensors"], ids=["255", "2 bytes each", "suffix"]
)
def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, b"old")
    write(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"new"


@pytest.mark.parametrize("check", [write, require_writable])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("m" * 256, "name too long"),
        ("", "it is a folder, a device or nothing"),
        ("folder", "it is a folder, a device or nothing"),
        ("gone/m", "No such file"),
        ("file/m", "Not a directory"),
        ("a\0b", "null"),
    ],
    ids=["too long", "nothing", "folder", "no folder", "in a file", "null"],
)
def test_what_cannot_be_written_is_refused_before_anything_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: object, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").write_bytes(b"")
    before = sorted(tmp_path.rglob("*"))
    assert callable(check)
    with pytest.raises(FormatError, match=said):
        check(name)
    assert sorted(tmp_path.rglob("*")) == before


@posix
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that nobody can write to is needed")
def test_a_folder_that_takes_no_file_is_found_out_at_once() -> None:
    with pytest.raises(FormatError, match=r"cannot write '/proc/m'"):
        require_writable("/proc/m")


def test_a_probe_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m"
    require_writable(path)
    assert not path.exists()
    path.write_bytes(b"old")
    require_writable(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"old")

    def fill(file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(FormatError, match="No space left on device"):
        write_whole(path, fill)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


# -- what a killed program leaves

KILLED = """
import os, signal, sys
from visualizer.formats.writing import write_whole
def fill(file):
    file.write(b"x" * 1000)
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
write_whole(sys.argv[1], fill)
"""


@posix
def test_what_a_killed_program_left_is_removed_by_the_next_that_writes_there(tmp_path: Path) -> None:
    for _ in range(2):  # the second cleans up after the first
        ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "m")], cwd=ROOT, check=False)
        assert ended.returncode == -signal.SIGKILL
        assert len(list(tmp_path.iterdir())) == 1
    write(tmp_path / "another")
    assert [path.name for path in tmp_path.iterdir()] == ["another"]


def test_a_probe_cleans_up_too_and_other_hidden_files_stay(tmp_path: Path) -> None:
    leftover(tmp_path)
    theirs = [tmp_path / name for name in (".m.abcdefgh", ".visualizer-notes", "visualizer-x.tmp")]
    for path in theirs:
        path.write_bytes(b"mine")
    require_writable(tmp_path / "m")
    assert sorted(tmp_path.iterdir()) == sorted(theirs)


@posix
def test_a_file_that_is_still_being_written_is_left_alone(tmp_path: Path) -> None:
    half = leftover(tmp_path)
    with half.open("rb") as held:
        assert try_lock(held.fileno())
        write(tmp_path / "m")
        assert half.exists()

    def fill(file: IO[bytes]) -> None:
        write(tmp_path / "inner")
        file.write(b"outer")

    write_whole(tmp_path / "outer", fill)
    assert (tmp_path / "outer").read_bytes() == b"outer"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner", "m", "outer"]


@posix
def test_a_folder_or_link_of_such_a_name_is_nobodys_leftover(tmp_path: Path) -> None:
    prefix, suffix = TEMPORARY
    (tmp_path / f"{prefix}folder{suffix}").mkdir()
    (tmp_path / "theirs").write_bytes(b"mine")
    (tmp_path / f"{prefix}link{suffix}").symlink_to("theirs")
    write(tmp_path / "m")
    assert len(list(tmp_path.iterdir())) == 4
