"""What the library is given wrongly it refuses with one sentence from its own tree of errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import visualizer
from visualizer.engine.interventions import Intervention

C_ATTN, Z = "blocks.0.attn.c_attn.w", "blocks.0.attn.z"
#: Python does not check types when it runs, so neither do these calls when they are checked.
MODEL: Any = visualizer.handmade("aab")
LIBRARY: Any = visualizer
CHANGE: Any = Intervention
SIZES: dict[str, Any] = {"n_layers": 1, "d_model": 8, "n_ctx": 5, "d_vocab": 2, "n_heads": 1, "attn_only": True}

WRONG: dict[str, Callable[[], object]] = {
    **{f"generate {n!r} tokens": partial(MODEL.generate, "aab", n) for n in ("x", 1.5, None, True, np.nan)},
    "a temperature in words": lambda: MODEL.generate("aab", 1, temperature="hot"),
    "two temperatures": lambda: MODEL.generate("aab", 1, temperature=np.ones(2)),
    "top-k as text": lambda: MODEL.generate("aab", 1, top_k="all"),
    "top-p that is complex": lambda: MODEL.generate("aab", 1, top_p=1j),
    **{
        f"forward {prompt!r}": partial(MODEL.forward, prompt)
        for prompt in (None, 3, [0.5], [[0, 1]], [[0], [0, 1]], b"aab", ["a", "b"], [True], {0, 1}, [2**70], [None])
    },
    "interventions as text": lambda: MODEL.forward("aab", interventions="zero"),
    "no interventions": lambda: MODEL.forward("aab", interventions=None),
    "generate under a name": lambda: MODEL.generate("aab", 1, interventions=[Z]),
    "an intervention at a word": lambda: CHANGE(Z, "zero", "head"),
    "an intervention at half a head": lambda: CHANGE(Z, "zero", (("head", 0.5),)),
    "an intervention of a word": lambda: CHANGE(Z, "set", (), "x"),
    "an intervention of nothing": lambda: CHANGE(Z, "scale", (), None),
    "a patch from a list": lambda: CHANGE(Z, "patch", (), 0.0, [1, 2]),
    "replace nothing": lambda: MODEL.replace(None),
    "replace a list": lambda: MODEL.replace([1]),
    "replace by another shape": lambda: MODEL.replace({C_ATTN: np.ones((2, 2))}),
    "replace by a ragged list": lambda: MODEL.replace({C_ATTN: [[1], [1, 2]]}),
    "replace by objects": lambda: MODEL.replace({C_ATTN: np.full((8, 24), None)}),
    "a target between two tokens": lambda: MODEL.gradients("aab", 0.5),
    "no target": lambda: MODEL.gradients("aab", None),
    "text of half a token": lambda: MODEL.text([0.7]),
    "load nothing": lambda: LIBRARY.load(None),
    "load a number": lambda: LIBRARY.load(3),
    "a pattern that is a number": lambda: LIBRARY.handmade(3),
    "a model without configuration": lambda: LIBRARY.Model(None, {}),
    "a model without parameters": lambda: LIBRARY.Model(visualizer.ModelConfig(**SIZES), None),
    "heads as an array": lambda: LIBRARY.ModelConfig(**{**SIZES, "n_heads": np.ones(2)}),
    "heads in words": lambda: LIBRARY.ModelConfig(**{**SIZES, "n_heads": "one"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_of_the_wrong_type_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(visualizer.InputError) as refused:
        WRONG[name]()
    assert 10 < len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    sizes: dict[str, Any] = {name: np.int64(size) for name, size in SIZES.items() if size is not True}
    assert visualizer.ModelConfig(**sizes, attn_only=True) == visualizer.ModelConfig(**SIZES)
    assert len(list(MODEL.generate(np.array([0, 1], dtype=np.uint8), np.int32(3), top_k=np.int64(1)))) == 3


def test_a_model_and_a_trace_say_what_they_are_in_a_notebook() -> None:
    model = visualizer.handmade("aab")
    assert repr(model) == "Model(n_layers=1, n_heads=1, d_model=8, d_vocab=2, n_ctx=5, 344 parameters, float32)"
    trace = model.forward("aaba")
    assert repr(trace) == f"Trace(4 tokens, {len(trace)} activations)"
    zeroed = visualizer.Intervention("logits", "zero")
    assert repr(model.forward("a", interventions=[zeroed])).endswith(" activations, 1 intervention)")
