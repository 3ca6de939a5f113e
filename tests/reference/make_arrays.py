"""Make the small files of reference arrays: python -m tests.reference.make_arrays (needs the extra 'reference').

Each holds a tiny random model (configuration, parameters), tokens, and what Transformers computes from them in
double precision: logits, every block's attention pattern, and the greedy continuation with its cache.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.reference import conversions
from visualizer.engine.model import Model

FOLDER = Path(__file__).parent / "arrays"
VOCABULARY, CONTEXT, LENGTH = 17, 14, 11
COMMON: dict[str, Any] = {"vocabulary": VOCABULARY, "context": CONTEXT, "dtype": "float64"}


def cases() -> dict[str, tuple[Any, Model]]:
    """Pairs of models by file name."""
    llama: dict[str, Any] = {**COMMON, "d_head": 6, "inner": 14, "base": 10000.0}
    return {
        "gpt2": conversions.gpt2(blocks=3, heads=3, width=15, inner=22, act_fn="gelu_new", seed=1, **COMMON),
        "gpt2_erf": conversions.gpt2(blocks=1, heads=2, width=10, inner=13, act_fn="gelu", seed=2, **COMMON),
        "llama_grouped": conversions.llama(
            blocks=2, heads=4, shared=2, width=12, tied=False, biases=False, eps=1e-6, seed=3, **llama
        ),
        "llama_tied_biases": conversions.llama(
            blocks=2, heads=3, shared=1, width=9, tied=True, biases=True, eps=1e-2, seed=4, **llama
        ),
    }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, (reference, model) in cases().items():
        tokens = np.random.default_rng(5).integers(0, VOCABULARY, LENGTH)
        logits, patterns = conversions.reference_pass(reference, tokens)
        steps = conversions.reference_generation(reference, tokens, CONTEXT - LENGTH + 1)
        arrays: dict[str, Any] = {
            "config": json.dumps(model.config.to_dict()),
            "tokens": tokens,
            "logits": logits,
            "generated": [int(last.argmax()) for last, _ in steps],
            "generated_logits": [last for last, _ in steps],
        }
        arrays |= {f"pattern.{block}": pattern for block, pattern in enumerate(patterns)}
        arrays |= {f"parameters.{key}": array.astype(np.float32) for key, array in model.parameters.items()}
        np.savez_compressed(FOLDER / f"{name}.npz", **arrays)


if __name__ == "__main__":
    main()
