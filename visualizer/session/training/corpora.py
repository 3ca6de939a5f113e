"""What can be trained on: texts and tasks that come with the program, by name, and any text file."""

from __future__ import annotations

import os
from dataclasses import dataclass

from visualizer.errors import TrainingError
from visualizer.formats.corpus import read_corpus
from visualizer.resources import resource
from visualizer.session.training.tasks import SEPARATOR, TASKS, RepeatedWord, Task

TASK_PREFIX, TEXT_PREFIX = "task:", "corpus:"
#: The texts that come with the program, each a file in resources/corpora, with a word about it.
TEXTS = {"rhymes": "a few pages of simple verses, written for this program"}


@dataclass(frozen=True)
class Corpus:
    """A text to train on.

    Attributes:
        name: `task:sort`, `corpus:rhymes`, or the path of a file.
        text: the text itself.
        description: in a sentence.
        task: what made it, where it is a task's.
    """

    name: str
    text: str
    description: str
    task: Task | None = None

    @property
    def by_lines(self) -> bool:
        """Whether every line stands alone, so that training should look at it from a line's beginning."""
        return self.task is not None and SEPARATOR in self.task.alphabet


def built_in() -> dict[str, str]:
    """Every corpus that comes with the program: its name as `open_corpus` takes it, and what it is."""
    texts = {f"{TEXT_PREFIX}{name}": description for name, description in TEXTS.items()}
    return texts | {f"{TASK_PREFIX}{name}": _described(task) for name, task in TASKS.items()}


def _described(task: Task) -> str:
    return f"{task.word!r} over and over" if isinstance(task, RepeatedWord) else task.description


def open_corpus(source: str | os.PathLike[str]) -> Corpus:
    """The corpus that `source` names: `task:NAME`, `corpus:NAME`, or the path of a UTF-8 text file.

    A file whose name begins so is reached as `./task:NAME`.

    Raises:
        TrainingError: there is no such corpus, or the file cannot be read as text.
    """
    name = os.fspath(source)
    known = built_in()
    if name.startswith((TASK_PREFIX, TEXT_PREFIX)) and name not in known:
        raise TrainingError(f"there is no {name!r}; there are {', '.join(known)}, and any text file")
    if name.startswith(TASK_PREFIX):
        task = TASKS[name.removeprefix(TASK_PREFIX)]
        return Corpus(name, task.text(), known[name], task)
    if name.startswith(TEXT_PREFIX):
        return Corpus(name, read_corpus(resource(f"corpora/{name.removeprefix(TEXT_PREFIX)}.txt")), known[name])
    return Corpus(name, read_corpus(name), "a text file")
