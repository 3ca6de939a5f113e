"""What the README shows is what the program does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def console_examples() -> list[tuple[str, str]]:
    """Each `$ command` of the console blocks with the output that is shown under it."""
    return re.findall(r"^\$ (.+)\n((?:(?!\$ ).+\n)*)", "".join(blocks("console")), re.MULTILINE)


@pytest.mark.parametrize(("command", "shown"), console_examples())
def test_a_command_prints_what_the_readme_shows(command: str, shown: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "visualizer"
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (shown, "", 0)


def test_the_readme_has_examples() -> None:
    assert len(console_examples()) >= 2
    assert len(blocks("python")) == 1


def test_the_library_example_runs_and_its_edit_changes_the_text() -> None:
    script = blocks("python")[0] + (
        "\nfor shown in model, edited:\n"
        "    print(model.tokenizer.decode([step.token for step in shown.generate('aab', 10)]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    *steps, original, edited = done.stdout.splitlines()
    assert len(steps) == 10
    assert original == "aabaabaaba"
    assert edited != original


def test_every_local_link_and_picture_of_the_readme_exists() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
