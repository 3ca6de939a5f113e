"""The handmade forward pass with everything recorded, against the same formulas as straight-line NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import visualizer
from tests.benchmarks.harness import Row, compare

Array = NDArray[Any]


def straight_line(parameters: dict[str, Array], tokens: Array) -> dict[str, Array]:
    """One head, no norm, no MLP: each formula of the article a line of NumPy, each result kept under a name.

    It makes what the engine records: no scores besides the pattern, no result a head.
    """
    wte, wpe, c_attn = parameters["wte"], parameters["wpe"], parameters["blocks.0.attn.c_attn.w"]
    count, width = len(tokens), wte.shape[1]
    embed = wte[tokens]
    pos_embed = wpe[:count]
    resid_pre = embed + pos_embed
    qkv = resid_pre @ c_attn + parameters["blocks.0.attn.c_attn.b"]
    q, k, v = qkv[:, :width], qkv[:, width : 2 * width], qkv[:, 2 * width :]
    mask = (1 - np.tri(count, dtype=np.float32)) * np.float32(-1e10)
    scores = q @ k.T / np.float32(math.sqrt(width)) + mask
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    pattern = weights / weights.sum(axis=-1, keepdims=True)
    z = pattern @ v
    attn_out = z @ parameters["blocks.0.attn.c_proj.w"] + parameters["blocks.0.attn.c_proj.b"]
    resid_mid = resid_pre + attn_out
    logits = resid_mid @ wte.T
    return {
        "embed": embed, "pos_embed": pos_embed, "blocks.0.resid_pre": resid_pre,
        "blocks.0.attn.q": q, "blocks.0.attn.k": k, "blocks.0.attn.v": v, "blocks.0.attn.pattern": pattern,
        "blocks.0.attn.z": z, "blocks.0.attn_out": attn_out, "blocks.0.resid_mid": resid_mid,
        "blocks.0.resid_post": resid_mid, "logits": logits,
    }  # fmt: skip


def rows() -> list[Row]:
    """A pass over five tokens from ids; then the same and every derived array asked for."""
    model = visualizer.handmade("aab")
    tokens = model.ids("aabaa")
    parameters = dict(model.parameters)
    ours, reference = model.forward(tokens), straight_line(parameters, tokens)
    assert set(reference) == set(ours.recorded)
    for name, array in reference.items():
        np.testing.assert_allclose(ours[name].reshape(array.shape), array, atol=1e-3)
    return [
        compare(
            "handmade forward, everything recorded, T = 5",
            lambda: model.forward(tokens),
            lambda: straight_line(parameters, tokens),
            bound=2.0,
            aim=1.3,
            seconds=3.0,
            note="straight-line NumPy",
        )
    ]
