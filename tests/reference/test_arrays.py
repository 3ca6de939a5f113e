"""Against arrays that Transformers once computed, for machines where it is not installed; make_arrays.py made them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model

FILES = sorted((Path(__file__).parent / "arrays").glob("*.npz"))
TOLERANCE = {"float32": 1e-4, "float64": 1e-9}


def read(path: Path, dtype: str) -> tuple[Model, dict[str, NDArray[Any]]]:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    parameters = {name.removeprefix("parameters."): array for name, array in arrays.items() if "parameters." in name}
    config = ModelConfig.from_dict(json.loads(str(arrays["config"])))
    return Model(replace(config, dtype=dtype), parameters), arrays


def test_there_are_models_of_both_families() -> None:
    assert {path.stem for path in FILES} == {"gpt2", "gpt2_erf", "llama_grouped", "llama_tied_biases"}
    assert sum(path.stat().st_size for path in FILES) < 300_000


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_logits_and_every_pattern_are_those_that_transformers_computed(path: Path, dtype: str) -> None:
    model, arrays = read(path, dtype)
    trace = model.forward(arrays["tokens"])
    np.testing.assert_allclose(trace["logits"], arrays["logits"], rtol=0, atol=TOLERANCE[dtype])
    for block in range(model.config.n_layers):
        pattern = trace[f"blocks.{block}.attn.pattern"]
        np.testing.assert_allclose(pattern, arrays[f"pattern.{block}"], rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_greedy_continuation_is_that_of_transformers_with_its_cache(path: Path, dtype: str) -> None:
    model, arrays = read(path, dtype)
    steps = list(model.generate(arrays["tokens"], len(arrays["generated"])))
    assert [step.token for step in steps] == arrays["generated"].tolist()
    for step, logits in zip(steps, arrays["generated_logits"], strict=True):
        assert step.trace is not None
        np.testing.assert_allclose(step.trace["logits"][-1], logits, rtol=0, atol=TOLERANCE[dtype])
