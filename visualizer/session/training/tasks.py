"""Tasks to train on whose solution is visible in the heads: generators of text, with an exact check of a model.

A task is a stream of items, each a question and the one right answer to it, one item a line. A tenth of all questions,
chosen by their checksum, never occurs in a training text: a model is checked on those.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from visualizer.engine.model import Model
from visualizer.errors import InputError

LETTERS = "abcdefghijklmnopqrstuvwxyz"
#: One question in so many is held out.
HELD_OUT = 10
#: Ends every item of a task.
SEPARATOR = "\n"


@dataclass(frozen=True)
class Item:
    """A question and its only right answer, as they follow each other in the text."""

    question: str
    answer: str

    @property
    def is_held_out(self) -> bool:
        """Whether training never sees it; the same on every machine."""
        return zlib.crc32(self.question.encode()) % HELD_OUT == 0


class Task(ABC):
    """A generator of items. The same seed gives the same items.

    Attributes:
        name: what it is called, after `task:`.
        description: in a sentence, the format of a line included.
        solution: which pattern of attention solves it, and so may be looked for in the heads.
        example: a prompt that shows it.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    solution: ClassVar[str]
    example: ClassVar[str]

    @property
    @abstractmethod
    def alphabet(self) -> str:
        """Every character of its texts, the separator included, sorted."""

    @abstractmethod
    def draw(self, random: np.random.Generator) -> Item:
        """Any item, held out or not."""

    def line(self, item: Item) -> str:
        """The item as it stands in a text, separator included."""
        return item.question + item.answer + SEPARATOR

    def text(self, seed: int = 0, length: int = 200_000) -> str:
        """Whole lines of at least `length` characters to train on, none of them held out."""
        random = np.random.default_rng([seed, 0])
        lines, total = [], 0
        while total < length:
            item = self.draw(random)
            if not item.is_held_out:
                lines.append(self.line(item))
                total += len(lines[-1])
        return "".join(lines)

    def held_out(self, seed: int = 0, count: int = 200) -> list[Item]:
        """`count` items that no training text holds."""
        random = np.random.default_rng([seed, 1])
        items: list[Item] = []
        while len(items) < count:
            item = self.draw(random)
            if item.is_held_out:
                items.append(item)
        return items

    def accuracy(self, model: Model, count: int = 200, seed: int = 0) -> float:
        """The fraction of held-out items whose whole answer is what the model writes, always its most probable token.

        Raises:
            TokenError: the model has no token for a character of the task.
            InputError: an item is longer than the model's context.
        """
        items = self.held_out(seed, count)
        return sum(completed(model, items)) / len(items)


def completed(model: Model, items: Sequence[Item]) -> list[bool]:
    """Whether the model's greedy continuation of each question is exactly its answer.

    Greedy continuation is right throughout if and only if each token of the answer is the most probable one after
    all those before it, so one pass over question and answer tells.

    Raises:
        TokenError, InputError: as `Task.accuracy`.
    """
    asked = [model.ids(item.question) for item in items]
    whole = [np.concatenate([ids, model.ids(item.answer)]) for ids, item in zip(asked, items, strict=True)]
    room = model.config.n_ctx + 1
    for item, ids in zip(items, whole, strict=True):
        if len(ids) > room:
            raise InputError(
                f"the item {(item.question + item.answer)[:40]!r} has {len(ids)} tokens; with a context of "
                f"{room - 1}, at most {room} can be checked"
            )
    right = [False] * len(items)
    for length in {len(ids) for ids in whole}:
        chosen = [i for i, ids in enumerate(whole) if len(ids) == length]
        batch = np.stack([whole[i] for i in chosen])
        best = model.forward_batch(batch[:, :-1])["logits"].argmax(axis=-1)
        for row, i in enumerate(chosen):
            start = len(asked[i])
            right[i] = bool(np.array_equal(best[row, start - 1 :], whole[i][start:]))
    return right


@dataclass(frozen=True)
class Induction(Task):
    """Words that are made up for one line, then said again in any order: `kfb qx tmwa qx kfb tmwa`.

    No letter occurs in two words of a line. The question ends with a word's first letter, and only looking back at
    what followed the same letter foretells the rest: the order of the words does not help, nor does anything of
    other lines.
    """

    fewest: int = 3
    most: int = 6
    again: int = 6
    shortest: int = 2
    longest: int = 4
    name: ClassVar[str] = "induction"
    description: ClassVar[str] = "made-up words, said again in any order: kfb qx tmwa qx kfb tmwa"
    solution: ClassVar[str] = "a previous-token head in one block, an induction head in a later one"
    example: ClassVar[str] = "dog cat hen cat dog h"

    @property
    def alphabet(self) -> str:
        return _alphabet(" ", LETTERS)

    def draw(self, random: np.random.Generator) -> Item:
        letters = iter([LETTERS[i] for i in random.permutation(len(LETTERS))])
        lengths = random.integers(self.shortest, self.longest + 1, int(random.integers(self.fewest, self.most + 1)))
        words = ["".join(next(letters) for _ in range(length)) for length in lengths]
        said = [*words, *(words[int(i)] for i in random.integers(0, len(words), self.again))]
        return Item(" ".join([*said[:-1], said[-1][0]]), said[-1][1:])


