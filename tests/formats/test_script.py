"""A run written as a script: run in a process of its own, it gives the engine's logits."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.engine.models import KINDS, of_kind, random_parameters
from visualizer import handmade
from visualizer.engine.config import ModelConfig
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.ops.base import Operation
from visualizer.errors import FormatError, InterventionError
from visualizer.formats.literals import array_literal
from visualizer.formats.script import MOST_INLINE, write_script
from visualizer.formats.script_operations import EMITTERS
from visualizer.tokenizers import CharacterTokenizer

Array = NDArray[Any]
ATTN = "blocks.0.attn."


def run(script: Path, folder: Path) -> tuple[str, Array]:
    """What a script prints, and the logits that it saves. `-I` keeps this project out of its reach."""
    saved = folder / "logits.npy"
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(script), str(saved)],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, np.load(saved)


def check(model: Model, tokens: Any, folder: Path, interventions: tuple[Intervention, ...] = ()) -> str:
    """Write, run and compare with the engine; what the script printed."""
    script = folder / "run.py"
    write_script(model, tokens, script, interventions=interventions)
    printed, logits = run(script, folder)
    expected = model.forward(tokens, interventions=interventions)["logits"]
    tolerance = 1e-5 if model.config.dtype == "float32" else 1e-12
    assert logits.dtype == expected.dtype
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
    np.testing.assert_allclose(logits, expected, rtol=tolerance, atol=tolerance * scale)
    return printed


@pytest.mark.parametrize("pattern", ["aab", "ab", "aaab"])
def test_a_handmade_model_gives_its_logits(pattern: str, tmp_path: Path) -> None:
    model = handmade(pattern)
    printed = check(model, "abaab", tmp_path)
    expected = model.forward("abaab")["logits"]
    shown = [line.split(": ")[1].split() for line in printed.splitlines() if line.startswith("logits[")]
    np.testing.assert_array_equal(np.array(shown, dtype=np.float32), expected)
    best = "ab"[int(expected[-1].argmax())]
    assert re.search(r"most probable first:\n    \d '(.)': probability 1.0", printed).group(1) == best  # type: ignore[union-attr]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_gives_its_logits(kind: str, dtype: str, tmp_path: Path) -> None:
    check(of_kind(kind, seed=3, dtype=dtype), [0, 5, 2, 2, 4], tmp_path)


def test_a_model_without_biases_gives_its_logits(tmp_path: Path) -> None:
    config = ModelConfig(n_layers=2, d_model=8, n_ctx=6, d_vocab=6, n_heads=4, n_key_value_heads=2, act_fn="gelu_new",
                         normalization_type="RMS", tie_embeddings=False)  # fmt: skip
    check(Model(config, random_parameters(config, 5, biases=0.0)), [1, 2, 3], tmp_path)


def test_only_the_last_tokens_of_a_long_prompt_are_run(tmp_path: Path) -> None:
    assert "tokens = np.array([1, 0, 0, 1, 0])" in written(handmade("aab"), "aaaaabaaba", tmp_path)


def written(model: Model, tokens: Any, folder: Path, interventions: tuple[Intervention, ...] = ()) -> str:
    """The source of a script."""
    write_script(model, tokens, folder / "run.py", interventions=interventions, name="a model")
    return (folder / "run.py").read_text(encoding="utf-8")


def test_a_large_model_has_its_numbers_beside_the_script(tmp_path: Path) -> None:
    config = ModelConfig(n_layers=1, d_model=32, n_ctx=8, n_heads=4, d_vocab=26, act_fn="gelu_new")
    model = Model(config, random_parameters(config, 1), CharacterTokenizer("abcdefghijklmnopqrstuvwxyz"))
    assert model.parameters.count() > MOST_INLINE
    files = write_script(model, "hello", tmp_path / "run.py")
    assert files == [tmp_path / "run.py", tmp_path / "run.py.npz"]
    assert (tmp_path / "run.py").stat().st_size < 20_000
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    printed, logits = run(tmp_path / "run.py", elsewhere)
    np.testing.assert_allclose(logits, model.forward("hello")["logits"], rtol=1e-5, atol=1e-4)
    assert "after 7 'h':" in printed


def test_a_script_leaves_other_files_of_a_like_name_alone(tmp_path: Path) -> None:
    config = ModelConfig(n_layers=1, d_model=32, n_ctx=8, n_heads=4, d_vocab=26, act_fn="gelu_new")
    model = Model(config, random_parameters(config, 1))
    (tmp_path / "run.npz").write_bytes(b"a trace of the user's")
    write_script(model, [1, 2], tmp_path / "run.py")
    assert (tmp_path / "run.npz").read_bytes() == b"a trace of the user's"
    (tmp_path / "taken.py").mkdir()
    with pytest.raises(FormatError, match="cannot write"):
        write_script(model, [1, 2], tmp_path / "taken.py")
    assert not (tmp_path / "taken.py.npz").exists()


@pytest.mark.parametrize(
    "change",
    [
        Intervention(ATTN + "z", "zero", (("head", 1),)),
        Intervention(ATTN + "z", "mean"),
        Intervention(ATTN + "pattern", "set", (("head", 0), ("query", 3), ("key", 1)), 0.7),
        Intervention(ATTN + "pattern", "set", (("query", 1),), 0.3),
        Intervention(ATTN + "qk", "patch", (("head", 0),), array=np.full((2, 5, 5), 2.0)),
        Intervention(ATTN + "pattern", "mean", (("head", 1), ("query", (1, 4)))),
        Intervention(ATTN + "scaled", "add", (("query", -1), ("key", 0)), 2.5),
        Intervention(ATTN + "scores", "scale", (("head", 0),), -0.5),
        Intervention(ATTN + "result", "scale", (("head", 0),), 3.0),
        Intervention("blocks.1.resid_pre", "zero", (("position", 2),)),
        Intervention("blocks.0.ln1.normalized", "add", (), 0.25),
        Intervention("blocks.0.ln2.scale", "set", (("position", 1),), 0.5),
        Intervention("blocks.1.ln1.mean", "add", (), 1.5),
        Intervention("blocks.1.mlp_out", "patch", (("position", (1, 3)),), array=np.full((4, 8), 0.5)),
        Intervention("logits", "set", (("position", 0), ("d_vocab", 2)), float("-inf")),
    ],
    ids=str,
)
def test_interventions_are_part_of_the_run(change: Intervention, tmp_path: Path) -> None:
    model = of_kind("gpt-2", seed=4)
    tokens = [0, 5, 2, 2]
    plain, changed = (model.forward(tokens, interventions=done)["logits"] for done in ((), (change,)))
    assert not np.allclose(plain, changed)
    check(model, tokens, tmp_path, (change,))
    source = (tmp_path / "run.py").read_text(encoding="utf-8")
    assert "Interventions are part of the run:" in source
    assert str(change) in source


def test_several_interventions_in_one_activation_are_made_in_order(tmp_path: Path) -> None:
    changes = (
        Intervention("blocks.0.resid_mid", "add", (), 1.0),
        Intervention("blocks.0.resid_mid", "scale", (("position", 1),), 2.0),
        Intervention("blocks.0.resid_mid", "zero", (("d_model", 3),), enabled=False),
    )
    check(of_kind("attention only", seed=2), [3, 1, 0], tmp_path, changes)


def test_an_intervention_beyond_the_tokens_is_left_out(tmp_path: Path) -> None:
    beyond = Intervention("blocks.0.resid_mid", "zero", (("position", 4),))
    assert "No interventions." in written(handmade("aab"), "aab", tmp_path, (beyond,))


def test_a_screen_without_the_letters_of_a_token_gets_their_codes(tmp_path: Path) -> None:
    model = Model(
        of_kind("gpt-2", d_vocab=3).config, of_kind("gpt-2", d_vocab=3).parameters, CharacterTokenizer("é日b")
    )
    write_script(model, model.ids("é日b"), tmp_path / "run.py")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py")], capture_output=True, env={"PYTHONIOENCODING": "ascii"}, check=True
    )
    assert b"after 0 '\\xe9'" in done.stdout
    assert b"after 1 '\\u65e5'" in done.stdout


def test_a_script_without_interventions_says_so(tmp_path: Path) -> None:
    switched_off = Intervention(ATTN + "z", "zero", enabled=False)
    assert "No interventions." in written(handmade("aab"), "aab", tmp_path, (switched_off,))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_stays_where_the_engine_has_it(wrong: float, tmp_path: Path) -> None:
    model = handmade("aab")
    embedding = np.array(model.parameters["wpe"])
    embedding[3, 5] = wrong
    broken = model.replace({"wpe": embedding})
    check(broken, "aabaa", tmp_path)
    assert np.isfinite(broken.forward("aabaa")["logits"][:3]).all()


def test_every_operation_has_an_emitter() -> None:
    def concrete(kind: type[Operation]) -> set[type[Operation]]:
        below = {found for sub in kind.__subclasses__() for found in concrete(sub)}
        return below or {kind}

    assert {kind for kind in concrete(Operation) if kind.__module__.startswith("visualizer")} == set(EMITTERS)


@given(st.lists(st.floats(width=32), min_size=1, max_size=40), st.integers(1, 3))
def test_a_literal_has_the_bits_of_its_numbers(numbers: list[float], rows: int) -> None:
    array = np.array(numbers * rows, dtype=np.float32).reshape(rows, -1)
    for shaped in (array, array[0], array.reshape(rows, -1, 1)):
        again = eval(array_literal(shaped), {"np": np, "dtype": np.float32})
        np.testing.assert_array_equal(again, shaped)
        assert again.dtype == np.float32
        assert np.array_equal(np.signbit(again[~np.isnan(again)]), np.signbit(shaped[~np.isnan(shaped)]))


def test_what_cannot_be_written_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    model = handmade("aab")
    with pytest.raises(FormatError, match=r"ends in \.py"):
        write_script(model, "aab", tmp_path / "run.txt")
    with pytest.raises(FormatError, match="no tokens"):
        write_script(model, "", tmp_path / "run.py")
    with pytest.raises(FormatError, match="cannot write"):
        write_script(model, "aab", tmp_path / "missing" / "run.py")
    outside = (Intervention(ATTN + "z", "zero", (("head", 7),)),)
    with pytest.raises(InterventionError):
        write_script(model, "aab", tmp_path / "run.py", interventions=outside)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_python_would_misread_is_written_harmlessly(tmp_path: Path) -> None:
    write_script(handmade("aab"), "aab", tmp_path / "run.py", name='x""" + \\N{oops} \udcff')
    docstring = ast.get_docstring(ast.parse((tmp_path / "run.py").read_bytes()))
    assert docstring is not None
    expected = b"The forward pass of x''' + /N{oops} ?, operation"  # in UTF-8, as Python 3.13 needs it
    assert docstring.encode("utf-8").startswith(expected)
    assert run(tmp_path / "run.py", tmp_path)[1].shape == (3, 2)
