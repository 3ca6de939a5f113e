"""Attention rollout, against a sum over every path through the blocks."""

from itertools import product

import numpy as np
import pytest

from tests.engine.models import of_kind
from visualizer.engine.readings import attention_rollout


def test_rollout_adds_up_every_path_from_a_token_through_the_blocks() -> None:
    trace = of_kind("gpt-2").forward([0, 1, 2, 3])
    names = [name for name in trace.graph.names if name.endswith(".attn.pattern")]
    assert len(names) > 1
    mixing = [(trace[name].mean(axis=0) + np.eye(4)) / 2 for name in names]

    rolled = attention_rollout(trace)

    assert rolled.shape == (len(names), 4, 4)
    for block in range(len(names)):
        for query, key in np.ndindex(4, 4):
            paths = [(key, *between, query) for between in product(range(4), repeat=block)]
            weights = [np.prod([mixing[i][path[i + 1], path[i]] for i in range(block + 1)]) for path in paths]
            assert rolled[block, query, key] == pytest.approx(sum(weights))


def test_rollout_shares_each_position_out_among_the_tokens_up_to_it() -> None:
    rolled = attention_rollout(of_kind("gpt-2").forward([0, 1, 2, 3]))

    np.testing.assert_allclose(rolled.sum(axis=-1), 1, rtol=1e-6)
    assert not np.triu(rolled, 1).any()
