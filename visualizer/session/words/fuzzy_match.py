"""How well a few typed letters fit a command's words."""

from __future__ import annotations

from functools import lru_cache

PLAIN, AFTER_ANOTHER, WORD_START, TEXT_START = 1.0, 4.0, 6.0, 8.0
UNREACHED = float("-inf")


@lru_cache(maxsize=8192)
def match(query: str, text: str) -> tuple[float, tuple[int, ...]] | None:
    """How well the letters of `query` occur in `text` in their order, and where; None where they do not.

    Case and blanks of the query do not count. A letter that begins a word weighs more than one that follows the
    letter before it, and that more than one somewhere inside; of two equal matches the shorter text wins.
    """
    wanted = [c for c in query.casefold() if not c.isspace()]
    letters = [c.casefold() for c in text]
    if not wanted:
        return 0.0, ()
    if len(wanted) > len(letters):
        return None
    # best[i][j]: the best score of the first i + 1 letters with the last of them at j; came[i][j]: the one before it.
    best: list[list[float]] = []
    came: list[list[int]] = []
    for i, letter in enumerate(wanted):
        row, origin = [UNREACHED] * len(letters), [-1] * len(letters)
        running, running_at = UNREACHED, -1  # the best end of the letters before, anywhere left of j
        for j, there in enumerate(letters):
            if there == letter:
                before, at = (0.0, -1) if i == 0 else (running, running_at)
                score = before + _weight(text, j)
                if i and j and best[i - 1][j - 1] + max(AFTER_ANOTHER, _weight(text, j)) >= score:
                    score, at = best[i - 1][j - 1] + max(AFTER_ANOTHER, _weight(text, j)), j - 1
                if score > UNREACHED:
                    row[j], origin[j] = score, at
            if i and best[i - 1][j] > running:
                running, running_at = best[i - 1][j], j
        best.append(row)
        came.append(origin)
    end = max(range(len(letters)), key=lambda j: best[-1][j], default=-1)
    if end < 0 or best[-1][end] == UNREACHED:
        return None
    places = [end]
    for i in range(len(wanted) - 1, 0, -1):
        places.append(came[i][places[-1]])
    return best[-1][end], tuple(reversed(places))


def _weight(text: str, place: int) -> float:
    """What a letter counts for where it stands."""
    if place == 0:
        return TEXT_START
    return PLAIN if text[place - 1].isalnum() else WORD_START
