"""Damage to files, from a seed: bytes that are changed, and JSON whose values are replaced by what nobody expects."""

from __future__ import annotations

import copy
import random
from typing import Any

#: Values that once ended in a traceback, a silence or all memory, and their like.
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, 3, -1, 0.5, -0.0, 1e-320, 1e308, 2**31, 2**63, 10**12, 10**400, -(10**400), "", "a",
    "\ud800", "\x00", "aab" * 200_000, [], {}, [[]], [True], [1, 2], [0.5, "a"], {"kind": "characters"},
    float("nan"), float("inf"), float("-inf"), "float64", "__metadata__", "../../x", "é😀", [10**400], ["a", "a"],
)  # fmt: skip


def mutated_bytes(data: bytes, random: random.Random) -> bytes:
    """The bytes with a few of them changed, cut out, put in, doubled or moved; seldom in one place only."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.randrange(len(changed) + 1)
        length = random.choice((1, 1, 4, 8, 100))
        match random.randrange(5):
            case 0:
                changed[at : at + length] = random.randbytes(len(changed[at : at + length]))
            case 1:
                del changed[at : at + length]
            case 2:
                changed[at:at] = random.randbytes(length)
            case 3:
                changed[at:at] = changed[at : at + length]
            case _:
                del changed[at:]
    return bytes(changed)


def mutated_json(value: Any, random: random.Random) -> Any:
    """A copy in which one value, somewhere, is replaced, left out, or stands under another name."""
    root: dict[str, Any] = {"root": copy.deepcopy(value)}
    holders: list[Any] = [root]
    for holder in holders:  # the list grows as it is read
        inside = list(holder.values()) if isinstance(holder, dict) else holder
        holders += [item for item in inside if isinstance(item, dict | list) and item]
    chosen: Any = random.choice(holders)
    key = random.choice(list(chosen)) if isinstance(chosen, dict) else random.randrange(len(chosen))
    match random.randrange(6):
        case 0 if len(holders) > 1 and chosen is not root:
            del chosen[key]
        case 1 if isinstance(chosen, dict) and chosen is not root:
            chosen[random.choice(("", "extra", "\ud800", "n" * 5000))] = chosen.pop(key)
        case 2 if isinstance(chosen, list):
            chosen.append(chosen[key])
        case _:
            chosen[key] = copy.deepcopy(random.choice(HOSTILE))
    return root["root"]
