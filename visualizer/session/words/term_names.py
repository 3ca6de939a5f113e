"""Short names for links that stand below one another: what they share moves into the heading of their column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

#: In a heading, the place of an index that differs from row to row, and of those that do not.
EACH, SAME = "·", "…"


def shared_name(names: Sequence[str]) -> tuple[str, list[str]]:
    """A heading such as `q[…, ·]`, and each name by what it has in the place of the dot: `0`, `1`, …

    Names of other arrays than most are left whole. The heading is empty, and so all are, where nothing is shared.
    """
    parsed = [_parsed(name) for name in names]
    (kind, count), *_ = Counter((base, len(indices)) for base, indices in parsed).most_common(1) or [(("", 0), 0)]
    alike = [indices for base, indices in parsed if (base, len(indices)) == kind]
    differs = [len(set(column)) > 1 for column in zip(*alike, strict=True)]
    if count < 2 or not any(differs):
        return "", list(names)
    base, _ = kind
    places = [EACH if varies else SAME for varies in differs]
    places = [place for i, place in enumerate(places) if place == EACH or places[i - 1 : i] != [SAME]]
    short = [
        ", ".join(index for index, varies in zip(indices, differs, strict=True) if varies)
        if (base_of_one, len(indices)) == kind
        else name
        for name, (base_of_one, indices) in zip(names, parsed, strict=True)
    ]
    return f"{base}[{', '.join(places)}]", short


def _parsed(name: str) -> tuple[str, tuple[str, ...]]:
    """`pattern[b₂, a₁]` as its array and its indices. No index has a blank in it: tokens show theirs as ␣."""
    base, bracket, rest = name.partition("[")
    return base, tuple(rest.removesuffix("]").split(", ")) if bracket else ()
