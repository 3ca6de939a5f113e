"""What descent is to reach: contexts, and the token that should follow each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.model import Model

Array = NDArray[Any]

#: The pattern is asked for from its third token on, as the accuracy is.
SKIP = 2


@dataclass(frozen=True)
class Objective:
    """Contexts, and the token that should follow each.

    Attributes:
        groups: (tokens [contexts, position], targets [contexts]) of each length; all contexts count the same.
        name: what it is called: `'b'`, or `(aab)*`.
    """

    groups: tuple[tuple[Array, Array], ...] = field(compare=False)
    name: str
    key: tuple[object, ...] = ()

    @classmethod
    def here(cls, tokens: Array, target: int, name: str) -> Objective:
        """One token after one context, ids [position]."""
        group = (np.array(tokens, dtype=np.intp)[None], np.array([target], dtype=np.intp))
        return cls((group,), name, (tuple(map(int, tokens)), target))

    @classmethod
    def pattern(cls, model: Model, pattern: str) -> Objective:
        """Every next token of a pattern repeated, from its third token on: each context once."""
        n_ctx = model.config.n_ctx
        ids = model.ids(pattern * (2 + (SKIP + n_ctx) // len(pattern)))
        by_length: dict[int, list[tuple[Array, int]]] = {}
        for end in range(SKIP, n_ctx + len(pattern)):
            context = ids[max(0, end - n_ctx) : end]
            by_length.setdefault(len(context), []).append((context, int(ids[end])))
        groups = tuple(
            (np.array([c for c, _ in pairs]), np.array([t for _, t in pairs], dtype=np.intp))
            for pairs in by_length.values()
        )
        return cls(groups, f"({pattern})*", (pattern, n_ctx))

    def count(self) -> int:
        """How many contexts there are."""
        return sum(len(targets) for _, targets in self.groups)
