"""An edit of the first weight of block l of L, with the earlier trace at hand, against the full pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.harness import Row, compare
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes

Array = NDArray[Any]

BLOCKS, LENGTH = 6, 128


def rows() -> list[Row]:
    """For the first, a middle and the last block of a model whose blocks are nearly all of its work."""
    config = ModelConfig(
        n_layers=BLOCKS, d_model=256, n_heads=8, n_ctx=LENGTH, d_vocab=256, act_fn="gelu_new", tie_embeddings=True
    )
    generator = np.random.default_rng(0)
    arrays = {name: 0.1 * generator.normal(size=shape) for name, shape in parameter_shapes(config).items()}
    model = Model(config, arrays)
    tokens = generator.integers(0, 256, LENGTH)
    return [edit(model, tokens, block) for block in (1, BLOCKS // 2 + 1, BLOCKS)]


def edit(model: Model, tokens: Array, block: int) -> Row:
    """One cell of c_attn of the block (counted from 1) changes to and fro."""
    name = f"blocks.{block - 1}.attn.c_attn.w"
    trace = model.forward(tokens)
    weight = model.parameters[name].copy()
    weight[0, 0] += 1
    edited = model.replace({name: weight})
    remaining = (BLOCKS - block + 1) / BLOCKS + 0.1
    return compare(
        f"an edit in block {block} of {BLOCKS}",
        lambda: edited.forward(tokens, reuse=trace),
        lambda: edited.forward(tokens),
        bound=remaining,
        aim=remaining,
        seconds=3.0,
        note="the full forward",
    )
