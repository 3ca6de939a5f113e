"""How activations and parameters are named: `blocks.3.attn.q` is block 3, there `attn.q`, in short `q`."""

from __future__ import annotations

#: Activations whose head axis counts key-value heads, each of which several query heads may share.
OF_KEY_VALUE_HEADS = ("k", "v", "rot_k")


def block_of(name: str) -> int | None:
    """Which block an activation or parameter belongs to; None for those outside of all."""
    parts = name.split(".", 2)
    return int(parts[1]) if parts[0] == "blocks" else None


def block_prefix(name: str) -> str:
    """`blocks.0.` of a name in a block, nothing for others."""
    return name.removesuffix(local_name(name))


def local_name(name: str) -> str:
    """The name inside its block: `attn.c_attn.w` of `blocks.0.attn.c_attn.w`; the whole name outside the blocks."""
    return name.split(".", 2)[2] if name.startswith("blocks.") else name


def short_name(name: str) -> str:
    """The name inside its block as a formula writes it, without `attn.`: `pattern`, `mlp.post`, `resid_mid`."""
    return local_name(name).removeprefix("attn.")


def last_part(name: str) -> str:
    """What stands after the last dot: `q` of `blocks.0.attn.q`, `w` of a matrix, `b` of a bias."""
    return name.rpartition(".")[2]


def has_key_value_heads(name: str) -> bool:
    """Whether the head axis of an activation counts key-value heads and not query heads."""
    return last_part(name) in OF_KEY_VALUE_HEADS
