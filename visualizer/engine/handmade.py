"""The transformer whose every weight is written by hand, from the pattern it is to continue.

After "I made a transformer by hand (no training!)" by Theia Vogel. One head, no norm, no MLP, tied unembedding.

The residual stream has one dimension for each position, one for each token, and one of scratch space. Each
position queries itself and the positions before it (as many as the pattern makes necessary); a key says where it
is; a value is +1 for the letter that repeats and −1 for the one that ends the pattern. What attention averages
into the scratch dimension therefore tells whether the last tokens were all the repeated letter, and the output
projection turns that into a large preference for one token or the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer.engine.config import ModelConfig
from visualizer.engine.parameters import Array
from visualizer.errors import ConfigError

N_CTX = 5
LG = 1024.0  #: large enough to make one signal dominate all others
PRESETS = ("aab", "ab", "aaab")


@dataclass(frozen=True)
class Handmade:
    """A model written by hand, and the words for its dimensions."""

    config: ModelConfig
    parameters: dict[str, Array]
    alphabet: str
    dimension_names: tuple[str, ...]


def handmade(pattern: str, dtype: str = "float32") -> Handmade:
    """The weights that continue `pattern`, a letter repeated 1 to 5 times and then another: `aab`, `ab`, `aaab`.

    Raises:
        ConfigError: the pattern has another form.
    """
    repeated, last = _letters(pattern)
    lookback = len(pattern) - 1  # the tokens that decide the next one
    alphabet = "".join(sorted((repeated, last)))
    n_vocab = len(alphabet)
    token, scratch = N_CTX, N_CTX + n_vocab  # first token dimension, scratch dimension
    d_model = scratch + 1
    repeat_dim, last_dim = token + alphabet.index(repeated), token + alphabet.index(last)

    wte = np.zeros((n_vocab, d_model))
    wte[:, token:scratch] = np.eye(n_vocab)
    wpe = np.zeros((N_CTX, d_model))
    wpe[:, :N_CTX] = np.eye(N_CTX)

    c_attn = np.zeros((d_model, 3 * d_model))
    q, k, v = (c_attn[:, i * d_model : (i + 1) * d_model] for i in range(3))
    for position in range(N_CTX):
        first = position - lookback + 1
        # A position with too few tokens before it asks for the first one alone.
        q[position, max(first, 0) : position + 1] = LG if first >= 0 else 0
        q[position, 0] = LG if first <= 0 else 0
        k[position, position] = 1
    v[repeat_dim, scratch] = 1
    v[last_dim, scratch] = -1
    if lookback > 2:
        # The text's beginning counts against the repeated letter, or two of it would pass for three.
        v[0, scratch] = -1

    # Where the average lies above the threshold, the pattern's last letter is due; below it, the repeated one.
    threshold = _threshold(lookback)
    c_proj = np.zeros((d_model, d_model))
    c_proj[scratch, repeat_dim], c_proj[scratch, last_dim] = -LG, LG
    bias = np.zeros(d_model)
    bias[repeat_dim] = 2 * threshold * LG

    config = ModelConfig(
        n_layers=1, d_model=d_model, n_ctx=N_CTX, d_vocab=n_vocab, n_heads=1, d_head=d_model,
        normalization_type=None, attn_only=True, tie_embeddings=True, dtype=dtype,
    )  # fmt: skip
    parameters = {
        "wte": wte,
        "wpe": wpe,
        "blocks.0.attn.c_attn.w": c_attn,
        "blocks.0.attn.c_attn.b": np.zeros(3 * d_model),
        "blocks.0.attn.c_proj.w": c_proj,
        "blocks.0.attn.c_proj.b": bias,
    }
    names = (*(f"P{i}" for i in range(N_CTX)), *alphabet, "scratch")
    return Handmade(config, parameters, alphabet, names)


def _threshold(lookback: int) -> float:
    """Midway between the averages that ask for the last letter and those that ask for the repeated one.

    All repeated gives 1, one other letter among them 2/lookback less. With the text's beginning in view, where
    that counts as −1, both are 1/lookback less; as far back as the context reaches, it always is.
    """
    if lookback <= 2:
        return 1 - 1 / lookback
    lowest_due = 1 - 1 / lookback
    highest_not_due = 1 - (3 if lookback == N_CTX else 2) / lookback
    return (lowest_due + highest_not_due) / 2


def _letters(pattern: str) -> tuple[str, str]:
    if not 2 <= len(pattern) <= N_CTX + 1 or len(set(pattern[:-1])) != 1 or pattern[0] == pattern[-1]:
        raise ConfigError(
            f"no handmade model continues {pattern!r}; one letter 1 to {N_CTX} times and then another is needed, "
            f"such as {', '.join(PRESETS)}"
        )
    return pattern[0], pattern[-1]
