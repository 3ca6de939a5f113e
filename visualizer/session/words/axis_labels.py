"""Words for the rows and columns of parameters and activations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from visualizer.engine.config import ModelConfig
from visualizer.engine.names import last_part, local_name
from visualizer.formats import OpenedModel
from visualizer.tokenizers.base import SYMBOLS

#: A label is no longer than so many characters.
LONGEST_LABEL = 14
#: So many tokens of a prompt are said in a caption.
LONGEST_PROMPT = 60
# Signs for white space that a tokenizer has left as it is, so that no label is ever blank.
_VISIBLE = str.maketrans({**SYMBOLS, "\t": "\N{RIGHTWARDS ARROW TO BAR}"})
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def token_label(opened: OpenedModel, token: int) -> str:
    """One token as text, or its id where the model has no tokenizer."""
    tokenizer = opened.model.tokenizer
    return str(token) if tokenizer is None else tokenizer.token_text(token)


def token_and_id(opened: OpenedModel, token: int) -> str:
    """One token as text with its id, as in `b (id 1)`; the id alone where the model has no tokenizer."""
    named = f"id {token}"
    return named if opened.model.tokenizer is None else f"{token_label(opened, token)} ({named})"


@lru_cache(maxsize=4096)
def visible_label(text: str, longest: int = LONGEST_LABEL) -> str:
    """A label with nothing invisible in it, cut to so many characters; ε for a text of none."""
    text = text.translate(_VISIBLE)
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text) or "ε"
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def with_position(label: str, position: int) -> str:
    """A token's text with its position as a subscript, as in a₀."""
    return label + str(position).translate(_SUBSCRIPTS)


def token_labels(opened: OpenedModel, tokens: Sequence[int], start: int = 0) -> list[str]:
    """Tokens with their positions, the first of which is `start`."""
    return [with_position(token_label(opened, t), start + i) for i, t in enumerate(tokens)]


def about_pass(opened: OpenedModel, tokens: Sequence[int], block: int | None = None, head: int | None = None) -> str:
    """What a picture shows a pass of, for its caption: model, block and head, prompt."""
    where = ", ".join(f"{what} {index}" for what, index in (("block", block), ("head", head)) if index is not None)
    prompt = "".join(visible_label(token_label(opened, token)) for token in tokens[:LONGEST_PROMPT])
    cut = "…" if len(tokens) > LONGEST_PROMPT else ""
    return " · ".join(part for part in (opened.name, where, f"prompt “{prompt}{cut}”") if part)


def dimensions(opened: OpenedModel) -> list[str]:
    """Words for the residual stream's dimensions: the source's own (P0 … scratch), or d0, d1, …"""
    return list(opened.dimension_names or (f"d{i}" for i in range(opened.model.config.d_model)))


def axis_labels(opened: OpenedModel, parameter: str) -> tuple[list[str], list[str]]:
    """(rows, columns) of a parameter; a vector is one row."""
    rows, columns = _kinds(parameter)
    shape = opened.model.parameters[parameter].shape
    return _named(opened, rows, shape[0] if len(shape) > 1 else 1), _named(opened, columns, shape[-1])


def _kinds(parameter: str) -> tuple[str, str]:
    """What the rows and columns of a parameter stand for."""
    name = local_name(parameter)
    known = {
        "wte": ("token", "model"),
        "wpe": ("position", "model"),
        "attn.c_attn.w": ("model", "qkv"),
        "attn.c_attn.b": ("b", "qkv"),
        "attn.c_proj.w": ("z", "model"),
        "mlp.c_fc.w": ("model", "mlp"),
        "mlp.c_gate.w": ("model", "mlp"),
        "mlp.c_fc.b": ("b", "mlp"),
        "mlp.c_gate.b": ("b", "mlp"),
        "mlp.c_proj.w": ("mlp", "model"),
        "lm_head.w": ("model", "token"),
        "lm_head.b": ("b", "token"),
    }
    return known.get(name, (last_part(name), "model"))


def _named(opened: OpenedModel, kind: str, size: int) -> list[str]:
    if kind == "model":
        return dimensions(opened)
    if kind == "token":
        return [token_label(opened, i) for i in range(size)]
    if kind == "qkv":
        return qkv_labels(opened.model.config)
    if kind == "z":
        return _heads("z", opened.model.config.n_heads, opened.model.config.d_head)
    prefix = {"position": "P", "mlp": "m"}.get(kind)
    word = {"b": "bias", "g": "gain"}.get(kind, kind)  # as the grid calls a vector's only row; b may be a token, too
    return [f"{prefix}{i}" for i in range(size)] if prefix else [word] * size


def qkv_labels(config: ModelConfig) -> list[str]:
    """The columns of c_attn: Q0 … K0 … V0 …, with the head before the dimension where there are several (Q1.0)."""
    return [
        *_heads("Q", config.n_heads, config.d_head),
        *_heads("K", config.n_key_value_heads, config.d_head),
        *_heads("V", config.n_key_value_heads, config.d_head),
    ]


def qkv_bands(config: ModelConfig) -> list[tuple[str, int, int]]:
    """The bands of c_attn's columns as (letter, first column, column after the last)."""
    q = config.n_heads * config.d_head
    kv = config.n_key_value_heads * config.d_head
    return [("Q", 0, q), ("K", q, q + kv), ("V", q + kv, q + 2 * kv)]


def _heads(letter: str, heads: int, d_head: int) -> list[str]:
    if heads == 1:
        return [f"{letter}{i}" for i in range(d_head)]
    return [f"{letter}{head}.{i}" for head in range(heads) for i in range(d_head)]