@dataclass(frozen=True)
class _OfOneWord(Task):
    """A word of `size` random letters, and what `answer` makes of it."""

    size: int = 6
    letters: str = LETTERS[:10]
    example: ClassVar[str] = "hidbag>"

    @abstractmethod
    def answer(self, word: str) -> str:
        """The one right answer to a word."""

    @property
    def alphabet(self) -> str:
        return _alphabet(">", self.letters)

    def draw(self, random: np.random.Generator) -> Item:
        word = "".join(self.letters[i] for i in random.integers(0, len(self.letters), self.size))
        return Item(f"{word}>", self.answer(word))


@dataclass(frozen=True)
class Reverse(_OfOneWord):
    """A word and its mirror image: `dbca>acbd`."""

    name: ClassVar[str] = "reverse"
    description: ClassVar[str] = "six letters and their mirror image: dbcaed>deacbd"
    solution: ClassVar[str] = "a head whose weights lie on the falling diagonal: it reads the word from its end"

    def answer(self, word: str) -> str:
        return word[::-1]


@dataclass(frozen=True)
class Sort(_OfOneWord):
    """A word and the same letters in order: `dbcad>abcdd`."""

    name: ClassVar[str] = "sort"
    description: ClassVar[str] = "six letters and the same in order: dbcadj>abcddj"
    solution: ClassVar[str] = "a head that attends from each letter to the next larger one of the question"

    def answer(self, word: str) -> str:
        return "".join(sorted(word))


@dataclass(frozen=True)
class Addition(Task):
    """Two numbers of `digits` digits and their sum, the last digit first: `27+58=580` for 27 + 58 = 85.

    From the last digit on, each digit of the sum needs two digits and a carry from before.
    """

    digits: int = 2
    name: ClassVar[str] = "addition"
    description: ClassVar[str] = "two numbers and their sum, its last digit first: 27+58=580"
    solution: ClassVar[str] = "heads that read the two digits of the same place, and those to the right for the carry"
    example: ClassVar[str] = "27+58="

    @property
    def alphabet(self) -> str:
        return _alphabet("+=", "0123456789")

    def draw(self, random: np.random.Generator) -> Item:
        left, right = (int(n) for n in random.integers(0, 10**self.digits, 2))
        total = f"{left + right:0{self.digits + 1}}"
        return Item(f"{left:0{self.digits}}+{right:0{self.digits}}=", total[::-1])


@dataclass(frozen=True)
class Brackets(Task):
    """Brackets that open and close, then those that close what is still open: `([(){:}])`."""

    longest: int = 12
    deepest: int = 6
    name: ClassVar[str] = "brackets"
    description: ClassVar[str] = "brackets, and after the colon those that close what is open: ([(){:}])"
    solution: ClassVar[str] = "heads that look for the last bracket that is still open"
    example: ClassVar[str] = "([(){:"

    @property
    def alphabet(self) -> str:
        return _alphabet(":", "()[]{}")

    def draw(self, random: np.random.Generator) -> Item:
        closing: list[str] = []
        written = []
        for _ in range(int(random.integers(2, self.longest + 1))):
            if closing and (len(closing) == self.deepest or random.random() < 0.4):
                written.append(closing.pop())
            else:
                opens, closes = ("()", "[]", "{}")[int(random.integers(3))]
                written.append(opens)
                closing.append(closes)
        if not closing:
            written.append("(")
            closing.append(")")
        return Item("".join([*written, ":"]), "".join(reversed(closing)))


@dataclass(frozen=True)
class RepeatedWord(Task):
    """One word over and over without lines, as `aabaabaab…`: what the handmade models were written for.

    A question is two words' length from any place of it, the answer the next word's length. There are only as many
    as the word has letters, and every text holds them all, so nothing can be held out.
    """

    word: str = "aab"
    name: ClassVar[str] = "pattern"
    description: ClassVar[str] = "one word over and over, as aabaabaab"
    solution: ClassVar[str] = "a head that tells where in the word one is, as in the handmade models"
    example: ClassVar[str] = ""

    @property
    def alphabet(self) -> str:
        return "".join(sorted(set(self.word)))

    def _items(self) -> Iterator[Item]:
        size = len(self.word)
        for start in range(size):
            turned = self.word[start:] + self.word[:start]
            yield Item(turned * 2, turned)

    def draw(self, random: np.random.Generator) -> Item:
        items = list(self._items())
        return items[int(random.integers(len(items)))]

    def text(self, seed: int = 0, length: int = 200_000) -> str:
        """The word until it is at least `length` characters, begun at a place that the seed chooses."""
        start = int(np.random.default_rng([seed, 0]).integers(len(self.word)))
        return (self.word[start:] + self.word[:start]) * -(-length // len(self.word))

    def held_out(self, seed: int = 0, count: int = 200) -> list[Item]:
        """Its few questions, each once; nothing is held out."""
        return list(self._items())


def _alphabet(signs: str, letters: str) -> str:
    """The separator, the signs and the letters of a task, sorted."""
    return "".join(sorted({SEPARATOR, *signs, *letters}))


#: Every task by its name.
TASKS: dict[str, Task] = {
    **{task.name: task for task in (Induction(), Reverse(), Sort(), Addition(), Brackets())},
    **{word: RepeatedWord(word) for word in ("aab", "ab", "aaab", "abcb")},
}
